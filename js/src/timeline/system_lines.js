/**
 * What the system says, in the reader's language; `templatetags/roomchat.py` does the same on the server.
 *
 * @param line `{code, name, by, value}` of an event
 * @param words has `line_<code>`, and `line_<code>_by` for what somebody did to somebody else
 * @param body what the server says of it, for codes that this page has no words for
 */
export function sentence({ code, name = "", by = "", value = "" }, words, body) {
  const wording = (by && words[`line_${code}_by`]) || words[`line_${code}`];
  if (!wording) return body;
  const said = words[`role_${value}`] ?? value;
  return wording.replaceAll(/\{(name|by|value)\}/g, (_, what) => ({ name, by, value: said })[what]);
}
