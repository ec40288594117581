const KIB = 1024;
const INTEGER_FROM = 10; // from this number on, no decimals are shown

/**
 * A file size in the number format of the site: “1.4 MB”. `roomchat_size` in `templatetags/roomchat.py` is the
 * equivalent on the server.
 *
 * @param shared `{strings, calendar}`
 */
export function formatFileSize(bytes, { strings, calendar }) {
  const [unit, size] = bytes < KIB * KIB ? ["size_kb", KIB] : ["size_mb", KIB * KIB];
  const tenths = bytes < INTEGER_FROM * size ? Math.max(Math.floor((bytes * 10) / size + 0.5), 1) : Math.floor(bytes / size + 0.5) * 10;
  return strings[unit].replace("{count}", () => calendar.formats.tenths(tenths));
}

/**
 * The kind of a file as it is shown; `roomchat_kind` is the equivalent on the server. An image of unknown size is
 * shown as a file.
 */
export function fileKind({ type, width }) {
  const [family] = type.split("/");
  if (family === "image") return width ? "image" : "file";
  if (["video", "audio", "text"].includes(family)) return family;
  return /zip|tar|compressed|rar/.test(type) ? "archive" : "file";
}

const [MAX_WIDTH, MAX_HEIGHT] = [400, 320];
const MIN_PX = 48;

/** Width and height of a thumbnail; `roomchat_box` is the equivalent on the server. */
export function thumbnailSize({ width, height }) {
  const scale = Math.min(1, MAX_WIDTH / width, MAX_HEIGHT / height);
  return [width, height].map((length) => Math.max(MIN_PX, Math.round(length * scale)));
}

/** The names of the files, shown in place of the text of a message without one. */
export function fileNames(files) {
  return (files ?? []).map(({ name }) => name).join(", ");
}
