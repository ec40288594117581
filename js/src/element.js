import { Banner } from "./banner.js";
import { Calendar } from "./calendar.js";
import { openSession } from "./client.js";
import { Composer } from "./composer.js";
import { Draft } from "./drafts.js";
import { History } from "./history.js";
import { LogView } from "./log_view.js";
import { MessageMenu } from "./menu.js";
import { Notice } from "./notice.js";
import { PresenceView } from "./presence_view.js";
import { Reading } from "./reading.js";
import { Cupboard } from "./storage.js";
import { REAL_CLOCK } from "./transport.js";
import { Typing } from "./typing.js";

/**
 * `<room-chat>`: takes over the room that the server has rendered inside it, in place.
 *
 * It lives in the light DOM, so that the site's templates and style sheets apply. Configuration comes in `data-*`
 * attributes, words in a JSON script, markup for new messages in a `<template>`; see `_room.html`.
 */
export class RoomChat extends HTMLElement {
  #life = null;
  #session;
  #log;
  #history;
  #composer;
  #banner;
  #notice;
  #reading;
  #words;

  // Lifecycle

  connectedCallback() {
    if (document.readyState !== "loading") this.#takeOver();
    else document.addEventListener("DOMContentLoaded", () => this.isConnected && this.#takeOver(), { once: true });
  }

  disconnectedCallback() {
    if (!this.#life) return;
    const { epoch, head } = this.#session?.cursor ?? {};
    if (this.#session) Object.assign(this.dataset, { epoch, head, olderBefore: this.#history.before ?? "" });
    this.#session?.stop();
    this.#life.abort();
    this.#life = null;
    this.#session = undefined;
  }

  /** Moved with `moveBefore()`: still the same room, on the same socket. */
  connectedMoveCallback() {}

  // For the site's own scripts

  /** The session ({@link Session}), while the element is in a page. */
  get session() {
    return this.#session;
  }

  /**
   * Say something, as if it had been written into the composer. Returns whether nothing objected.
   *
   * @param replyTo the message that this answers: `{seq, name, body}`
   */
  send(body, { replyTo } = {}) {
    const event = this.#tell("before-send", { body, replyTo }, { cancelable: true });
    if (event.defaultPrevented || !this.#session) return false;
    this.#session.post(event.detail.body, { replyTo: event.detail.replyTo });
    this.#log.toBottom();
    return true;
  }

  // Taking over

  #takeOver() {
    if (this.#life) return;
    this.#life = new AbortController();
    const { signal } = this.#life;
    const { room, meKey, meName } = this.dataset;
    const you = { key: meKey, name: meName };
    const words = JSON.parse(this.querySelector('script[type="application/json"]').textContent);
    this.#words = words;
    const language = this.closest("[lang]")?.lang || undefined;
    const house = {
      words,
      calendar: new Calendar({ language, words }),
      templates: { message: this.#template("message"), delivery: this.#template("delivery") },
    };
    const list = this.#part("messages");
    this.#log = new LogView({ scroller: this.#part("log"), list, pill: this.#part("pill"), house, signal });
    list.querySelector("[data-marked]")?.scrollIntoView({ block: "center" });
    // A page of old messages stays what it is: it has no end to which new ones could be added.
    if ("archive" in this.dataset) return;
    this.#history = new History({
      link: this.#part("older"),
      row: this.#part("more"),
      beginning: this.#part("beginning"),
      scroller: this.#part("log"),
      url: this.dataset.messagesUrl,
      before: this.dataset.olderBefore ? Number(this.dataset.olderBefore) : null,
      show: (messages) => this.#quietly(() => this.#log.prepend(messages, { you: this.#session.you })),
      words,
      signal,
    });
    list.addEventListener("trimmed", () => (this.#history.before = this.#log.oldest), { signal });
    this.#banner = new Banner({ element: this.#part("banner"), words, loginUrl: this.dataset.loginUrl, signal });
    this.addEventListener("click", (event) => this.#clicked(event), { signal });
    this.#startSession(you, signal);
    this.#startComposer(room, meKey, words, signal);
    this.#startActions(words, signal);
    this.#startCompany(words, signal);
    // From now on, what is added is news: announce it.
    requestAnimationFrame(() => this.#part("log").setAttribute("aria-live", "polite"));
  }

  #startSession(you, signal) {
    const { room, socket, epoch, head } = this.dataset;
    const { eventsUrl: events, framesUrl: frames } = this.dataset;
    // The form's own token: the cookie may be one that no script reads.
    const token = () => this.querySelector('[name="csrfmiddlewaretoken"]')?.value ?? "";
    const http = events && { events, frames, token };
    const session = openSession({ socket, room, you, cursor: { epoch, head: Number(head) }, http, signal });
    this.#session = session;
    const on = (type, handler) => session.addEventListener(type, ({ detail }) => handler(detail), { signal });
    on("status", (status) => this.#showStatus(status));
    on("messages", ({ messages }) => this.#showMessages(messages));
    on("reset", ({ messages, more }) => this.#startOver(messages, more));
    on("pending", ({ post }) => this.#showPost(post));
    on("sent", ({ post, seq }) => this.#showSent(post, seq));
    on("dropped", ({ post }) => this.#log.removePost(post.id));
    on("welcome", (welcome) => this.#showWelcome(welcome));
    on("rights", (rights) => this.#showRights(rights));
    this.dataset.state = session.state;
    session.start();
    this.#banner.show(session);
  }

  #startComposer(room, author, words, signal) {
    const form = this.#part("composer");
    if (!form) return;
    const draft = new Draft({ cupboard: new Cupboard(() => localStorage), author, room, clock: REAL_CLOCK });
    const limit = Number(this.dataset.bodyMax);
    this.#composer = new Composer({
      form,
      limit,
      words,
      draft,
      send: (text, options) => this.send(text, options),
      change: (seq, body) => this.#ask({ type: "edit", seq, body }),
      last: () => this.#lastOfMine(),
      signal,
    });
  }

  #startActions(words, signal) {
    const [menu, notice] = [this.#part("menu"), this.#part("notice")];
    if (notice) this.#notice = new Notice({ element: notice, signal });
    if (!menu) return;
    const act = (what, view, button) => this.#act(what, view, button, words);
    new MessageMenu({ menu, log: this.#log, scroller: this.#part("log"), offers: (view) => this.#offers(view), act, signal });
    this.addEventListener("click", (event) => this.#reacted(event), { signal });
  }

  /** The others: who is here, who types, and how far one has read what they say. */
  #startCompany(words, signal) {
    const session = this.#session;
    const on = (type, handler) => session.addEventListener(type, ({ detail }) => handler(detail), { signal });
    const [button, panel] = [this.#part("present"), this.#part("people")];
    if (button && panel) {
      const presence = new PresenceView({ button, panel, signal });
      on("presence", (frame) => presence.show(frame));
    }
    const [element, input] = [this.#part("typing"), this.#part("composer")?.elements.body];
    const typing = new Typing({ element, input, words, tell: (on) => session.tell({ type: "typing", on }), signal });
    on("typing", (frame) => typing.show(frame, session.you));
    this.#reading = new Reading({
      log: this.#log,
      list: this.#part("messages"),
      read: Number(this.dataset.read ?? 0),
      ownsTitle: "ownPage" in this.dataset,
      tell: (seq) => session.tell({ type: "read", seq }),
      signal,
    });
    on("read", ({ seq }) => this.#reading.readElsewhere(seq));
  }

  // What the session says

  #showStatus({ state, code, reason }) {
    this.dataset.state = state;
    this.toggleAttribute("connected", state === "connected");
    this.#banner.show({ state, code });
    if (state === "connected") this.#reading?.look();
    this.#tell("status", { state, code, reason });
  }

  #showWelcome({ you, limits }) {
    this.dataset.meKey = you.key;
    this.dataset.meName = you.name;
    const me = this.#part("me");
    if (me && me.textContent !== you.name) me.textContent = you.name;
    if (this.#composer) this.#composer.limit = limits.body_chars;
  }

  #showRights({ can, title }) {
    this.dataset.can = can.join(" ");
    const shown = this.#part("title");
    if (shown && title && shown.textContent !== title) shown.textContent = this.dataset.title = title;
  }

  #showMessages(messages) {
    const { you } = this.#session;
    const news = messages.filter(({ seq, rev, deleted_at }) => seq === rev && !deleted_at);
    const others = news.filter(({ author }) => author.key !== you.key);
    const unseen = others.length;
    // A change to a message that is not loaded will be seen when it is.
    const since = this.#history.before === null ? 0 : (this.#log.oldest ?? 0);
    this.#log.upsert(messages, { you, since, unseen });
    if (unseen) this.#reading?.came(unseen, others[0].seq);
    for (const message of news) this.#tell("message", { message, mine: message.author.key === you.key });
  }

  #startOver(messages, more) {
    const { you } = this.#session;
    this.#quietly(() => this.#log.reset(messages, { you }));
    this.#history.before = more && messages.length ? messages[0].seq : null;
  }

  #showPost(post) {
    // The page may show already what the outbox still holds: it was reloaded before the answer came.
    if (this.#log.hasOwn(post.id)) this.#session.discard(post.id);
    else this.#log.showPost(post, this.#session.you);
  }

  #showSent(post, seq) {
    // What is older than the page will come with its page; everything else belongs here.
    const belongs = seq > this.#session.cursor.head || seq >= (this.#log.oldest ?? Infinity);
    if (belongs) this.#log.confirmPost(post.id, seq);
    else this.#log.removePost(post.id);
  }

  // What the person does

  #clicked({ target }) {
    const action = target.closest?.("[data-action]")?.dataset.action;
    const id = target.closest?.("li[data-state]")?.dataset.id;
    if (!action || !id) return;
    if (action === "retry") this.#session.retry(id);
    if (action === "discard") this.#session.discard(id);
  }

  /** What may be done with a message, by the names in the menu. */
  #offers({ element: { dataset } }) {
    const [mine, deleted, said] = ["mine" in dataset, "deleted" in dataset, dataset.kind !== "system"];
    const can = new Set((this.dataset.can ?? "").split(" "));
    const offered = new Set(["link"]);
    const offer = (what, when) => when && !deleted && offered.add(what);
    offer("reply", can.has("post") && this.#composer);
    offer("react", can.has("react"));
    offer("edit", mine && said && can.has("post") && this.#composer);
    offer("delete", mine || can.has("moderate"));
    offer(dataset.pinned === undefined ? "pin" : "unpin", can.has("pin"));
    offer("report", !mine && said && can.has("report"));
    return offered;
  }

  #act(what, view, button, words) {
    const { seq } = view;
    if (what === "react") this.#react(view.element, button.dataset.emoji);
    if (what === "reply") this.#composer.reply({ seq, name: view.authorName, body: view.text });
    if (what === "edit") this.#composer.edit({ seq, text: view.text });
    if (what === "delete") this.#deleteSoon(view, words);
    if (what === "pin" || what === "unpin") this.#ask({ type: "pin", seq, on: what === "pin" });
    if (what === "report") this.#ask({ type: "report", seq }, words.reported);
    if (what === "link") this.#copy(new URL(`?at=${seq}#m-${seq}`, new URL(this.dataset.roomUrl, location)).href, words.link_copied);
  }

  #reacted({ target }) {
    const button = target.closest?.(".roomchat-reaction[data-emoji]");
    if (button) this.#react(button.closest("li"), button.dataset.emoji);
  }

  #react(item, emoji) {
    const button = [...item.querySelectorAll(".roomchat-reaction")].find(({ dataset }) => dataset.emoji === emoji);
    const on = button?.getAttribute("aria-pressed") !== "true";
    this.#ask({ type: "react", seq: Number(item.dataset.seq), emoji, on });
  }

  /** It is gone from the page at once, and from the server when nobody has taken that back. */
  #deleteSoon({ element, seq }, words) {
    element.toggleAttribute("data-doomed", true);
    const back = () => element.removeAttribute("data-doomed");
    const over = () => this.#ask({ type: "delete", seq }).finally(back);
    if (this.#notice) this.#notice.show(words.deleted, { undo: back, over });
    else over();
  }

  async #copy(text, told) {
    try {
      await navigator.clipboard.writeText(text);
      this.#notice?.show(told);
    } catch {
      location.hash = new URL(text).hash; // no clipboard for us: at least it stands in the address
    }
  }

  #lastOfMine() {
    const view = this.#log.last(({ pending, element: { dataset } }) => !pending && "mine" in dataset && !("deleted" in dataset));
    return view && { seq: view.seq, text: view.text };
  }

  /** Ask the server for something; say so if it refuses. */
  async #ask(frame, told) {
    try {
      await this.#session.request(frame);
      if (told) this.#notice?.show(told);
    } catch ({ code, detail }) {
      this.#notice?.show(detail ?? this.#words[`refused_${code}`] ?? this.#words.refused);
    }
  }

  // Small tools

  /** Without screen readers reading it all out. */
  #quietly(change) {
    const log = this.#part("log");
    log.setAttribute("aria-live", "off");
    change();
    requestAnimationFrame(() => log.setAttribute("aria-live", "polite"));
  }

  #tell(name, detail, { cancelable = false } = {}) {
    const event = new CustomEvent(`roomchat:${name}`, { bubbles: true, composed: true, cancelable, detail });
    this.dispatchEvent(event);
    return event;
  }

  #part(name) {
    return this.querySelector(`[data-part="${name}"]`);
  }

  #template(name) {
    return this.querySelector(`template[data-template="${name}"]`);
  }
}
