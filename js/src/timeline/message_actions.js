/** What can be done with a message: from the menu, by its reactions, and from the composer. */
export function messageActions(room) {
  const { words, composer, notice } = room;
  const offer = (what, when, act) => room.messageActions.set(what, { when, act });
  const stands = ({ element: { dataset } }) => !("deleted" in dataset);
  const isMine = ({ element: { dataset } }) => "mine" in dataset;
  const isSaid = ({ element: { dataset } }) => dataset.kind !== "system";
  const isPinned = ({ element: { dataset } }) => "pinned" in dataset;

  offer("link", undefined, ({ seq }) => copyLink(room, seq));
  offer("react", (view) => stands(view) && room.can("react"), (view, { dataset }) => react(room, view.element, dataset.emoji));
  offer(
    "reply",
    (view) => stands(view) && room.can("post") && composer,
    ({ seq, authorName, summary }) => composer.reply({ seq, name: authorName, body: summary }),
  );
  offer(
    "edit",
    (view) => stands(view) && isMine(view) && isSaid(view) && room.can("post") && composer,
    ({ seq, text }) => composer.edit({ seq, text }),
  );
  offer("delete", (view) => stands(view) && (isMine(view) || room.can("moderate")), (view) => deleteSoon(room, view));
  offer("pin", (view) => stands(view) && !isPinned(view) && room.can("pin"), ({ seq }) => room.ask({ type: "pin", seq, on: true }));
  offer("unpin", (view) => stands(view) && isPinned(view) && room.can("pin"), ({ seq }) => room.ask({ type: "pin", seq, on: false }));

  if (notice) startMenu(room);
  room.listen(room.element, "click", ({ target }) => {
    const button = target.closest?.(".roomchat-reaction[data-emoji]");
    if (button) react(room, button.closest("li"), button.dataset.emoji);
  });
}

/** It opens from the button of a message, or with Enter on a message that the arrow keys have reached. */
function startMenu(room) {
  const [element, scroller] = [room.part("menu"), room.part("log")];
  if (!element) return;
  const menu = room.menu(element, room.messageActions);
  const open = (item, opener) => {
    const view = room.log.viewOf(item);
    if (view && !view.pending) menu.open(opener, view);
  };
  room.listen(scroller, "click", ({ target }) => {
    const opener = target.closest('[data-part="actions"]');
    if (opener) open(opener.closest("li"), opener);
  });
  room.listen(scroller, "keydown", (event) => {
    const item = event.target.closest("li[data-seq]");
    if (event.key !== "Enter" || item !== event.target) return;
    event.preventDefault();
    // A hand on the keys may be faster than what else there is to do with a message.
    room.reached().then(() => item === document.activeElement && open(item, item.querySelector('[data-part="actions"]') ?? item));
  });
  room.listen(scroller, "scroll", () => menu.close(), { passive: true });
}

function react(room, item, emoji) {
  const button = [...item.querySelectorAll(".roomchat-reaction")].find(({ dataset }) => dataset.emoji === emoji);
  const on = button?.getAttribute("aria-pressed") !== "true";
  room.ask({ type: "react", seq: Number(item.dataset.seq), emoji, on });
}

/** It is gone from the page at once, and from the server when nobody has taken that back. */
function deleteSoon(room, { element, seq }) {
  element.toggleAttribute("data-doomed", true);
  const back = () => element.removeAttribute("data-doomed");
  const over = () => room.ask({ type: "delete", seq }).finally(back);
  if (room.notice) room.notice.show(room.words.deleted, { undo: back, over });
  else over();
}

async function copyLink(room, seq) {
  const url = room.urlOf(seq);
  try {
    await navigator.clipboard.writeText(url.href);
    room.notice?.show(room.words.link_copied);
  } catch {
    location.hash = url.hash; // no clipboard for us: at least it stands in the address
  }
}
