import { Dialog } from "../ui/dialog.js";
import { fileNames } from "../ui/file_size.js";
import { isPlainClick } from "../ui/plain_click.js";
import { foundRow } from "./found_row.js";

const EXCERPT_LENGTH = 160; // the same length as in search results

/** The dialog with pinned messages: go to a message, or unpin it. */
export function pinned(room) {
  const element = room.part("pinned");
  if (!element || !room.template("found")) return;
  const part = (name) => element.querySelector(`[data-part="${name}"]`);
  const list = part("pins");
  const dialog = new Dialog({ element, signal: room.signal });
  const count = () => (part("pins-none").hidden = list.childElementCount > 0);

  async function show() {
    const answer = await room.request({ type: "pinned" });
    if (!answer) return;
    list.replaceChildren(...answer.events.map((event) => pin(room, event)));
    count();
    dialog.open();
  }

  async function unpin(row) {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    if (!(await room.request({ type: "pin", seq: Number(row.dataset.seq), on: false }))) return;
    row.remove();
    count();
    (next?.querySelector("a") ?? element.querySelector("[data-close]")).focus();
  }

  room.roomActions.set("pinned", { act: show });
  room.listen(list, "click", (event) => {
    const row = event.target.closest("li");
    if (event.target.closest('[data-part="unpin"]')) return unpin(row);
    if (!event.target.closest("a") || !isPlainClick(event)) return undefined;
    event.preventDefault();
    dialog.close();
    return room.history.goTo(Number(row.dataset.seq));
  });
}

function pin(room, { seq, author, at, body, files }) {
  const characters = [...(body || fileNames(files))];
  const text = characters.slice(0, EXCERPT_LENGTH).join("") + (characters.length > EXCERPT_LENGTH ? "…" : "");
  const row = foundRow(room, { author, at, url: room.messageUrl(seq), pieces: [text] });
  row.dataset.seq = seq;
  row.querySelector('[data-part="unpin"]').hidden = !room.can("pin");
  return row;
}
