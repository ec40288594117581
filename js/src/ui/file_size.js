const KIB = 1024;
const INTEGER_FROM = 10; // from this number on, no decimals are shown

/**
 * A file size in the number format of the page: “1.4 MB”. `roomchat_size` in `templatetags/roomchat.py` is the
 * equivalent on the server.
 *
 * @param shared `{strings, language}`
 */
export function formatFileSize(bytes, { strings, language }) {
  const [unit, number] = bytes < KIB * KIB ? ["size_kb", Math.max(bytes / KIB, 0.1)] : ["size_mb", bytes / KIB / KIB];
  const digits = { maximumFractionDigits: number < INTEGER_FROM ? 1 : 0 };
  return strings[unit].replace("{count}", new Intl.NumberFormat(language, digits).format(number));
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
