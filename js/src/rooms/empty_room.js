/**
 * What a room without messages offers: in a private one, to invite people; a name that is no room yet says what the first
 * message does.
 */
export function emptyRoom(room) {
  const [invite, unsaved] = [room.part("invite-first"), room.part("unsaved")];
  if (!invite && !unsaved) return;
  const show = () => {
    const hasMessages = Boolean(room.log.last(({ element: { dataset } }) => dataset.kind !== "system"));
    if (invite) invite.hidden = hasMessages || !room.can("invite");
    if (unsaved) unsaved.hidden = hasMessages;
  };
  show();
  room.on("rights", show);
  room.on("pending", show);
  room.listen(room.log, "new-messages", show);
}
