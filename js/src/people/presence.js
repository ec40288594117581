import { Badge } from "../attention/unread_badge.js";
import { PresenceView } from "./presence_view.js";
import { Reading } from "../attention/read_tracker.js";
import { Typing } from "./typing.js";

/** How many are here; who they are is behind the number. */
export function presence(room) {
  const button = room.part("present");
  if (!button) return;
  room.presence = new PresenceView({ button });
  room.on("presence", (frame) => room.presence.show(frame));
}

/** Who types. */
export function typing(room) {
  const { session, words, signal } = room;
  const [element, input] = [room.part("typing"), room.part("composer")?.elements.body];
  const tell = (on) => session.send({ type: "typing", on });
  const view = new Typing({ element, input, words, tell, signal });
  room.on("typing", (frame) => view.show(frame, session.you));
}

/** How far one has read. */
export function reading(room) {
  const { session, log, data, signal } = room;
  const marks = new Reading({
    log,
    list: room.part("messages"),
    read: Number(data.read ?? 0),
    badge: "ownPage" in data ? new Badge() : undefined,
    tell: (seq) => session.send({ type: "read", seq }),
    signal,
  });
  room.on("read", (frame) => marks.readElsewhere(frame));
  for (const type of ["read", "marked"]) room.on(type, ({ room: name, ...mark }) => room.tell("read", { room: name, ...mark }));
  room.on("status", ({ state }) => state === "connected" && marks.look());
  room.listen(log, "news", ({ detail: { others } }) => others.length && marks.came(others.length, others[0].seq));
}
