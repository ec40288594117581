/**
 * Uploads and the image viewer, as a separate bundle. The page loads it after it has become usable, where files can
 * be sent.
 */
export { attachments } from "./uploads/attachments.js";
export { lightbox } from "./timeline/lightbox.js";
