#!/usr/bin/env bash
# WebKitGTK: one Esc closes a popover and also the modal dialog that contains it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat <<'TEXT'
Software: WebKitGTK 2.50.6 with its WebKitWebDriver (Debian: webkit2gtk-driver, xvfb)
Expectation: the HTML standard (6.12, close requests and close watchers) gives a dialog and a popover a close watcher each,
  and Esc closes the last group of watchers. Each of the two was opened by a click of its own, so each is a group: the
  first Esc closes the popover, the second one the dialog, and without a popover one Esc closes the dialog.
TEXT

type WebKitWebDriver Xvfb > "$work/programs" || { echo "missing: webkit2gtk-driver or xvfb"; exit 2; }
cd "$work"
cat > probe.py <<'PY'
import contextlib, json, os, signal, socket, subprocess, sys, time, urllib.parse, urllib.request

signal.signal(signal.SIGTERM, lambda *_: sys.exit("timed out"))
PAGE = """<!DOCTYPE html><meta charset="utf-8">
<button id="open" onclick="document.querySelector('dialog').showModal()">open</button>
<dialog>
  <button id="menu-button" popovertarget="menu">menu</button>
  <div id="menu" popover><button autofocus>entry</button></div>
</dialog>
<script>
  const [dialog, menu] = ["dialog", "#menu"].map((css) => document.querySelector(css));
  const events = [];
  for (const element of [dialog, menu]) {
    for (const type of ["cancel", "beforetoggle"]) {
      element.addEventListener(type, ({ newState, target }) => target === element && events.push(`${type} ${element.id || "dialog"} ${newState ?? ""}`.trim()));
    }
  }
</script>"""
ESCAPE = "\ue00c"
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]


def call(method, path, **body):
    data = json.dumps(body).encode() if method == "POST" else None
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, {"Content-Type": "application/json"}, method=method)
    with opener.open(request, timeout=30) as answer:
        return json.load(answer)["value"]


def state():
    script = "return [dialog.open, menu.matches(':popover-open'), events.splice(0)]"
    return call("POST", f"{base}/execute/sync", script=script, args=[])


def settled():
    """The state, once the page has had no event for half a second."""
    seen = state()
    quiet = time.monotonic()
    while time.monotonic() - quiet < 0.5:
        time.sleep(0.05)
        open_, shown, events = state()
        if events:
            quiet = time.monotonic()
        seen = [open_, shown, seen[2] + events]
    return seen


def click(css):
    [element] = call("POST", f"{base}/element", using="css selector", value=css).values()
    call("POST", f"{base}/element/{element}/click")


def press_escape():
    keys = [{"type": kind, "value": ESCAPE} for kind in ("keyDown", "keyUp")]
    call("POST", f"{base}/actions", actions=[{"type": "key", "id": "keyboard", "actions": keys}])


reader, writer = os.pipe()
screen = subprocess.Popen(["Xvfb", "-displayfd", str(writer), "-nolisten", "tcp"], pass_fds=[writer], stderr=subprocess.DEVNULL)
display = os.read(reader, 16).decode().strip()
environment = os.environ | {"DISPLAY": f":{display}", "HOME": os.getcwd(), "LIBGL_ALWAYS_SOFTWARE": "1"}
driver = subprocess.Popen(["WebKitWebDriver", f"--port={port}"], env=environment, stderr=subprocess.DEVNULL)
try:
    for _ in range(200):
        with contextlib.suppress(OSError):
            call("GET", "/status")
            break
        time.sleep(0.1)
    session = call("POST", "/session", capabilities={})
    base = f"/session/{session['sessionId']}"
    print("Version:", session["capabilities"]["browserName"], session["capabilities"]["browserVersion"])
    call("POST", f"{base}/url", url="data:text/html," + urllib.parse.quote(PAGE))
    click("#open")
    press_escape()
    alone = settled()
    click("#open")
    click("#menu-button")
    opened = settled()
    press_escape()
    nested = settled()
    call("DELETE", base)
finally:
    for process in (driver, screen):
        process.terminate()
        process.wait(10)

print("Seen: Esc in the dialog [dialog is open, popover is open, events]:", alone)
print("Seen: dialog and popover opened:", opened[:2])
print("Seen: one Esc in the popover:", nested)
assert alone[:2] == [False, False], alone
assert opened[:2] == [True, True], opened
assert nested[:2] == [False, False], nested
assert nested[2] == ["beforetoggle menu closed", "cancel dialog", "beforetoggle dialog closed"], nested
PY
timeout 60 "${PYTHON:-python3}" probe.py

cat <<'TEXT'
Consequence: whoever closes the menu of one person in a list of people loses the list, too. The page has to prevent the
  dialog's cancel event that follows an Esc which was pressed while a popover inside of the dialog was open.
TEXT
