/** A click that is not meant for a new tab. */
export function isPlainClick({ ctrlKey, metaKey, shiftKey, altKey, button }) {
  return !(ctrlKey || metaKey || shiftKey || altKey || button);
}
