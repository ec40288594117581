/**
 * The text of a system message in the page's language; `templatetags/roomchat.py` is the equivalent on the server.
 *
 * @param line `{code, name, by, value}` of an event
 * @param strings has `line_<code>`, and `line_<code>_by` for actions of one person on another
 * @param body text from the server, for codes without a string
 */
export function systemText({ code, name = "", by = "", value = "" }, strings, body) {
  const template = (by && strings[`line_${code}_by`]) || strings[`line_${code}`];
  if (!template) return body;
  const label = strings[`role_${value}`] ?? value;
  return template.replaceAll(/\{(name|by|value)\}/g, (_, name) => ({ name, by, value: label })[name]);
}
