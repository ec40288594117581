import { notifications } from "./attention/notifications.js";
import { readTracking } from "./attention/read_tracker.js";
import { emojiButton } from "./composer/emoji_names.js";
import { banNotice, readOnly } from "./composer/read_only.js";
import { slowMode } from "./composer/slow_mode.js";
import { ownName } from "./people/own_name.js";
import { presenceFeature } from "./people/presence.js";
import { typingFeature } from "./people/typing.js";
import { roomMenu } from "./rooms/room_menu.js";
import { dayNames } from "./timeline/day_change.js";
import { messageActions } from "./timeline/message_actions.js";
import { permalinks } from "./timeline/permalinks.js";
import { lazyFiles } from "./uploads/lazy_files.js";
import { lazyPanels } from "./lazy_panels.js";

/**
 * The features of the page: each is a function of a {@link Room} and independent of the others. Features that open
 * after a click are in `panels.js`, which `lazy_panels.js` loads.
 */
export const FEATURES = [
  lazyPanels,
  messageActions,
  dayNames,
  readOnly,
  emojiButton,
  ownName,
  slowMode,
  banNotice,
  presenceFeature,
  typingFeature,
  readTracking,
  lazyFiles,
  permalinks,
  notifications,
  roomMenu,
];
