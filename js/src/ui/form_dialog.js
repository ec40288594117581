import { Dialog } from "./dialog.js";

/**
 * A dialog with a form that asks something of the server: it closes when that is done, and stays when it was refused.
 *
 * @param element the `<dialog>`, with one `<form>` in it
 * @param onOpen `onOpen(about)`, called before it is shown, with an empty form
 * @param send `send(values, about)`; `values` is the form's FormData. Its promise says whether the dialog may close
 */
export class FormDialog {
  #dialog;
  #form;
  #send;
  #about;
  #isBusy = false;
  #settle = () => {};

  constructor({ element, onOpen, send, signal }) {
    this.#form = element.querySelector("form");
    this.#send = send;
    const opened = (about) => {
      this.#form.reset();
      onOpen?.(about);
    };
    this.#dialog = new Dialog({ element, onOpen: opened, onClose: (done) => this.#settle(done === "done"), signal });
    this.#form.addEventListener("submit", (event) => this.#submitted(event), { signal });
  }

  /** @returns a promise of whether it was done; not if it was only closed */
  open(about) {
    this.#about = about;
    this.#dialog.open(about);
    return new Promise((settle) => (this.#settle = settle));
  }

  close() {
    this.#dialog.close();
  }

  async #submitted(event) {
    event.preventDefault();
    if (this.#isBusy) return;
    this.#isBusy = true;
    const isDone = await this.#send(new FormData(this.#form), this.#about);
    this.#isBusy = false;
    if (!isDone) return;
    this.#dialog.element.returnValue = "done";
    this.close();
  }
}
