"""Random schedules of batches, reads, losses and reconnects: every socket gets the log in order."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from django_roomchat.realtime.hub_room import HubRoom
from tests.support.fakes import Socket, settle
from tests.support.hub import House, Log, shown

pytestmark = pytest.mark.usefixtures("no_layer")

STEP = st.one_of(
    st.tuples(st.just("append"), st.integers(1, 3)),
    st.tuples(st.just("change"), st.integers(1, 5)),
    # Received once, twice or never; at once or later, in any order; with events or with the head only.
    st.tuples(st.just("tell"), st.integers(0, 5), st.integers(0, 9)),
    st.tuples(st.just("doorbell")),
    st.tuples(st.just("enter"), st.booleans()),
    st.tuples(st.just("rejoin"), st.integers(0, 3), st.integers(0, 9)),
    st.tuples(st.just("block"), st.integers(0, 3)),
    st.tuples(st.just("unblock"), st.integers(0, 3)),
    st.tuples(st.just("hold")),
    st.tuples(st.just("release")),
    st.tuples(st.just("settle")),
)


async def run_schedule(steps):
    lobby = Log(limit=6)
    house = House(lobby)
    sockets, told, tasks = [], [], []
    for step, *about in steps:
        match step, about:
            case "append", [count]:
                told.append(lobby.append(count))
            case "change", [seq] if seq in lobby.messages:
                told.append(lobby.change(seq, body=f"words {lobby.head}"))
            case "tell", [back, span] if told:
                one = told[-1 - back % len(told)]
                house.hear(lobby_news(lobby, one, span))
            case "doorbell", []:
                house.hear(lobby.doorbell())
            case "enter", [is_tutorial]:
                socket = Socket(str(len(sockets)), is_tutorial)
                sockets.append(socket)
                tasks.append(asyncio.create_task(house.enter(socket)))
            case "rejoin", [number, back] if (
                number < len(sockets) and "lobby" in sockets[number].subscriptions
            ):
                socket = sockets[number]
                if not socket.is_tutorial:
                    state, cursor = socket.shown()
                    since = max(cursor - back, 0)
                    tasks.append(asyncio.create_task(house.hub.enter(socket, "lobby", lobby.epoch, since)))
            case "block", [number] if number < len(sockets):
                sockets[number].block()
            case "unblock", [number] if number < len(sockets):
                sockets[number].unblock()
                house.hub.resume(sockets[number])
            case "hold", [] if lobby.gate is None:
                lobby.gate = asyncio.get_running_loop().create_future()
            case "release", [] if lobby.gate is not None:
                gate, lobby.gate = lobby.gate, None
                gate.set_result(None)
            case "settle", []:
                await settle()
    if lobby.gate is not None:
        gate, lobby.gate = lobby.gate, None
        gate.set_result(None)
    await asyncio.gather(*tasks)
    for socket in sockets:
        socket.unblock()
        house.hub.resume(socket)
    # What the poll does in the end, whatever was lost.
    await house.hub._poll()
    await settle()
    for socket in list(house.hub.sockets):
        house.hub.remove(socket)
    return lobby, sockets


def lobby_news(lobby, one, span):
    """A batch as it was, or one that begins earlier, as a batch that was put together elsewhere may."""
    return lobby.news(max(one.prev - span, 0), one.head) if span < 3 else one


@given(st.lists(STEP, max_size=40), st.integers(1, 6))
@hypothesis_settings(max_examples=150, deadline=None)
def test_whatever_is_lost_doubled_or_late_every_socket_gets_the_log_in_order(steps, ring):
    async def run():
        real = HubRoom.__init__

        def small_ring(self, name, events_max):
            real(self, name, ring)

        HubRoom.__init__ = small_ring
        try:
            return await run_schedule(steps)
        finally:
            HubRoom.__init__ = real
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

    lobby, sockets = asyncio.run(run())

    for socket in sockets:
        if socket.is_tutorial:
            seqs = [frame["seq"] for frame in socket.frames]
            assert seqs == sorted(set(seqs))
        else:
            state, cursor = socket.shown()
            assert cursor == lobby.head
            newest = {seq: shown(lobby, seq) for seq in lobby.messages}
            assert state == {seq: newest[seq] for seq in state}
            assert list(newest)[-len(state) :] == sorted(state) if state else not newest
