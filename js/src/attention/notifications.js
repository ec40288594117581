import { Attention } from "./tab_leader.js";
import { chime } from "./sound.js";
import { Dialog } from "../ui/dialog.js";
import { namesOf } from "../ui/file_size.js";
import { SafeStorage } from "../core/storage.js";

const BODY_LENGTH = 140;
const PREFIX = "roomchat:notify";

/**
 * Messages that come while nobody looks, told by the browser: only once the person has asked for it, on this device; and
 * which rooms to leave out, on all of their devices.
 */
export function notifications(room) {
  const element = room.part("notifications");
  if (!element) return;
  const storage = new SafeStorage(() => localStorage);
  const choice = new Choice(storage, room.data.meKey);
  mute(room);
  // Without a secure page, or in an iPhone's browser, there are none.
  if (!("Notification" in globalThis)) return;
  const dialog = settings(room, element, choice);
  room.roomActions.set("notify", { when: () => !choice.isOn, act: () => ask(choice).then(() => dialog.open()) });
  room.roomActions.set("notifications", { when: () => choice.isOn, act: () => dialog.open() });
  tell(room, choice, storage);
}

/** What the person has chosen in this browser: `what` is none, mentions or all. */
class Choice {
  #storage;
  #key;

  constructor(storage, person) {
    this.#storage = storage;
    this.#key = `${PREFIX}:${encodeURIComponent(person)}`;
  }

  get what() {
    return Notification.permission === "granted" ? (this.#storage.get(this.#key) ?? "none") : "none";
  }

  set what(what) {
    this.#storage.set(this.#key, what);
  }

  /** They have asked for it once. */
  get isOn() {
    return Notification.permission === "granted" && this.#storage.get(this.#key) !== null;
  }

  get isLoud() {
    return this.#storage.get(`${this.#key}:sound`) === "on";
  }

  set isLoud(isLoud) {
    this.#storage.set(`${this.#key}:sound`, isLoud ? "on" : "off");
  }
}

/** Called by a click, and by nothing else. */
async function ask(choice) {
  const permission = await Notification.requestPermission();
  if (permission === "granted" && choice.what === "none") choice.what = "mentions";
}

function settings(room, element, choice) {
  const part = (name) => element.querySelector(`[data-part="${name}"]`);
  const { what, sound } = part("notify-form").elements;
  const onOpen = () => {
    part("notify-blocked").hidden = choice.isOn;
    part("notify-form").hidden = !choice.isOn;
    what.value = choice.what;
    sound.checked = choice.isLoud;
  };
  room.listen(part("notify-form"), "submit", (event) => event.preventDefault());
  room.listen(part("notify-form"), "change", () => {
    const isLouder = sound.checked && !choice.isLoud;
    choice.what = what.value;
    choice.isLoud = sound.checked;
    if (isLouder) chime();
  });
  return new Dialog({ element, onOpen, signal: room.signal });
}

/** Muting is the account's: other tabs are told, other devices see it in their list of rooms. */
function mute(room) {
  const { words } = room;
  const show = (isMuted) => room.element.toggleAttribute("data-muted", isMuted);
  const others = globalThis.BroadcastChannel && new BroadcastChannel(`${PREFIX}:${room.data.meKey}:${room.data.room}`);
  if (others) others.onmessage = ({ data }) => show(data === "off");
  room.signal.addEventListener("abort", () => others?.close());
  const turn = async (on) => {
    if (!(await room.ask({ type: "notify", on }, on ? words.room_unmuted : words.room_muted))) return;
    show(!on);
    others?.postMessage(on ? "on" : "off");
  };
  const isMuted = () => "muted" in room.data;
  room.roomActions.set("mute-room", { when: () => !isMuted(), act: () => turn(false) });
  room.roomActions.set("unmute-room", { when: isMuted, act: () => turn(true) });
}

function tell(room, choice, storage) {
  const key = `${PREFIX}:${encodeURIComponent(room.data.meKey)}:${encodeURIComponent(room.data.room)}`;
  const attention = new Attention({ storage, locks: navigator.locks, key, signal: room.signal });
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
    if (kind === "system" || "muted" in room.data || choice.what === "none") return false;
    return choice.what === "all" || isDirect() || mentions.some(({ key }) => key === room.you.key);
  };
  room.listen(room.log, "news", ({ detail: { others } }) => {
    const message = others.findLast(isWanted);
    if (message) attention.once(message.seq, () => show(message));
  });

  function show({ seq, author, body, files }) {
    const text = [...(body || namesOf(files))].slice(0, BODY_LENGTH).join("");
    const title = isDirect() ? author.name : `${author.name} – ${room.part("title")?.textContent ?? room.data.title}`;
    try {
      // One for each room, which a new one takes the place of. Our sound is our own, and off by default.
      shown = new Notification(title, { body: text, tag: key, renotify: true, silent: true, data: { seq } });
    } catch {
      return; // Chrome on Android has it for service workers only
    }
    shown.onclick = () => {
      window.focus();
      room.history.goTo(seq);
      close();
    };
    if (choice.isLoud) chime();
  }
}
