import { attachments } from "./attachments.js";
import { presence, reading, typing } from "./company.js";
import { guestName } from "./guest_name.js";
import { help } from "./help.js";
import { lightbox } from "./lightbox.js";
import { messageActions } from "./message_actions.js";
import { permalinks } from "./permalinks.js";
import { roomMenu } from "./room_menu.js";
import { completion, emojiPicker, voice } from "./writing.js";

/**
 * What the page can do beyond reading and writing: each a function of a {@link Room}. Each works alone: leave one out, and
 * the others go on. The room's menu comes last, when all have said what belongs there.
 */
export const FEATURES = [messageActions, voice, completion, emojiPicker, guestName, help, presence, typing, reading, attachments, lightbox, permalinks, roomMenu];
