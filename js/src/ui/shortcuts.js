export const IS_MAC = /Mac|iP/.test(globalThis.navigator?.platform ?? "");
const EDITABLE = "input, textarea, select, [contenteditable], [role=textbox]";

/** Ctrl+K, on a Mac ⌘K, also on keyboards without a Latin K: the search. */
export function isSearchKey({ key, code, ctrlKey, metaKey, altKey, shiftKey, isComposing }) {
  const isK = key?.toLowerCase() === "k" || (code === "KeyK" && !/^[a-z]$/i.test(key));
  return isK && (IS_MAC ? metaKey && !ctrlKey : ctrlKey && !metaKey) && !altKey && !shiftKey && !isComposing;
}

/** `?` where nobody writes: the help. */
export function isHelpKey({ key, target, ctrlKey, metaKey, altKey, isComposing }) {
  return key === "?" && !ctrlKey && !metaKey && !altKey && !isComposing && !target.closest?.(EDITABLE);
}
