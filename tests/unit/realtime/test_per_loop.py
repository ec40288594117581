"""Instances for each event loop."""

import asyncio
import gc
import weakref

import pytest

from django_roomchat.realtime.per_loop import per_loop


class Instance:
    pass


async def call(function):
    return function()


def test_an_event_loop_has_one_instance():
    current = per_loop(Instance)

    async def twice():
        return current() is current()

    assert asyncio.run(twice())


def test_two_event_loops_have_two_instances():
    current = per_loop(Instance)

    # Both are kept, so that the second cannot have the address of the first.
    one, other = asyncio.run(call(current)), asyncio.run(call(current))

    assert one is not other


def test_an_instance_is_released_with_its_event_loop():
    current = per_loop(Instance)

    async def reference():
        return weakref.ref(current())

    kept = asyncio.run(reference())
    gc.collect()

    assert kept() is None


def test_without_a_running_event_loop_there_is_no_instance():
    with pytest.raises(RuntimeError, match="no running event loop"):
        per_loop(Instance)()
