/**
 * Cleaning of message texts, the same as in `text/cleaning.py`; `tests/shared/cleaning.json` holds the cases of both.
 */

// CSI, CSI in one character, OSC, DCS and its like, character sets, cursor and keypad.
const ESCAPE_SEQUENCES =
  /\x1b\[(?:[0-?]+ ?)?[!-/]*[@-~]|\x9b[0-?]+ ?[!-/]*[@-~]|\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)|\x1b[PX^_][^\x1b\n]*\x1b\\|\x1b[()*+][AB0-2]|\x1b[78=>]/g;
// Bold and underlined characters in the pages of `man`.
const OVERSTRIKE = /_\x08(?=[^\n])|([^\n])\x08(?=\1)/gu;
const LINE_BREAKS = /\r\n|[\r\v\f\x85\u2028\u2029]/g;
// The server rejects NUL, which nobody could see and remove in the text field.
const CONTROLS = /[\x00-\x08\x0e-\x1f\x7f-\x9f]/g;

/**
 * A text with `\n` for every kind of line break, and without escape sequences, control characters, blank lines at the
 * start and white space at the end. The first line keeps its indentation.
 */
export function cleanText(text) {
  const cleaned = text.replace(ESCAPE_SEQUENCES, "").replace(OVERSTRIKE, "").replace(LINE_BREAKS, "\n").replace(CONTROLS, "");
  // Python does not count U+FEFF as white space.
  return cleaned.replace(/^[^\S\ufeff]*\n/, "").replace(/[^\S\ufeff]+$/, "");
}
