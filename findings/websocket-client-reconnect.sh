#!/usr/bin/env bash
# websocket-client: with reconnect=1, run_forever() reconnects after every close of the server and never calls on_close.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat <<'TEXT'
Software: websocket-client 1.9.2 (Python), against a server of websockets 17.4
Expectation: the README says that run_forever() does not reconnect when the server closes with a close code, and that
  on_close decides what follows. After a close with 1000 or 4003 the loop ends and on_close gets the code, with
  reconnect=1 as without.
TEXT

"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check websocket-client==1.9.2 websockets==17.4
cd "$work"

cat > probe.py <<'PY'
import logging, signal, sys, threading
import websocket
from websockets.sync.server import serve

signal.signal(signal.SIGTERM, lambda *_: sys.exit("timed out"))
logging.getLogger("websocket").setLevel(logging.CRITICAL)


def handler(connection):
    connection.close(int(connection.request.path[1:]), "refused")


server = serve(handler, "127.0.0.1", 0)
threading.Thread(target=server.serve_forever, daemon=True).start()
port = server.socket.getsockname()[1]


def events(code, **options):
    """The callbacks of an application, until its third connection or until its loop has ended."""
    called = []

    def on_open(app):
        called.append("open")
        if called.count("open") == 3:
            app.keep_running = False
            app.close()

    app = websocket.WebSocketApp(
        f"ws://127.0.0.1:{port}/{code}",
        on_open=on_open,
        on_error=lambda app, error: called.append("error"),
        on_close=lambda app, code, reason: called.append(f"close {code}"),
    )
    loop = threading.Thread(target=app.run_forever, kwargs=options, daemon=True)
    loop.start()
    loop.join(8)
    ended = not loop.is_alive()
    third = called.index("open", called.index("open", 1) + 1) if called.count("open") >= 3 else len(called)
    return called[:third], called.count("open"), ended


seen = {}
for code in (1000, 4003):
    for options in ({}, {"reconnect": 1}):
        called, connections, _ = seen[code, bool(options)] = events(code, **options)
        print(f"Seen: close {code}, run_forever({options or ''}): {connections} connections, callbacks: {', '.join(called)}")
for code in (1000, 4003):
    assert seen[code, False] == (["open", "error", f"close {code}"], 1, True), seen
    assert seen[code, True][:2] == (["open", "open"], 3), seen
server.shutdown()
PY
timeout 55 venv/bin/python probe.py

cat <<'TEXT'
Consequence: a bot that was refused (4003) or whose membership ended connects once per second for ever and cannot read
  the code. Bots on this library need their own loop around run_forever() without reconnect; the server must bound what
  repeated connections cost, and should send the reason in a message before the close.
TEXT
