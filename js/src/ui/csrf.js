/** Django's CSRF token, that of a form within an element: the cookie may be one that no script reads. */
export function csrfToken(element) {
  return element.querySelector('[name="csrfmiddlewaretoken"]')?.value ?? "";
}
