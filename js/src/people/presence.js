import { PresenceView } from "./presence_view.js";

/** Shows the number of people who are present. Its button opens the list. */
export function presenceFeature(room) {
  const button = room.part("present");
  if (!button) return;
  room.presence = new PresenceView({ button });
  room.on("presence", (frame) => room.presence.show(frame));
}
