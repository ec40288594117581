const REFRESH_MAX_S = 60 * 60;

/** While the user may not post, show the reason in place of the text field. The text is kept. */
export function readOnly(room) {
  const [form, closed] = [room.part("composer"), room.part("closed")];
  if (!form || !closed) return;
  let timer;
  let hadFocus = false;
  const show = (rights) => {
    const { why = "", retry_after } = rights;
    const canPost = room.can("post");
    const text = canPost ? "" : sanctionText(room, rights) || why || closed.dataset.otherwise || "";
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
  room.on("problem", (error) => {
    if (error.frame !== "join" || error.retry_after !== undefined) return;
    closed.textContent = sanctionText(room, error) || error.detail;
    form.hidden = true;
  });
}

/** The text for a muted or banned user, with the time in the user's time zone; undefined for other errors. */
export function sanctionText({ strings, calendar }, { code, until, reason }) {
  const sentence = strings[until ? `you_${code}_until` : `you_${code}`];
  // A time such as “7 p.m.” ends with the full stop of the sentence.
  const text = sentence?.replace("{time}", () => calendar.moment(new Date(until))).replace("..", ".");
  return text && reason ? `${text} ${strings.reason.replace("{reason}", () => reason)}` : text;
}
