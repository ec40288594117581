/**
 * Days and times as the reader's clock and the page's language have them.
 */

const GROUPED_WITHIN_MS = 5 * 60 * 1000; // as in templatetags/roomchat.py

export class Calendar {
  #words;
  #day;
  #time;
  #full;

  constructor({ language, words }) {
    this.language = language;
    this.#words = words;
    this.#day = format(language, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
    this.#time = format(language, { hour: "numeric", minute: "2-digit" });
    this.#full = format(language, { dateStyle: "full", timeStyle: "medium" });
  }

  time(at) {
    return this.#time.format(at);
  }

  full(at) {
    return this.#full.format(at);
  }

  day(at, now = new Date()) {
    const yesterday = new Date(now);
    yesterday.setDate(now.getDate() - 1);
    if (sameDay(at, now)) return this.#words.today;
    if (sameDay(at, yesterday)) return this.#words.yesterday;
    return this.#day.format(at);
  }
}

/** `2026-11-21`, in the reader's time zone. */
export function dayKey(at) {
  const pad = (number) => String(number).padStart(2, "0");
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
}

export function sameDay(one, other) {
  return dayKey(one) === dayKey(other);
}

/**
 * What a message is to the one above it: does a new day begin, does it go on what its author just said?
 *
 * Both are `{at: Date, author: string, kind: string}`; nothing above is undefined.
 */
export function relation(above, message) {
  const startsDay = !above || !sameDay(above.at, message.at);
  const follows =
    !startsDay &&
    above.author === message.author &&
    above.kind === message.kind &&
    message.at - above.at < GROUPED_WITHIN_MS;
  return { startsDay, follows };
}

/** A page may name a language that this browser has never heard of. */
function format(language, options) {
  try {
    return new Intl.DateTimeFormat(language, options);
  } catch {
    return new Intl.DateTimeFormat(undefined, options);
  }
}
