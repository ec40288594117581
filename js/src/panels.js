/** Dialogs, lists and the autocompletion, which start on the first interaction, as a separate bundle; see `lazy_panels.js`. */
import { notificationsDialog } from "./attention/notifications_dialog.js";
import { autocomplete } from "./composer/autocomplete.js";
import { emojiPicker } from "./composer/emoji_button.js";
import { emojiNames } from "./composer/emoji_names.js";
import { blocks } from "./people/blocks.js";
import { guestName } from "./people/guest_name.js";
import { moderation } from "./people/moderation.js";
import { people } from "./people/people_dialog.js";
import { report } from "./people/report.js";
import { emptyRoom } from "./rooms/empty_room.js";
import { invitations } from "./rooms/invitations.js";
import { leaveRoom } from "./rooms/leave_room.js";
import { settings } from "./rooms/settings_dialog.js";
import { copyLinks } from "./timeline/copy_link.js";
import { deleteMessages } from "./timeline/delete_message.js";
import { edits } from "./timeline/edits.js";
import { pinned } from "./timeline/pinned.js";
import { quickReaction } from "./timeline/quick_reaction.js";
import { search } from "./timeline/search.js";
import { help } from "./ui/help.js";

export const PANELS = [
  emojiNames,
  emojiPicker,
  autocomplete,
  guestName,
  help,
  people,
  moderation,
  blocks,
  report,
  copyLinks,
  deleteMessages,
  edits,
  emptyRoom,
  invitations,
  settings,
  leaveRoom,
  search,
  pinned,
  quickReaction,
  notificationsDialog,
];
