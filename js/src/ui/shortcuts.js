export const IS_MAC = /Mac|iP/.test(globalThis.navigator?.platform ?? "");
const EDITABLE = "input, textarea, select, [contenteditable], [role=textbox]";

/** Ctrl+K (⌘K on a Mac) opens the search, also on keyboards without a Latin K. */
export function isSearchKey({ key, code, ctrlKey, metaKey, altKey, shiftKey, isComposing }) {
  const isK = key?.toLowerCase() === "k" || (code === "KeyK" && !/^[a-z]$/i.test(key));
  return isK && (IS_MAC ? metaKey && !ctrlKey : ctrlKey && !metaKey) && !altKey && !shiftKey && !isComposing;
}

/** `?` outside of text fields opens the help. */
export function isHelpKey({ key, target, ctrlKey, metaKey, altKey, isComposing }) {
  return key === "?" && !ctrlKey && !metaKey && !altKey && !isComposing && !target.closest?.(EDITABLE);
}
