import { isPlainClick } from "../ui/plain_click.js";

const POSITION_PARAMS = ["at", "before", "after"];

/**
 * Links to messages are opened without leaving the page: quotes, `#m-123` in the URL, and `?at=`, whose message the
 * server has marked.
 *
 * At the live end, the position is removed from the URL, so that a reload shows the newest messages.
 */
export function permalinks(room) {
  const { history, data, element } = room;
  const seqFromHash = () => ("ownPage" in data ? seqIn(location.hash) : undefined);
  room.listen(element, "click", (event) => {
    const link = event.target.closest?.('a[href^="#m-"]');
    const seq = link && seqIn(link.hash);
    // The permalink of a message itself changes the URL, like any link.
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
  const match = /^#m-(?:[0-9a-f]{8}-)?(\d+)$/.exec(hash);
  return match ? Number(match[1]) : undefined;
}
