import { isPlainClick } from "./ui/plain_click.js";
import { isHelpKey, isSearchKey } from "./ui/shortcuts.js";

const INTERACTIONS = ["pointermove", "pointerdown", "focusin", "keydown"];
const TRIGGERS = ["present", "search-open", "room-actions", "actions", "emoji", "rename"].map((part) => `[data-part="${part}"]`).join(", ");

/**
 * Fetches `panels.js`, what is behind buttons, when somebody first reaches for the room: who only reads does without.
 *
 * A hand is slower than that. Should a click or a key be faster, it waits, and comes again.
 */
export function lazyPanels(room) {
  const { element, data, signal } = room;
  if (!data.panelsSrc) return;
  let isLoaded = false;
  let loading = null;
  let tries = 0;

  const load = async () => {
    // Firefox keeps for ever that an address did not load, and what counts as one has the fragment in it.
    const { PANELS } = await import(data.panelsSrc + (tries++ ? `#${tries}` : ""));
    if (signal.aborted) return;
    isLoaded = true;
    for (const start of PANELS) start(room);
  };
  const loadOnce = () => {
    loading ??= load().catch((error) => {
      loading = null;
      throw error;
    });
    return loading;
  };
  room.loadPanels = () => loadOnce().catch(() => undefined);
  const whenLoaded = (callback) => loadOnce().then(callback, () => room.showError({ code: "offline" }));

  for (const type of INTERACTIONS) room.listen(element, type, room.loadPanels, { once: true, passive: true });
  const onEarlyClick = (event) => {
    const target = isLoaded ? null : event.target.closest(TRIGGERS);
    if (!target || !isPlainClick(event)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    whenLoaded(() => target.click());
  };
  room.listen(element, "click", onEarlyClick, { capture: true });
  room.listen(room.eventScope, "keydown", (event) => {
    if (isLoaded || event.defaultPrevented || !(isHelpKey(event) || isSearchKey(event))) return;
    // The browser has a use for one of them, and nobody can tell later that we had one.
    if (isSearchKey(event)) event.preventDefault();
    const { target } = event;
    whenLoaded(() => target.dispatchEvent(new KeyboardEvent("keydown", event)));
  });
}
