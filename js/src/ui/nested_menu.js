/**
 * For a modal dialog with menus inside: the Esc that closes a menu does not close the dialog. WebKit would close both.
 */
export function keepOpenBelowMenus(dialog, { signal }) {
  let closesMenu = false;
  const onKeydown = ({ key }) => (closesMenu = key === "Escape" && Boolean(dialog.querySelector(":popover-open")));
  const onCancel = (event) => {
    if (event.target === dialog && closesMenu) event.preventDefault();
    closesMenu = false;
  };
  dialog.addEventListener("keydown", onKeydown, { capture: true, signal });
  dialog.addEventListener("cancel", onCancel, { signal });
}
