/** Django's CSRF token, read from a form inside an element, because the cookie may be HttpOnly. */
export function csrfToken(element) {
  return element.querySelector('[name="csrfmiddlewaretoken"]')?.value ?? "";
}
