/**
 * Focus a button or link that is clicked while no element has the focus, as all browsers but Safari do themselves.
 *
 * A menu or dialog returns the focus to the element that had it before; in Safari that would be none.
 */
export function focusOnClick(element, { signal }) {
  const onClick = ({ target }) => {
    if (document.activeElement === document.body) target.closest("button, a[href]")?.focus({ preventScroll: true });
  };
  element.addEventListener("click", onClick, { capture: true, signal });
}
