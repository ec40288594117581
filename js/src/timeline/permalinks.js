import { isPlain } from "../ui/plain_click.js";

const PLACES = ["at", "before", "after"];

/**
 * Links to messages lead there without leaving the page, wherever in the room they are: the quote above an answer, and what
 * the page's address names, with `?at=`, which the server has marked, or with `#m-123`.
 *
 * Once the reader has come to the live end, the address is the room's again: a reload leads to where they are.
 */
export function permalinks(room) {
  const { history, data, element } = room;
  const named = () => ("ownPage" in data ? placeIn(location.hash) : undefined);
  room.listen(element, "click", (event) => {
    const link = event.target.closest?.('a[href^="#m-"]');
    const seq = link && placeIn(link.hash);
    // The link of a message itself puts it into the address, as links do.
    if (!seq || !isPlain(event) || link.dataset.part === "link") return;
    event.preventDefault();
    history.goTo(seq);
  });
  room.listen(window, "hashchange", () => named() && history.goTo(named()));
  if ("ownPage" in data) room.listen(room.part("messages"), "arrived", forgetPlace);
  const asked = named() ?? Number(element.querySelector("[data-marked]")?.dataset.seq);
  if (asked) history.goTo(asked);
}

function forgetPlace() {
  const url = new URL(location);
  for (const name of PLACES) url.searchParams.delete(name);
  if (placeIn(url.hash)) url.hash = "";
  if (url.href !== location.href) window.history.replaceState(window.history.state, "", url);
}

function placeIn(hash) {
  const match = /^#m-(\d+)$/.exec(hash);
  return match ? Number(match[1]) : undefined;
}
