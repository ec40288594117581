/**
 * Shows the unread count in the title of the page, as a dot on its icon, and on the icon of the installed app. Used
 * only on the room's own page: on other pages, the title belongs to the site.
 *
 * The icon with the dot is a file named by `<link rel="icon" data-unread="…">`, because a content security policy may
 * forbid images drawn by a script.
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
    result?.catch(() => {}); // a browser may have the method but no place to show a badge
  }
}
