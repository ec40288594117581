import { emit } from "./emit.js";

/**
 * What the browser tells about the page's life, in two words.
 *
 * `wake`: somebody may be looking again, or the network is back: the line should be tried now.
 * `sleep`: the page goes, perhaps into the back-forward cache, where an open socket is not allowed.
 *
 * Both end with the AbortSignal `signal`.
 *
 * `resume` is there because Chrome does not always fire `visibilitychange` after a freeze.
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
  window.addEventListener("pageshow", (event) => event.persisted && wake(), { signal });
  window.addEventListener("pagehide", sleep, { signal });
  return signals;
}
