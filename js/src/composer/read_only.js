/** Who is banned while they look is told why, in the place where they wrote; what they had begun to write is kept. */
export function shutOut(room) {
  const [form, closed] = [room.part("composer"), room.part("closed")];
  if (!form || !closed) return;
  room.on("problem", ({ frame, detail, retry_after: isForNow }) => {
    if (frame !== "join" || isForNow !== undefined) return;
    closed.textContent = detail;
    form.hidden = true;
  });
}
