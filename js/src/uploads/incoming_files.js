/**
 * Listen for files that are selected, pasted or dropped on the room.
 *
 * @param isAllowed whether files are accepted at the moment
 * @param onFiles `onFiles(files)`, an array of `File`
 */
export function listenForFiles(room, { picker, target, isAllowed, onFiles }) {
  const takeSelected = () => {
    const files = [...picker.files];
    picker.value = ""; // so that the same file can be selected again
    if (files.length) onFiles(files);
  };
  takeSelected(); // files selected before this module was loaded
  room.listen(picker, "change", takeSelected);
  room.listen(room.eventScope, "paste", (event) => {
    const { files, types } = event.clipboardData;
    // Office programs add an image of the copied text or table; the text is pasted.
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

/** The dropped files without folders, which are listed as files but cannot be read. */
function droppedFiles({ items, files }) {
  const isFolder = [...items].filter(({ kind }) => kind === "file").map((item) => item.webkitGetAsEntry?.()?.isDirectory);
  return [...files].filter((_, index) => !isFolder[index]);
}
