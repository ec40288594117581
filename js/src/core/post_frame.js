/**
 * Ask the server for something without a socket: a frame goes, its answer comes.
 *
 * Rejects with `{code, detail}` as `Session.request` does; `offline` where nobody answers.
 *
 * @param url where frames are sent
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
