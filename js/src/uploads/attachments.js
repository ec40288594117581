import { AttachmentTray } from "./attachment_tray.js";
import { listenForFiles } from "./incoming_files.js";

/** Attachments of the next message: selected, pasted or dropped, and uploaded immediately. */
export function attachments(room) {
  const [attach, list, template] = [room.part("attach"), room.part("strip"), room.template("upload")];
  if (!room.composer || !attach || !list || !template || !room.data.filesUrl) return;
  const picker = attach.querySelector("input");
  const attachmentTray = new AttachmentTray(room, { list, template, picker });
  const isAllowed = () => room.can("attach") && !document.querySelector("dialog:modal");
  const showButton = () => (attach.hidden = !room.can("attach"));

  room.composer.attachments = attachmentTray;
  room.on("rights", showButton);
  showButton();
  listenForFiles(room, { picker, target: room.part("drop"), isAllowed, onFiles: (files) => attachmentTray.add(files) });
  room.on("status", ({ state }) => state === "connected" && attachmentTray.resume());
  room.on("dropped", ({ post, discarded }) => discarded && attachmentTray.discard(post.files ?? []));
  room.listen(window, "beforeunload", (event) => attachmentTray.isBusy && event.preventDefault());
}
