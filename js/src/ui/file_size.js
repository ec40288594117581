const KIB = 1024;
const INTEGER_FROM = 10; // from here on nobody asks for tenths

/**
 * How large, in the reader's numbers: "1.4 MB". `roomchat_size` in `templatetags/roomchat.py` does the same on the server.
 *
 * @param house `{words, language}`
 */
export function formatFileSize(bytes, { strings, language }) {
  const [unit, number] = bytes < KIB * KIB ? ["size_kb", Math.max(bytes / KIB, 0.1)] : ["size_mb", bytes / KIB / KIB];
  const digits = { maximumFractionDigits: number < INTEGER_FROM ? 1 : 0 };
  return strings[unit].replace("{count}", new Intl.NumberFormat(language, digits).format(number));
}

/** What it is to those who look: `roomchat_kind` on the server. A picture of unknown size is shown as a file. */
export function fileKind({ type, width }) {
  const [family] = type.split("/");
  if (family === "image") return width ? "image" : "file";
  if (["video", "audio", "text"].includes(family)) return family;
  return /zip|tar|compressed|rar/.test(type) ? "archive" : "file";
}

const [MAX_WIDTH, MAX_HEIGHT] = [400, 320];
const MIN_PX = 48;

/** The room that a picture takes: `roomchat_box` on the server. */
export function thumbnailSize({ width, height }) {
  const scale = Math.min(1, MAX_WIDTH / width, MAX_HEIGHT / height);
  return [width, height].map((length) => Math.max(MIN_PX, Math.round(length * scale)));
}

/** What a message without words is called. */
export function fileNames(files) {
  return (files ?? []).map(({ name }) => name).join(", ");
}
