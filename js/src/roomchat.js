/**
 * The chat page.
 *
 * ## Folders
 *
 * A module imports only from its own folder and from the folders above it in this list (`js/tests/layers.test.js`):
 *
 *     core/        connection, session, cursor, posts and storage; no DOM. `client.js` exports it for custom pages
 *     ui/          dialogs, menus, toast, shortcuts, and pure helpers for plurals, durations and file sizes
 *     attention/   notifications, unread count, read markers
 *     uploads/     choosing, resizing and uploading files
 *     people/      list of people, presence, typing indicator, names, moderation
 *     timeline/    the message list: messages, older and newer pages, search, pins, permalinks
 *     composer/    the text field: drafts, autocompletion, emoji, slow mode, read-only rooms
 *     rooms/       the room list, new rooms, settings, invitations, leaving
 *
 * On top of them are `element.js` (`<room-chat>`), `room.js` (the room as features use it), `features.js` (features
 * that start with the page) and the entry points of the four bundles: `roomchat.js`, `client.js`, `files.js` and
 * `panels.js`. `lazy_panels.js` loads `panels.js` on the first user interaction.
 *
 * ## How a message is sent and received
 *
 * Three layers, each of which knows only the one below it:
 *
 *     core/transport.js   one connection: back-off, heartbeat, sleep and wake. Knows frames
 *     core/session.js     one room: position in the log, requests and posts. Does not use the DOM
 *     element.js          <room-chat>: hydrates the rendered page and shows the events of the session
 *
 * `core/cursor.js` is the rule for received frames, `core/post_queue.js` sends posts, and `core/outbox.js` stores
 * them across reloads. The view is `timeline/log_view.js` (order and scrolling), `timeline/message_view.js` (one
 * message), `timeline/history.js` (older and newer pages), `composer/composer.js` and `ui/banner.js`.
 *
 * ## API for the site's scripts
 *
 * The element dispatches bubbling events: `roomchat:message` (`detail.message`, `detail.mine`), `roomchat:status`
 * (`detail.state`: connecting, connected, offline, ended), and `roomchat:before-send`, which can be cancelled and
 * whose `detail.body` can be changed. The attribute `connected` is present while the room is connected, and
 * `data-state` has the state. `element.send(text)` sends a message.
 */
import { NewRoom } from "./rooms/new_room.js";
import { RoomList } from "./rooms/room_list.js";
import { RoomChat } from "./element.js";

const ELEMENTS = { "room-chat": RoomChat, "room-list": RoomList, "new-room": NewRoom };

// The script may be loaded twice, under two names of a hashed static file.
for (const [name, element] of Object.entries(ELEMENTS)) {
  if (!customElements.get(name)) customElements.define(name, element);
}
