import { isPlainClick } from "./ui/plain_click.js";
import { isHelpKey, isSearchKey } from "./ui/shortcuts.js";

const INTERACTIONS = ["pointermove", "pointerdown", "focusin", "keydown"];
const TRIGGERS = ["present", "search-open", "room-actions", "actions", "emoji", "rename", "invite-first"].map((part) => `[data-part="${part}"]`).join(", ");

/**
 * Lazily loads `panels.js` (dialogs, menus and autocompletion) on the first user interaction.
 *
 * A click or key that arrives before the module has loaded is repeated afterwards.
 */
export function lazyPanels(room) {
  const { element, data, signal } = room;
  if (!data.panelsSrc) return;
  let isLoaded = false;
  let loading = null;
  let tries = 0;

  const load = async () => {
    // Firefox caches a failed module import by its URL, including the fragment.
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
    // The search shortcut has a default action in the browser, which must be prevented now: later the event cannot be
    // cancelled.
    if (isSearchKey(event)) event.preventDefault();
    const { target } = event;
    whenLoaded(() => target.dispatchEvent(new KeyboardEvent("keydown", event)));
  });
}
