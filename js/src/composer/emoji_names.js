import { EmojiNames } from "./emoji.js";

/** Provides the emoji names to other features, and shows the button of the emoji picker. */
export function emojiNames(room) {
  const { data, composer } = room;
  room.emojiNames = new EmojiNames((data.emoji ?? "").split(" ").filter(Boolean));
  const button = room.part("emoji");
  if (button && composer && data.panelsSrc && room.part("emoji-picker")?.showPopover) button.hidden = false;
}
