/**
 * Dates, times and numbers in the formats of the site, which the server writes into the page: the browser's own formats would
 * change the times of the page when the script takes over. `django_roomchat/views/formats.py` is the equivalent on the server.
 */

const pad = (number) => String(number).padStart(2, "0");

/** What the letters of Django's formats stand for: a text, or the index of a name. */
function values(at) {
  const [year, month, day, weekday, hours] = [at.getFullYear(), at.getMonth(), at.getDate(), (at.getDay() + 6) % 7, at.getHours()];
  const [hour, half] = [hours % 12 || 12, hours < 12 ? 0 : 1];
  return {
    d: pad(day), j: day, m: pad(month + 1), n: month + 1, Y: year, y: pad(year % 100),
    G: hours, g: hour, H: pad(hours), h: pad(hour), i: pad(at.getMinutes()), s: pad(at.getSeconds()),
    D: weekday, l: weekday, F: month, M: month, N: month, b: month, E: month, S: day - 1, a: half, A: half, P: half,
  };
}

export class Formats {
  #data;

  /** @param data of `script_formats()` in `views/formats.py` */
  constructor(data) {
    this.#data = data;
  }

  /** @param name of a format: `time`, `date`, `shortDate`, `moment` or `weekday` */
  format(name, at) {
    const all = values(at);
    return this.#data[name].map((piece, index) => (index % 2 ? this.#letter(piece, all) : piece)).join("");
  }

  /** A number that is given in tenths, without decimals if it has none. */
  tenths(number) {
    const rest = number % 10;
    return this.#grouped(Math.floor(number / 10)) + (rest ? this.#data.decimal + rest : "");
  }

  #letter(letter, all) {
    const { names } = this.#data;
    const { g, i, a } = all;
    // “7 a.m.”, “7:03 a.m.”; “noon” and “midnight” are names.
    if (letter === "P" && (g < 12 || i > 0)) return `${g}${i > 0 ? `:${i}` : ""} ${names.a[a]}`;
    return names[letter]?.[all[letter]] ?? all[letter] ?? "";
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
