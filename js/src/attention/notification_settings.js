export const PREFIX = "roomchat:notify";

/** The user's choice in this browser: `what` is none, mentions or all. */
export class NotificationSettings {
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

  /** The user has enabled notifications at least once. */
  get isOn() {
    return Notification.permission === "granted" && this.#storage.get(this.#key) !== null;
  }

  get hasSound() {
    return this.#storage.get(`${this.#key}:sound`) === "on";
  }

  set hasSound(hasSound) {
    this.#storage.set(`${this.#key}:sound`, hasSound ? "on" : "off");
  }
}
