#!/usr/bin/env bash
# WebKitWebDriver: Element Send Keys leaves out every character beyond U+FFFF, without an error.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat <<'TEXT'
Software: WebKitWebDriver 2.50.6 of WebKitGTK (Debian: webkit2gtk-driver, xvfb)
Expectation: WebDriver (12.5.3, Element Send Keys) dispatches a text by extended grapheme clusters; a cluster without a key
  on the keyboard is entered by composition events. The field then has the text that was sent: letters of any script,
  an emoji, a family of three joined emoji, a rare Han character.
TEXT

type WebKitWebDriver Xvfb > "$work/programs" || { echo "missing: webkit2gtk-driver or xvfb"; exit 2; }
cd "$work"
cat > probe.py <<'PY'
import contextlib, json, os, signal, socket, subprocess, sys, time, urllib.error, urllib.parse, urllib.request

signal.signal(signal.SIGTERM, lambda *_: sys.exit("timed out"))
TEXTS = ["é 한국어 日本", "a\U0001f600b", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U00020bb7野家"]
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]


def call(method, path, **body):
    data = json.dumps(body).encode() if method == "POST" else None
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, {"Content-Type": "application/json"}, method=method)
    with opener.open(request, timeout=30) as answer:
        return json.load(answer)["value"]


reader, writer = os.pipe()
screen = subprocess.Popen(["Xvfb", "-displayfd", str(writer), "-nolisten", "tcp"], pass_fds=[writer], stderr=subprocess.DEVNULL)
display = os.read(reader, 16).decode().strip()
environment = os.environ | {"DISPLAY": f":{display}", "HOME": os.getcwd(), "LIBGL_ALWAYS_SOFTWARE": "1"}
driver = subprocess.Popen(["WebKitWebDriver", f"--port={port}"], env=environment, stderr=subprocess.DEVNULL)
typed = {}
try:
    for _ in range(200):
        with contextlib.suppress(OSError):
            call("GET", "/status")
            break
        time.sleep(0.1)
    session = call("POST", "/session", capabilities={})
    base = f"/session/{session['sessionId']}"
    print("Version:", session["capabilities"]["browserName"], session["capabilities"]["browserVersion"])
    call("POST", f"{base}/url", url="data:text/html;charset=utf-8," + urllib.parse.quote("<!DOCTYPE html><textarea></textarea>"))
    [field] = call("POST", f"{base}/element", using="css selector", value="textarea").values()
    for text in TEXTS:
        call("POST", f"{base}/element/{field}/clear")
        try:
            call("POST", f"{base}/element/{field}/value", text=text)
            typed[text] = call("GET", f"{base}/element/{field}/property/value")
        except urllib.error.HTTPError as error:
            typed[text] = json.load(error)["value"]["error"]
    call("DELETE", base)
finally:
    for process in (driver, screen):
        process.terminate()
        process.wait(10)

for text, value in typed.items():
    print(f"Seen: {ascii(text)} was typed as {ascii(value)}")
assert typed[TEXTS[0]] == TEXTS[0], typed
for text in TEXTS[1:]:
    assert typed[text] == "".join(character for character in text if character <= "\uffff"), typed
PY
timeout 60 "${PYTHON:-python3}" probe.py

cat <<'TEXT'
Consequence: a test that types a message with an emoji and only looks for its words passes without the emoji. Emoji have
  to be chosen in the page, or inserted by a script.
TEXT
