import { countdown, duration } from "../ui/durations.js";

const TICK_MS = 1_000;

/**
 * In slow mode, show the interval and, after a post or an edit, the remaining time. Posts are not lost meanwhile: the page shows
 * them as pending, and the session sends them later.
 */
export function slowMode(room) {
  const element = room.part("slow");
  if (!element) return;
  const { strings, session, signal } = room;
  let seconds = 0;
  let timer;

  function show() {
    clearTimeout(timer);
    const left = Math.ceil((room.slowUntil - Date.now()) / 1000);
    const waits = left > 0;
    if (waits) timer = setTimeout(show, TICK_MS);
    const hasPending = session.posts.some(({ state }) => state === "pending");
    const wait = (hasPending ? strings.slow_sends : strings.slow_wait).replace("{time}", countdown(left));
    element.textContent = waits ? wait : strings.slow.replace("{time}", duration(seconds, room.calendar.language));
    element.toggleAttribute("data-waits", waits);
    element.hidden = !waits && !seconds;
  }

  function startCountdown(wait) {
    room.slowUntil = Date.now() + wait * 1000;
    show();
  }

  room.on("rights", ({ slow_seconds: slow = 0 }) => {
    // Moderators are exempt.
    seconds = room.can("moderate") || !room.can("post") ? 0 : slow;
    if (!seconds) room.slowUntil = 0;
    show();
  });
  // An edit counts like a post.
  for (const event of ["sent", "edited"]) room.on(event, () => seconds && startCountdown(seconds));
  room.on("held", ({ code, seconds: wait }) => code === "rate_limited" && startCountdown(wait));
  room.on("pending", show);
  room.on("dropped", show);
  signal.addEventListener("abort", () => clearTimeout(timer));
}
