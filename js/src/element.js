import { Composer } from "./composer/composer.js";
import { Draft } from "./composer/drafts.js";
import { Outbox } from "./core/outbox.js";
import { SafeStorage } from "./core/storage.js";
import { REAL_CLOCK } from "./core/transport.js";
import { Calendar } from "./timeline/calendar.js";
import { History } from "./timeline/history.js";
import { LogView } from "./timeline/log_view.js";
import { Banner } from "./ui/banner.js";
import { focusOnClick } from "./ui/click_focus.js";
import { csrfToken } from "./ui/csrf.js";
import { Toast } from "./ui/toast.js";
import { whenParsed } from "./ui/when_parsed.js";
import { openSession } from "./client.js";
import { FEATURES } from "./features.js";
import { Room } from "./room.js";

const GUEST_KEY = "roomchat:guest"; // in the storage of the tab: the guest as whom the user has written

/**
 * `<room-chat>`: hydrates the room that the server has rendered inside it.
 *
 * It uses the light DOM, so that the site's templates and style sheets apply. The configuration is in `data-*`
 * attributes, the strings are in a JSON script, and the markup of new messages is in a `<template>`; see
 * `_room.html`.
 */
export class RoomChat extends HTMLElement {
  #abortController = null;
  #session;
  #log;
  #history;
  #composer;
  #banner;
  #room;

  // Lifecycle

  connectedCallback() {
    whenParsed(this, () => this.#hydrate());
  }

  disconnectedCallback() {
    if (!this.#abortController) return;
    const { epoch, head } = this.#session?.cursor ?? {};
    const { oldest, isAtStart, isLive } = this.#log.messageWindow;
    if (this.#session) Object.assign(this.dataset, { epoch, head, olderBefore: isAtStart ? "" : oldest });
    this.toggleAttribute("data-archive", !isLive);
    this.#session?.stop();
    this.#abortController.abort();
    this.#abortController = null;
    this.#session = undefined;
  }

  /** Moved with `moveBefore()`: the session and its socket are kept. */
  connectedMoveCallback() {}

  // API for the site's scripts

  /** The session ({@link Session}) while the element is connected. */
  get session() {
    return this.#session;
  }

  /**
   * Send a message as if it had been typed into the composer. Returns false if it was cancelled.
   *
   * @param replyTo the message that this one replies to: `{seq, name, body}`
   * @param files attachments, as for {@link Session.post}
   */
  send(body, { replyTo, files } = {}) {
    const event = this.dispatch("before-send", { body, replyTo, files }, { cancelable: true });
    if (event.defaultPrevented || !this.#session) return false;
    this.#session.post(event.detail.body, { replyTo: event.detail.replyTo, files: event.detail.files });
    this.#history.toLive();
    return true;
  }

  /**
   * Scroll to the message with this sequence number, load it if needed, and mark it. Resolves to whether it was
   * found.
   */
  async goTo(seq) {
    return Boolean(this.#session && (await this.#history.goTo(seq)));
  }

  /** Dispatch `roomchat:{name}`. */
  dispatch(name, detail, { cancelable = false } = {}) {
    const event = new CustomEvent(`roomchat:${name}`, { bubbles: true, composed: true, cancelable, detail });
    this.dispatchEvent(event);
    return event;
  }

  // Hydration

  #hydrate() {
    if (this.#abortController) return;
    this.#abortController = new AbortController();
    const { signal } = this.#abortController;
    const { room, meKey, meName } = this.dataset;
    const you = { key: meKey, name: meName };
    const strings = JSON.parse(this.querySelector('script[type="application/json"]').textContent);
    const language = this.closest("[lang]")?.lang || undefined;
    const calendar = new Calendar({ language, strings });
    const shared = {
      strings,
      calendar,
      ids: this.dataset.messageIds ?? "m-",
      templates: { message: this.#template("message"), delivery: this.#template("delivery"), file: this.#template("file") },
    };
    const list = this.#part("messages");
    this.#restoreOrder(list);
    this.#log = new LogView({
      scroller: this.#part("log"),
      list,
      pill: this.#part("pill"),
      shared,
      initial: { isAtStart: !this.dataset.olderBefore, isLive: !("archive" in this.dataset) },
      read: Number(this.dataset.read ?? 0),
      signal,
    });
    this.#banner = new Banner({ element: this.#part("banner"), strings, loginUrl: this.dataset.loginUrl, signal });
    focusOnClick(this, { signal });
    this.addEventListener("click", (event) => this.#onClick(event), { signal });
    this.#startSession(you, signal);
    this.#startComposer(room, meKey, strings, signal);
    const toast = this.#part("notice") && new Toast({ element: this.#part("notice"), signal });
    this.#startHistory(list, toast, strings, signal);
    this.#room = new Room({
      element: this,
      strings,
      calendar,
      session: this.#session,
      log: this.#log,
      history: this.#history,
      composer: this.#composer,
      toast,
      signal,
    });
    for (const start of FEATURES) start(this.#room);
    this.#session.start();
    this.#banner.show(this.#session);
    // Messages that are added from now on are new and should be announced.
    requestAnimationFrame(() => this.#part("log").setAttribute("aria-live", "polite"));
  }

  /** The server sends the newest messages before the earlier ones, for slow connections. */
  #restoreOrder(list) {
    const earlier = this.#part("earlier");
    list.prepend(...(earlier?.children ?? []));
    earlier?.remove();
    for (const name of ["beginning", "more"]) if (this.#part(name)) list.before(this.#part(name));
  }

  #startSession(you, signal) {
    const { room, socket, epoch, head } = this.dataset;
    const { eventsUrl: events, framesUrl: frames } = this.dataset;
    const http = events && { events, frames, token: () => csrfToken(this) };
    const session = openSession({ socket, room, you, cursor: { epoch, head: Number(head) }, http, signal });
    this.#session = session;
    const on = (type, handler) => session.addEventListener(type, ({ detail }) => handler(detail), { signal });
    on("status", (status) => this.#showStatus(status));
    on("messages", ({ messages }) => this.#showMessages(messages));
    on("reset", ({ messages, more, reason }) => this.#reset(messages, more, reason));
    on("pending", ({ post }) => this.#showPost(post));
    on("sent", ({ post, seq }) => this.#showSent(post, seq));
    on("dropped", ({ post }) => this.#log.removePost(post.id));
    on("welcome", (welcome) => this.#showWelcome(welcome));
    on("rights", (rights) => this.#showRights(rights));
    this.dataset.state = session.state;
  }

  #startHistory(list, toast, strings, signal) {
    const link = (row, name) => ({ row: this.#part(row), link: this.#part(name) });
    this.#history = new History({
      older: link("more", "older"),
      newer: link("later", "newer"),
      newest: [this.#part("newest"), this.#part("pill")],
      beginning: this.#part("beginning"),
      scroller: this.#part("log"),
      list,
      url: this.dataset.messagesUrl,
      log: this.#log,
      position: () => this.#session.cursor,
      show: (shown) => this.#withoutAnnouncing(() => this.#log.showPage(shown, { you: this.#session.you })),
      onError: (text) => toast?.show(text),
      strings,
      signal,
    });
  }

  #startComposer(room, author, strings, signal) {
    const form = this.#part("composer");
    if (!form) return;
    const draft = new Draft({ ...this.#draftStores(author, room), clock: REAL_CLOCK });
    const limit = Number(this.dataset.bodyMax);
    this.#composer = new Composer({
      form,
      limit,
      strings,
      draft,
      send: (text, options) => this.send(text, options),
      saveEdit: (seq, body) => this.#room.edit(seq, body),
      lastOwn: () => this.#lastOwnMessage(),
      isDeleted: (seq) => Boolean(this.#log.last((view) => view.seq === seq && "deleted" in view.element.dataset)),
      signal,
    });
  }

  #draftStores(author, room) {
    const { locks } = navigator;
    const storage = new SafeStorage(() => localStorage);
    const store = (author, kind) => new Outbox({ storage, locks, author, room, kind });
    const tab = new SafeStorage(() => sessionStorage);
    if ("meGuest" in this.dataset) tab.set(GUEST_KEY, author);
    const guest = tab.get(GUEST_KEY);
    return { outbox: store(author, "draft"), guests: guest && guest !== author ? [store(guest, "draft"), store(guest, "post")] : [] };
  }

  // Session events

  #showStatus({ state, code, reason }) {
    this.dataset.state = state;
    if (state === "connected") this.#history.retry();
    this.toggleAttribute("connected", state === "connected");
    this.#banner.show({ state, code, reason });
    this.dispatch("status", { state, code, reason });
  }

  #showWelcome({ you, limits }) {
    if (you.key !== this.dataset.meKey) this.#banner.onOtherIdentity();
    this.dataset.meKey = you.key;
    if (this.#composer) this.#composer.limit = limits.body_chars;
  }

  #showRights({ can, title }) {
    this.dataset.can = can.join(" ");
    const shown = this.#part("title");
    if (shown && title && shown.textContent !== title) shown.textContent = this.dataset.title = title;
  }

  #showMessages(messages) {
    const { you } = this.#session;
    const created = messages.filter(({ seq, rev, deleted_at }) => seq === rev && !deleted_at);
    const others = created.filter(({ author }) => author.key !== you.key);
    this.#log.upsert(messages, { you, unseen: others.length });
    this.#composer?.update(messages);
    this.#log.dispatchEvent(new CustomEvent("new-messages", { detail: { created, others } }));
    for (const message of created) this.dispatch("message", { message, mine: message.author.key === you.key });
  }

  #reset(messages, more, reason) {
    // A user who reads older messages keeps the scroll position. These messages may have changed.
    if (reason === "gap" && !this.#log.atBottom) return void this.#history.reload();
    this.#withoutAnnouncing(() => this.#log.reset(messages, { you: this.#session.you, more }));
    this.#composer?.update(messages);
  }

  #showPost(post) {
    // The page may already contain a post that is still in the outbox, if it was reloaded before the ack arrived.
    if (this.#log.hasOwn(post.id)) this.#session.discard(post.id);
    else this.#log.showPost(post, this.#session.you);
  }

  #showSent(post, seq) {
    // A message outside of the shown range comes with its page.
    if (this.#log.messageWindow.covers(seq)) this.#log.confirmPost(post.id, seq);
    else this.#log.removePost(post.id);
  }

  // User interaction

  #onClick({ target }) {
    const action = target.closest?.("[data-action]")?.dataset.action;
    const id = target.closest?.("li[data-state]")?.dataset.id;
    if (!action || !id) return;
    if (action === "retry") this.#session.retry(id);
    if (action === "discard") this.#session.discard(id);
    if (action === "edit" && this.#room.can("post")) this.#editPost(id);
  }

  /** Put a post that has failed back into the composer. */
  #editPost(id) {
    const post = this.#composer && this.#session.takeBack(id);
    if (post) this.#composer.restore({ text: post.body, replyTo: post.quote, files: post.files });
  }

  #lastOwnMessage() {
    if (!this.#log.messageWindow.isLive || this.#room.isSlowed) return undefined;
    const view = this.#log.last(({ pending, element: { dataset } }) => !pending && "mine" in dataset && !("deleted" in dataset));
    return view && { seq: view.seq, text: view.text };
  }

  // Helpers

  /** Change the log without an announcement by screen readers. */
  #withoutAnnouncing(change) {
    const log = this.#part("log");
    log.setAttribute("aria-live", "off");
    change();
    requestAnimationFrame(() => log.setAttribute("aria-live", "polite"));
  }

  #part(name) {
    return this.querySelector(`[data-part="${name}"]`);
  }

  #template(name) {
    return this.querySelector(`template[data-template="${name}"]`);
  }
}
