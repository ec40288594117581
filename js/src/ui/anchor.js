const MARGIN_PX = 8; // distance from the edges of the window

/**
 * Position an element of the top layer next to the element that opened it: below it if there is space, otherwise
 * above. The style sheet applies the values: an inline style would not apply in an embedded room.
 */
export function anchorTo(box, opener) {
  const anchor = opener.getBoundingClientRect();
  const { width, height } = box.getBoundingClientRect();
  const rightToLeft = getComputedStyle(box).direction === "rtl";
  const left = rightToLeft ? anchor.left : anchor.right - width;
  const lowest = innerHeight - height - MARGIN_PX;
  box.style.setProperty("--_left", `${Math.max(MARGIN_PX, Math.min(left, innerWidth - width - MARGIN_PX))}px`);
  // In a window of little height it covers the opener rather than the edge of the window.
  const top = anchor.bottom <= lowest ? anchor.bottom : Math.min(anchor.top - height, lowest);
  box.style.setProperty("--_top", `${Math.max(MARGIN_PX, top)}px`);
}
