/**
 * The chat in the page.
 *
 * ## How a message comes and goes
 *
 * Three layers, each of which knows only the one below it:
 *
 *     transport.js   one socket that is always there: back-off, heartbeat, sleep and wake. Knows frames.
 *     session.js     one room: where we are in its log, what we still have to say. Knows no DOM.
 *     element.js     <room-chat>: takes over what the server has rendered, shows what the session tells.
 *
 * `cursor.js` is the rule for received frames, `outbox.js` the posts that must survive a reload. The view is
 * `log_view.js` (order and scrolling), `message_view.js` (one message), `composer.js`, `history.js` (older
 * messages) and `banner.js`. What else the page can do are features, functions of a `room.js`: those of `features.js` begin
 * with the page, those of `panels.js` when somebody first reaches for the room (`door.js`).
 *
 * ## For the site's own scripts
 *
 * Events on the element, all bubbling: `roomchat:message` (`detail.message`, `detail.mine`), `roomchat:status`
 * (`detail.state`: connecting, connected, offline, ended), and `roomchat:before-send`, which can be cancelled or
 * given another `detail.body`. The attribute `connected` is there while it is, `data-state` says the same in words.
 * `element.send(text)` says something.
 *
 * Who brings a page of their own finds transport and session in `client.js`.
 */
import { NewRoom } from "./rooms/new_room.js";
import { RoomList } from "./rooms/room_list.js";
import { RoomChat } from "./element.js";

const ELEMENTS = { "room-chat": RoomChat, "room-list": RoomList, "new-room": NewRoom };

// The script may be on a page twice, under two names of a hashed static file.
for (const [name, element] of Object.entries(ELEMENTS)) {
  if (!customElements.get(name)) customElements.define(name, element);
}
