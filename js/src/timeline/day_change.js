import { REAL_CLOCK } from "../core/transport.js";
import { dayKey } from "./calendar.js";

const CHECK_MS = 60_000; // a timer does not run while the computer sleeps, and the page may stay visible

/** Calls `onChange()` when another day has begun: at midnight, or when the page is visible again. */
export class DayChange {
  #clock;
  #onChange;
  #day;
  #timer;

  constructor({ clock = REAL_CLOCK, onChange }) {
    this.#clock = clock;
    this.#onChange = onChange;
    this.#day = dayKey(this.#now);
    this.check();
  }

  get #now() {
    return new Date(this.#clock.now());
  }

  check() {
    const now = this.#now;
    const day = dayKey(now);
    if (day !== this.#day) this.#onChange();
    this.#day = day;
    const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1);
    this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(() => this.check(), Math.min(midnight - now, CHECK_MS));
  }

  stop() {
    this.#clock.clearTimeout(this.#timer);
  }
}

/** Names the days of the log anew when another day has begun. */
export function dayNames(room) {
  const change = new DayChange({ onChange: () => room.log.updateDays() });
  const check = () => change.check();
  room.listen(document, "visibilitychange", check);
  room.listen(window, "pageshow", check);
  room.signal.addEventListener("abort", () => change.stop());
}
