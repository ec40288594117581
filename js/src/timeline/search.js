import { isPlain } from "../ui/plain_click.js";
import { Dialog } from "../ui/dialog.js";
import { foundRow } from "./found_row.js";
import { isSearchKey } from "../ui/shortcuts.js";
import { counted } from "../ui/plurals.js";

const TYPED_MS = 250; // so long nothing more was typed

/** What was said, by the words in it: hits appear while one types, and a click leads there. */
export function search(room) {
  const element = room.part("search");
  if (!element || !room.template("found")) return;
  const view = new Search(room, element);
  const dialog = new Dialog({ element, onOpen: () => view.begin(), onClose: () => view.end(), signal: room.signal });
  const go = (event) => {
    const link = event.target.closest?.("[data-seq]");
    if (!link || !isPlain(event)) return;
    event.preventDefault();
    dialog.close();
    room.history.goTo(Number(link.dataset.seq));
  };
  room.listen(element, "click", go);
  // A search field would only be emptied by it.
  room.listen(element, "keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing) return;
    event.preventDefault();
    dialog.close();
  });
  const button = room.part("search-open");
  room.roomActions.set("search", { when: () => !button?.getClientRects().length, act: () => dialog.open() });
  room.listen(button, "click", (event) => {
    if (!isPlain(event)) return;
    event.preventDefault();
    dialog.open();
  });
  room.listen(room.ground, "keydown", (event) => {
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
  #further;
  #timer;
  #asked = "";
  #before = "";
  #turn = 0;

  constructor(room, element) {
    this.#room = room;
    this.#element = element;
    this.#form = this.#part("search-form");
    this.#list = this.#part("hits");
    this.#further = this.#part("search-further");
    const { query, everywhere } = this.#form.elements;
    room.listen(query, "input", () => this.#soon());
    room.listen(everywhere, "change", () => this.#look());
    room.listen(this.#form, "submit", (event) => this.#submitted(event));
    room.listen(element, "keydown", (event) => this.#moved(event));
    room.listen(this.#further.querySelector("button"), "click", () => this.#look({ further: true }));
    room.signal.addEventListener("abort", () => clearTimeout(this.#timer));
  }

  begin() {
    this.#form.elements.query.select();
  }

  end() {
    clearTimeout(this.#timer);
  }

  #soon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), TYPED_MS);
  }

  /** Enter leads to the newest hit; or looks at once, for who types faster. */
  #submitted(event) {
    event.preventDefault();
    const [first] = this.#links;
    if (first && this.#asked === this.#wanted) first.click();
    else this.#look();
  }

  get #wanted() {
    const { query, everywhere } = this.#form.elements;
    return JSON.stringify([query.value.trim(), everywhere.checked]);
  }

  async #look({ further = false } = {}) {
    clearTimeout(this.#timer);
    const wanted = this.#wanted;
    const [query, everywhere] = JSON.parse(wanted);
    if (wanted === this.#asked && !further) return;
    const turn = ++this.#turn;
    if (!query) return this.#show(wanted, { hits: [] }, { isBlank: true });
    this.#list.setAttribute("aria-busy", "true");
    const before = further ? this.#before : "";
    try {
      const found = await this.#room.session.request({ type: "search", query, everywhere, before });
      // What was typed meanwhile is what is looked for.
      if (turn === this.#turn) this.#show(wanted, found, { further });
    } catch ({ code, detail }) {
      const { words } = this.#room;
      if (turn === this.#turn) this.#show("", { hits: [] }, { further, error: detail ?? words[`refused_${code}`] ?? words.refused });
    }
  }

  #show(wanted, { hits, more = false, before = "" }, { further = false, isBlank = false, error = "" }) {
    this.#asked = wanted;
    this.#before = before || (error && further ? this.#before : "");
    const rows = hits.map((hit) => this.#row(hit));
    const hadFocus = this.#further.contains(document.activeElement);
    if (further) this.#list.append(...rows);
    else this.#list.replaceChildren(...rows);
    this.#list.removeAttribute("aria-busy");
    this.#further.hidden = !more && !(error && further);
    this.#say({ nothing: !more, "so-far": more }, this.#list.childElementCount || isBlank || error);
    this.#part("search-error").textContent = error;
    const many = rows.length ? counted(this.#room.words.found, this.#list.childElementCount) : "";
    this.#part("search-count").textContent = many;
    if (hadFocus) rows[0]?.querySelector("a").focus();
    else if (!further) this.#part("search-body").scrollTop = 0;
  }

  #say(which, isQuiet) {
    for (const said of this.#element.querySelectorAll("[data-say]")) said.hidden = isQuiet || !which[said.dataset.say];
  }

  #row({ room, title, seq, author, at, excerpt }) {
    const { data } = this.#room;
    const isHere = room === data.room;
    const url = this.#room.urlOf(seq);
    if (!isHere) url.pathname = new URL(`../../${encodeURIComponent(room)}/`, url).pathname;
    const everywhere = this.#form.elements.everywhere.checked;
    const row = foundRow(this.#room, { author, at, where: everywhere && title, url, pieces: excerpt });
    if (isHere) row.querySelector("a").dataset.seq = seq;
    return row;
  }

  /** The arrow keys go from the field into the list and back. */
  #moved(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
    const { query } = this.#form.elements;
    const stops = [query, ...this.#links, ...(this.#further.hidden ? [] : [this.#further.querySelector("button")])];
    const place = stops.indexOf(document.activeElement);
    if (place < 0) return;
    event.preventDefault();
    stops[place + step]?.focus();
  }

  get #links() {
    return [...this.#list.querySelectorAll("a")];
  }

  #part(name) {
    return this.#element.querySelector(`[data-part="${name}"]`);
  }
}
