#!/usr/bin/env bash
# ASGI servers: sending to a socket that the client has closed raises an OSError, raises a RuntimeError, or returns.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat <<'TEXT'
Software: uvicorn 0.54.0 (three implementations), daphne 4.2.3, hypercorn 0.18.0, granian 2.8.9, gunicorn 27.0.1 (worker asgi)
Expectation: the ASGI specification (WebSocket, "Disconnected Client") says that send() on a closed connection should raise a
  subclass of OSError, without a guarantee for servers older than its version 2.4. Current servers raise it, and
  "except OSError" around websocket.send covers whatever they raise.
TEXT

"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check \
    uvicorn==0.54.0 websockets==17.4 Hypercorn==0.18.0 wsproto==1.3.2 h11==0.16.0 gunicorn==27.0.1 \
    daphne==4.2.3 autobahn==26.10.2 Twisted==26.10.0 granian==2.8.9
cd "$work"

cat > app.py <<'PY'
from pathlib import Path


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            event = (await receive())["type"]
            await send({"type": f"{event}.complete"})
            if event == "lifespan.shutdown":
                return
    await receive()
    await send({"type": "websocket.accept"})
    assert (await receive())["type"] == "websocket.disconnect"
    try:
        await send({"type": "websocket.send", "text": "late"})
        outcome = "returns"
    except OSError:
        outcome = "OSError"
    except RuntimeError:
        outcome = "RuntimeError"
    Path("outcome.new").write_text(outcome)
    Path("outcome.new").rename("outcome")
PY

cat > probe.py <<'PY'
import signal, socket, subprocess, sys, time
from pathlib import Path
from websockets.sync.client import connect

signal.signal(signal.SIGTERM, lambda *_: sys.exit("timed out"))
EXPECTED = {
    "uvicorn --ws websockets": "RuntimeError",
    "uvicorn --ws websockets-sansio": "OSError",
    "uvicorn --ws wsproto": "OSError",
    "gunicorn -k asgi": "OSError",
    "daphne": "returns",
    "hypercorn": "returns",
    "granian --interface asgi": "returns",
}
seen = {}
for name in EXPECTED:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    program, *options = name.split()
    bind = ["-b", f"127.0.0.1:{port}"] if program in ("hypercorn", "gunicorn") else ["--port", port]
    command = [f"venv/bin/{program}", *options, "app:app", *bind]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        with connect(f"ws://127.0.0.1:{port}/") as client:
            client.close(4001)
        for _ in range(100):
            if Path("outcome").exists():
                seen[name] = Path("outcome").read_text()
                Path("outcome").unlink()
                break
            time.sleep(0.05)
        print(f"Seen: {name}: {seen.get(name)}")
    finally:
        server.terminate()
        try:
            server.wait(3)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
assert seen == EXPECTED, seen
PY
timeout 58 venv/bin/python probe.py

cat <<'TEXT'
Consequence: on three servers a loop that only sends never learns that the client has gone, and on uvicorn's websockets
  implementation "except OSError" misses it. An application must keep receiving until websocket.disconnect, stop its
  sender then, and treat both errors of a send after it as the end of the connection.
TEXT
