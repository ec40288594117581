const MAX_PX = 2560; // longest side of an uploaded photo: sharp on any screen, and a tenth of the size that a camera produces
const QUALITY = 0.85;
const PREVIEW_PX = 800; // longest side of a preview, for screens with a pixel ratio of 2
/** Types and extensions of resized images by original type. GIF is missing because resizing would lose the animation. */
const TARGET_TYPES = { "image/jpeg": ["image/jpeg", "jpg"], "image/png": ["image/webp", "webp"], "image/webp": ["image/webp", "webp"] };
const ANIMATED_FLAG = 2; // flag in the header of a WebP file
const HEADER_BYTES = 21;

/** Whether an image of this type is resized before the upload; its original size is then no reason to reject it. */
export function isResizable({ type }) {
  return type in TARGET_TYPES;
}

/**
 * Prepare an image for upload and preview: `{file, width, height, preview}`. Returns `{file}` if the browser cannot
 * decode it.
 *
 * The preview is a canvas, because a `blob:` URL would need a rule in the content security policy.
 */
export async function prepareImage(file) {
  if (!file.type.startsWith("image/")) return { file };
  let bitmap;
  try {
    bitmap = await createImageBitmap(file); // applies the orientation in the metadata
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
  // A browser that cannot encode this type encodes PNG instead.
  const name = blob.type === type ? `${file.name.replace(/\.\w+$/, "")}.${extension}` : file.name;
  return { file: new File([blob], name, { type: blob.type }), width: canvas.width, height: canvas.height };
}

async function isAnimated(file) {
  if (file.type !== "image/webp") return false;
  return Boolean(new Uint8Array(await file.slice(0, HEADER_BYTES).arrayBuffer())[HEADER_BYTES - 1] & ANIMATED_FLAG);
}

/** Draw an image on a new canvas, scaled down to a maximum length of its longest side. */
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
