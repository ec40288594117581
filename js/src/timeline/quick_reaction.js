/**
 * A button beside the message under the mouse that reacts with the first emoji of the menu: one click, without the menu.
 * It is one element, because a button in every message would make the page larger. Fingers and keys use the menu.
 */
export function quickReaction(room) {
  const [list, entry] = [room.part("messages"), room.part("menu")?.querySelector('[data-do="react"]')];
  const react = room.messageActions.get("react");
  if (!list || !entry || !react) return;
  const { emoji } = entry.dataset;
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "roomchat-quick", tabIndex: -1, textContent: emoji });

  const show = (item) => {
    const actions = item?.querySelector('[data-part="actions"]');
    const view = actions && room.log.viewOf(item);
    if (!view || view.pending || "mine" in item.dataset || item.dataset.kind === "system" || !react.when(view)) return button.remove();
    if (button.parentElement === actions.parentElement) return undefined;
    return spaceBeside(actions.parentElement, list) < 2 * actions.offsetWidth ? button.remove() : actions.after(button);
  };
  room.listen(list, "pointerover", ({ pointerType, target }) => pointerType === "mouse" && show(target.closest("li[data-seq]")));
  room.listen(list, "pointerleave", () => button.remove());
  room.listen(button, "click", () => {
    const view = room.log.viewOf(button.closest("li"));
    if (view) react.act(view, entry);
  });
}

/** Pixels between a row and the end of the list. */
function spaceBeside(row, list) {
  const [inner, outer] = [row, list].map((element) => element.getBoundingClientRect());
  return getComputedStyle(list).direction === "rtl" ? inner.left - outer.left : outer.right - inner.right;
}
