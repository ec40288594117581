/**
 * What concerns files: a script of its own, which the page asks for where files can be sent. A page is read, and one writes
 * in it, without waiting for this.
 */
export { attachments } from "./uploads/attachments.js";
export { lightbox } from "./timeline/lightbox.js";
