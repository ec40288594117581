/**
 * The client without a user interface, for custom pages.
 *
 *     import { openSession } from ".../django_roomchat/client.js";
 *
 *     const session = openSession({ socket: "/ws/chat/lobby/", room: "lobby", you: { key: "u:1", name: "Ana" } });
 *     session.addEventListener("messages", ({ detail }) => detail.messages.forEach(show));
 *     session.addEventListener("reset", ({ detail }) => startOver(detail.messages));
 *     session.start();
 *     session.post("Hello");
 *
 * `session.js` describes the events. The client runs wherever EventTarget and WebSocket exist, also in a worker or in
 * Node, where storage and locks may be missing.
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
 * Create a session with the features that this browser supports. Call `start()` to connect.
 *
 * @param socket URL of the room's socket, absolute or relative to the page
 * @param room canonical name of the room
 * @param you `{key, name}` of the user whose posts are stored
 * @param cursor `{epoch, head}` of what is shown already, if anything is
 * @param http `{events, frames, token}` for networks that block WebSockets: the two URLs of the room, and a function
 *   that returns Django's CSRF token
 * @param signal removes the session's listeners on the page
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
