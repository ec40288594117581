import { Dialog } from "../ui/dialog.js";
import { pluralize } from "../ui/plurals.js";

/** The dialog for invitation links: create, copy, list and revoke them. */
export function invitations(room) {
  const element = room.part("invite");
  if (!element) return;
  const panel = new Invitations(room, element);
  room.roomActions.set("invite", { when: () => room.can("invite"), act: () => panel.open() });
  room.listen(room.part("invite-first"), "click", () => panel.open());
}

class Invitations {
  #room;
  #element;
  #dialog;

  constructor(room, element) {
    this.#room = room;
    this.#element = element;
    this.#dialog = new Dialog({ element, onOpen: () => this.#onOpen(), signal: room.signal });
    room.listen(element.querySelector("form"), "submit", (event) => this.#onSubmit(event));
    room.listen(this.#part("invite-copy"), "click", () => this.#copy());
    room.listen(this.#part("invitations"), "click", ({ target }) => this.#revoke(target.closest("[data-revoke]")));
    room.listen(this.#button("more"), "click", () => this.#loadMore());
    room.listen(this.#button("revoke-all"), "click", () => this.#revokeAll());
  }

  open() {
    this.#dialog.open();
  }

  #part(name) {
    return this.#element.querySelector(`[data-part="${name}"]`);
  }

  #button(name) {
    return this.#part("invitations").querySelector(`[data-${name}]`);
  }

  get #list() {
    return this.#part("invitations").querySelector("ul");
  }

  #onOpen() {
    this.#element.querySelector("form").reset();
    this.#part("invite-made").hidden = true;
    // Only owners may invite with another role than member.
    this.#part("invite-role").hidden = !this.#room.can("manage");
    this.#loadList();
  }

  async #onSubmit(event) {
    event.preventDefault();
    const values = new FormData(event.target);
    const number = (name) => Number(values.get(name)) || null;
    const role = this.#room.can("manage") ? values.get("role") : "member";
    const created = await this.#room.request({ type: "invite", role, seconds: number("seconds"), uses: number("uses") });
    if (!created) return;
    const field = this.#part("invite-link");
    field.value = created.link ? new URL(created.link, location).href : created.token;
    this.#part("invite-made").hidden = false;
    field.focus();
    field.select();
    this.#loadList();
  }

  async #copy() {
    const { toast, strings } = this.#room;
    const field = this.#part("invite-link");
    try {
      await navigator.clipboard.writeText(field.value);
      toast?.show(strings.link_copied);
    } catch {
      field.select(); // without clipboard access, the selected link can be copied with one key
    }
  }

  async #loadList() {
    const answer = await this.#room.request({ type: "invitations" });
    if (!answer) return;
    this.#list.replaceChildren(...answer.invitations.map((one) => this.#row(one)));
    this.#showActions(Boolean(answer.more));
  }

  async #loadMore() {
    const before = Number(this.#list.lastElementChild.dataset.invitation);
    const answer = await this.#room.request({ type: "invitations", before });
    if (!answer) return;
    const rows = answer.invitations.map((one) => this.#row(one));
    this.#list.append(...rows);
    // The button may disappear: move the focus to the first new row.
    rows[0]?.querySelector("button").focus();
    this.#showActions(Boolean(answer.more));
  }

  #showActions(more = !this.#button("more").hidden) {
    const count = this.#list.childElementCount;
    this.#part("invitations").hidden = !count;
    this.#button("more").hidden = !more;
    this.#button("revoke-all").hidden = count < 2 && !more;
    this.#showQuestion(false);
  }

  /** The first click on “Revoke all” shows the question, the second confirms it. */
  #showQuestion(isShown) {
    const [label, question] = this.#button("revoke-all").children;
    label.hidden = isShown;
    question.hidden = !isShown;
  }

  async #revokeAll() {
    const [, question] = this.#button("revoke-all").children;
    if (question.hidden) return this.#showQuestion(true);
    if (!(await this.#room.request({ type: "revoke_all" }))) return;
    this.#element.querySelector("[data-close]").focus();
    this.#loadList();
  }

  #row({ invitation, role, uses, expires_at: until }) {
    const { strings, calendar } = this.#room;
    const item = this.#room.template("invitation").content.querySelector("li").cloneNode(true);
    const setText = (name, text) => (item.querySelector(`[data-part="${name}"]`).textContent = text);
    item.dataset.invitation = invitation;
    setText("role", strings[`role_${role}`]);
    setText("uses", uses ? pluralize(strings.invitation_uses, uses) : strings.invitation_any);
    setText("until", until ? strings.invitation_until.replace("{time}", calendar.moment(new Date(until))) : strings.invitation_endless);
    return item;
  }

  async #revoke(button) {
    const item = button?.closest("li");
    if (!item || !(await this.#room.request({ type: "revoke", invitation: Number(item.dataset.invitation) }))) return;
    const next = item.nextElementSibling ?? item.previousElementSibling;
    item.remove();
    // Move the focus to a remaining element.
    (next?.querySelector("button") ?? this.#element.querySelector("[data-close]")).focus();
    if (next || this.#button("more").hidden) this.#showActions();
    else this.#loadList();
  }
}
