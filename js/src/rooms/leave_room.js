import { FormDialog } from "../ui/form_dialog.js";

/** End one's membership, and go back to the list of rooms. */
export function leaveRoom(room) {
  const element = room.part("leave");
  if (!element) return;
  const { session, data, strings } = room;

  const goToIndex = () => "ownPage" in data && location.assign(data.indexUrl);
  const dialog = new FormDialog({
    element,
    send: async () => {
      try {
        await session.request({ type: "quit" });
      } catch (error) {
        // Where only members may be, the room itself is over before the answer comes.
        if (session.state !== "ended") {
          room.showError(error);
          return false;
        }
      }
      room.toast?.show(strings.left_room);
      goToIndex();
      return true;
    },
    signal: room.signal,
  });
  room.roomActions.set("leave", { when: () => Boolean(room.rights.role) && room.rights.visibility !== "direct", act: () => dialog.open() });
}
