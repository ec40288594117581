import { generateId } from "../core/identifiers.js";
import { postFrame } from "../core/post_frame.js";
import { csrfToken } from "../ui/csrf.js";
import { FormDialog } from "../ui/form_dialog.js";

/** The dialog in which a guest chooses a display name. It opens from the name in the header and from the room's menu. */
export function guestName(room) {
  const { data, session, strings, signal } = room;
  const [element, button] = [room.part("guest-name"), room.part("rename")];
  if (!element || !("meGuest" in data)) return;
  const [input, error] = [element.querySelector("input"), element.querySelector('[data-part="name-error"]')];
  error.id ||= `roomchat-${generateId()}`;
  input.setAttribute("aria-describedby", error.id);
  const showError = (text) => {
    error.textContent = text;
    error.hidden = !text;
    input.ariaInvalid = text ? "true" : null;
  };
  const onOpen = () => {
    input.value = room.you.name;
    showError("");
  };
  const send = async (values) => {
    const name = values.get("name").trim().replace(/\s+/gu, " ");
    try {
      await submitName(room, { type: "name", name });
      session.setName(name);
      return true;
    } catch ({ code, detail }) {
      showError(detail || strings[`refused_${code}`] || strings.refused);
      input.focus();
      return false;
    }
  };
  const dialog = new FormDialog({ element, onOpen, send, signal });
  const act = () => {
    dialog.open();
    input.select();
  };
  room.roomActions.set("name", { act });
  room.listen(button, "click", act);
}

/**
 * The name is sent over HTTP, because it lasts as long as the session, and some session backends can only be changed
 * in a response. Sites without this URL use the socket.
 */
function submitName({ data, session, element }, frame) {
  if (!data.framesUrl) return session.request(frame);
  return postFrame({ url: data.framesUrl, token: csrfToken(element), frame });
}
