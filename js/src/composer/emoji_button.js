import { SafeStorage } from "../core/storage.js";
import { EmojiPicker } from "./emoji_picker.js";
import { RecentEmoji } from "./recent_emoji.js";

/** The emoji picker, for the composer and for reactions. */
export function emojiPicker(room) {
  const { composer, messageActions } = room;
  const [element, button] = [room.part("emoji-picker"), room.part("emoji")];
  if (!element?.showPopover) return;
  const react = messageActions.get("react");
  const fallback = Array.from(room.part("menu")?.querySelectorAll('[data-do="react"]') ?? [], ({ dataset }) => dataset.emoji);
  const recent = new RecentEmoji(new SafeStorage(() => localStorage));
  const picker = new EmojiPicker({ element, names: room.emojiNames, recent, fallback, signal: room.signal });
  messageActions.set("react-more", {
    when: (view) => react?.when(view) ?? false,
    act: (view) => {
      const opener = view.element.querySelector('[data-part="actions"]') ?? view.element;
      picker.open(opener, (chosen) => react.act(view, { dataset: { emoji: chosen } }));
    },
  });
  if (!composer || !button) return;
  let wasOpen = false;
  // A click on the button closes the open popover before the button receives the event.
  room.listen(button, "pointerdown", () => (wasOpen = picker.isOpen));
  room.listen(button, "click", () => {
    if (!wasOpen) picker.open(button, (chosen) => composer.insert(chosen));
    wasOpen = false;
  });
}
