import { EmojiNames } from "./emoji.js";

/** Shows the button of the emoji picker, which `panels.js` opens. */
export function emojiButton(room) {
  const button = room.part("emoji");
  if (button && room.composer && room.data.panelsSrc && room.part("emoji-picker")?.showPopover) button.hidden = false;
}

/** Provides the emoji names to the emoji picker and to the autocompletion. */
export function emojiNames(room) {
  room.emojiNames = new EmojiNames((room.data.emoji ?? "").split(" ").filter(Boolean));
}
