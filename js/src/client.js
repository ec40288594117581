/**
 * The client without a page: for those who bring their own.
 *
 *     import { openSession } from ".../django_roomchat/client.js";
 *
 *     const session = openSession({ socket: "/ws/chat/lobby/", room: "lobby", you: { key: "u:1", name: "Ana" } });
 *     session.addEventListener("messages", ({ detail }) => detail.messages.forEach(show));
 *     session.addEventListener("reset", ({ detail }) => startOver(detail.messages));
 *     session.start();
 *     session.post("Hello");
 *
 * The events are described in `session.js`. It runs wherever there are EventTarget and WebSocket: in a worker or
 * in Node as well, where storage and locks may be missing.
 */
import { NOTHING, receive } from "./core/cursor.js";
import { HttpSocket } from "./core/http_socket.js";
import { Outbox } from "./core/outbox.js";
import { pageSignals } from "./core/page_signals.js";
import { Session } from "./core/session.js";
import { SafeStorage } from "./core/storage.js";
import { REAL_CLOCK, Transport } from "./core/transport.js";

export { SafeStorage, HttpSocket, NOTHING, Outbox, Session, Transport, pageSignals, receive };

/**
 * A session with everything that this browser has to offer, not started yet.
 *
 * @param socket address of the room's socket, absolute or relative to the page
 * @param room the room's canonical name
 * @param you `{key, name}`: whose posts to keep
 * @param cursor `{epoch, head}` of what is shown already, if anything is
 * @param http `{events, frames, token}` for networks without sockets: the room's two addresses, and a function that
 *   returns Django's CSRF token
 * @param signal ends what the session hears of the page
 */
export function openSession({ socket, room, you, cursor, http, signal }) {
  const signals = pageSignals({ signal });
  const locks = globalThis.navigator?.locks;
  const storage = new SafeStorage(() => (locks ? globalThis.localStorage : globalThis.sessionStorage));
  const outbox = new Outbox({ storage, locks, author: you.key, room });
  const position = () => Object.fromEntries(new URLSearchParams(session.resumeQuery));
  const fallback = http && (() => new HttpSocket({ ...http, position: position(), clock: REAL_CLOCK }));
  const transport = new Transport({ url: () => socketUrl(socket, session.resumeQuery), fallback, signals });
  const session = new Session({ room, you, cursor, transport, outbox, signals });
  return session;
}

function socketUrl(socket, query) {
  const url = new URL(socket, globalThis.location?.href);
  url.protocol = url.protocol.replace("http", "ws");
  url.search = query;
  return url.href;
}
