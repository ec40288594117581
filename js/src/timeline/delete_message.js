/** Deletes a message, from its menu. */
export function deleteMessages(room) {
  const isOffered = ({ element: { dataset } }) => !("deleted" in dataset) && ("mine" in dataset || room.can("moderate"));
  room.messageActions.set("delete", { when: isOffered, act: (view) => deleteSoon(room, view) });
}

/** Hide a message immediately, and delete it on the server when the time for undoing has expired. */
function deleteSoon(room, { element, seq, authorName }) {
  const { strings, toast } = room;
  element.toggleAttribute("data-doomed", true);
  const restore = () => element.removeAttribute("data-doomed");
  const send = () => room.request({ type: "delete", seq }).finally(restore);
  const text = "mine" in element.dataset ? strings.deleted : strings.deleted_by.replace("{name}", () => authorName);
  if (toast) toast.show(text, { onUndo: restore, onExpire: send });
  else send();
}
