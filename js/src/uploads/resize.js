const MAX_PX = 2560; // of a photo that is sent: sharp on any screen, and a tenth of what a camera makes
const QUALITY = 0.85;
const PREVIEW_PX = 800; // on the longest side, for screens with two pixels in one
/** What a photo of a kind is made into. A GIF moves, and would not any more. */
const TARGET_TYPES = { "image/jpeg": ["image/jpeg", "jpg"], "image/png": ["image/webp", "webp"], "image/webp": ["image/webp", "webp"] };
const ANIMATED_FLAG = 2; // the flag in the header of a WebP
const HEADER_BYTES = 21;

/** Is it made smaller before it is sent? Then its size says little yet. */
export function isResizable({ type }) {
  return type in TARGET_TYPES;
}

/**
 * A picture, ready to be sent and to be looked at: `{file, width, height, preview}`. What is no picture to this browser
 * comes back alone, as `{file}`.
 *
 * The preview is a canvas, which no content security policy forbids: a `blob:` address would need a rule of its own.
 */
export async function prepareImage(file) {
  if (!file.type.startsWith("image/")) return { file };
  let bitmap;
  try {
    bitmap = await createImageBitmap(file); // turned as its camera was held
  } catch {
    return { file };
  }
  const { width, height } = bitmap;
  const preview = drawToCanvas(bitmap, PREVIEW_PX);
  const smaller = Math.max(width, height) > MAX_PX ? await resized(file, bitmap) : undefined;
  bitmap.close();
  return { file, width, height, ...smaller, preview };
}

async function resized(file, bitmap) {
  const [type, extension] = TARGET_TYPES[file.type] ?? [];
  if (!type || (await isAnimated(file))) return undefined;
  const canvas = drawToCanvas(bitmap, MAX_PX);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, type, QUALITY));
  if (!blob || blob.size >= file.size) return undefined;
  // A browser that cannot write this kind writes PNG instead.
  const name = blob.type === type ? `${file.name.replace(/\.\w+$/, "")}.${extension}` : file.name;
  return { file: new File([blob], name, { type: blob.type }), width: canvas.width, height: canvas.height };
}

async function isAnimated(file) {
  if (file.type !== "image/webp") return false;
  return Boolean(new Uint8Array(await file.slice(0, HEADER_BYTES).arrayBuffer())[HEADER_BYTES - 1] & ANIMATED_FLAG);
}

/** On a canvas of its own, at most so long. */
export function drawToCanvas(picture, maxLength) {
  const scale = Math.min(1, maxLength / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas;
}
