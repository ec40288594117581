import { emit } from "../core/emit.js";
import { FormDialog } from "../ui/form_dialog.js";

/** Actions of moderators and owners on a person, in the list of people and in the menu of a message. */
export function moderation(room) {
  const { signal } = room;
  const offer = (what, when, act) => room.personActions.set(what, { when, act });
  const may = (action) => (person) => person.may.includes(action);

  for (const [kind, state] of [
    ["mute", "muted"],
    ["ban", "banned"],
  ]) {
    const dialog = sanctionDialog(room, kind);
    if (dialog) {
      offer(kind, (person) => may(kind)(person) && !person[state], (person) => dialog.open(person));
      room.messageActions.set(kind, { when: (view) => isByOtherUser(view) && room.can("moderate"), act: (view) => dialog.open(authorOf(view)) });
    }
    offer(`un${kind}`, (person) => may(kind)(person) && Boolean(person[state]), ({ key }) => room.request({ type: kind, key, on: false }));
  }

  for (const role of ["owner", "moderator", "member"]) {
    offer(`make-${role}`, (person) => may("role")(person) && person.role !== role, ({ key }) => room.request({ type: "role", key, role }));
  }

  const element = room.part("remove");
  if (!element) return;
  const removal = new FormDialog({
    element,
    onOpen: (person) => showName(element, person),
    send: (_values, { key }) => room.request({ type: "remove", key }),
    signal,
  });
  offer("remove", may("remove"), (person) => removal.open(person));
}

function sanctionDialog(room, kind) {
  const element = room.part(kind);
  const send = (values, { key, name }) => {
    const seconds = Number(values.get("seconds")) || null;
    const done = room.strings[`${kind}_done`].replace("{name}", () => name || key);
    return room.request({ type: kind, key, seconds, reason: values.get("reason") }, done, undo(room, { type: kind, key, on: false }));
  };
  return element && new FormDialog({ element, onOpen: (person) => showName(element, person), send, signal: room.signal });
}

/** Returns a function that sends a frame which reverses an action; the session then emits `undone`. */
export function undo(room, frame) {
  return async () => (await room.request(frame)) && emit(room.session, "undone", frame);
}

export function showName(element, { key, name }) {
  element.querySelector('[data-part="whom"]').textContent = name || key;
}

function isByOtherUser({ element: { dataset } }) {
  return dataset.kind === "user" && !("mine" in dataset);
}

function authorOf({ element: { dataset }, authorName }) {
  return { key: dataset.author, name: authorName };
}
