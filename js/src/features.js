import { reading, typing } from "./company.js";
import { edits } from "./edits.js";
import { filesLater } from "./files_later.js";
import { guestName } from "./guest_name.js";
import { help } from "./help.js";
import { invitations } from "./invitations.js";
import { leaving } from "./leaving.js";
import { messageActions } from "./message_actions.js";
import { moderation } from "./moderation.js";
import { notifications } from "./notifications.js";
import { people } from "./people_dialog.js";
import { permalinks } from "./permalinks.js";
import { pinned } from "./pinned.js";
import { report } from "./report.js";
import { roomMenu } from "./room_menu.js";
import { search } from "./search.js";
import { settings } from "./settings_dialog.js";
import { shutOut } from "./shut_out.js";
import { slowMode } from "./slow_mode.js";
import { completion, emojiPicker, voice } from "./writing.js";

/**
 * What the page can do beyond reading and writing: each a function of a {@link Room}. Each works alone: leave one out, and
 * the others go on. The room's menu comes last, when all have said what belongs there.
 */
export const FEATURES = [messageActions, voice, completion, emojiPicker, guestName, help, people, moderation, report, edits, invitations, settings, leaving, slowMode, shutOut, typing, reading, filesLater, permalinks, search, pinned, notifications, roomMenu];
