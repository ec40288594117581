import asyncio

import pytest

from django_roomchat.realtime.send_queue import SendQueue


def text(content):
    return {"type": "websocket.send", "text": content}


class Owner:
    def __init__(self):
        self.ready = asyncio.Event()

    def on_ready(self):
        self.ready.set()

    def on_overflow(self):
        raise AssertionError("nothing waits here")


class Server:
    """The server's side of a socket whose client reads or does not."""

    def __init__(self, max_bytes=10):
        self.sent = []
        self.ready = 0
        self.overflows = 0
        self.error = None
        self._drained = None
        self.outbox = SendQueue(self.send, max_bytes, self)

    def on_ready(self):
        self.ready += 1

    def on_overflow(self):
        self.overflows += 1

    async def send(self, message):
        if self.error is not None:
            raise self.error
        if self._drained is not None:
            await self._drained
        self.sent.append(message["text"])

    def stop_reading(self):
        self._drained = asyncio.get_running_loop().create_future()

    async def read_on(self):
        drained, self._drained = self._drained, None
        drained.set_result(None)
        # The future's callbacks run in the next round of the loop.
        await asyncio.sleep(0)

    def write(self, *contents):
        for content in contents:
            self.outbox.write(text(content))


async def test_to_a_client_that_reads_a_message_goes_at_once():
    server = Server()

    server.write("a", "b")

    assert (server.sent, server.outbox.is_ready, server.outbox.blocked_since) == (["a", "b"], True, None)


async def test_a_client_that_stops_reading_is_noticed():
    server = Server()
    server.stop_reading()
    before = asyncio.get_running_loop().time()

    server.write("a")

    assert (server.sent, server.outbox.is_ready) == ([], False)
    assert before <= server.outbox.blocked_since <= asyncio.get_running_loop().time()


async def test_what_waits_leaves_in_order_when_the_client_reads_again():
    server = Server()
    server.stop_reading()
    server.write("a", "b", "c")

    await server.read_on()

    assert (server.sent, server.ready) == (["a", "b", "c"], 1)
    assert (server.outbox.is_ready, server.outbox.blocked_since) == (True, None)


async def test_a_client_that_stops_again_keeps_the_rest_waiting():
    server = Server()
    server.stop_reading()
    server.write("a", "b")
    since = server.outbox.blocked_since
    read_on = server.read_on()
    drained, server._drained = server._drained, asyncio.get_running_loop().create_future()
    read_on.close()

    drained.set_result(None)
    await asyncio.sleep(0)

    assert (server.sent, server.ready, server.outbox.is_ready) == (["a"], 0, False)
    assert server.outbox.blocked_since >= since
    await server.read_on()
    assert (server.sent, server.ready) == (["a", "b"], 1)


async def test_a_client_that_took_something_is_not_stuck():
    server = Server()
    server.stop_reading()
    server.write("a", "b")
    # As if it had been long ago.
    server.outbox.blocked_since = 0.0
    drained, server._drained = server._drained, asyncio.get_running_loop().create_future()

    drained.set_result(None)
    await asyncio.sleep(0)

    assert server.sent == ["a"]
    assert server.outbox.blocked_since > 0.0


async def test_answers_may_wait_up_to_their_bound_and_one_more_overflows():
    server = Server(max_bytes=10)
    server.stop_reading()

    server.write("first", "12345", "67890")
    within = server.overflows
    server.write("x")

    assert (within, server.overflows) == (0, 1)
    await server.read_on()
    assert server.sent == ["first", "12345", "67890"]


async def test_what_has_left_counts_no_more():
    server = Server(max_bytes=10)
    server.stop_reading()
    server.write("first", "1234567890")
    await server.read_on()
    server.stop_reading()

    server.write("first", "1234567890")

    assert server.overflows == 0


async def test_a_close_frame_may_wait_too():
    server = Server()
    server.stop_reading()
    server.write("a")

    server.outbox.write({"type": "websocket.close", "code": 4000, "text": ""})

    await server.read_on()
    assert server.sent == ["a", ""]


async def test_a_connection_that_is_gone_is_written_to_no_more():
    server = Server()
    server.error = OSError("gone")

    server.write("a")
    server.error = None
    server.write("b")

    assert (server.sent, server.outbox.is_ready, server.ready) == ([], False, 0)


async def test_a_connection_that_goes_while_it_waits_is_written_to_no_more():
    server = Server()
    server.stop_reading()
    server.write("a", "b")

    server._drained.set_exception(OSError("gone"))
    server._drained = None
    await asyncio.sleep(0)
    server.write("c")

    assert (server.sent, server.outbox.is_ready, server.ready) == ([], False, 0)


async def test_a_server_that_only_yields_is_continued():
    sent = []

    async def send(message):
        await asyncio.sleep(0)
        sent.append(message["text"])

    owner = Owner()
    outbox = SendQueue(send, 10, owner)

    outbox.write(text("a"))
    before = list(sent)
    await owner.ready.wait()

    assert (before, sent) == ([], ["a"])


async def test_a_server_that_waits_several_times_is_continued_each_time():
    loop = asyncio.get_running_loop()
    gates = [loop.create_future(), loop.create_future()]
    sent = []

    async def send(message):
        for gate in gates:
            await gate
        sent.append(message["text"])

    owner = Owner()
    outbox = SendQueue(send, 10, owner)
    outbox.write(text("a"))

    gates[0].set_result(None)
    await asyncio.sleep(0)
    between = list(sent)
    gates[1].set_result(None)
    await owner.ready.wait()

    assert (between, sent) == ([], ["a"])


@pytest.mark.parametrize("waiting", [True, False])
async def test_after_its_end_nothing_is_written(waiting):
    server = Server()
    if waiting:
        server.stop_reading()
        server.write("a", "b")

    server.outbox.end()
    server.write("c")
    if waiting:
        await server.read_on()

    assert (server.sent, server.ready, server.outbox.is_ready) == ([], 0, False)


async def test_a_waiting_send_ends_with_the_socket():
    heard = []

    async def send(message):
        try:
            await asyncio.get_running_loop().create_future()
        except GeneratorExit:
            heard.append("closed")
            raise

    outbox = SendQueue(send, 10, Owner())
    outbox.write(text("a"))

    outbox.end()

    assert heard == ["closed"]
