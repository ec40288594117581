/** What others call the person: as the server knows it, and when it changes, here or in another window. */
export function ownName(room) {
  const button = room.part("rename");
  if (button && room.data.panelsSrc) button.disabled = false;
  const show = ({ name }) => {
    room.data.meName = name;
    const element = room.part("me");
    if (element && element.textContent !== name) element.textContent = name;
  };
  room.on("welcome", ({ you }) => show(you));
  room.on("named", show);
}
