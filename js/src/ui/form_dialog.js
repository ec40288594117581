import { Dialog } from "./dialog.js";

/**
 * A dialog with a form that sends a request: it closes when the request succeeds, and stays open when it is rejected.
 *
 * @param element the `<dialog>`, which contains one `<form>`
 * @param onOpen `onOpen(context)`, called before it is shown, with an empty form
 * @param send `send(values, context)`; `values` is the FormData of the form. Its promise resolves to whether the
 *   dialog may close
 */
export class FormDialog {
  #dialog;
  #form;
  #send;
  #context;
  #isBusy = false;
  #resolve = () => {};

  constructor({ element, onOpen, send, signal }) {
    this.#form = element.querySelector("form");
    this.#send = send;
    const opened = (context) => {
      this.#form.reset();
      onOpen?.(context);
    };
    this.#dialog = new Dialog({ element, onOpen: opened, onClose: (done) => this.#resolve(done === "done"), signal });
    this.#form.addEventListener("submit", (event) => this.#onSubmit(event), { signal });
  }

  /** @returns a promise of whether the request succeeded; false if the dialog was only closed */
  open(context) {
    this.#context = context;
    this.#dialog.open(context);
    return new Promise((resolve) => (this.#resolve = resolve));
  }

  close() {
    this.#dialog.close();
  }

  async #onSubmit(event) {
    event.preventDefault();
    if (this.#isBusy) return;
    this.#isBusy = true;
    const isDone = await this.#send(new FormData(this.#form), this.#context);
    this.#isBusy = false;
    if (!isDone) return;
    this.#dialog.element.returnValue = "done";
    this.close();
  }
}
