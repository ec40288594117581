const MARGIN_PX = 8; // between what opens and the edges of the window

/** Put something that is in the browser's top layer beside what opened it: below if there is room, else above. */
export function anchorTo(box, opener) {
  const anchor = opener.getBoundingClientRect();
  const { width, height } = box.getBoundingClientRect();
  const rightToLeft = getComputedStyle(box).direction === "rtl";
  const left = rightToLeft ? anchor.left : anchor.right - width;
  const fitsBelow = anchor.bottom + height + MARGIN_PX <= innerHeight;
  box.style.left = `${Math.max(MARGIN_PX, Math.min(left, innerWidth - width - MARGIN_PX))}px`;
  box.style.top = `${Math.max(MARGIN_PX, fitsBelow ? anchor.bottom : anchor.top - height)}px`;
}
