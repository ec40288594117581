import { SafeStorage } from "../core/storage.js";
import { REAL_CLOCK } from "../core/transport.js";
import { hue, initials } from "../people/avatars.js";
import { completeEmojiAt, emojiAt, mentionAt } from "./caret_context.js";
import { Completion } from "./completion.js";
import { MentionCandidates } from "./mention_candidates.js";
import { RecentEmoji } from "./recent_emoji.js";

const EMOJI_MAX = 8;

/** Autocompletion of names after `@` and of emoji after `:`. */
export function autocomplete(room) {
  const { composer, signal } = room;
  const [list, template] = [room.part("options"), room.template("option")];
  if (!composer || !list || !template) return;
  const names = room.emojiNames;
  new Completion({ composer, list, template, sources: [people(room), emoji(names)], signal });
  // A complete short name is replaced immediately.
  room.listen(composer.input, "input", async ({ isComposing }) => {
    const { value, selectionEnd } = composer.input;
    const context = isComposing ? null : completeEmojiAt(value, selectionEnd);
    const found = context && (await names.load().catch(() => undefined))?.byName(context.text);
    if (found && composer.input.value === value) composer.insert(found, context.start, selectionEnd);
  });
}

// Sources

function people({ session, element }) {
  const candidates = new MentionCandidates({
    getAuthors: () => recentAuthors(element),
    request: async (prefix) => (await session.request({ type: "people", prefix })).people,
    clock: REAL_CLOCK,
  });
  return {
    match: mentionAt,
    search: (context, show) => candidates.search(context, (found) => show(found.filter(({ key }) => key !== session.you.key))),
    describe: ({ key, name }) => ({ key, name, sign: initials(name), hue: hue(key) }),
    text: ({ name }) => `@${name}`,
  };
}

/** The authors of the messages in the page, latest first. */
function recentAuthors(element) {
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
    match: emojiAt,
    search: async ({ text }, show) => {
      const index = await names.load().catch(() => undefined);
      const recentlyUsed = recent.list();
      const found = index?.find(text) ?? [];
      show([...found.filter((one) => recentlyUsed.includes(one.emoji)), ...found.filter((one) => !recentlyUsed.includes(one.emoji))].slice(0, EMOJI_MAX));
    },
    describe: ({ emoji, name, term }) => ({ key: emoji, name, sign: emoji, more: term === name ? "" : term }),
    text: ({ emoji }) => {
      recent.add(emoji);
      return emoji;
    },
  };
}
