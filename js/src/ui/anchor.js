const EDGE_PX = 8; // between what opens and the edges of the window

/** Put something that is in the browser's top layer beside what opened it: below if there is room, else above. */
export function placeBeside(box, opener) {
  const around = opener.getBoundingClientRect();
  const { width, height } = box.getBoundingClientRect();
  const rightToLeft = getComputedStyle(box).direction === "rtl";
  const left = rightToLeft ? around.left : around.right - width;
  const below = around.bottom + height + EDGE_PX <= innerHeight;
  box.style.left = `${Math.max(EDGE_PX, Math.min(left, innerWidth - width - EDGE_PX))}px`;
  box.style.top = `${Math.max(EDGE_PX, below ? around.bottom : around.top - height)}px`;
}
