/**
 * Dates, times and numbers in the formats of the site, which the server writes into the page: the browser's own formats would
 * change the times of the page when the script takes over. `django_roomchat/views/formats.py` is the equivalent on the server.
 */

const pad = (number, length = 2) => String(number).padStart(length, "0");
const hour = (at) => at.getHours() % 12 || 12;
const half = (at) => (at.getHours() < 12 ? 0 : 1);
const month = (at) => at.getMonth();
const weekday = (at) => (at.getDay() + 6) % 7;

/** The letters of Django's formats that a clock or a date needs. */
const LETTERS = {
  d: (at) => pad(at.getDate()),
  G: (at) => at.getHours(),
  g: hour,
  H: (at) => pad(at.getHours()),
  h: (at) => pad(hour(at)),
  i: (at) => pad(at.getMinutes()),
  j: (at) => at.getDate(),
  m: (at) => pad(at.getMonth() + 1),
  n: (at) => at.getMonth() + 1,
  s: (at) => pad(at.getSeconds()),
  Y: (at) => pad(at.getFullYear(), 4),
  y: (at) => pad(at.getFullYear() % 100),
};

/** The index of the name for which a letter stands. */
const NAMED = { D: weekday, l: weekday, F: month, M: month, N: month, b: month, E: month, a: half, A: half, P: half, S: (at) => at.getDate() - 1 };

export class Formats {
  #data;

  /** @param data of `script_formats()` in `views/formats.py` */
  constructor(data) {
    this.#data = data;
  }

  /** @param name of a format: `time`, `date`, `shortDate`, `moment` or `weekday` */
  format(name, at) {
    return this.#data[name].map((piece, index) => (index % 2 ? this.#letter(piece, at) : piece)).join("");
  }

  /** A number that is given in tenths, without decimals if it has none. */
  tenths(number) {
    const rest = number % 10;
    return this.#grouped(Math.floor(number / 10)) + (rest ? this.#data.decimal + rest : "");
  }

  #letter(letter, at) {
    const { names } = this.#data;
    if (letter === "P" && (at.getMinutes() || hour(at) < 12)) return `${hour(at)}${at.getMinutes() ? `:${LETTERS.i(at)}` : ""} ${names.a[half(at)]}`;
    if (names[letter]) return names[letter][NAMED[letter](at)];
    return LETTERS[letter]?.(at) ?? "";
  }

  /** Sizes of groups, from the right; the last one that is not 0 repeats. */
  #grouped(number) {
    const { thousand, grouping } = this.#data;
    let digits = String(number);
    let rest = "";
    for (let index = 0, size = grouping[0]; size && digits.length > size; size = grouping[++index] || size) {
      rest = thousand + digits.slice(-size) + rest;
      digits = digits.slice(0, -size);
    }
    return digits + rest;
  }
}
