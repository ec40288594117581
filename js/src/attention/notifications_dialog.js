import { SafeStorage } from "../core/storage.js";
import { Dialog } from "../ui/dialog.js";
import { NotificationSettings } from "./notification_settings.js";
import { playSound } from "./sound.js";

/** The dialog in which the user enables notifications on this device, and its entries in the menu of the room. */
export function notificationsDialog(room) {
  const element = room.part("notifications");
  if (!element || !("Notification" in globalThis)) return;
  const settings = new NotificationSettings(new SafeStorage(() => localStorage), room.data.meKey);
  const dialog = settingsDialog(room, element, settings);
  room.roomActions.set("notify", { when: () => !settings.isOn, act: () => requestPermission(settings).then(() => dialog.open()) });
  room.roomActions.set("notifications", { when: () => settings.isOn, act: () => dialog.open() });
}

/** Browsers show the permission prompt only after a click. */
async function requestPermission(settings) {
  const permission = await Notification.requestPermission();
  if (permission === "granted" && settings.what === "none") settings.what = "mentions";
}

function settingsDialog(room, element, settings) {
  const part = (name) => element.querySelector(`[data-part="${name}"]`);
  const { what, sound } = part("notify-form").elements;
  const onOpen = () => {
    part("notify-blocked").hidden = settings.isOn;
    part("notify-form").hidden = !settings.isOn;
    what.value = settings.what;
    sound.checked = settings.hasSound;
  };
  room.listen(part("notify-form"), "submit", (event) => event.preventDefault());
  room.listen(part("notify-form"), "change", () => {
    const turnsOnSound = sound.checked && !settings.hasSound;
    settings.what = what.value;
    settings.hasSound = sound.checked;
    if (turnsOnSound) playSound();
  });
  return new Dialog({ element, onOpen, signal: room.signal });
}
