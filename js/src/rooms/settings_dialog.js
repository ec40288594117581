import { amount, duration } from "../ui/durations.js";
import { FormDialog } from "../ui/form_dialog.js";

/** The dialog with the settings of the room, for owners. */
export function settings(room) {
  const element = room.part("settings");
  if (!element) return;
  const form = element.querySelector("form");
  labelOptions(form, room.calendar.language);
  const dialog = new FormDialog({
    element,
    onOpen: (current) => fill(form, current, room),
    send: (_values, current) => {
      const changed = changes(current, valuesOf(form));
      return Object.keys(changed).length ? room.request({ type: "configure", ...changed }, room.strings.saved) : true;
    },
    signal: room.signal,
  });
  room.roomActions.set("settings", {
    when: () => room.can("manage"),
    act: async () => {
      const current = await room.request({ type: "settings" });
      if (current) dialog.open(current);
    },
  });
}

/** The values that have changed. A value that is missing in a frame has its default. */
export function changes(before, after) {
  return Object.fromEntries(Object.entries(after).filter(([name, value]) => value !== (before[name] ?? emptyValue(value))));
}

function emptyValue(value) {
  return { string: "", number: 0, boolean: false }[typeof value];
}

function fill(form, current, room) {
  for (const field of fieldsOf(form)) {
    const value = current[field.name];
    if (field.type === "checkbox") field.checked = value ?? false;
    else if (field.localName === "select") choose(field, value ?? 0, room.calendar.language);
    else field.value = value;
  }
  // Private rooms are listed only for their members.
  const listed = form.querySelector('[data-part="settings-listed"]');
  if (listed) listed.hidden = current.visibility !== "open";
}

function valuesOf(form) {
  return Object.fromEntries(fieldsOf(form).map((field) => [field.name, valueOf(field)]));
}

function valueOf(field) {
  if (field.type === "checkbox") return field.checked;
  return field.localName === "select" ? Number(field.value) : field.value.trim();
}

/** The fields with a name; a custom template may omit some. */
function fieldsOf(form) {
  return [...form.elements].filter(({ name }) => name);
}

/** A value that was set elsewhere and is not among the options is added as an option. */
function choose(field, value, language) {
  if (![...field.options].some((option) => Number(option.value) === value)) {
    field.append(new Option("", value));
    labelOptions(field.form, language);
  }
  field.value = value;
}

function labelOptions(form, language) {
  for (const field of form.querySelectorAll("select[data-unit]")) {
    for (const option of field.options) {
      const number = Number(option.value);
      if (!option.textContent) option.textContent = field.dataset.unit === "day" ? amount(number, "day", language) : duration(number, language);
    }
  }
}
