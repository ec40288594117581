const PHOTO_AREA = 2560 * 1920; // pixels of an uploaded photo: sharp on any screen, and a tenth of the size that a camera produces
const DRAWING_AREA = 15_000_000; // pixels of a drawing, whose text must stay readable; the server accepts 16 million in WebP
const LONG = 2.5; // from this ratio of its sides on, an image is a screenshot of a long page or a panorama; screens have up to 2.3
const DRAWING_BYTES = 5_000_000; // a PNG within both limits is sent unchanged
const MAX_SIDE = 16_383; // of WebP
const QUALITY = 0.85;
const PREVIEW_PX = 800; // longest side of a preview, for screens with a pixel ratio of 2
const [JPEG, WEBP] = [
  ["image/jpeg", "jpg"],
  ["image/webp", "webp"],
];
/** Types and extensions of resized images by original type. GIF is missing because resizing would lose the animation. */
const TARGET_TYPES = { "image/jpeg": JPEG, "image/png": WEBP, "image/webp": WEBP, "image/avif": WEBP };
/** Types that are always converted where the browser can decode them: few others show them. */
const CONVERTED = { "image/heic": JPEG, "image/heif": JPEG };
const ANIMATED_FLAG = 2; // flag in the header of a WebP file
const HEADER_BYTES = 21;

/** Whether an image of this type is resized before the upload; its original size is then no reason to reject it. */
export function isResizable({ type }) {
  return type in TARGET_TYPES || type in CONVERTED;
}

/** The type that images of a type are converted to before the upload; `undefined` for types that are kept. */
export function convertedType(type) {
  return CONVERTED[type]?.[0];
}

/**
 * The scale at which an image is encoded for the upload: 1 for its own size, `undefined` to send the file unchanged.
 * The area of an image is limited, so that a tall screenshot stays readable.
 */
export function uploadScale({ type, size }, { width, height }) {
  const [short, long] = [Math.min(width, height), Math.max(width, height)];
  const isDrawing = type === "image/png" || long >= LONG * short;
  const area = Math.sqrt((isDrawing ? DRAWING_AREA : PHOTO_AREA) / (width * height));
  const scale = Math.min(1, area, MAX_SIDE / long);
  return scale < 1 || type in CONVERTED || (type === "image/png" && size > DRAWING_BYTES) ? scale : undefined;
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
  const scale = uploadScale(file, bitmap);
  const smaller = scale ? await resized(file, bitmap, scale) : undefined;
  bitmap.close();
  return { file, width, height, ...smaller, preview };
}

async function resized(file, bitmap, scale) {
  const [type, extension] = CONVERTED[file.type] ?? TARGET_TYPES[file.type] ?? [];
  if (!type || (await isAnimated(file))) return undefined;
  const canvas = drawToCanvas(bitmap, scale * Math.max(bitmap.width, bitmap.height));
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, type, QUALITY));
  if (!blob || (blob.size >= file.size && !(file.type in CONVERTED))) return undefined;
  // A browser that cannot encode this type encodes PNG instead.
  const name = blob.type === type ? `${file.name.replace(/\.\w+$/, "")}.${extension}` : file.name;
  return { file: new File([blob], name, { type: blob.type }), width: canvas.width, height: canvas.height };
}

async function isAnimated(file) {
  if (file.type !== "image/webp" && file.type !== "image/avif") return false;
  const header = new Uint8Array(await file.slice(0, HEADER_BYTES).arrayBuffer());
  if (file.type === "image/avif") return String.fromCharCode(...header.slice(8, 12)) === "avis"; // its brand
  return Boolean(header[HEADER_BYTES - 1] & ANIMATED_FLAG);
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
