/** Actions on a message, in its menu, its reactions and the composer. */
export function messageActions(room) {
  const { composer, toast } = room;
  const offer = (what, when, act) => room.messageActions.set(what, { when, act });
  const isPresent = ({ element: { dataset } }) => !("deleted" in dataset);
  const isMine = ({ element: { dataset } }) => "mine" in dataset;
  const isUserMessage = ({ element: { dataset } }) => dataset.kind !== "system";
  const isPinned = ({ element: { dataset } }) => "pinned" in dataset;

  offer("react", (view) => isPresent(view) && room.can("react"), (view, { dataset }) => react(room, view.element, dataset.emoji));
  offer(
    "reply",
    (view) => isPresent(view) && room.can("post") && composer,
    ({ seq, authorName, isGuest, summary }) => composer.reply({ seq, name: authorName, body: summary, guest: isGuest }),
  );
  offer(
    "edit",
    (view) => isPresent(view) && isMine(view) && isUserMessage(view) && room.can("post") && !room.isSlowed && composer,
    ({ seq, text }) => composer.edit({ seq, text }),
  );
  offer("pin", (view) => isPresent(view) && !isPinned(view) && room.can("pin"), ({ seq }) => room.request({ type: "pin", seq, on: true }));
  offer("unpin", (view) => isPresent(view) && isPinned(view) && room.can("pin"), ({ seq }) => room.request({ type: "pin", seq, on: false }));

  if (toast) startMenu(room);
  room.listen(room.element, "click", ({ target }) => {
    const button = target.closest?.(".roomchat-reaction[data-emoji]");
    if (button) react(room, button.closest("li"), button.dataset.emoji);
  });
}

/** The menu opens from the button of a message, or with Enter on a focused message. */
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
    // Enter may be pressed before the actions of panels.js have loaded.
    room.loadPanels().then(() => item === document.activeElement && open(item, item.querySelector('[data-part="actions"]') ?? item));
  });
  room.listen(scroller, "scroll", () => menu.close(), { passive: true });
}

function react(room, item, emoji) {
  const button = [...item.querySelectorAll(".roomchat-reaction")].find(({ dataset }) => dataset.emoji === emoji);
  const on = button?.getAttribute("aria-pressed") !== "true";
  room.request({ type: "react", seq: Number(item.dataset.seq), emoji, on });
}
