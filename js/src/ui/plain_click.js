/** Whether a click is not meant to open a new tab or window. */
export function isPlainClick({ ctrlKey, metaKey, shiftKey, altKey, button }) {
  return !(ctrlKey || metaKey || shiftKey || altKey || button);
}
