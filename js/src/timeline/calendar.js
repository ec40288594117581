/** Formats dates and times in the browser's time zone and the page's language. */

const DAY_MS = 24 * 60 * 60 * 1000;
const GROUPED_WITHIN_MS = 5 * 60 * 1000; // the same as in templatetags/roomchat.py

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

  /** Date and time, in a short form. */
  moment(at) {
    return this.#moment.format(at);
  }

  /** The shortest form: the time if it was today, the weekday within the last week, otherwise the date. */
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

/** `2026-11-21`, in the browser's time zone. */
export function dayKey(at) {
  const pad = (number) => String(number).padStart(2, "0");
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
}

export function sameDay(one, other) {
  return dayKey(one) === dayKey(other);
}

/**
 * How a message relates to the previous one: whether it starts a day, and whether it follows a message of the same
 * author.
 *
 * Both are `{at: Date, author: string, kind: string}`; `previous` may be undefined.
 */
export function grouping(previous, message) {
  const startsDay = !previous || !sameDay(previous.at, message.at);
  const follows =
    !startsDay &&
    previous.author === message.author &&
    previous.kind === message.kind &&
    message.at - previous.at < GROUPED_WITHIN_MS;
  return { startsDay, follows };
}

/** The page may declare a language that the browser does not know. */
function format(language, options) {
  try {
    return new Intl.DateTimeFormat(language, options);
  } catch {
    return new Intl.DateTimeFormat(undefined, options);
  }
}
