import { FormDialog } from "../ui/form_dialog.js";

/** The dialog that ends the membership, or leaves a direct room, and returns to the room list. */
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
        // In a members-only room, the session ends before the answer arrives.
        if (session.state !== "ended") {
          room.showError(error);
          return false;
        }
      }
      room.toast?.show(strings.left_room.replace("{room}", () => data.title));
      goToIndex();
      return true;
    },
    signal: room.signal,
  });
  room.roomActions.set("leave", { when: () => Boolean(room.rights.role), act: () => dialog.open() });
}
