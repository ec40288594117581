import { EmojiNames } from "./emoji.js";

/** What emoji are called, for all who ask, and the button that leads to them. */
export function emojiNames(room) {
  const { data, composer } = room;
  room.emojiNames = new EmojiNames((data.emoji ?? "").split(" ").filter(Boolean));
  const button = room.part("emoji");
  if (button && composer && data.panelsSrc && room.part("emoji-picker")?.showPopover) button.hidden = false;
}
