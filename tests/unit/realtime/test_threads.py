import asyncio
import threading

import pytest
from django.db import OperationalError, connection, connections

from django_roomchat.errors import Busy
from django_roomchat.realtime import threads
from django_roomchat.realtime.threads import Turns, in_thread


@pytest.fixture(autouse=True)
def _own_pool():
    end_pool()
    yield
    end_pool()


def end_pool():
    for closed in threads.close():
        closed.result(10)


def threads_of_the_pool():
    return {thread for thread in threading.enumerate() if thread.name.startswith("roomchat-database")}


async def test_it_returns_what_the_function_returns():
    assert await in_thread(divmod, 7, 2) == (3, 1)


async def test_it_raises_what_the_function_raises():
    with pytest.raises(ZeroDivisionError):
        await in_thread(divmod, 7, 0)


async def test_it_passes_keywords_on():
    assert await in_thread(int, "11", base=2) == 3


async def test_the_event_loop_goes_on_while_a_thread_works():
    free = threading.Event()
    working = asyncio.ensure_future(in_thread(free.wait, 10))
    await asyncio.sleep(0)

    free.set()

    assert await working is True


async def test_a_slow_call_does_not_hold_up_the_next():
    free = threading.Event()
    slow = asyncio.ensure_future(in_thread(free.wait, 10))

    quick = await in_thread(int, "5")

    assert (quick, slow.done()) == (5, False)
    free.set()
    assert await slow is True


async def test_no_more_threads_work_than_the_site_wants(settings):
    settings.ROOMCHAT = {"DATABASE_THREADS": 2}
    both = threading.Barrier(2)

    await asyncio.gather(*(in_thread(both.wait, 10) for _ in range(6)))

    assert len(threads_of_the_pool()) == 2


@pytest.mark.django_db(transaction=True)
async def test_a_connection_stays_open_from_call_to_call(settings):
    settings.ROOMCHAT = {"DATABASE_THREADS": 1}

    def inner_connection():
        connection.ensure_connection()
        return connection.connection

    assert await in_thread(inner_connection) is await in_thread(inner_connection)


@pytest.mark.django_db(transaction=True)
async def test_a_connection_outlives_conn_max_age(settings):
    settings.ROOMCHAT = {"DATABASE_THREADS": 1}

    def age():
        connection.ensure_connection()
        connection.close_at = 0.0
        return connection.connection

    aged = await in_thread(age)

    assert await in_thread(lambda: connection.connection) is aged


@pytest.mark.django_db(transaction=True)
async def test_a_broken_connection_is_replaced(settings, monkeypatch):
    settings.ROOMCHAT = {"DATABASE_THREADS": 1}

    def break_connection():
        connection.ensure_connection()
        connection.errors_occurred = True
        connection.is_usable = lambda: False
        return connection.connection

    broken = await in_thread(break_connection)

    def replaced():
        connection.ensure_connection()
        return connection.connection is not broken

    assert await in_thread(replaced)


@pytest.mark.django_db(transaction=True)
async def test_closing_closes_the_connections_of_all_threads(settings):
    settings.ROOMCHAT = {"DATABASE_THREADS": 2}
    opened = []
    both = threading.Barrier(2)

    def connect():
        both.wait(10)
        connection.ensure_connection()
        opened.append(connections["default"])

    await asyncio.gather(in_thread(connect), in_thread(connect))
    before = [each.connection is not None for each in opened]

    for closed in threads.close():
        await asyncio.wrap_future(closed)

    assert (before, [each.connection for each in opened]) == ([True, True], [None, None])


async def test_closing_what_was_never_opened_is_nothing():
    assert threads.close() == []


async def test_a_pool_that_was_closed_is_opened_again():
    await in_thread(int)
    threads.close()

    assert await in_thread(int, "5") == 5


async def test_work_under_way_is_finished_when_the_pool_is_closed():
    free = threading.Event()
    working = asyncio.ensure_future(in_thread(free.wait, 10))
    await asyncio.sleep(0)

    closed = threads.close()
    free.set()

    assert await working is True
    for each in closed:
        await asyncio.wrap_future(each)


async def test_a_change_of_the_databases_closes_the_pool(settings):
    await in_thread(int)
    before = len(threads_of_the_pool())

    settings.ROOMCHAT = {"DATABASE_THREADS": 1}

    assert before >= 1
    assert threads.close() == []


async def test_a_change_of_another_setting_does_not(settings):
    await in_thread(int)

    settings.DEBUG = True

    assert len(threads.close()) == 4


# Turns ----------------------------------------------------------------------------------------------------------------


class Calls:
    """Calls that take a turn and hold it until they are told to end."""

    def __init__(self, turns):
        self.turns, self.running, self.ends = turns, [], {}

    def start(self, name):
        self.ends[name] = asyncio.Event()
        return asyncio.ensure_future(self._run(name))

    async def _run(self, name):
        async with self.turns.turn():
            self.running.append(name)
            await self.ends[name].wait()
            self.running.remove(name)


async def pass_turns():
    """Let the calls that can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_calls_take_turns_in_their_order():
    calls = Calls(Turns(2, 5))
    tasks = [calls.start(name) for name in "abcd"]
    await pass_turns()
    before = list(calls.running)

    calls.ends["b"].set()
    await pass_turns()

    assert (before, calls.running) == (["a", "b"], ["a", "c"])
    for end in calls.ends.values():
        end.set()
    await asyncio.gather(*tasks)
    assert calls.running == []


async def test_more_calls_than_may_wait_are_rejected():
    calls = Calls(Turns(1, 1))
    tasks = [calls.start(name) for name in "ab"]
    await pass_turns()

    with pytest.raises(Busy) as refused:
        await calls.start("c")

    assert (refused.value.code, refused.value.retry_after) == ("busy", 2.0)
    for end in calls.ends.values():
        end.set()
    await asyncio.gather(*tasks)


@pytest.mark.parametrize("is_granted", [False, True], ids=["waiting", "granted at the same moment"])
async def test_the_turn_of_a_cancelled_call_goes_to_the_next(is_granted):
    calls = Calls(Turns(1, 5))
    first, second, third = (calls.start(name) for name in "abc")
    await pass_turns()

    if is_granted:
        calls.turns._waiting[0].set_running_or_notify_cancel()
        calls.turns._waiting.popleft().set_result(None)
        second.cancel()
        await pass_turns()
    else:
        second.cancel()
        await pass_turns()
        calls.ends["a"].set()
        await pass_turns()

    assert "c" in calls.running
    for end in calls.ends.values():
        end.set()
    await asyncio.gather(first, third)
    with pytest.raises(asyncio.CancelledError):
        await second


async def test_threads_and_the_event_loop_take_the_same_turns():
    turns = Turns(1, 5)
    calls = Calls(turns)
    task = calls.start("a")
    await pass_turns()

    def in_a_view():
        with turns.turn_in_thread():
            return list(calls.running)

    view = asyncio.get_running_loop().run_in_executor(None, in_a_view)
    while not turns._waiting:
        await asyncio.sleep(0)
    calls.ends["a"].set()

    assert await view == []
    await task


def test_searches_have_half_of_the_threads(settings):
    found = {}
    for count in (1, 4, 5):
        settings.ROOMCHAT = {"DATABASE_THREADS": count}
        found[count] = threads.searches()._free

    assert found == {1: 1, 4: 2, 5: 2}


def lose():
    raise OperationalError("gone")


@pytest.mark.django_db(transaction=True)
async def test_after_a_failure_of_the_database_other_threads_test_their_connections_too(
    monkeypatch, settings
):
    settings.ROOMCHAT = {"DATABASE_THREADS": 2}
    tested = []
    monkeypatch.setattr(
        type(connections["default"]), "is_usable", lambda self: tested.append(threading.get_ident()) or True
    )
    both = threading.Barrier(2, timeout=10)

    def connect():
        connection.ensure_connection()
        both.wait()
        return threading.get_ident()

    first = set(await asyncio.gather(in_thread(connect), in_thread(connect)))
    before = list(tested)
    with pytest.raises(OperationalError):
        await in_thread(lose)

    again = set(await asyncio.gather(in_thread(connect), in_thread(connect)))

    assert (before, again, set(tested)) == ([], first, first)
