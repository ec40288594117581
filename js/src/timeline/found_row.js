import { hue, initials } from "../people/avatars.js";

/**
 * A message in a list of results, linked to the message itself: the `<li>` of `_found.html`.
 *
 * @param message `{author, at, where, url, pieces}`; the pieces with an odd index are the matches
 */
export function foundRow(room, { author, at, where, url, pieces }) {
  const row = room.template("found").content.querySelector("li").cloneNode(true);
  const part = (name) => row.querySelector(`[data-part="${name}"]`);
  const moment = new Date(at);
  part("found-link").href = url;
  for (const name of ["avatar", "author"]) part(name).dataset.hue = hue(author.key);
  part("avatar").textContent = initials(author.name);
  part("author").textContent = author.name;
  row.toggleAttribute("data-guest", Boolean(author.guest));
  part("where").hidden = !where;
  part("where").textContent = where ?? "";
  part("time").dateTime = at;
  part("time").title = room.calendar.moment(moment);
  part("time").textContent = room.calendar.short(moment);
  part("text").replaceChildren(...pieces.map((piece, index) => (index % 2 ? mark(piece) : piece)));
  return row;
}

function mark(text) {
  const element = document.createElement("mark");
  element.textContent = text;
  return element;
}
