#!/usr/bin/env bash
# daphne does not send, and the npm package websocket does not deliver, a text message of length zero.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat <<'TEXT'
Software: daphne 4.2.3, npm websocket 1.0.35; for comparison uvicorn 0.54.0, npm ws 8.23.0, npm undici 7.30.2
Expectation: a text message may be empty: RFC 6455 (5.2, 5.6) allows a payload of length zero, and the ASGI specification
  asks for text or bytes that is not None. Each of three messages "", "a", "" reaches the client's message event.
TEXT

"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check \
    daphne==4.2.3 autobahn==26.10.2 Twisted==26.10.0 uvicorn==0.54.0 websockets==17.4
cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" websocket@1.0.35 ws@8.23.0 undici@7.30.2

cat > app.py <<'PY'
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            event = (await receive())["type"]
            await send({"type": f"{event}.complete"})
            if event == "lifespan.shutdown":
                return
    await receive()
    await send({"type": "websocket.accept"})
    for text in ("", "a", ""):
        await send({"type": "websocket.send", "text": text})
    await send({"type": "websocket.close"})
    await receive()
PY

cat > client.cjs <<'JS'
const classes = {
  ws: require("ws"),
  undici: require("undici").WebSocket,
  websocket: require("websocket").w3cwebsocket,
};
const socket = new classes[process.argv[2]](process.argv[3]);
const texts = [];
socket.onmessage = (event) => texts.push(event.data);
socket.onclose = () => {
  console.log(JSON.stringify(texts));
  process.exit(0);
};
JS

cat > probe.py <<'PY'
import json, signal, socket, subprocess, sys, time

signal.signal(signal.SIGTERM, lambda *_: sys.exit("timed out"))
seen = {}
for name, command in {
    "uvicorn": ["venv/bin/uvicorn", "app:app", "--port", "{port}"],
    "daphne": ["venv/bin/daphne", "app:app", "-b", "127.0.0.1", "-p", "{port}", "-v", "0"],
}.items():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([part.format(port=port) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        for client in ("ws", "undici", "websocket"):
            ran = subprocess.run(
                ["node", "client.cjs", client, f"ws://127.0.0.1:{port}/"], capture_output=True, text=True, check=True, timeout=10
            )
            seen[name, client] = json.loads(ran.stdout)
            print(f"Seen: {name} with {client}: {seen[name, client]}")
    finally:
        server.terminate()
        server.wait(10)
whole, short = ["", "a", ""], ["a"]
assert seen == {
    ("uvicorn", "ws"): whole,
    ("uvicorn", "undici"): whole,
    ("uvicorn", "websocket"): short,
    ("daphne", "ws"): short,
    ("daphne", "undici"): short,
    ("daphne", "websocket"): short,
}, seen
PY
timeout 55 venv/bin/python probe.py

cat <<'TEXT'
Consequence: an empty text frame cannot serve as heartbeat or acknowledgement: with daphne or this client it silently does
  not arrive. A heartbeat needs a text.
TEXT
