/**
 * What is behind buttons: dialogs and lists that open when somebody asks for them. A script of its own, fetched when a person
 * first reaches for the room; see `door.js`.
 */
import { edits } from "./timeline/edits.js";
import { emojiPicker } from "./composer/emoji_button.js";
import { guestName } from "./people/guest_name.js";
import { help } from "./ui/help.js";
import { invitations } from "./rooms/invitations.js";
import { leaving } from "./rooms/leave_room.js";
import { moderation } from "./people/moderation.js";
import { people } from "./people/people_dialog.js";
import { pinned } from "./timeline/pinned.js";
import { report } from "./people/report.js";
import { search } from "./timeline/search.js";
import { settings } from "./rooms/settings_dialog.js";

export const PANELS = [emojiPicker, guestName, help, people, moderation, report, edits, invitations, settings, leaving, search, pinned];
