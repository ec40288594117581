import { Dialog } from "../ui/dialog.js";
import { isPlainClick } from "../ui/plain_click.js";
import { pluralize } from "../ui/plurals.js";
import { isSearchKey } from "../ui/shortcuts.js";
import { foundRow } from "./found_row.js";

const DEBOUNCE_MS = 250; // delay after the last key before the search is sent

/** Full-text search: results appear while the user types, and a click goes to the message. */
export function search(room) {
  const element = room.part("search");
  if (!element || !room.template("found")) return;
  const view = new Search(room, element);
  const dialog = new Dialog({ element, onOpen: () => view.onOpen(), onClose: () => view.onClose(), signal: room.signal });
  const onClick = (event) => {
    const link = event.target.closest?.("[data-seq]");
    if (!link || !isPlainClick(event)) return;
    event.preventDefault();
    dialog.close();
    room.history.goTo(Number(link.dataset.seq));
  };
  room.listen(element, "click", onClick);
  // Escape in a search field would only clear it.
  room.listen(element, "keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing) return;
    event.preventDefault();
    dialog.close();
  });
  const button = room.part("search-open");
  room.roomActions.set("search", { when: () => !button?.getClientRects().length, act: () => dialog.open() });
  room.listen(button, "click", (event) => {
    if (!isPlainClick(event)) return;
    event.preventDefault();
    dialog.open();
  });
  room.listen(room.eventScope, "keydown", (event) => {
    if (!isSearchKey(event) || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    dialog.open();
  });
}

class Search {
  #room;
  #element;
  #form;
  #list;
  #moreRow;
  #timer;
  #shownQuery = "";
  #before = "";
  #requestId = 0;

  constructor(room, element) {
    this.#room = room;
    this.#element = element;
    this.#form = this.#part("search-form");
    this.#list = this.#part("hits");
    this.#moreRow = this.#part("search-further");
    const { query, everywhere } = this.#form.elements;
    room.listen(query, "input", () => this.#searchSoon());
    room.listen(everywhere, "change", () => this.#search());
    room.listen(this.#form, "submit", (event) => this.#onSubmit(event));
    room.listen(element, "keydown", (event) => this.#onKeydown(event));
    room.listen(this.#moreRow.querySelector("button"), "click", () => this.#search({ append: true }));
    room.signal.addEventListener("abort", () => clearTimeout(this.#timer));
  }

  onOpen() {
    this.#form.elements.query.select();
  }

  onClose() {
    clearTimeout(this.#timer);
  }

  #searchSoon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#search(), DEBOUNCE_MS);
  }

  /** Enter goes to the newest result, or searches immediately if the results are not up to date. */
  #onSubmit(event) {
    event.preventDefault();
    const [first] = this.#links;
    if (first && this.#shownQuery === this.#currentQuery) first.click();
    else this.#search();
  }

  get #currentQuery() {
    const { query, everywhere } = this.#form.elements;
    return JSON.stringify([query.value.trim(), everywhere.checked]);
  }

  async #search({ append = false } = {}) {
    clearTimeout(this.#timer);
    const current = this.#currentQuery;
    const [query, everywhere] = JSON.parse(current);
    if (current === this.#shownQuery && !append) return;
    const requestId = ++this.#requestId;
    if (!query) return this.#show(current, { hits: [] }, { isBlank: true });
    this.#list.setAttribute("aria-busy", "true");
    const before = append ? this.#before : "";
    try {
      const found = await this.#room.session.request({ type: "search", query, everywhere, before });
      // Ignore the answer if the query has changed meanwhile.
      if (requestId === this.#requestId) this.#show(current, found, { append });
    } catch ({ code, detail }) {
      const { strings } = this.#room;
      if (requestId === this.#requestId) this.#show("", { hits: [] }, { append, error: detail ?? strings[`refused_${code}`] ?? strings.refused });
    }
  }

  #show(current, { hits, more = false, before = "" }, { append = false, isBlank = false, error = "" }) {
    this.#shownQuery = current;
    this.#before = before || (error && append ? this.#before : "");
    const rows = hits.map((hit) => this.#row(hit));
    const hadFocus = this.#moreRow.contains(document.activeElement);
    if (append) this.#list.append(...rows);
    else this.#list.replaceChildren(...rows);
    this.#list.removeAttribute("aria-busy");
    this.#moreRow.hidden = !more && !(error && append);
    this.#showNote({ nothing: !more, "so-far": more }, this.#list.childElementCount || isBlank || error);
    this.#part("search-error").textContent = error;
    const count = rows.length ? pluralize(this.#room.strings.found, this.#list.childElementCount) : "";
    this.#part("search-count").textContent = count;
    if (hadFocus) rows[0]?.querySelector("a").focus();
    else if (!append) this.#part("search-body").scrollTop = 0;
  }

  #showNote(which, isHidden) {
    for (const note of this.#element.querySelectorAll("[data-say]")) note.hidden = isHidden || !which[note.dataset.say];
  }

  #row({ room, title, seq, author, at, excerpt }) {
    const { data } = this.#room;
    const isHere = room === data.room;
    const url = this.#room.messageUrl(seq);
    if (!isHere) url.pathname = new URL(`../${encodeURIComponent(room)}/`, url).pathname;
    const everywhere = this.#form.elements.everywhere.checked;
    const row = foundRow(this.#room, { author, at, where: everywhere && title, url, pieces: excerpt });
    if (isHere) row.querySelector("a").dataset.seq = seq;
    return row;
  }

  /** The arrow keys move between the field and the results. */
  #onKeydown(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
    const { query } = this.#form.elements;
    const elements = [query, ...this.#links, ...(this.#moreRow.hidden ? [] : [this.#moreRow.querySelector("button")])];
    const index = elements.indexOf(document.activeElement);
    if (index < 0) return;
    event.preventDefault();
    elements[index + step]?.focus();
  }

  get #links() {
    return [...this.#list.querySelectorAll("a")];
  }

  #part(name) {
    return this.#element.querySelector(`[data-part="${name}"]`);
  }
}
