/** The menu with the room's actions, which features add to `room.roomActions`. */
export function roomMenu(room) {
  const [button, element] = [room.part("room-actions"), room.part("room-menu")];
  if (!button || !element) return;
  const menu = room.menu(element, room.roomActions);
  room.listen(button, "click", () => menu.open(button));
  button.hidden = !room.roomActions.size && !room.data.panelsSrc;
}
