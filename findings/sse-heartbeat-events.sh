#!/usr/bin/env bash
# httpx-sse and sseclient: a heartbeat comment is delivered as an event without data.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat <<'TEXT'
Software: httpx-sse 0.4.3, sseclient 0.0.27; for comparison sseclient-py 1.9.0, requests-sse 0.5.3
Expectation: the HTML standard advises a comment about every 15 seconds against idle proxies (9.2.7), and dispatches no
  event while the data buffer is empty (9.2.6). Of a stream with the event "one", a heartbeat ": ping" with a blank line,
  and the event "two", a client delivers two events, and event.json() works for both.
TEXT

"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check \
    httpx-sse==0.4.3 httpx==0.28.1 sseclient-py==1.9.0 requests-sse==0.5.3 requests==2.34.2
# Both packages are imported as sseclient.
"$work/venv/bin/pip" install -qq --disable-pip-version-check --no-deps --target "$work/old" sseclient==0.0.27 six==1.17.0
cd "$work"

cat > probe.py <<'PY'
import json, signal, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

signal.signal(signal.SIGTERM, lambda *_: sys.exit("timed out"))
STREAMS = {
    "/id": b'id: 7\ndata: "one"\n\n: ping\n\nid: 8\ndata: "two"\n\n',
    "/no-id": b'data: "one"\n\n: ping\n\ndata: "two"\n\n',
}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(STREAMS[self.path])

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_address[1]}"


def with_sseclient(path):
    import sseclient

    return sseclient.SSEClient(url + path)


def with_sseclient_py(path):
    import requests, sseclient

    return sseclient.SSEClient(requests.get(url + path, stream=True, timeout=10)).events()


def with_requests_sse(path):
    import requests_sse

    with requests_sse.EventSource(url + path) as source:
        yield from source


def with_httpx_sse(path):
    import httpx, httpx_sse

    with httpx.Client() as client, httpx_sse.connect_sse(client, "GET", url + path) as source:
        for event in source.iter_sse():
            try:
                assert event.json() == json.loads(event.data)
            except json.JSONDecodeError:
                print(f"Seen: httpx-sse {path}: event.json() raises JSONDecodeError at an event with id {event.id}")
            yield event


expected = {
    "old": {("sseclient", path): ["one", "", "two"] for path in STREAMS},
    "current": {
        ("httpx-sse", "/id"): ["one", "", "two"],
        ("httpx-sse", "/no-id"): ["one", "two"],
        **{(name, path): ["one", "two"] for name in ("requests-sse", "sseclient-py") for path in STREAMS},
    },
}[sys.argv[1]]
seen = {}
for name, path in expected:
    received = seen[name, path] = []
    for event in globals()[f"with_{name.replace('-', '_')}"](path):
        received.append(event.data.strip('"'))
        if received[-1] == "two":
            break
    print(f"Seen: {name} {path}: {received}")
assert seen == expected, seen
PY
timeout 25 venv/bin/python probe.py current
PYTHONPATH=old timeout 25 venv/bin/python probe.py old

cat <<'TEXT'
Consequence: with httpx-sse a bot works until the first quiet moment after an event with an id, and then fails at
  event.json() on a heartbeat. Documentation for authors of clients must skip events without data, and a server that
  avoids the blank line after its comment avoids the event.
TEXT
