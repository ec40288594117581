import { FormDialog } from "../ui/form_dialog.js";

/** End one's membership, and go back to the list of rooms. */
export function leaving(room) {
  const element = room.part("leave");
  if (!element) return;
  const { session, data, words } = room;

  const away = () => "ownPage" in data && location.assign(data.indexUrl);
  const dialog = new FormDialog({
    element,
    send: async () => {
      try {
        await session.request({ type: "quit" });
      } catch (refused) {
        // Where only members may be, the room itself is over before the answer comes.
        if (session.state !== "ended") {
          room.refused(refused);
          return false;
        }
      }
      room.notice?.show(words.left_room);
      away();
      return true;
    },
    signal: room.signal,
  });
  room.roomActions.set("leave", { when: () => Boolean(room.rights.role) && room.rights.visibility !== "direct", act: () => dialog.open() });
}
