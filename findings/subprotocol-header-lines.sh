#!/usr/bin/env bash
# hypercorn and gunicorn's asgi worker keep one of several Sec-WebSocket-Protocol lines: the last and the first.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat <<'TEXT'
Software: hypercorn 0.18.0, gunicorn 27.0.1 (worker asgi); for comparison uvicorn 0.54.0, daphne 4.2.3, granian 2.8.9
Expectation: RFC 6455 (11.3.4) lets a client spread its offers over several Sec-WebSocket-Protocol lines, which mean
  the same as one line with all values. scope["subprotocols"] therefore is ["chat.v2", "chat.v1"] in both notations.
TEXT

"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check \
    Hypercorn==0.18.0 wsproto==1.3.2 h11==0.16.0 gunicorn==27.0.1 uvicorn==0.54.0 websockets==17.4 \
    daphne==4.2.3 autobahn==26.10.2 Twisted==26.10.0 granian==2.8.9
cd "$work"

cat > app.py <<'PY'
import json


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            event = (await receive())["type"]
            await send({"type": f"{event}.complete"})
            if event == "lifespan.shutdown":
                return
    await receive()
    await send({"type": "websocket.accept", "subprotocol": scope["subprotocols"][0]})
    await send({"type": "websocket.send", "text": json.dumps(scope["subprotocols"])})
    await receive()
PY

cat > probe.py <<'PY'
import base64, json, os, signal, socket, subprocess, sys, time

signal.signal(signal.SIGTERM, lambda *_: sys.exit("timed out"))
ONE = ["Sec-WebSocket-Protocol: chat.v2, chat.v1"]
TWO = ["Sec-WebSocket-Protocol: chat.v2", "Sec-WebSocket-Protocol: chat.v1"]


def read(client, length):
    data = b""
    while len(data) < length:
        part = client.recv(length - len(data))
        if not part:
            raise ConnectionError
        data += part
    return data


def offered(port, lines):
    """The subprotocols that the application sees."""
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        key = base64.b64encode(os.urandom(16)).decode()
        head = ["GET / HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: Upgrade", "Upgrade: websocket"]
        head += ["Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}", *lines]
        client.sendall(("\r\n".join(head) + "\r\n\r\n").encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += read(client, 1)
        assert b" 101 " in answer, answer
        return json.loads(read(client, read(client, 2)[1]))


seen = {}
for name, command in {
    "uvicorn": ["venv/bin/uvicorn", "app:app", "--port", "{port}"],
    "daphne": ["venv/bin/daphne", "app:app", "-b", "127.0.0.1", "-p", "{port}", "-v", "0"],
    "granian": ["venv/bin/granian", "--interface", "asgi", "app:app", "--port", "{port}"],
    "hypercorn": ["venv/bin/hypercorn", "app:app", "-b", "127.0.0.1:{port}"],
    "gunicorn": ["venv/bin/gunicorn", "-k", "asgi", "app:app", "-b", "127.0.0.1:{port}"],
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
        seen[name] = offered(port, ONE), offered(port, TWO)
        print(f"Seen: {name}: one line {seen[name][0]}, two lines {seen[name][1]}")
    finally:
        server.terminate()
        try:
            server.wait(5)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
both = ["chat.v2", "chat.v1"]
assert seen == {
    "uvicorn": (both, both),
    "daphne": (both, both),
    "granian": (both, both),
    "hypercorn": (both, ["chat.v1"]),
    "gunicorn": (both, ["chat.v2"]),
}, seen
PY
timeout 58 venv/bin/python probe.py

cat <<'TEXT'
Consequence: behind a proxy or a client library that writes one line per offer, two servers negotiate different versions
  with the same client. A chat server must accept each of its subprotocols as the only offer, and a client must read the
  subprotocol that was chosen.
TEXT
