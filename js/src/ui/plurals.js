const PERIOD = 200; // plural rules depend on no more than the last two digits of larger numbers

/**
 * A sentence with a number, in the plural form that the language of the page uses for it.
 *
 * @param word `{forms, of}` from `roomchat_words`: the forms, and the index of the form for each number below 200
 */
export function pluralize({ forms, of }, count) {
  const index = count < PERIOD ? count : PERIOD / 2 + (count % (PERIOD / 2));
  return forms[of[index] ?? 0].replace("{count}", count);
}
