// The book club's script: only what the documentation's page on theming tells of.

/** Put what is selected in the field, or the cursor, between quotation marks. */
document.addEventListener("click", ({ target }) => {
  const field = target.closest("[data-club-quote]")?.closest("form").elements.body;
  if (!field) return;
  const { selectionStart: start, selectionEnd: end, value } = field;
  field.setRangeText(`“${value.slice(start, end)}”`, start, end, "end");
  if (start === end) field.setSelectionRange(start + 1, start + 1);
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
});

/** Readers of books like dashes that are dashes. */
document.addEventListener("roomchat:before-send", ({ target, detail }) => {
  if (target.dataset.room === "book club") detail.body = detail.body.replaceAll("--", "—");
});
