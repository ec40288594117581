const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

/** A number of units, localised: “10 seconds”. The digits are those of the server. */
export function amount(number, unit, language) {
  const options = { style: "unit", unit, unitDisplay: "long", numberingSystem: "latn" };
  try {
    return new Intl.NumberFormat(language, options).format(number);
  } catch {
    return new Intl.NumberFormat("en", options).format(number); // the page may declare a language such as `en_US`
  }
}

/** A duration in the largest unit of which it is a whole number, localised: “5 minutes”, “90 seconds”. */
export function duration(seconds, language) {
  const [unit, size] = UNITS.find(([, size]) => seconds >= size && seconds % size === 0) ?? UNITS.at(-1);
  return amount(seconds / size, unit, language);
}

/** A remaining time as a clock shows it: `0:09`, `12:00`, `1:00:00`. */
export function countdown(seconds) {
  const pad = (number) => String(number).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return hours ? `${hours}:${pad(minutes)}:${pad(rest)}` : `${minutes}:${pad(rest)}`;
}
