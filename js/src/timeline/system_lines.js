/**
 * What the system says, in the reader's language; `templatetags/roomchat.py` does the same on the server.
 *
 * @param line `{code, name, by, value}` of an event
 * @param words has `line_<code>`, and `line_<code>_by` for what somebody did to somebody else
 * @param body what the server says of it, for codes that this page has no words for
 */
export function systemText({ code, name = "", by = "", value = "" }, strings, body) {
  const template = (by && strings[`line_${code}_by`]) || strings[`line_${code}`];
  if (!template) return body;
  const label = strings[`role_${value}`] ?? value;
  return template.replaceAll(/\{(name|by|value)\}/g, (_, name) => ({ name, by, value: label })[name]);
}
