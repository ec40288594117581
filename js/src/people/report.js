import { FormDialog } from "../ui/form_dialog.js";

/** The dialog that reports a message to the moderators, with a reason. */
export function report(room) {
  const element = room.part("report");
  if (!element) return;
  const part = (name) => element.querySelector(`[data-part="${name}"]`);
  const dialog = new FormDialog({
    element,
    onOpen: ({ authorName, text }) => {
      part("whom").textContent = authorName;
      part("text").textContent = text;
    },
    send: (values, { seq, authorName }) =>
      room.request({ type: "report", seq, reason: values.get("reason") }, room.strings.reported.replace("{name}", () => authorName)),
    signal: room.signal,
  });
  room.messageActions.set("report", { when: (view) => isByOtherUser(view) && room.can("report"), act: (view) => dialog.open(view) });
}

function isByOtherUser({ element: { dataset } }) {
  return dataset.kind !== "system" && !("mine" in dataset) && !("deleted" in dataset);
}
