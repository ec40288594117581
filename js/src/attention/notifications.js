import { SafeStorage } from "../core/storage.js";
import { fileNames } from "../ui/file_size.js";
import { NotificationSettings, PREFIX } from "./notification_settings.js";
import { playSound } from "./sound.js";
import { TabLeader } from "./tab_leader.js";

const BODY_LENGTH = 140;

/**
 * Browser notifications of messages that arrive while the room is not visible, if the user has enabled them on this
 * device; and muting a room, which applies to all devices of the user.
 */
export function notifications(room) {
  if (!room.part("notifications")) return;
  const storage = new SafeStorage(() => localStorage);
  const settings = new NotificationSettings(storage, room.data.meKey);
  muteActions(room);
  // Notifications do not exist on insecure pages and in the browser of an iPhone.
  if (!("Notification" in globalThis)) return;
  showNotifications(room, settings, storage);
}

/**
 * Muting is stored with the account. A BroadcastChannel notifies the other tabs; other devices read it with the room
 * list.
 */
function muteActions(room) {
  const { strings } = room;
  const show = (isMuted) => room.element.toggleAttribute("data-muted", isMuted);
  const otherTabs = globalThis.BroadcastChannel && new BroadcastChannel(`${PREFIX}:${room.data.meKey}:${room.data.room}`);
  if (otherTabs) otherTabs.onmessage = ({ data }) => show(data === "off");
  room.signal.addEventListener("abort", () => otherTabs?.close());
  const setEnabled = async (on) => {
    if (!(await room.request({ type: "notify", on }, on ? strings.room_unmuted : strings.room_muted))) return;
    show(!on);
    otherTabs?.postMessage(on ? "on" : "off");
  };
  const isMuted = () => "muted" in room.data;
  room.roomActions.set("mute-room", { when: () => !isMuted(), act: () => setEnabled(false) });
  room.roomActions.set("unmute-room", { when: isMuted, act: () => setEnabled(true) });
}

function showNotifications(room, settings, storage) {
  const key = `${PREFIX}:${encodeURIComponent(room.data.meKey)}:${encodeURIComponent(room.data.room)}`;
  const tabLeader = new TabLeader({ storage, locks: navigator.locks, key, signal: room.signal });
  let shown = null;
  const isDirect = () => room.rights.visibility === "direct";
  const close = () => {
    shown?.close();
    shown = null;
  };
  room.on("read", ({ seq }) => seq >= shown?.data?.seq && close());
  room.listen(document, "visibilitychange", () => document.visibilityState === "visible" && close());
  room.signal.addEventListener("abort", close);

  const isWanted = ({ kind, mentions = [] }) => {
    if (kind === "system" || "muted" in room.data || settings.what === "none") return false;
    return settings.what === "all" || isDirect() || mentions.some(({ key }) => key === room.you.key);
  };
  room.listen(room.log, "new-messages", ({ detail: { others } }) => {
    const message = others.findLast(isWanted);
    if (message) tabLeader.notifyOnce(message.seq, () => show(message));
  });

  function show({ seq, author, body, files }) {
    const text = [...(body || fileNames(files))].slice(0, BODY_LENGTH).join("");
    const title = isDirect() ? author.name : `${author.name} – ${room.part("title")?.textContent ?? room.data.title}`;
    try {
      // One notification per room, replaced by the next one. The sound is played by the page, and is off by default.
      shown = new Notification(title, { body: text, tag: key, renotify: true, silent: true, data: { seq } });
    } catch {
      return; // Chrome on Android supports notifications only from service workers
    }
    shown.onclick = () => {
      window.focus();
      room.history.goTo(seq);
      close();
    };
    if (settings.hasSound) playSound();
  }
}
