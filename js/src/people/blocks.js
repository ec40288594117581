import { FormDialog } from "../ui/form_dialog.js";
import { showName, undo } from "./moderation.js";

/** Blocking of a user, in the list of people and in the menu of a direct room. */
export function blocks(room) {
  const element = room.part("block");
  if (!element) return;
  const { strings, signal } = room;
  const dialog = new FormDialog({
    element,
    onOpen: (person) => showName(element, person),
    send: (_values, { key, name }) =>
      room.request({ type: "block", key }, strings.block_done.replace("{name}", () => name || key), undo(room, { type: "block", key, on: false })),
    signal,
  });
  const unblock = ({ key, name }) => room.request({ type: "block", key, on: false }, strings.unblock_done.replace("{name}", () => name || key));
  room.personActions.set("block", { when: ({ may, blocked }) => may.includes("block") && !blocked, act: (person) => dialog.open(person) });
  room.personActions.set("unblock", { when: ({ blocked }) => Boolean(blocked), act: unblock });

  const other = () => ({ key: room.rights.other, name: room.rights.title });
  room.roomActions.set("block", { when: () => Boolean(room.rights.other) && !room.rights.blocked, act: () => dialog.open(other()) });
  room.roomActions.set("unblock", { when: () => Boolean(room.rights.blocked), act: () => unblock(other()) });
}
