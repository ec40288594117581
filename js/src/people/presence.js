import { PresenceView } from "./presence_view.js";

/** How many are here; who they are is behind the number. */
export function presenceFeature(room) {
  const button = room.part("present");
  if (!button) return;
  room.presence = new PresenceView({ button });
  room.on("presence", (frame) => room.presence.show(frame));
}
