import { Dialog } from "../ui/dialog.js";

/** The dialog with earlier versions of a message, if the site keeps them. */
export function edits(room) {
  const element = room.part("edits");
  if (!element || !("keepsEdits" in room.data)) return;
  const part = (name) => element.querySelector(`[data-part="${name}"]`);
  const dialog = new Dialog({ element, signal: room.signal });

  async function show({ seq }) {
    const answer = await room.request({ type: "edits", seq });
    if (!answer) return;
    part("versions").replaceChildren(...answer.texts.toReversed().map((text) => version(room, text)));
    part("versions-none").hidden = answer.texts.length > 0;
    dialog.open();
  }

  const isTheirs = ({ element: { dataset } }) => "mine" in dataset || room.can("moderate");
  room.messageActions.set("edits", { when: (view) => isEdited(view) && isTheirs(view), act: show });
}

function isEdited({ element }) {
  return element.querySelector('[data-part="edited"]')?.hidden === false;
}

function version(room, { body, at }) {
  const item = room.template("version").content.querySelector("li").cloneNode(true);
  const time = item.querySelector('[data-part="time"]');
  time.dateTime = at;
  time.textContent = room.calendar.moment(new Date(at));
  item.querySelector('[data-part="text"]').textContent = body;
  return item;
}
