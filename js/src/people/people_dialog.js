import { Dialog } from "../ui/dialog.js";
import { keepOpenBelowMenus } from "../ui/nested_menu.js";
import { PeopleList } from "./people_list.js";

const FILTER_MIN_PEOPLE = 9; // number of people from which the filter is shown
const FILTER_AFTER_MS = 250;
const PAGE = 200; // page size of the server
const RANKS = ["owner", "moderator", "member"];

/** The dialog with people who are present, members, blocked and sanctioned people, with the actions available for each. */
export function people(room) {
  const { presence } = room;
  const element = room.part("people");
  if (!presence || !element) return;
  const dialog = new PeopleDialog(room, element, presence);
  room.listen(room.part("present"), "click", () => dialog.open());
  room.roomActions.set("people", { act: () => dialog.open() });
  addPersonActions(room, dialog);
}

function addPersonActions(room, dialog) {
  const isOther = ({ key }) => key !== room.you.key;
  room.personActions.set("write", {
    when: ({ may }) => may.includes("write"),
    act: async ({ key }) => {
      const direct = await room.request({ type: "direct", key });
      if (direct?.url) location.assign(direct.url);
    },
  });
  room.personActions.set("mention", {
    when: (person) => isOther(person) && person.name && room.composer && room.can("post"),
    act: ({ name }) => {
      dialog.close();
      room.composer.insert(`@${name} `);
    },
  });
}

class PeopleDialog {
  #room;
  #presence;
  #dialog;
  #menu = null;
  #filter;
  #none;
  #sections;
  #members = { people: [], more: false };
  #blocked = { people: [], more: false };
  #sanctions = { people: [], more: false };
  #filterText = "";
  #timer;
  #requestId = 0;

  constructor(room, element, presence) {
    this.#room = room;
    this.#presence = presence;
    const part = (name) => element.querySelector(`[data-part="${name}"]`);
    this.#filter = part("people-filter");
    this.#sections = Object.fromEntries(
      ["here", "members", "blocked", "sanctions"].map((name) => [name, this.#section(part(`people-${name}`), room.template("person-row"))]),
    );
    this.#sections.here.count = part("people-here-count");
    Object.assign(this.#sections.members, { all: part("people-all"), others: part("people-others") });
    this.#none = part("people-none");
    this.#dialog = new Dialog({ element, onOpen: () => this.#onOpen(), signal: room.signal });
    keepOpenBelowMenus(element, room);
    this.#menu = room.menu(part("person-menu"), { get: (what) => this.#withRefresh(room.personActions.get(what)) });
    room.listen(presence, "change", () => this.#dialog.isOpen && this.#show());
    room.listen(this.#filter, "input", ({ target }) => this.#onFilterInput(target.value));
    room.listen(element, "click", ({ target }) => this.#onClick(target));
    room.listen(element.querySelector(".roomchat-dialog-body"), "scroll", () => this.#menu.close(), { passive: true });
    for (const event of ["rights", "undone"]) room.on(event, () => this.#dialog.isOpen && this.#refresh());
  }

  open() {
    this.#dialog.open();
  }

  close() {
    this.#dialog.close();
  }

  #section(element, template) {
    const list = new PeopleList({ list: element.querySelector("ul"), template, describe: (person) => this.#describe(person) });
    return { element, list, more: element.querySelector("[data-more]") };
  }

  #onOpen() {
    this.#filter.querySelector("input").value = this.#filterText = "";
    this.#show();
    this.#refresh();
  }

  #onFilterInput(text) {
    this.#filterText = text.trim();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#refresh(), FILTER_AFTER_MS);
    this.#show();
  }

  #onClick(target) {
    const opener = target.closest('[data-part="person-actions"]');
    if (opener) return this.#openMenu(opener);
    if (!target.closest("[data-more]")) return undefined;
    const { members, blocked } = this.#sections;
    if (members.element.contains(target)) return this.#loadMembers(this.#members.people);
    return blocked.element.contains(target) ? this.#loadBlocked(this.#blocked.people) : this.#loadSanctions(this.#sanctions.people);
  }

  /** Only the server knows the available actions: a role may have changed, or a mute may have ended. */
  async #openMenu(opener) {
    const { list } = Object.values(this.#sections).find(({ element }) => element.contains(opener));
    const known = list.personAt(opener);
    const person = await this.#room.request({ type: "person", key: known.key });
    if (person && opener.isConnected) this.#menu.open(opener, { ...person, name: person.name ?? known.name });
  }

  #withRefresh(action) {
    const act = async (...args) => {
      await action.act(...args);
      if (this.#dialog.isOpen) this.#refresh();
    };
    return action && { ...action, act };
  }

  #refresh() {
    this.#loadMembers();
    this.#loadBlocked();
    if (this.#room.can("moderate")) this.#loadSanctions();
    else this.#sanctions = { people: [], more: false };
  }

  async #loadMembers(before = []) {
    const requestId = (this.#requestId += 1);
    const answer = await this.#room.request({ type: "members", prefix: this.#filterText, after: before.at(-1)?.key ?? "" });
    // The filter has changed meanwhile; another answer will arrive.
    if (!answer || requestId !== this.#requestId) return;
    this.#members = { people: [...before, ...answer.members], more: answer.members.length === PAGE };
    this.#show();
  }

  async #loadBlocked(before = []) {
    const answer = await this.#room.request({ type: "blocked", after: before.at(-1)?.key ?? "" });
    if (!answer) return;
    this.#blocked = { people: [...before, ...answer.people], more: answer.people.length === PAGE };
    this.#show();
  }

  async #loadSanctions(before = []) {
    const answer = await this.#room.request({ type: "sanctions", after: before.at(-1)?.key ?? "" });
    if (!answer) return;
    this.#sanctions = { people: [...before, ...answer.sanctions], more: answer.sanctions.length === PAGE };
    this.#show();
  }

  #show() {
    const { here, members, blocked, sanctions } = this.#sections;
    const found = (people) => people.filter(({ name = "" }) => hasNamePrefix(name, this.#filterText));
    const { count, people } = this.#presence;
    const isHere = new Set(people.map(({ key }) => key));
    here.element.hidden = count === null || Boolean(this.#filterText && !found(people).length);
    here.count.textContent = count ?? "";
    here.list.show(found(people).sort(byName));
    this.#fill(members, this.#members, found(this.#members.people.filter(({ key }) => !isHere.has(key))).sort(byRank));
    members.all.hidden = isHere.size > 0;
    members.others.hidden = !isHere.size;
    this.#fill(blocked, this.#blocked, found(this.#blocked.people).sort(byName));
    this.#fill(sanctions, this.#sanctions, found(this.#sanctions.people).sort(byName));
    this.#filter.hidden = !this.#filterText && !this.#members.more && people.length + this.#members.people.length < FILTER_MIN_PEOPLE;
    this.#none.hidden = !this.#filterText || [here, members, blocked, sanctions].some(({ list }) => list.size);
  }

  #fill(section, { more }, people) {
    section.list.show(people);
    section.element.hidden = !people.length && !more;
    section.more.hidden = !more;
  }

  #describe({ key, role, banned, muted }) {
    const known = role ?? this.#members.people.find((member) => member.key === key)?.role;
    const sanctions = [this.#sanctionText("banned", banned), this.#sanctionText("muted", muted)].filter(Boolean).join(" · ");
    const rank = known && known !== "member" ? this.#room.strings[`role_${known}`] : "";
    const isYou = key === this.#room.you.key;
    // The only action on oneself is a change of one's role.
    return { note: sanctions || rank, isYou, hasActions: !isYou || Boolean(known && this.#room.can("manage")) };
  }

  #sanctionText(kind, sanction) {
    if (!sanction) return "";
    const { strings, calendar } = this.#room;
    const { until, reason } = sanction;
    const text = until ? strings[`${kind}_until`].replace("{time}", calendar.moment(new Date(until))) : strings[kind];
    return reason ? `${text}: ${reason}` : text;
  }
}

/** Whether a word of the name begins with the prefix; the server applies the same rule. */
export function hasNamePrefix(name, prefix) {
  return ` ${name}`.toLocaleLowerCase().includes(` ${prefix}`.trimEnd().toLocaleLowerCase());
}

function byName(one, other) {
  return (one.name ?? one.key).localeCompare(other.name ?? other.key);
}

function byRank(one, other) {
  return RANKS.indexOf(one.role) - RANKS.indexOf(other.role) || byName(one, other);
}
