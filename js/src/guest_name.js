import { Dialog } from "./dialog.js";

/** A guest chooses how others see them: behind their name in the header, and in the room's menu. */
export function guestName(room) {
  const [element, button] = [room.part("guest-name"), room.part("rename")];
  room.on("named", ({ name }) => show(room, name));
  if (!element || !("meGuest" in room.data)) return;
  const [form, error] = [element.querySelector("form"), element.querySelector('[data-part="name-error"]')];
  const input = form.elements.name;
  const say = (text) => {
    error.textContent = text;
    error.hidden = !text;
    if (text) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  };
  const onOpen = () => {
    input.value = room.you.name;
    say("");
  };
  const dialog = new Dialog({ element, onOpen, signal: room.signal });
  const open = () => {
    dialog.open();
    input.select();
  };
  room.listen(form, "submit", async (event) => {
    event.preventDefault();
    try {
      await choose(room, input.value.trim());
      dialog.close();
    } catch ({ code, detail }) {
      say(detail || room.words[`refused_${code}`] || room.words.refused);
      input.focus();
    }
  });
  room.roomActions.set("name", { act: open });
  room.listen(button, "click", open);
  if (button) button.disabled = false;
}

/**
 * Over HTTP, because a name lasts as long as the session, and there are sessions that only an answer to a request can change.
 * Sites without these addresses have the socket.
 */
async function choose({ data, session, element }, name) {
  const frame = { type: "name", name };
  if (!data.framesUrl) return session.request(frame);
  const token = element.querySelector('[name="csrfmiddlewaretoken"]')?.value ?? "";
  const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
  let response;
  try {
    response = await fetch(data.framesUrl, { method: "POST", body: JSON.stringify(frame), headers, credentials: "same-origin" });
  } catch {
    throw { code: "offline" };
  }
  if (!response.ok) throw (await response.json().catch(() => undefined))?.error ?? { code: "refused" };
  session.call(name.replace(/\s+/gu, " "));
}

function show(room, name) {
  room.data.meName = name;
  const me = room.part("me");
  if (me && me.textContent !== name) me.textContent = name;
}
