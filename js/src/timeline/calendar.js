import { Formats } from "../ui/formats.js";

/** Dates and times in the browser's time zone and the site's formats. */

const DAY_MS = 24 * 60 * 60 * 1000;
const GROUPED_WITHIN_MS = 5 * 60 * 1000; // the same as in templatetags/roomchat.py

export class Calendar {
  #strings;

  /** @param strings with `formats`, and with `today` and `yesterday` for `day()` */
  constructor({ language, strings }) {
    this.language = language;
    this.#strings = strings;
    this.formats = new Formats(strings.formats);
  }

  time(at) {
    return this.formats.format("time", at);
  }

  date(at) {
    return this.formats.format("date", at);
  }

  /** Date and time. */
  moment(at) {
    return this.formats.format("moment", at);
  }

  /** The shortest form: the time if it was today, the weekday within the last week, otherwise the date. */
  short(at, now = new Date()) {
    const age = daysAgo(at, now);
    return this.formats.format(age === 0 ? "time" : age > 0 && age < 7 ? "weekday" : "shortDate", at);
  }

  day(at, now = new Date()) {
    const age = daysAgo(at, now);
    return age === 0 ? this.#strings.today : age === 1 ? this.#strings.yesterday : this.date(at);
  }
}

function daysAgo(at, now) {
  return Math.round((midnight(now) - midnight(at)) / DAY_MS);
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
