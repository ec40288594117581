#!/usr/bin/env bash
# sseclient-py and aiohttp-sse-client: an event that the end of a connection cuts in half is delivered, or joined with the next one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat <<'TEXT'
Software: sseclient-py 1.9.0, aiohttp-sse-client 0.2.1; for comparison httpx-sse 0.4.3, requests-sse 0.5.3
Expectation: the HTML standard (9.2.6) discards the lines after the last blank line when a stream ends. A client that
  reads "data: half" without a blank line, and "data: whole" on its next connection, delivers whole and never half.
TEXT

"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check \
    sseclient-py==1.9.0 aiohttp-sse-client==0.2.1 httpx-sse==0.4.3 httpx==0.28.1 requests-sse==0.5.3 requests==2.34.2 aiohttp==3.14.5
cd "$work"

cat > probe.py <<'PY'
import asyncio, signal, sys, threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import aiohttp_sse_client.client, httpx, httpx_sse, requests, requests_sse, sseclient

signal.signal(signal.SIGTERM, lambda *_: sys.exit("timed out"))
STREAMS = [b"id: 7\ndata: one\n\nid: 8\ndata: half\n", b"id: 8\ndata: whole\n\nid: 9\ndata: last\n\n"]
connections = {}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        number = connections[self.path] = connections.get(self.path, 0) + 1
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(STREAMS[number - 1])

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_address[1]}"


def with_sseclient_py():
    for _ in STREAMS:
        yield from sseclient.SSEClient(requests.get(f"{url}/sseclient-py", stream=True, timeout=10)).events()


def with_httpx_sse():
    with httpx.Client() as client:
        for _ in STREAMS:
            with httpx_sse.connect_sse(client, "GET", f"{url}/httpx-sse") as source:
                yield from source.iter_sse()


def with_requests_sse():
    with requests_sse.EventSource(f"{url}/requests-sse", reconnection_time=timedelta(seconds=0.1)) as source:
        yield from source


async def with_aiohttp_sse_client():
    client = aiohttp_sse_client.client.EventSource(f"{url}/aiohttp", reconnection_time=timedelta(seconds=0.1))
    received = []
    async with client as source:
        async for event in source:
            received.append(event.data)
            if event.data == "last":
                return received


def until_last(events):
    received = []
    for event in events:
        received.append(event.data)
        if event.data == "last":
            return received


seen = {
    "httpx-sse": until_last(with_httpx_sse()),
    "requests-sse": until_last(with_requests_sse()),
    "sseclient-py": until_last(with_sseclient_py()),
    "aiohttp-sse-client": asyncio.run(with_aiohttp_sse_client()),
}
for name, received in seen.items():
    print(f"Seen: {name}: {received}")
assert seen == {
    "httpx-sse": ["one", "whole", "last"],
    "requests-sse": ["one", "whole", "last"],
    "sseclient-py": ["one", "half", "whole", "last"],
    "aiohttp-sse-client": ["one", "half\nwhole", "last"],
}, seen
PY
timeout 50 venv/bin/python probe.py

cat <<'TEXT'
Consequence: when a server is restarted while it writes, one bot gets part of a message under the number of the whole,
  and another gets both in one text. An event of a chat should be one line of JSON, of which a part does not parse and two
  do not either, and should be written to the connection in one piece.
TEXT
