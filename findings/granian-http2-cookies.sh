#!/usr/bin/env bash
# granian: over HTTP/2 the cookies of a browser reach Channels and Django only as far as the first one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat <<'TEXT'
Software: granian 2.8.9, channels 4.3.2, Django 5.2.19; for comparison Hypercorn 0.18.0; client h2 4.4.1
Expectation: RFC 9113 (8.2.3) lets a client send each cookie in a field of its own, as browsers do, and has them joined
  with "; " before they are passed to an application that does not speak HTTP/2. CookieMiddleware therefore and Django's
  request see both cookies of the client, theme and sessionid.
TEXT

"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check \
    granian==2.8.9 channels==4.3.2 Django==5.2.19 Hypercorn==0.18.0 h2==4.4.1
cd "$work"

cat > app.py <<'PY'
import json
from channels.sessions import CookieMiddleware
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest

settings.configure()


async def inner(scope, receive, send):
    django = ASGIRequest(scope, None).COOKIES
    body = json.dumps({"channels": sorted(scope["cookies"]), "django": sorted(django)}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            event = (await receive())["type"]
            await send({"type": f"{event}.complete"})
            if event == "lifespan.shutdown":
                return
    await CookieMiddleware(inner)(scope, receive, send)
PY

cat > probe.py <<'PY'
import json, signal, socket, subprocess, sys, time
import h2.connection, h2.events

signal.signal(signal.SIGTERM, lambda *_: sys.exit("timed out"))
ONE = [("cookie", "theme=dark; sessionid=abc")]
TWO = [("cookie", "theme=dark"), ("cookie", "sessionid=abc")]


def cookies(port, fields):
    """The names of the cookies that Channels and Django see."""
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        connection = h2.connection.H2Connection()
        connection.initiate_connection()
        head = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", f"127.0.0.1:{port}")]
        connection.send_headers(1, head + fields, end_stream=True)
        body = b""
        while True:
            client.sendall(connection.data_to_send())
            data = client.recv(65536)
            assert data, "the server closed the connection"
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.DataReceived):
                    body += event.data
                if isinstance(event, h2.events.StreamEnded):
                    return json.loads(body)


seen = {}
for name, command in {
    "granian": ["venv/bin/granian", "--interface", "asgi", "--http", "2", "app:app", "--port", "{port}"],
    "hypercorn": ["venv/bin/hypercorn", "app:app", "-b", "127.0.0.1:{port}"],
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
        for notation, fields in (("one field", ONE), ("two fields", TWO)):
            seen[name, notation] = cookies(port, fields)
            print(f"Seen: {name}, {notation}: {seen[name, notation]}")
    finally:
        server.terminate()
        try:
            server.wait(5)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
both = ["sessionid", "theme"]
assert seen == {
    ("granian", "one field"): {"channels": both, "django": both},
    ("granian", "two fields"): {"channels": ["theme"], "django": ["theme"]},
    ("hypercorn", "one field"): {"channels": both, "django": both},
    ("hypercorn", "two fields"): {"channels": both, "django": both},
}, seen
PY
timeout 50 venv/bin/python probe.py

cat <<'TEXT'
Consequence: on granian with HTTP/2, a browser with a cookie before its session cookie is anonymous on every page and in
  an event stream, and signed in on its WebSockets, which use HTTP/1.1. A deployment on granian needs --http 1, a proxy that
  speaks HTTP/1.1 to it, or a middleware that joins the cookie headers of the scope.
TEXT
