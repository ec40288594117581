#!/usr/bin/env bash
# daphne: one second after websocket.close the connection is cut, whatever of the messages before it is still unsent.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat <<'TEXT'
Software: daphne 4.2.3, autobahn 26.10.2, Twisted 26.10.0; for comparison uvicorn 0.54.0, hypercorn 0.18.0
Expectation: an application sends 200 messages and then websocket.close with code 4012. A client that first reads after
  three seconds gets the 200 messages and the close frame: RFC 6455 (1.4 and 5.5.1) puts the close frame behind the data.
TEXT

"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check \
    daphne==4.2.3 autobahn==26.10.2 Twisted==26.10.0 uvicorn==0.54.0 websockets==17.4 Hypercorn==0.18.0 wsproto==1.3.2
cd "$work"

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
    for number in range(200):
        await send({"type": "websocket.send", "text": f"{number:03}" + "x" * 60_000})
    await send({"type": "websocket.close", "code": 4012})
    await receive()
PY

cat > probe.py <<'PY'
import base64, os, signal, socket, struct, subprocess, sys, time

signal.signal(signal.SIGTERM, lambda *_: sys.exit("timed out"))


def serve(command):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([part.format(port=port) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return server, port
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server does not listen")


def read(client, length):
    data = b""
    while len(data) < length:
        part = client.recv(length - len(data))
        if not part:
            raise ConnectionError
        data += part
    return data


def frame(client):
    first, length = read(client, 2)
    if length == 126:
        (length,) = struct.unpack("!H", read(client, 2))
    elif length == 127:
        (length,) = struct.unpack("!Q", read(client, 8))
    return first & 15, read(client, length)


def outcome(command):
    server, port = serve(command)
    try:
        with socket.create_connection(("127.0.0.1", port), 10) as client:
            key = base64.b64encode(os.urandom(16)).decode()
            client.sendall(
                f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
            )
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += read(client, 1)
            time.sleep(3)
            messages = 0
            try:
                while True:
                    opcode, data = frame(client)
                    if opcode == 8:
                        return messages, struct.unpack("!H", data[:2])[0]
                    messages += opcode == 1
            except OSError:
                return messages, None
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


seen = {}
for name, command in {
    "uvicorn": ["venv/bin/uvicorn", "app:app", "--port", "{port}"],
    "hypercorn": ["venv/bin/hypercorn", "app:app", "-b", "127.0.0.1:{port}"],
    "daphne": ["venv/bin/daphne", "app:app", "-b", "127.0.0.1", "-p", "{port}", "-v", "0"],
}.items():
    seen[name] = outcome(command)
    print(f"Seen: {name}: {seen[name][0]} of 200 messages, close code {seen[name][1]}")
assert seen["uvicorn"] == seen["hypercorn"] == (200, 4012), seen
assert seen["daphne"][0] < 200 and seen["daphne"][1] is None, seen
PY
timeout 58 venv/bin/python probe.py

cat <<'TEXT'
Consequence: daphne has no option for Autobahn's closing handshake timeout of one second, which starts when the close is
  queued. A client on a slow connection reads 1006 in place of the code, and loses messages that were sent before the
  close. It must treat 1006 as a reason to reconnect and to request what is missing.
TEXT
