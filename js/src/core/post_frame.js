/**
 * Post a frame over HTTP and return its answer.
 *
 * Rejects with `{code, detail}` like `Session.request`; with the code `offline` if there is no response.
 *
 * @param url URL to which frames are posted
 * @param token Django's CSRF token
 */
export async function postFrame({ url, token, frame, fetch = globalThis.fetch }) {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
  let response, answer;
  try {
    response = await fetch(url, { method: "POST", body: JSON.stringify(frame), headers, credentials: "same-origin" });
    answer = await response.json();
  } catch {
    throw { code: "offline" };
  }
  if (!response.ok) throw answer.error;
  return answer;
}
