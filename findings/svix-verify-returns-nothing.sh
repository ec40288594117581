#!/usr/bin/env bash
# svix (Python): verify() returns None, where its documentation and its siblings return the body.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat <<'TEXT'
Software: svix 2.9.1 and standardwebhooks 1.1.0 (Python), npm svix 1.99.1 and standardwebhooks 1.1.1
Expectation: the Django example of Svix's guide to verifying payloads assigns msg = wh.verify(payload, headers). All four
  libraries verify the same signature, and return the verified body.
TEXT

"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check svix==2.9.1 standardwebhooks==1.1.0
cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" svix@1.99.1 standardwebhooks@1.1.1

cat > probe.cjs <<'JS'
const [secret, id, timestamp, signature, body] = process.argv.slice(2);
const headers = { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature };
const seen = {};
for (const name of ["svix", "standardwebhooks"]) {
  try {
    seen[name] = JSON.stringify(new (require(name).Webhook)(secret).verify(body, headers)) ?? "nothing";
  } catch (error) {
    seen[name] = error.constructor.name;
  }
}
console.log(JSON.stringify(seen));
JS

cat > probe.py <<'PY'
import base64, hashlib, hmac, json, signal, subprocess, sys, time
import standardwebhooks, svix

signal.signal(signal.SIGTERM, lambda *_: sys.exit("timed out"))
KEY = b"0123456789abcdef01234567"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
seen = {}
for body in ('{"head":7}', ""):
    timestamp = str(int(time.time()))
    digest = hmac.digest(KEY, f"msg_1.{timestamp}.{body}".encode(), hashlib.sha256)
    signature = "v1," + base64.b64encode(digest).decode()
    headers = {"webhook-id": "msg_1", "webhook-timestamp": timestamp, "webhook-signature": signature}
    for module in (svix, standardwebhooks):
        try:
            returned = module.webhooks.Webhook(SECRET).verify(body, headers)
            seen[body, "Python", module.__name__] = "nothing" if returned is None else json.dumps(returned, separators=(",", ":"))
        except Exception as error:
            seen[body, "Python", module.__name__] = type(error).__name__
    ran = subprocess.run(
        ["node", "probe.cjs", SECRET, "msg_1", timestamp, signature, body], capture_output=True, text=True, check=True, timeout=20
    )
    for name, returned in json.loads(ran.stdout).items():
        seen[body, "npm", name] = returned
for (body, registry, name), returned in seen.items():
    print(f"Seen: {registry} {name}: genuine body {body or '(empty)'}: {returned}")
assert seen == {
    ('{"head":7}', "Python", "svix"): "nothing",
    ('{"head":7}', "Python", "standardwebhooks"): '{"head":7}',
    ('{"head":7}', "npm", "svix"): '{"head":7}',
    ('{"head":7}', "npm", "standardwebhooks"): '{"head":7}',
    ("", "Python", "svix"): "nothing",
    ("", "Python", "standardwebhooks"): "JSONDecodeError",
    ("", "npm", "svix"): "SyntaxError",
    ("", "npm", "standardwebhooks"): "nothing",
}, seen
PY
timeout 55 venv/bin/python probe.py

cat <<'TEXT'
Consequence: a receiver of the chat's webhooks must parse the body itself after verify(), whatever the library; "if not
  wh.verify(...)" refuses every genuine delivery. A delivery without a body fails in two of the four libraries with an error that
  is not their WebhookVerificationError, so that a webhook should always carry JSON.
TEXT
