/**
 * The ways on which files come to a room: chosen, pasted, and dropped on it.
 *
 * @param wanted whether any may come just now
 * @param take `take(files)`, an array of `File`
 */
export function listenForFiles(room, { picker, target, isAllowed, onFiles }) {
  const takeSelected = () => {
    const files = [...picker.files];
    picker.value = ""; // so that the same file can be chosen again
    if (files.length) onFiles(files);
  };
  takeSelected(); // before this script was here
  room.listen(picker, "change", takeSelected);
  room.listen(room.eventScope, "paste", (event) => {
    const { files, types } = event.clipboardData;
    // A table or a text of an office program comes with a picture of itself; what is meant is the text.
    const isText = types.includes("text/plain") && types.includes("text/html");
    if (!files.length || isText || !isAllowed()) return;
    event.preventDefault();
    onFiles([...files]);
  });
  listenForDrops(room, { target, isAllowed, onFiles });
}

function listenForDrops(room, { target, isAllowed, onFiles }) {
  const show = (on) => target && (target.hidden = !on);
  const on = (type, handler) => room.listen(room.element, type, handler);
  const accepts = ({ dataTransfer }) => dataTransfer?.types.includes("Files") && isAllowed();
  for (const type of ["dragenter", "dragover"]) {
    on(type, (event) => {
      if (!accepts(event)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      show(true);
    });
  }
  on("dragleave", ({ relatedTarget }) => room.element.contains(relatedTarget) || show(false));
  on("drop", (event) => {
    show(false);
    if (!accepts(event)) return;
    event.preventDefault();
    onFiles(droppedFiles(event.dataTransfer));
  });
}

/** Without folders, which look like files and cannot be read. */
function droppedFiles({ items, files }) {
  const isFolder = [...items].filter(({ kind }) => kind === "file").map((item) => item.webkitGetAsEntry?.()?.isDirectory);
  return [...files].filter((_, index) => !isFolder[index]);
}
