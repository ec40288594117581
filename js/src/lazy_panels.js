import { isPlain } from "./ui/plain_click.js";
import { isHelpKey, isSearchKey } from "./ui/shortcuts.js";

const REACHING = ["pointermove", "pointerdown", "focusin", "keydown"];
const DOORS = ["present", "search-open", "room-actions", "actions", "emoji", "rename"].map((part) => `[data-part="${part}"]`).join(", ");

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
  let tries = 0;

  const open = async () => {
    // Firefox keeps for ever that an address did not load, and what counts as one has the fragment in it.
    const { PANELS } = await import(data.panelsSrc + (tries++ ? `#${tries}` : ""));
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
  room.listen(room.ground, "keydown", (event) => {
    if (isOpen || event.defaultPrevented || !(isHelpKey(event) || isSearchKey(event))) return;
    // The browser has a use for one of them, and nobody can tell later that we had one.
    if (isSearchKey(event)) event.preventDefault();
    const { target } = event;
    then(() => target.dispatchEvent(new KeyboardEvent("keydown", event)));
  });
}
