import { presence, reading, typing } from "./people/presence.js";
import { door } from "./lazy_panels.js";
import { filesLater } from "./uploads/lazy_files.js";
import { messageActions } from "./timeline/message_actions.js";
import { naming } from "./people/own_name.js";
import { notifications } from "./attention/notifications.js";
import { permalinks } from "./timeline/permalinks.js";
import { roomMenu } from "./rooms/room_menu.js";
import { shutOut } from "./composer/read_only.js";
import { slowMode } from "./composer/slow_mode.js";
import { completion, emojiNames, voice } from "./composer/emoji_names.js";

/**
 * What the page can do beyond reading and writing: each a function of a {@link Room}. Each works alone: leave one out, and
 * the others go on. What opens at a click is in `panels.js`, behind the door.
 */
export const FEATURES = [door, messageActions, voice, emojiNames, completion, naming, slowMode, shutOut, presence, typing, reading, filesLater, permalinks, notifications, roomMenu];
