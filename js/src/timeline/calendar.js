/**
 * Days and times as the reader's clock and the page's language have them.
 */

const DAY_MS = 24 * 60 * 60 * 1000;
const GROUPED_WITHIN_MS = 5 * 60 * 1000; // as in templatetags/roomchat.py

export class Calendar {
  #strings;
  #day;
  #time;
  #weekday;
  #date;
  #oldDate;
  #full;
  #moment;

  constructor({ language, strings }) {
    this.language = language;
    this.#strings = strings;
    this.#day = format(language, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
    this.#time = format(language, { hour: "numeric", minute: "2-digit" });
    this.#weekday = format(language, { weekday: "short" });
    this.#date = format(language, { day: "numeric", month: "short" });
    this.#oldDate = format(language, { dateStyle: "short" });
    this.#full = format(language, { dateStyle: "full", timeStyle: "medium" });
    this.#moment = format(language, { dateStyle: "medium", timeStyle: "short" });
  }

  time(at) {
    return this.#time.format(at);
  }

  full(at) {
    return this.#full.format(at);
  }

  /** A day and a time, shortly. */
  moment(at) {
    return this.#moment.format(at);
  }

  /** As short as can be: the time if it was today, the day of the last week, else the date. */
  short(at, now = new Date()) {
    const age = Math.round((midnight(now) - midnight(at)) / DAY_MS);
    if (age === 0) return this.time(at);
    if (age > 0 && age < 7) return this.#weekday.format(at);
    return (at.getFullYear() === now.getFullYear() ? this.#date : this.#oldDate).format(at);
  }

  day(at, now = new Date()) {
    const yesterday = new Date(now);
    yesterday.setDate(now.getDate() - 1);
    if (sameDay(at, now)) return this.#strings.today;
    if (sameDay(at, yesterday)) return this.#strings.yesterday;
    return this.#day.format(at);
  }
}

function midnight(at) {
  return new Date(at.getFullYear(), at.getMonth(), at.getDate());
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
export function grouping(above, message) {
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
