/** What others call the person: told when it changes, here or in another window. */
export function naming(room) {
  const button = room.part("rename");
  if (button && room.data.panelsSrc) button.disabled = false;
  room.on("named", ({ name }) => {
    room.data.meName = name;
    const me = room.part("me");
    if (me && me.textContent !== name) me.textContent = name;
  });
}
