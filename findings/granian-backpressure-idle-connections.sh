#!/usr/bin/env bash
# granian: --backpressure counts idle keep-alive connections, and does not count open WebSockets.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat <<'TEXT'
Software: granian 2.8.9
Expectation: the option is documented as the maximum number of requests to process concurrently per worker. With
  --backpressure 4, four idle keep-alive connections process no request, so that a fifth client is served at once; four
  open WebSockets, whose application call is running, exhaust the limit.
TEXT

"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check granian==2.8.9
cd "$work"

cat > app.py <<'PY'
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            event = (await receive())["type"]
            await send({"type": f"{event}.complete"})
            if event == "lifespan.shutdown":
                return
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
PY

cat > probe.py <<'PY'
import base64, os, signal, socket, subprocess, sys, time

signal.signal(signal.SIGTERM, lambda *_: sys.exit("timed out"))
PAGE = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
SOCKET = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: " + base64.b64encode(os.urandom(16)) + b"\r\n\r\n"
)


def ask(port, request):
    client = socket.create_connection(("127.0.0.1", port), 3)
    client.sendall(request)
    return client


def status(client):
    try:
        return client.recv(4096).split()[1].decode()
    except TimeoutError:
        return "no answer in 3 s"


seen = {}
for name, request in {"keep-alive connections": PAGE, "WebSockets": SOCKET}.items():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        ["venv/bin/granian", "--interface", "asgi", "app:app", "--port", str(port), "--backpressure", "4"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        held = []
        for _ in range(4):
            held.append(ask(port, request))
            assert status(held[-1]) in ("101", "200")
        fifth = ask(port, PAGE)
        first = status(fifth)
        for client in held:
            client.close()
        seen[name] = first, first if first == "200" else status(fifth)
        fifth.close()
        print(f"Seen: page behind 4 {name}: {seen[name][0]}; after they were closed: {seen[name][1]}")
    finally:
        server.terminate()
        try:
            server.wait(5)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
assert seen == {"keep-alive connections": ("no answer in 3 s", "200"), "WebSockets": ("200", "200")}, seen
PY
timeout 58 venv/bin/python probe.py

cat <<'TEXT'
Consequence: a limit sized by requests (or by database connections) makes pages wait for browsers that keep up to six idle
  connections each, and does not bound the number of open chats. On granian the chat needs its own limit of sockets, and
  --backpressure a value for connections.
TEXT
