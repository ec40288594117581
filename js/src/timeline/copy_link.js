/** Copies the permalink of a message, from its menu. */
export function copyLinks(room) {
  room.messageActions.set("link", { act: ({ seq }) => copyLink(room, seq) });
}

async function copyLink(room, seq) {
  const url = room.messageUrl(seq);
  try {
    await navigator.clipboard.writeText(url.href);
    room.toast?.show(room.strings.link_copied);
  } catch {
    location.hash = url.hash; // without clipboard access, show the link in the address bar
  }
}
