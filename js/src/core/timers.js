/** Timers by name: setting one replaces the timer of the same name, and all of them can be cleared at once. */
export class NamedTimers {
  #clock;
  #timers = new Map();

  /** @param clock `{setTimeout, clearTimeout}`, see `REAL_CLOCK` */
  constructor(clock) {
    this.#clock = clock;
  }

  has(name) {
    return this.#timers.has(name);
  }

  set(name, ms, callback) {
    this.clear(name);
    const timer = this.#clock.setTimeout(() => {
      this.#timers.delete(name);
      callback();
    }, ms);
    this.#timers.set(name, timer);
  }

  clear(name) {
    this.#clock.clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }

  clearAll() {
    for (const name of [...this.#timers.keys()]) this.clear(name);
  }
}
