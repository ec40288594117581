import { Callable } from "./mention_candidates.js";
import { Completion } from "./completion.js";
import { EmojiNames } from "./emoji.js";
import { hue, initials } from "../people/avatars.js";
import { RecentEmoji } from "./recent_emoji.js";
import { SafeStorage } from "../core/storage.js";
import { REAL_CLOCK } from "../core/transport.js";
import { callAt, emojiAt, wholeEmojiAt } from "./caret_context.js";

const EMOJI_MAX = 8;
const ASK_AGAIN_MAX_S = 60 * 60;

/** What emoji are called, for all who ask, and the button that leads to them. */
export function emojiNames(room) {
  const { data, composer } = room;
  room.emojiNames = new EmojiNames((data.emoji ?? "").split(" ").filter(Boolean));
  const button = room.part("emoji");
  if (button && composer && data.panelsSrc && room.part("emoji-picker")?.showPopover) button.hidden = false;
}

/** Names of people behind `@`, and of emoji behind `:`. */
export function completion(room) {
  const { composer, signal } = room;
  const [list, template] = [room.part("options"), room.template("option")];
  if (!composer || !list || !template) return;
  const names = room.emojiNames;
  new Completion({ composer, list, template, sources: [people(room), emoji(names)], signal });
  // A short name between two colons needs no list.
  room.listen(composer.input, "input", async ({ isComposing }) => {
    const { value, selectionEnd } = composer.input;
    const typed = isComposing ? null : wholeEmojiAt(value, selectionEnd);
    const found = typed && (await names.load().catch(() => undefined))?.called(typed.text);
    if (found && composer.input.value === value) composer.insert(found, typed.start, selectionEnd);
  });
}

/** Where one may not write, the reason stands in the place of the field. What was written waits in it. */
export function voice(room) {
  const [form, closed] = [room.part("composer"), room.part("closed")];
  if (!form || !closed) return;
  let timer;
  let hadFocus = false;
  const show = ({ why = "", retry_after }) => {
    const may = room.can("post");
    const text = may ? "" : why || closed.dataset.otherwise || "";
    if (closed.textContent !== text) closed.textContent = text;
    clearTimeout(timer);
    // A mute ends by itself, and nobody says so.
    if (!may && retry_after >= 0) timer = setTimeout(() => room.session.refresh(), Math.min(retry_after + 1, ASK_AGAIN_MAX_S) * 1000);
    if (form.hidden === !may) return;
    if (!may) hadFocus = form.contains(document.activeElement);
    form.hidden = !may;
    if (hadFocus) (may ? room.composer?.input : room.part("log"))?.focus();
  };
  room.on("rights", show);
  room.signal.addEventListener("abort", () => clearTimeout(timer));
}

// What is completed

function people({ session, element }) {
  const callable = new Callable({
    seen: () => heardIn(element),
    ask: async (prefix) => (await session.request({ type: "people", prefix })).people,
    clock: REAL_CLOCK,
  });
  return {
    read: callAt,
    search: (typed, show) => callable.search(typed, (found) => show(found.filter(({ key }) => key !== session.you.key))),
    look: ({ key, name }) => ({ key, name, sign: initials(name), hue: hue(key) }),
    text: ({ name }) => `@${name}`,
  };
}

/** Who has said something in the page, the latest first. */
function heardIn(element) {
  const people = new Map();
  for (const item of [...element.querySelectorAll('li[data-seq][data-kind="user"]:not([data-deleted])')].reverse()) {
    const name = item.querySelector('[data-part="author"]')?.textContent;
    if (name && !people.has(item.dataset.author)) people.set(item.dataset.author, name);
  }
  return Array.from(people, ([key, name]) => ({ key, name }));
}

function emoji(names) {
  const recent = new RecentEmoji(new SafeStorage(() => localStorage));
  return {
    read: emojiAt,
    search: async ({ text }, show) => {
      const book = await names.load().catch(() => undefined);
      const lately = recent.list();
      const found = book?.find(text) ?? [];
      show([...found.filter((one) => lately.includes(one.emoji)), ...found.filter((one) => !lately.includes(one.emoji))].slice(0, EMOJI_MAX));
    },
    look: ({ emoji, name, term }) => ({ key: emoji, name, sign: emoji, more: term === name ? "" : term }),
    text: ({ emoji }) => {
      recent.add(emoji);
      return emoji;
    },
  };
}
