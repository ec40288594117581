const PERIOD = 200; // no language asks for more of a larger number than its last two digits

/**
 * A sentence with a number in it, in the form that the page's language has for that number.
 *
 * @param word `{forms, of}` from `roomchat_words`: the forms, and which of them each number below 200 has
 */
export function pluralize({ forms, of }, count) {
  const index = count < PERIOD ? count : PERIOD / 2 + (count % (PERIOD / 2));
  return forms[of[index] ?? 0].replace("{count}", count);
}
