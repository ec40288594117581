import { Dialog } from "../ui/dialog.js";
import { isPlainClick } from "../ui/plain_click.js";

const LONG = 2.5; // ratio of the sides from which an image is scrolled, as text in it would be unreadable in the height of the window

/** Shows the images of the room one at a time, as large as the window. Without JavaScript the link opens the image. */
export function lightbox(room) {
  const [element, list] = [room.part("lightbox"), room.part("messages")];
  // Remove a player that the content security policy blocks: the row below it links to the file.
  room.listen(list, "error", ({ target }) => target.closest("video, audio")?.remove(), { capture: true });
  if (!element) return;
  const part = (name) => element.querySelector(`[data-part="${name}"]`);
  const [image, scroller, title, download, previous, next] = ["image", "scroller", "title", "download", "previous", "next"].map((name) => part(`lightbox-${name}`));
  let current;

  const allPictures = () => [...list.querySelectorAll('a[data-part="picture"][href]')];
  const neighbour = (step) => {
    const pictures = allPictures();
    return pictures[pictures.indexOf(current) + step];
  };
  const show = (link) => {
    current = link;
    scroller?.scrollTo(0, 0);
    const thumbnail = link.querySelector("img");
    image.alt = thumbnail.alt;
    image.src = thumbnail.currentSrc || link.href;
    title.textContent = thumbnail.alt;
    // Make a long description focusable, so that it can be scrolled with the keyboard.
    requestAnimationFrame(() => (title.tabIndex = title.scrollHeight > title.clientHeight ? 0 : -1));
    download.href = link.href;
    download.download = link.closest("[data-name]").dataset.name;
    previous.hidden = !neighbour(-1);
    next.hidden = !neighbour(1);
    showFull(image, link.href, () => current === link);
  };
  const move = (step) => {
    const link = neighbour(step);
    if (link) show(link);
  };

  if (scroller) room.listen(image, "load", () => fitLongImage(image, scroller));
  const dialog = new Dialog({ element, onOpen: show, onClose: () => (current = undefined), signal: room.signal });
  room.listen(list, "click", (event) => {
    const link = event.target.closest('a[data-part="picture"][href]');
    if (!link || !isPlainClick(event)) return;
    event.preventDefault();
    dialog.open(link);
  });
  room.listen(previous, "click", () => move(-1));
  room.listen(next, "click", () => move(1));
  room.listen(element, "keydown", ({ key, target }) => {
    if (target === scroller) return; // the keys scroll the image
    const forward = getComputedStyle(element).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
    if (key === "ArrowLeft" || key === "ArrowRight") move(key === forward ? 1 : -1);
  });
}

/** Show a long image in its own size, to be scrolled by mouse, touch and keyboard. */
function fitLongImage({ naturalWidth: width, naturalHeight: height }, scroller) {
  const isTall = height >= LONG * width && height > scroller.clientHeight;
  const isWide = width >= LONG * height && width > scroller.clientWidth;
  scroller.toggleAttribute("data-tall", isTall);
  scroller.toggleAttribute("data-wide", isWide);
  scroller.tabIndex = isTall || isWide ? 0 : -1;
}

/** The thumbnail is shown until the full image has loaded. */
async function showFull(image, url, isWanted) {
  const full = new Image();
  full.src = url;
  try {
    await full.decode();
  } catch {
    return;
  }
  if (isWanted()) image.src = url;
}
