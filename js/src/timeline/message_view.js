import { hue, initials } from "../people/avatars.js";
import { dayKey, grouping } from "./calendar.js";
import { FilesView } from "./files_view.js";
import { isLarge } from "./large_emoji.js";
import { splitLinks } from "./links.js";
import { highlightMentions, mentionElement, splitMentions } from "./mentions.js";
import { QuoteView } from "./quote_view.js";
import { ReactionsView } from "./reactions_view.js";
import { sanitizedNodes } from "./rendered.js";
import { systemText } from "./system_lines.js";

/**
 * One message: the `<li>` of `_message.html`, rendered by the server or cloned from its template.
 *
 * Its state is in attributes, which style sheets and tests can use: `data-seq`, `data-rev`, `data-id`, `data-author`,
 * `data-kind`, `data-guest`, `data-mine`, `data-deleted`, `data-pinned`, `data-starts-day`, `data-follows` and, while it is not
 * sent, `data-state`.
 */
export class MessageView {
  #shared;
  #at = new Date(0);

  /** @param shared objects that all messages of a room use: `{calendar, strings, templates, ids}`; `ids` is the beginning of
   *   the ids of the messages */
  constructor(element, shared) {
    this.element = element;
    this.#shared = shared;
    const time = this.#part("time");
    this.#setTime(new Date(time?.getAttribute("datetime") ?? NaN));
  }

  static create(shared) {
    return new MessageView(shared.templates.message.content.querySelector("li").cloneNode(true), shared);
  }

  get seq() {
    return Number(this.element.dataset.seq ?? Infinity);
  }

  get rev() {
    return Number(this.element.dataset.rev ?? 0);
  }

  get pending() {
    return "state" in this.element.dataset;
  }

  /** The text, for an edit. */
  get text() {
    return this.element.dataset.text ?? this.#part("body")?.textContent ?? "";
  }

  /** The text or the file names, for the quote in a reply. */
  get summary() {
    return this.text || this.#files.names;
  }

  get authorName() {
    return this.#part("author")?.textContent ?? "";
  }

  get isGuest() {
    return "guest" in this.element.dataset;
  }

  /** Show a message from the server. */
  show(message, { mine, you }) {
    const { element } = this;
    const { seq, rev, id, kind, author, body, at } = message;
    Object.assign(element.dataset, { seq, rev, id, kind });
    element.id = this.#shared.ids + seq;
    this.#clearDelivery();
    this.#setAuthor(author, mine);
    this.#setTime(new Date(at));
    this.#setLink();
    const deleted = Boolean(message.deleted_at);
    element.toggleAttribute("data-deleted", deleted);
    element.toggleAttribute("data-pinned", Boolean(message.pinned_at));
    this.#showBody(message, deleted, you);
    this.#files.show(deleted ? [] : message.files);
    this.#quote.show(deleted ? undefined : message.quote);
    this.#reactions.show(deleted ? undefined : message.reactions, you);
    const edited = this.#part("edited");
    if (edited) edited.hidden = deleted || !message.edited_at;
  }

  /** Show a post that the server has not confirmed. */
  showPost(post, you) {
    const { dataset } = this.element;
    Object.assign(dataset, { id: post.id, kind: "user", state: post.state });
    this.#setAuthor(you, true);
    this.#setTime(new Date(post.at));
    this.#setBody(post.body);
    this.element.toggleAttribute("data-large", isLarge(post.body));
    this.#files.show(post.files);
    this.#quote.show(post.quote);
    this.#setDelivery(post);
  }

  /** The server has stored the post as message `seq`. The event with its content follows, or was received before. */
  confirm(seq) {
    const { element } = this;
    element.dataset.seq = seq;
    element.id = this.#shared.ids + seq;
    this.#clearDelivery();
    this.#setLink();
  }

  updateGrouping(previous) {
    const { startsDay, follows } = grouping(previous?.groupingInfo, this.groupingInfo);
    this.element.toggleAttribute("data-starts-day", startsDay);
    this.element.toggleAttribute("data-follows", follows);
    const day = this.#part("day");
    if (!day) return;
    const { calendar } = this.#shared;
    day.setAttribute("datetime", startsDay ? dayKey(this.#at) : "");
    day.title = startsDay ? calendar.date(this.#at) : "";
    setText(day, startsDay ? calendar.day(this.#at) : "");
  }

  get groupingInfo() {
    const { author, kind } = this.element.dataset;
    return { at: this.#at, author, kind };
  }

  /** A message has changed: update the quote if it is of that message. */
  updateQuote(message) {
    this.#quote.update(message);
  }

  get #quote() {
    return new QuoteView(this.#part("quote"), this.#shared);
  }

  get #files() {
    return new FilesView(this.#part("files"), this.#shared);
  }

  get #reactions() {
    return new ReactionsView(this.#part("reactions"));
  }

  #part(name) {
    return this.element.querySelector(`[data-part="${name}"]`);
  }

  #showBody({ body, html, line, mentions }, deleted, you) {
    const { strings } = this.#shared;
    delete this.element.dataset.text;
    this.element.toggleAttribute("data-large", !deleted && isLarge(body));
    if (!deleted && html) {
      this.element.dataset.text = body; // an edit starts with the source text, not the rendered one
      const shown = this.#part("body");
      shown?.replaceChildren(...sanitizedNodes(html));
      if (shown) highlightMentions(shown, mentions, you);
    } else if (deleted || line) this.#setBody(deleted ? strings.deleted : systemText(line, strings, body));
    else this.#setBody(body, mentions, you);
  }

  #setAuthor({ key, name, guest }, mine) {
    this.element.dataset.author = key;
    this.element.toggleAttribute("data-guest", Boolean(guest));
    this.element.toggleAttribute("data-mine", mine);
    const [author, avatar] = [this.#part("author"), this.#part("avatar")];
    if (author) {
      setText(author, name);
      author.dataset.hue = hue(key);
    }
    if (avatar) {
      setText(avatar, initials(name));
      avatar.dataset.hue = hue(key);
    }
  }

  #setTime(at) {
    if (Number.isNaN(at.valueOf())) return; // a custom template may show no time, or in another format
    this.#at = at;
    const time = this.#part("time");
    if (!time) return;
    time.setAttribute("datetime", at.toISOString());
    time.title = this.#shared.calendar.moment(at);
    setText(time, this.#shared.calendar.time(at));
  }

  #setLink() {
    this.#part("link")?.setAttribute("href", `#${this.element.id}`);
  }

  #setBody(text, mentions, you) {
    const body = this.#part("body");
    const all = splitLinks(text).flatMap((piece) => (piece.url ? [piece] : splitMentions(piece, mentions)));
    const elements = all.filter((piece) => typeof piece !== "string").length;
    if (!body || (body.childElementCount === elements && body.textContent === text)) return;
    body.replaceChildren(...all.map((piece) => (piece.url ? link(piece) : piece.mention ? mentionElement(piece, you) : piece)));
  }

  #setDelivery(post) {
    const { templates, strings } = this.#shared;
    let delivery = this.#part("delivery");
    if (!delivery) {
      this.#part("body").closest(".roomchat-said, li").append(templates.delivery.content.cloneNode(true));
      delivery = this.#part("delivery");
    }
    const failed = post.state === "failed";
    const isUploading = !failed && Boolean(post.files?.some(({ id }) => !id));
    const reason = failed && (post.error?.detail || strings[`failed_${post.error?.code}`]);
    this.element.toggleAttribute("data-waits", isUploading);
    setText(delivery, failed ? reason || strings.failed : isUploading ? strings.files_first : strings.sending);
    for (const button of this.element.querySelectorAll("[data-action]")) {
      const { action } = button.dataset;
      button.hidden = failed ? action === "retry" && Boolean(post.error?.isFinal) : !(isUploading && action === "discard");
    }
  }

  #clearDelivery() {
    delete this.element.dataset.state;
    delete this.element.dataset.waits;
    this.#part("delivery")?.closest(".roomchat-delivery").remove();
  }
}

function link({ url, text = url }) {
  const anchor = document.createElement("a");
  anchor.href = url;
  anchor.target = "_blank";
  anchor.rel = "noopener noreferrer nofollow ugc";
  anchor.textContent = text;
  return anchor;
}

/** Set a text only if it differs: screen readers and layout react to every change. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
