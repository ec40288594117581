/** The codes of the protocol that the client interprets; the reference documentation lists all of them. */

export const SUBPROTOCOL = "roomchat.v1";

/** Close codes after which reconnecting would not help. The page shows what the user can do. */
export const CLOSE_SESSION_ENDED = 4001;
export const CLOSE_FORBIDDEN = 4003;
export const CLOSE_NO_SUCH_ROOM = 4004;

/** The client connects again after the time in `bye`. The page shows the reason. */
export const CLOSE_TOO_MANY = 4029;

export const TERMINAL_CLOSE_CODES = new Set([CLOSE_SESSION_ENDED, CLOSE_FORBIDDEN, CLOSE_NO_SUCH_ROOM]);

/** Errors about a frame that the server could not decode: they cannot carry the id of the post. */
export const UNREADABLE_FRAME_CODES = new Set(["bad_json", "bad_frame", "bad_text", "too_big", "unsupported"]);

/**
 * Errors with which the server refuses a post whenever it is sent. After the others a later attempt may succeed: a mute
 * ends, a room is no longer archived.
 */
export const FINAL_CODES = new Set([
  ...UNREADABLE_FRAME_CODES,
  "bad_file",
  "bad_value",
  "filtered",
  "forbidden",
  "id_reused",
  "no_attachments",
  "no_such_file",
  "too_many",
]);
