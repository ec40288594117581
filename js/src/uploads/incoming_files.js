/**
 * The ways on which files come to a room: chosen, pasted, and dropped on it.
 *
 * @param wanted whether any may come just now
 * @param take `take(files)`, an array of `File`
 */
export function watchForFiles(room, { picker, target, wanted, take }) {
  const takeChosen = () => {
    const files = [...picker.files];
    picker.value = ""; // so that the same file can be chosen again
    if (files.length) take(files);
  };
  takeChosen(); // before this script was here
  room.listen(picker, "change", takeChosen);
  room.listen(room.ground, "paste", (event) => {
    const { files, types } = event.clipboardData;
    // A table or a text of an office program comes with a picture of itself; what is meant is the text.
    const isText = types.includes("text/plain") && types.includes("text/html");
    if (!files.length || isText || !wanted()) return;
    event.preventDefault();
    take([...files]);
  });
  watchDrops(room, { target, wanted, take });
}

function watchDrops(room, { target, wanted, take }) {
  const show = (on) => target && (target.hidden = !on);
  const hear = (type, handler) => room.listen(room.element, type, handler);
  const isOurs = ({ dataTransfer }) => dataTransfer?.types.includes("Files") && wanted();
  for (const type of ["dragenter", "dragover"]) {
    hear(type, (event) => {
      if (!isOurs(event)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      show(true);
    });
  }
  hear("dragleave", ({ relatedTarget }) => room.element.contains(relatedTarget) || show(false));
  hear("drop", (event) => {
    show(false);
    if (!isOurs(event)) return;
    event.preventDefault();
    take(filesOf(event.dataTransfer));
  });
}

/** Without folders, which look like files and cannot be read. */
function filesOf({ items, files }) {
  const isFolder = [...items].filter(({ kind }) => kind === "file").map((item) => item.webkitGetAsEntry?.()?.isDirectory);
  return [...files].filter((_, place) => !isFolder[place]);
}
