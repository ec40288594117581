const LONGEST_PX = 2560; // of a photo that is sent: sharp on any screen, and a tenth of what a camera makes
const QUALITY = 0.85;
const PREVIEW_PX = 800; // on the longest side, for screens with two pixels in one
/** What a photo of a kind is made into. A GIF moves, and would not any more. */
const MADE_INTO = { "image/jpeg": ["image/jpeg", "jpg"], "image/png": ["image/webp", "webp"], "image/webp": ["image/webp", "webp"] };
const ANIMATED = 2; // the flag in the header of a WebP
const HEADER_BYTES = 21;

/** Is it made smaller before it is sent? Then its size says little yet. */
export function shrinks({ type }) {
  return type in MADE_INTO;
}

/**
 * A picture, ready to be sent and to be looked at: `{file, width, height, preview}`. What is no picture to this browser
 * comes back alone, as `{file}`.
 *
 * The preview is a canvas, which no content security policy forbids: a `blob:` address would need a rule of its own.
 */
export async function prepared(file) {
  if (!file.type.startsWith("image/")) return { file };
  let bitmap;
  try {
    bitmap = await createImageBitmap(file); // turned as its camera was held
  } catch {
    return { file };
  }
  const { width, height } = bitmap;
  const preview = drawn(bitmap, PREVIEW_PX);
  const smaller = Math.max(width, height) > LONGEST_PX ? await shrunk(file, bitmap) : undefined;
  bitmap.close();
  return { file, width, height, ...smaller, preview };
}

async function shrunk(file, bitmap) {
  const [type, extension] = MADE_INTO[file.type] ?? [];
  if (!type || (await isAnimated(file))) return undefined;
  const canvas = drawn(bitmap, LONGEST_PX);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, type, QUALITY));
  if (!blob || blob.size >= file.size) return undefined;
  // A browser that cannot write this kind writes PNG instead.
  const name = blob.type === type ? `${file.name.replace(/\.\w+$/, "")}.${extension}` : file.name;
  return { file: new File([blob], name, { type: blob.type }), width: canvas.width, height: canvas.height };
}

async function isAnimated(file) {
  if (file.type !== "image/webp") return false;
  return Boolean(new Uint8Array(await file.slice(0, HEADER_BYTES).arrayBuffer())[HEADER_BYTES - 1] & ANIMATED);
}

/** On a canvas of its own, at most so long. */
export function drawn(picture, longest) {
  const scale = Math.min(1, longest / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas;
}
