import { SafeStorage } from "../core/storage.js";
import { Dialog } from "./dialog.js";
import { IS_MAC, isHelpKey } from "./shortcuts.js";

const KEY = "roomchat:help-key";

/**
 * The dialog with the keyboard shortcuts. It opens from the room's menu, and with `?` unless the user has disabled
 * that key.
 */
export function help(room) {
  const element = room.part("help");
  if (!element) return;
  const storage = new SafeStorage(() => localStorage);
  const box = element.querySelector('[data-part="help-key"]');
  const isOn = () => storage.get(KEY) !== "off";
  const onOpen = () => {
    if (box) box.checked = isOn();
    // The room list is outside the room element.
    const exists = (part) => room.part(part) ?? ("ownPage" in room.data && document.querySelector(`[data-part="${part}"]`));
    for (const row of element.querySelectorAll("[data-needs]")) row.hidden = !exists(row.dataset.needs);
  };
  if (IS_MAC) for (const key of element.querySelectorAll("[data-mac]")) key.textContent = key.dataset.mac;
  const dialog = new Dialog({ element, onOpen, signal: room.signal });
  room.roomActions.set("help", { act: () => dialog.open() });
  room.listen(box, "change", () => (box.checked ? storage.remove(KEY) : storage.set(KEY, "off")));
  room.listen(room.eventScope, "keydown", (event) => {
    if (!isHelpKey(event) || event.defaultPrevented) return;
    if (document.querySelector("dialog[open], :popover-open") || !isOn()) return;
    event.preventDefault();
    dialog.open();
  });
}
