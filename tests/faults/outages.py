"""Outages of the channel layer, and application processes that are killed."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Sequence

from tests.faults.probes import Figures, talking
from tests.faults.run import everybody_in, percentiles, settle
from tests.faults.site import Place, Site, running_site, until
from tests.faults.workload import Member, Record
from tests.services.server import Server

POLL_SECONDS = 5.0
"""The default of ``ROOMCHAT["POLL_SECONDS"]``, which these experiments do not change."""


# Channel layer outages


async def layer_outages(
    place: Place, times: int, *, how: str = "kill", down: Sequence[float] = (0.0, 1.0, 4.0), seed: int = 1
) -> Figures:
    """Kill, pause or flush Redis while sockets are open: count closed sockets, and measure the delays of messages."""
    outages: list[float] = []
    usual: list[float] = []
    recoveries: list[float] = []
    async with (
        running_site(place, seed=seed) as site,
        # Default intervals; members do not give up a silent socket, so that only the server closes sockets.
        talking(site, 10, 4, think=0.1, seed=seed, silent=10, silence=60) as (people, record),
    ):
        redis, began = site.redis, time.monotonic()
        assert redis is not None
        for number in range(times):
            mark = len(record.delays)
            await until(lambda mark=mark: len(record.delays) > mark + 400, 30, "messages arrive")
            usual += [delay for _, delay in record.delays[mark:]]
            mark, gone = len(record.delays), time.monotonic()
            match how:
                case "kill":
                    await asyncio.to_thread(redis.kill)
                    await asyncio.sleep(down[number % len(down)])
                    await asyncio.to_thread(redis.start)
                case "pause":
                    redis.pause()
                    await asyncio.sleep(down[number % len(down)])
                    redis.resume()
                case "flush":
                    with site.admin() as admin:
                        admin.flushall()
            back = time.monotonic()
            await _usual_again(record, back)
            recoveries.append(time.monotonic() - back)
            outages.append(max(delay for at, delay in record.delays[mark:] if at >= gone))
        minutes = (time.monotonic() - began) / 60
        closed = sum(record.closes.values()) + len(record.absences)
        verdict = await settle(site, people, record)
        lines = _report_lines(site)
    return {
        "place": str(place),
        "how": how,
        "times": times,
        "sockets": len(people),
        "sockets_closed": closed,
        "posts": sum(verdict.classes.values()),
        "classes": dict(verdict.classes),
        "violations": verdict.violations[:10],
        "usual_delay": percentiles(usual),
        "worst_delay_of_each_outage": percentiles(outages),
        "seconds_until_usual_again": percentiles(recoveries),
        "minutes": round(minutes, 2),
        "most_lines_of_one_kind_in_one_log": max(lines.values(), default=0),
    }


async def _usual_again(record: Record, since: float, seconds: float = 20) -> None:
    """Wait until all messages of one second arrived at once, which between two processes only the layer can achieve."""

    def usual() -> bool:
        now = time.monotonic()
        recent = []
        for at, delay in reversed(record.delays):
            if at < now - 1:
                break
            recent.append(delay)
        return now > since + 1 and len(recent) > 50 and max(recent) < 0.9

    await until(usual, seconds, "messages come at once again")


def _report_lines(site: Site) -> Counter[str]:
    """Return the numbers of log lines about the layer, by process and kind."""
    found: Counter[str] = Counter()
    for number, server in enumerate(site.servers):
        for kind in re.findall(r"The channel layer '\w+' (failed while \w+|does not keep up)", server.log):
            found[f"{number} {kind}"] += 1
    return found


# Killed processes


async def application_deaths(place: Place, times: int, *, seed: int = 1) -> Figures:
    """Kill a process with open sockets repeatedly: measure the time until its members have received everything."""
    caught_up: list[float] = []
    affected: list[int] = []
    async with (
        running_site(place, seed=seed) as site,
        talking(site, 30, 6, think=0.2, seed=seed) as (people, record),
    ):
        for number in range(times):
            victim = site.servers[number % len(site.servers)]
            here = [one for one in people if _is_at(one, victim, site)]
            killed = time.monotonic()
            await asyncio.to_thread(victim.kill)
            heads = await asyncio.to_thread(site.logs)
            waits = [_until_caught_up(one, heads, killed) for one in here]
            starting = asyncio.create_task(asyncio.to_thread(victim.start))
            caught_up += await asyncio.gather(*waits)
            affected.append(len(here))
            await starting
            # Some of the others reconnect, so that the next process to be killed has members too.
            for one in people[number % 5 :: 5]:
                one.hang_up()
            await everybody_in(people, record)
        verdict = await settle(site, people, record)
    return {
        "place": str(place),
        "times": times,
        "members_cut_off": sum(affected),
        "seconds_until_caught_up": percentiles(caught_up),
        "posts": sum(verdict.classes.values()),
        "classes": dict(verdict.classes),
        "violations": verdict.violations[:10],
    }


def _is_at(member: Member, server: Server, site: Site) -> bool:
    port = member.local_port
    return any(link.upstream == server.port and link.client_port == port for link in site.proxy.links)


async def _until_caught_up(member: Member, heads: dict[str, tuple[int, int]], killed: float) -> float:
    """Wait until a member has received all messages that were stored when the process was killed; return the time it took."""
    await until(
        lambda: (
            member.is_ready
            and member.opened_at > killed
            and all(view.cursor >= heads.get(room, (0, 0))[0] for room, view in member.views.items())
        ),
        60,
        "a member is back",
    )
    return time.monotonic() - killed
