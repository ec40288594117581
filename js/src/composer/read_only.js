const REFRESH_MAX_S = 60 * 60;

/** While the user may not post, show the reason in place of the text field. The text is kept. */
export function readOnly(room) {
  const [form, closed] = [room.part("composer"), room.part("closed")];
  if (!form || !closed) return;
  let timer;
  let hadFocus = false;
  const show = ({ why = "", retry_after }) => {
    const canPost = room.can("post");
    const text = canPost ? "" : why || closed.dataset.otherwise || "";
    if (closed.textContent !== text) closed.textContent = text;
    clearTimeout(timer);
    // A mute expires without an event.
    if (!canPost && retry_after >= 0) timer = setTimeout(() => room.session.refresh(), Math.min(retry_after + 1, REFRESH_MAX_S) * 1000);
    if (form.hidden === !canPost) return;
    if (!canPost) hadFocus = form.contains(document.activeElement);
    form.hidden = !canPost;
    if (hadFocus) (canPost ? room.composer?.input : room.part("log"))?.focus();
  };
  room.on("rights", show);
  room.signal.addEventListener("abort", () => clearTimeout(timer));
}

/** When the user is banned, show the reason in place of the text field. The text is kept. */
export function banNotice(room) {
  const [form, closed] = [room.part("composer"), room.part("closed")];
  if (!form || !closed) return;
  room.on("problem", ({ frame, detail, retry_after: retryAfter }) => {
    if (frame !== "join" || retryAfter !== undefined) return;
    closed.textContent = detail;
    form.hidden = true;
  });
}
