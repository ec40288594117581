"""A run: members post, the nemesis rages, everything is mended, and the checker judges."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.faults.checker import CLASSES, Verdict, check
from tests.faults.nemesis import Nemesis
from tests.faults.site import Place, Site, running_site, until
from tests.faults.workload import Member, Record

QUIET_SECONDS = 90.0
"""Time within which all members must have sent and received everything after the faults, in seconds."""
ROOMCHAT = {
    # Silence is noticed sooner, so that a run of a minute sees more than one dead connection.
    "PING_SECONDS": 2,
    "SLOW_SECONDS": 10,
    "DRAIN_SECONDS": 2,
    "DRAIN_SPREAD_SECONDS": 1,
}


@dataclass
class Outcome:
    """Result of a run."""

    place: Place
    seed: int
    seconds: float
    verdict: Verdict
    record: Record
    faults: Counter[str]
    diary: list[str]
    log: str

    def figures(self) -> dict[str, Any]:
        """The result as JSON-serialisable values."""
        return {
            "place": str(self.place),
            "seed": self.seed,
            "seconds": round(self.seconds, 1),
            "posts": sum(self.verdict.classes.values()),
            "acknowledged": sum(post.acked is not None for post in self.record.history.posts),
            "deliveries": self.record.counts["events"],
            "recovered": self.verdict.recovered,
            "edits": self.record.counts["edits"],
            "deletions": self.record.counts["deletions"],
            **{name: self.verdict.classes[name] for name in CLASSES},
            "violations": self.verdict.violations[:20],
            "faults": dict(sorted(self.faults.items())),
            "connections_lost": len(self.record.absences),
            "resets": dict(self.record.resets),
            "counts": dict(sorted(self.record.counts.items())),
            "refusals": dict(self.record.refusals),
            "closes": dict(self.record.closes),
            "ack_seconds": percentiles(self.record.acks),
            "absence_seconds": percentiles([seconds for _, seconds in self.record.absences]),
            "tracebacks": tracebacks(self.log),
        }


async def run(
    place: Place,
    *,
    seed: int = 1,
    seconds: float = 30.0,
    members: int = 36,
    rooms: int = 9,
    think: float = 0.05,
    pause: float = 2.0,
    posts: int = 0,
    only: str = "",
    roomchat: Mapping[str, Any] | None = None,
) -> Outcome:
    """Run once.

    Args:
        place: where.
        seed: of all choices.
        seconds: for how long there are faults.
        members: how many people.
        rooms: how many rooms they are in; each of them is in two.
        think: seconds between an ack and the next post.
        pause: seconds between faults, about.
        posts: the faults go on until that many posts are acknowledged: a busy machine needs longer for them.
        only: commit only this fault.
        roomchat: the setting ``ROOMCHAT`` of the site.
    """
    record = Record()
    async with running_site(place, roomchat={**ROOMCHAT, **(roomchat or {})}, seed=seed) as site:
        people = await _people(site, record, members, rooms, think, seed)
        nemesis = Nemesis(site, seed)
        if only:
            faults = nemesis.faults()
            nemesis.faults = lambda: {only: faults[only]}  # type: ignore[method-assign]
        began = time.monotonic()
        try:
            for one in people:
                one.start()
            await everybody_in(people, record)
            await nemesis.rage(seconds, pause, lambda: len(record.acks) >= posts)
            verdict = await settle(site, people, record)
        finally:
            await asyncio.gather(*(one.end() for one in people))
        took = time.monotonic() - began
        return Outcome(place, seed, took, verdict, record, nemesis.done, nemesis.diary, site.log)


async def everybody_in(people: Sequence[Member], record: Record, seconds: float = 60) -> None:
    """Wait until all members are in all of their rooms."""
    try:
        await until(lambda: all(one.is_ready for one in people), seconds, "everybody is in")
    except AssertionError as error:
        outside = [one.state for one in people if not one.is_ready]
        raise AssertionError(
            f"{error}; {outside}, {record.counts}, {record.refusals}, {record.closes}"
        ) from None


async def _people(
    site: Site, record: Record, members: int, rooms: int, think: float, seed: int
) -> list[Member]:
    names = [f"방 {number}" if number % 3 == 0 else f"room-{number}" for number in range(rooms)]
    cookies = await asyncio.to_thread(site.sessions, members)
    return [
        Member(
            number,
            site.ws_url,
            dict.fromkeys([names[number % rooms], names[(number // 2) % rooms]]),  # type: ignore[arg-type]  # in order
            cookie,
            record,
            seed=seed,
            think=think,
        )
        for number, cookie in enumerate(cookies)
    ]


async def _come_to_rest(site: Site, people: Sequence[Member]) -> list[str]:
    """Wait until all members have sent their posts and received all others. Returns what is still missing after QUIET_SECONDS."""
    for one in people:
        one.is_talking = False
    deadline = time.monotonic() + QUIET_SECONDS
    while True:
        waiting = [one for one in people if one.pending is not None]
        if not waiting:
            logs = await asyncio.to_thread(site.logs)
            late = [
                f"{one.name} stands at {view.cursor} of {logs.get(room, (0, 0))[0]} in {room}"
                for one in people
                for room, view in one.views.items()
                if not one.is_ready or view.cursor < logs.get(room, (0, 0))[0]
            ]
            if not late:
                return []
        else:
            late = [
                f"{one.name} still waits for an answer (the last was {one.last_answer})" for one in waiting
            ]
        if time.monotonic() > deadline:
            return [f"not at rest after {QUIET_SECONDS:g} s: {problem}" for problem in late]
        await asyncio.sleep(0.2)


async def settle(site: Site, people: Sequence[Member], record: Record) -> Verdict:
    """Wait for all members, and check the run."""
    stuck = await _come_to_rest(site, people)
    await _collect(site, record)
    verdict = check(record.history)
    verdict.violations += stuck
    if unanswered := record.counts["posts without an answer on a live socket"]:
        verdict.violations.append(f"{unanswered} posts had no answer on a socket that lived")
    if record.counts["became somebody else"]:
        verdict.violations.append("a member with a session became somebody else")
    return verdict


async def _collect(site: Site, record: Record) -> None:
    history = record.history
    history.rows = await asyncio.to_thread(site.rows)
    logs = await asyncio.to_thread(site.logs)
    history.heads = {room: head for room, (head, _) in logs.items()}
    history.floors = {room: floor for room, (_, floor) in logs.items()}


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """Count, median and the slow end."""
    if not values:
        return {"count": 0}
    ordered = sorted(values)

    def at(part: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(part * len(ordered)))], 4)

    return {"count": len(ordered), "p50": at(0.5), "p99": at(0.99), "max": round(ordered[-1], 4)}


def tracebacks(log: str) -> dict[str, int]:
    """Exceptions with a traceback in the servers' logs."""
    found: Counter[str] = Counter()
    for block in log.split("Traceback (most recent call last):")[1:]:
        last = re.search(
            r"^(?!\s)([\w.]+(?:Error|Exception|Closed\w*|Timeout\w*|Exit|Interrupt)[^\n]*)",
            block,
            re.MULTILINE,
        )
        found[last[1][:120] if last else "?"] += 1
    return dict(found.most_common(12))
