import { isPlain } from "./history.js";

const REACHING = ["pointermove", "pointerdown", "focusin", "keydown"];
const DOORS = ["present", "search-open", "room-actions", "actions", "emoji", "rename"].map((part) => `[data-part="${part}"]`).join(", ");
const FIELDS = "input, textarea, select, [contenteditable]";

/**
 * Fetches `panels.js`, what is behind buttons, when somebody first reaches for the room: who only reads does without.
 *
 * A hand is slower than that. Should a click or a key be faster, it waits, and comes again.
 */
export function door(room) {
  const { element, data, signal } = room;
  if (!data.panelsSrc) return;
  let isOpen = false;
  let opening = null;

  const open = async () => {
    const { PANELS } = await import(data.panelsSrc);
    if (signal.aborted) return;
    isOpen = true;
    for (const start of PANELS) start(room);
  };
  const reach = () => {
    opening ??= open().catch((error) => {
      opening = null;
      throw error;
    });
    return opening;
  };
  room.reached = () => reach().catch(() => undefined);
  const then = (again) => reach().then(again, () => room.refused({ code: "offline" }));

  for (const type of REACHING) room.listen(element, type, room.reached, { once: true, passive: true });
  const early = (event) => {
    const target = isOpen ? null : event.target.closest(DOORS);
    if (!target || !isPlain(event)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    then(() => target.click());
  };
  room.listen(element, "click", early, { capture: true });
  // In a page that is not ours, keys are ours only where the room has the focus.
  room.listen("ownPage" in data ? document : element, "keydown", (event) => {
    if (isOpen || event.defaultPrevented || event.isComposing || !mayBeShortcut(event)) return;
    // The browser has a use for it, and nobody can tell later that we had one.
    if (event.ctrlKey || event.metaKey) event.preventDefault();
    const { target } = event;
    then(() => target.dispatchEvent(new KeyboardEvent("keydown", event)));
  });
}

/** The two keys that open a panel: ? outside of fields, and Ctrl+K or ⌘K. */
function mayBeShortcut({ key, code, ctrlKey, metaKey, altKey, target }) {
  if (altKey) return false;
  if (ctrlKey || metaKey) return key?.toLowerCase() === "k" || (code === "KeyK" && !/^[a-z]$/i.test(key));
  return key === "?" && !target.closest?.(FIELDS);
}
