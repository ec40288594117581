/** Shows the user's display name, and updates it when it changes in this or in another tab. */
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
