"""Short runs with injected faults and real processes. ``tox -e faults`` and ``tox -e proof`` run long ones.

A run prints its seed; ``python -m tests.faults --seed …`` repeats it.
"""

import asyncio
import json
import signal
import time
import uuid

import pytest
from websockets.exceptions import ConnectionClosed

from tests.faults import outages, resources, rights
from tests.faults.postgres import MortalPostgres
from tests.faults.run import run
from tests.faults.site import Place, running_site
from tests.services import Missing, skip_or_fail
from tests.services.client import Client, clients
from tests.services.postgres import system_binaries, wheel
from tests.services.valkey import binary

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

POLL_SECONDS = 5.0


@pytest.fixture(scope="module", autouse=True)
def _services(request: pytest.FixtureRequest) -> None:
    try:
        binary()
        if system_binaries() is None:
            wheel()
    except Missing as missing:
        skip_or_fail(request.config, missing)


# Every two of server, layer and database meet once.
PAIRS = [
    Place("uvicorn", "memory", "postgresql", 2),
    Place("uvicorn", "redis", "sqlite", 3),
    Place("uvicorn", "pubsub", "postgresql", 2),
    Place("daphne", "memory", "sqlite", 2),
    Place("daphne", "redis", "postgresql", 3),
    Place("daphne", "pubsub", "sqlite", 2),
]


@pytest.mark.parametrize(("seed", "place"), list(enumerate(PAIRS, 501)), ids=str)
async def test_whatever_breaks_nothing_is_lost_doubled_or_out_of_order(seed, place):
    print(f"seed {seed}")
    outcome = await run(place, seed=seed, seconds=8, members=24, rooms=6, pause=0.3, posts=201)

    print("\n".join(outcome.diary))
    assert outcome.verdict.violations == []
    assert set(outcome.verdict.classes) == {"ok"}
    assert outcome.verdict.classes["ok"] > 200


@pytest.mark.parametrize(
    ("layer", "how", "times"),
    [("redis", "kill", 3), ("redis", "pause", 1), ("redis", "flush", 1), ("pubsub", "kill", 2)],
)
async def test_without_the_layer_no_socket_closes_and_messages_come_with_the_poll(layer, how, times):
    figures = await outages.layer_outages(
        Place("uvicorn", layer, "sqlite", 2), times, how=how, down=(2.5, 0.0, 1.0)
    )

    print(figures)
    assert figures["sockets_closed"] == 0
    assert figures["worst_delay_of_each_outage"]["max"] <= POLL_SECONDS + 1
    assert figures["violations"] == []
    # By itself, and as it was before; the experiment waits for that.
    assert figures["seconds_until_usual_again"]["count"] == times
    assert figures["most_lines_of_one_kind_in_one_log"] <= 1 + figures["minutes"]


async def test_without_postgresql_a_post_is_told_when_to_try_again_and_its_repetition_is_stored():
    async with running_site(Place("uvicorn", "memory", "postgresql", 1)) as site:
        async with clients((site.servers[0].ws_url, "lobby")) as (ann,):
            before = await ann.post("before")
            site.postgres.stop()
            refused = await ann.post("meanwhile", id="again")
            site.postgres.start()
            after = await _post_until_acked(ann, "meanwhile", "again")

            assert (refused["code"], refused["retry_after"] > 0) == ("unavailable", True)
            assert (before["seq"], after["seq"]) == (1, 2)
            await ann.until("meanwhile")
        assert "Traceback" not in site.log


async def test_sessions_that_postgresql_ends_cost_nobody_a_post():
    async with (
        running_site(Place("uvicorn", "memory", "postgresql", 1)) as site,
        clients((site.servers[0].ws_url, "lobby")) as (ann,),
    ):
        await ann.post("before")
        site.postgres.cut_sessions()

        assert (await ann.post("after"))["type"] == "ack"


async def test_a_room_that_another_session_has_locked_does_not_hold_up_the_others():
    async with running_site(Place("uvicorn", "memory", "postgresql", 1)) as site:
        url = site.servers[0].ws_url
        async with clients((url, "locked"), (url, "free")) as (ann, ben):
            await ann.post("before")
            with site.connection() as connection:
                connection.execute(
                    "SELECT 1 FROM roomchat_roomlog JOIN roomchat_room ON id = room_id WHERE name = 'locked' FOR UPDATE"
                )
                waiting = asyncio.create_task(ann.post("meanwhile", id="again"))
                slowest = 0.0
                for number in range(20):
                    began = time.monotonic()
                    assert (await ben.post(f"free {number}"))["type"] == "ack"
                    slowest = max(slowest, time.monotonic() - began)
                refused = await waiting

            assert slowest < 1
            assert (refused["code"], refused["retry_after"] > 0) == ("unavailable", True)
            assert (await _post_until_acked(ann, "meanwhile", "again"))["seq"] == 2


@pytest.mark.parametrize("server", ["uvicorn", "daphne"])
async def test_a_process_that_is_told_to_end_answers_what_is_on_its_way_and_says_goodbye(server):
    options = {"DRAIN_SPREAD_SECONDS": 3}
    async with running_site(Place(server, "memory", "postgresql", 1), roomchat=options) as site:
        async with clients(
            *[(site.servers[0].ws_url, "lobby")] * 5,
        ) as members:
            ids = [[uuid.uuid4().hex for _ in range(60)] for _ in members]
            for member, several in zip(members, ids, strict=True):
                for id in several:
                    await member.socket.send(json.dumps({"type": "post", "id": id, "body": "in time?"}))
            site.servers[0].process.send_signal(signal.SIGTERM)
            answers = await asyncio.gather(*(_until_closed(member) for member in members))
        stored = {row.id: row.seq for row in site.rows()}

    for (frames, code), several in zip(answers, ids, strict=True):
        acks = {frame["id"]: frame["seq"] for frame in frames if frame["type"] == "ack"}
        refused = {frame["id"]: frame["retry_after"] for frame in frames if frame["type"] == "error"}
        assert acks.keys() | refused.keys() == set(several)
        assert acks == {id: seq for id, seq in stored.items() if id in several}
        bye = frames[-1]
        assert (bye["type"], bye["code"], code) == ("bye", 4012, 4012)
        assert 0 <= bye["retry_after"] <= 3


@pytest.mark.parametrize("server", ["uvicorn", "daphne"])
async def test_a_client_that_never_reads_costs_less_than_a_mebibyte_and_nobody_but_itself(server):
    figures = await resources.never_reading(Place(server, "memory", "sqlite", 1), 1, slow_seconds=3)

    print(figures)
    assert figures["mib_for_each"] <= 1
    assert figures["others_closed"] == 0
    # 256 KiB are written in a second or two; then it has so many seconds, and the hub looks once a second.
    assert figures["let_go_after_seconds"]["max"] < 3 + 6
    assert figures["others_p99_seconds_with"] < 1


async def test_no_post_is_numbered_after_a_ban_that_it_races_with():
    figures = await rights.ban_races(Place("uvicorn", "memory", "postgresql", 2), 200)

    print(figures)
    assert (figures["numbered_after_the_ban"], figures["acknowledged_but_missing"]) == (0, 0)
    # Else it was no race.
    assert figures["outcomes"]["races in which some came through and some did not"] > 20


@pytest.mark.parametrize("is_layer_dead", [False, True])
async def test_rights_that_end_close_the_sockets_at_another_process_in_time(is_layer_dead):
    place = Place("uvicorn", "redis", "sqlite", 2)

    figures = await rights.revocations(place, 2, is_layer_dead=is_layer_dead)

    print(figures)
    for how, seconds in figures["seconds"].items():
        assert seconds["count"] == 2, how
        assert seconds["max"] <= (30 if is_layer_dead or how in rights.UNTOLD else 1), how
    assert figures["codes"] == {4001: 14, 4003: 2}
    assert figures["tracebacks"] == 0


async def test_who_was_at_a_process_that_is_killed_has_caught_up_within_seconds():
    figures = await outages.application_deaths(Place("uvicorn", "redis", "sqlite", 2), 3)

    print(figures)
    assert figures["seconds_until_caught_up"]["p99"] < 5
    assert figures["violations"] == []
    assert figures["members_cut_off"] > 10


async def test_visitors_leave_nothing_behind():
    figures = await resources.coming_and_going(Place("uvicorn", "redis", "postgresql", 1), 400)

    print(figures)
    before, after = figures["before"], figures["after"]
    for what in ("sockets", "rooms", "tasks", "threads", "database_sessions", "groups"):
        assert after[what] == before[what], what
    assert after["descriptors"] <= before["descriptors"] + 3
    assert figures["tracebacks"] == 0


async def test_what_postgresql_had_committed_survives_its_death():
    """The suite's PostgreSQL does not use fsync. A killed process, unlike a power failure, loses no written data."""
    postgres = MortalPostgres()
    try:
        postgres.start()
        postgres.execute("CREATE TABLE survivor (number int)")
        postgres.execute("INSERT INTO survivor VALUES (1)")
        postgres.kill()
        postgres.start()

        assert postgres.execute("SELECT number FROM survivor") == [(1,)]
    finally:
        postgres.remove()


async def _post_until_acked(client: Client, body: str, id: str) -> dict:
    async with asyncio.timeout(30):
        while (answer := await client.post(body, id=id))["type"] != "ack":
            await asyncio.sleep(answer["retry_after"])
    return answer


async def _until_closed(client: Client) -> tuple[list[dict], int | None]:
    """The answers and the ``bye`` frame that were still received, and the close code."""
    frames = []
    try:
        while True:
            frame = json.loads(await asyncio.wait_for(client.socket.recv(), 30))
            if frame["type"] in ("ack", "error", "bye"):
                frames.append(frame)
    except ConnectionClosed as closed:
        return frames, closed.rcvd.code if closed.rcvd else None
