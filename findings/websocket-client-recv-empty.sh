#!/usr/bin/env bash
# websocket-client: recv() returns an empty text when the server closes, and the close code is lost.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat <<'TEXT'
Software: websocket-client 1.9.2 (Python); for comparison websockets 17.4, httpx-ws 0.9.0
Expectation: the documentation of WebSocketConnectionClosedException says that it is raised if the remote host closed the
  connection. recv() raises it when the server closes with 4003 and a reason.
TEXT

"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check \
    websocket-client==1.9.2 websockets==17.4 httpx-ws==0.9.0 httpx==0.28.1
cd "$work"

cat > probe.py <<'PY'
import signal, sys, threading
import httpx_ws, websocket
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.server import serve

signal.signal(signal.SIGTERM, lambda *_: sys.exit("timed out"))


def handler(connection):
    if connection.request.path == "/empty-message":
        connection.send("")
        connection.recv()
    connection.close(4003, "refused")


server = serve(handler, "127.0.0.1", 0)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"127.0.0.1:{server.socket.getsockname()[1]}"


def two_receives(receive):
    seen = []
    for _ in range(2):
        try:
            seen.append(repr(receive()))
        except (ConnectionClosed, httpx_ws.WebSocketDisconnect, websocket.WebSocketException) as error:
            code = getattr(error, "code", None) or getattr(getattr(error, "rcvd", None), "code", None)
            seen.append(f"{type(error).__name__}, code {code}")
            break
    return seen


seen = {}
client = websocket.create_connection(f"ws://{address}/refused", timeout=10)
seen["websocket-client"] = two_receives(client.recv)
with connect(f"ws://{address}/refused") as client:
    seen["websockets"] = two_receives(client.recv)
with httpx_ws.connect_ws(f"http://{address}/refused") as client:
    seen["httpx-ws"] = two_receives(client.receive_text)
client = websocket.create_connection(f"ws://{address}/empty-message", timeout=10)
message = client.recv()
client.send("go on")
closed = client.recv()
for name, receives in seen.items():
    print(f"Seen: {name}: {'; then '.join(receives)}")
print(f"Seen: websocket-client: an empty message is {message!r}, the close after it is {closed!r}")
assert seen == {
    "websocket-client": ["''", "WebSocketConnectionClosedException, code None"],
    "websockets": ["ConnectionClosedError, code 4003"],
    "httpx-ws": ["WebSocketDisconnect, code 4003"],
}, seen
assert message == closed == ""
server.shutdown()
PY
timeout 50 venv/bin/python probe.py

cat <<'TEXT'
Consequence: json.loads(ws.recv()) fails with a JSON error where a bot was refused, so that a refusal looks like a broken
  server. A server should send the reason as a message before the close; a bot on this library should read
  recv_data(), which returns the opcode and the two bytes of the code.
TEXT
