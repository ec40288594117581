/** What others call the person: as the server knows it, and when it changes, here or in another window. */
export function naming(room) {
  const button = room.part("rename");
  if (button && room.data.panelsSrc) button.disabled = false;
  const show = ({ name }) => {
    room.data.meName = name;
    const me = room.part("me");
    if (me && me.textContent !== name) me.textContent = name;
  };
  room.on("welcome", ({ you }) => show(you));
  room.on("named", show);
}
