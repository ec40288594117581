/**
 * How much is unread, where one sees it without looking at the page: in its title, as a dot on its icon, and on the icon of
 * the installed app. Only on our own page: what another one is called is not ours to say.
 *
 * The icon with the dot is a file, which `<link rel="icon" data-unread="…">` names, since a content security policy may
 * forbid pictures that a script has drawn.
 */
export class UnreadBadge {
  #title = null;
  #icon = document.querySelector('link[rel~="icon"][data-unread]');
  #defaultIcon = this.#icon?.href;

  show(unread) {
    this.#title ??= document.title;
    document.title = unread ? `(${unread}) ${this.#title}` : this.#title;
    if (!unread) this.#title = null;
    if (this.#icon) this.#icon.href = unread ? this.#icon.dataset.unread : this.#defaultIcon;
    const result = unread ? navigator.setAppBadge?.(unread) : navigator.clearAppBadge?.();
    result?.catch(() => {}); // a browser may have the function and nowhere to show it
  }
}
