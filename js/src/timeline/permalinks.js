import { isPlainClick } from "../ui/plain_click.js";

const POSITION_PARAMS = ["at", "before", "after"];

/**
 * Links to messages lead there without leaving the page, wherever in the room they are: the quote above an answer, and what
 * the page's address names, with `?at=`, which the server has marked, or with `#m-123`.
 *
 * Once the reader has come to the live end, the address is the room's again: a reload leads to where they are.
 */
export function permalinks(room) {
  const { history, data, element } = room;
  const seqFromHash = () => ("ownPage" in data ? seqIn(location.hash) : undefined);
  room.listen(element, "click", (event) => {
    const link = event.target.closest?.('a[href^="#m-"]');
    const seq = link && seqIn(link.hash);
    // The link of a message itself puts it into the address, as links do.
    if (!seq || !isPlainClick(event) || link.dataset.part === "link") return;
    event.preventDefault();
    history.goTo(seq);
  });
  room.listen(window, "hashchange", () => seqFromHash() && history.goTo(seqFromHash()));
  if ("ownPage" in data) room.listen(room.part("messages"), "reach-live", clearPosition);
  const initial = seqFromHash() ?? Number(element.querySelector("[data-marked]")?.dataset.seq);
  if (initial) history.goTo(initial);
}

function clearPosition() {
  const url = new URL(location);
  for (const name of POSITION_PARAMS) url.searchParams.delete(name);
  if (seqIn(url.hash)) url.hash = "";
  if (url.href !== location.href) window.history.replaceState(window.history.state, "", url);
}

function seqIn(hash) {
  const match = /^#m-(\d+)$/.exec(hash);
  return match ? Number(match[1]) : undefined;
}
