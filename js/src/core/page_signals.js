import { emit } from "./emit.js";

/**
 * The lifecycle of the page as events.
 *
 * `wake`: the page may be visible again or the network is back, so the connection should be checked.
 * `sleep`: the page is closed or enters the back-forward cache, where open sockets are not allowed.
 * `doubt`: the system reports that it is offline, which is only a hint: a VPN or a second network may still work.
 *
 * The listeners are removed by the AbortSignal `signal`.
 *
 * `resume` is included because Chrome does not always fire `visibilitychange` after a freeze.
 */
export function pageSignals({ window = globalThis.window, signal } = {}) {
  const signals = new EventTarget();
  if (!window) return signals;
  const { document } = window;
  const wake = () => emit(signals, "wake");
  const sleep = () => emit(signals, "sleep");
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && wake(), { signal });
  document.addEventListener("resume", wake, { signal });
  window.addEventListener("online", wake, { signal });
  window.addEventListener("offline", () => emit(signals, "doubt"), { signal });
  window.addEventListener("pageshow", (event) => event.persisted && wake(), { signal });
  window.addEventListener("pagehide", sleep, { signal });
  return signals;
}
