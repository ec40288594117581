/**
 * The numbers and words of the wire that the client acts upon; the reference documentation has them all.
 */

export const SUBPROTOCOL = "roomchat.v1";

/** Close codes after which trying again by itself would be of no use; the page says what a person can do. */
export const CLOSE_SESSION_ENDED = 4001;
export const CLOSE_FORBIDDEN = 4003;
export const CLOSE_NO_SUCH_ROOM = 4004;
export const CLOSE_PROTOCOL = 4400;
export const CLOSE_REPLACED = 4409;

export const TERMINAL_CLOSE_CODES = new Set([
  CLOSE_SESSION_ENDED,
  CLOSE_FORBIDDEN,
  CLOSE_NO_SUCH_ROOM,
  CLOSE_PROTOCOL,
  CLOSE_REPLACED,
]);

/** Errors about a frame the server could not read: they cannot name the post they answer. */
export const UNREADABLE_FRAME_CODES = new Set(["bad_json", "bad_frame", "bad_text", "too_big", "unsupported"]);
