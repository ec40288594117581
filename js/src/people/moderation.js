import { FormDialog } from "../ui/form_dialog.js";

/** What moderators and owners may do about somebody: from the list of people, and from what they said. */
export function moderation(room) {
  const { signal } = room;
  const offer = (what, when, act) => room.personActions.set(what, { when, act });
  const may = (power) => (person) => person.may.includes(power);

  for (const [kind, held] of [
    ["mute", "muted"],
    ["ban", "banned"],
  ]) {
    const dialog = sanctionDialog(room, kind);
    if (dialog) {
      offer(kind, (person) => may(kind)(person) && !person[held], (person) => dialog.open(person));
      room.messageActions.set(kind, { when: (view) => isSaidByAnother(view) && room.can("moderate"), act: (view) => dialog.open(authorOf(view)) });
    }
    offer(`un${kind}`, (person) => may(kind)(person) && Boolean(person[held]), ({ key }) => room.ask({ type: kind, key, on: false }));
  }

  for (const role of ["owner", "moderator", "member"]) {
    offer(`make-${role}`, (person) => may("role")(person) && person.role !== role, ({ key }) => room.ask({ type: "role", key, role }));
  }

  const element = room.part("remove");
  if (!element) return;
  const removal = new FormDialog({
    element,
    onOpen: (person) => nameIn(element, person),
    send: (_values, { key }) => room.ask({ type: "remove", key }),
    signal,
  });
  offer("remove", may("remove"), (person) => removal.open(person));
}

function sanctionDialog(room, kind) {
  const element = room.part(kind);
  const send = (values, { key }) => {
    const seconds = Number(values.get("seconds")) || null;
    return room.ask({ type: kind, key, seconds, reason: values.get("reason") }, room.words[`${kind}_done`]);
  };
  return element && new FormDialog({ element, onOpen: (person) => nameIn(element, person), send, signal: room.signal });
}

function nameIn(element, { key, name }) {
  element.querySelector('[data-part="whom"]').textContent = name || key;
}

function isSaidByAnother({ element: { dataset } }) {
  return dataset.kind === "user" && !("mine" in dataset);
}

function authorOf({ element: { dataset }, authorName }) {
  return { key: dataset.author, name: authorName };
}
