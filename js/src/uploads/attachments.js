import { watchForFiles } from "./incoming_files.js";
import { Tray } from "./attachment_tray.js";

/** Files that go with the next message: chosen, pasted or dropped, and on their way to the server at once. */
export function attachments(room) {
  const [attach, strip, template] = [room.part("attach"), room.part("strip"), room.template("upload")];
  if (!room.composer || !attach || !strip || !template || !room.data.filesUrl) return;
  const picker = attach.querySelector("input");
  const tray = new Tray(room, { strip, template, picker });
  const wanted = () => room.can("attach") && !document.querySelector("dialog:modal");
  const showButton = () => (attach.hidden = !room.can("attach"));

  room.composer.extra = tray;
  room.on("rights", showButton);
  showButton();
  watchForFiles(room, { picker, target: room.part("drop"), wanted, take: (files) => tray.add(files) });
  room.on("status", ({ state }) => state === "connected" && tray.resume());
  room.on("dropped", ({ post, discarded }) => discarded && tray.takeBack(post.files ?? []));
  room.listen(window, "beforeunload", (event) => tray.isBusy && event.preventDefault());
}
