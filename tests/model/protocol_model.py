"""Random interleavings of the whole protocol, in which everything that can fail does.

Clients communicate through connections with processes, which share a database and a bus.
An operation that takes more than one step in the package is a generator here: at every ``yield`` any other operation may
run, and the process may die. The bus loses, repeats and reorders messages; connections break and lose single frames;
transactions fail; people are banned while their post is being stored; messages are edited, deleted and pruned; a backup is
restored.

The classes correspond to modules of the package: `Log` is `log`, `Inbox` is `realtime.group_commit` and `messages.post`,
`Hub` is `realtime.hub`, and `Connection` is `realtime.connection`. `Client` corresponds to `js/src/core/session.js`.
`rules.Rules` are the decisions of the design. Each has a mutant that decides otherwise, and a check that detects it; see
`mutants`.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TypeVar

from tests.model.client import Client
from tests.model.log import Log
from tests.model.rules import (
    ACKED,
    CLIENTS,
    EVENING_STEPS,
    GAPLESS,
    ONCE,
    PROCESSES,
    PUT_OUT,
    ROOMS,
    SENDER_ORDER,
    STATE,
    STEPS,
    STORED,
    Access,
    Batch,
    Rules,
    Steps,
)
from tests.model.server import Connection, Process

T = TypeVar("T")


class World:
    """One history, which is determined by the seed and the rules."""

    def __init__(self, seed: int, rules: Rules) -> None:
        self.random = Random(seed)
        self.rules = rules
        self.violations: set[str] = set()
        self.epochs = 1
        self.logs = {room: Log(self, room) for room in ROOMS}
        self.backups = {room: log.backup() for room, log in self.logs.items()}
        self.tasks: list[tuple[Process, Steps]] = []
        self.bus: list[tuple[Process, Batch | Access]] = []
        self.processes = [Process(self) for _ in range(PROCESSES)]
        self.clients = [Client(self, key) for key in range(CLIENTS)]
        self.sent: set[str] = set()
        self.acked: set[str] = set()
        self.refused: set[str] = set()
        self.unmade: set[str] = set()
        """The posts that were stored after a backup that was restored."""
        self.is_calm = False

    def report(self, check: str) -> None:
        self.violations.add(check)

    def happens(self, chance: float) -> bool:
        return not self.is_calm and self.random.random() < chance

    def pick(self, things: list[T]) -> T:
        return things[int(self.random.random() * len(things))]

    def copies(self) -> int:
        """Return how often the bus delivers a message."""
        return 0 if self.happens(0.15) else 2 if self.happens(0.1) else 1

    def run(self) -> set[str]:
        way = [action for action, weight in self._under_way() for _ in range(weight)]
        day = way + [action for action, weight in self._begun() for _ in range(weight)]
        for _ in range(STEPS):
            self.pick(day)()
        for _ in range(EVENING_STEPS):
            self.pick(way)()
        self.is_calm = True
        self._settle()
        self._judge_bans()
        for log in self.logs.values():
            for sender in log.banned:
                self.processes[0].publish(log.set_banned(sender, False))
        for client in self.clients:
            client.try_again()
        self._settle()
        self._judge()
        return self.violations

    def _under_way(self) -> list[tuple[Callable[[], object], int]]:
        """Return the steps of operations in progress, with their relative frequencies."""
        return [
            (self._step_task, 150),
            (lambda: self._with_connection(Connection.read_frame), 120),
            (lambda: self.pick(self.clients).receive(), 140),
            (self._deliver_news, 40),
            (lambda: self.pick(self.clients).connect(), 30),
            (lambda: self.pick(self.clients).lose_connection(), 3),
            (lambda: self.pick(self.clients).send_seen(), 50),
            (lambda: self.pick(self.clients).try_again(), 4),
            (lambda: self._with_connection(Connection.ping), 6),
            (lambda: self._with_connection(Connection.close_if_stuck), 1),
            (self._poll, 6),
            (lambda: self.pick(self.processes).hub.close_empty(), 3),
        ]

    def _begun(self) -> list[tuple[Callable[[], object], int]]:
        """Return the operations that users and administrators begin, with their relative frequencies."""
        return [
            (lambda: self.pick(self.clients).say(self.pick(ROOMS)), 20),
            (lambda: self._change("edited"), 8),
            (lambda: self._change(""), 4),
            (lambda: self._ban(True), 3),
            (lambda: self._ban(False), 3),
            (self._prune, 2),
            (lambda: self.pick(self.processes).crash(), 1),
            (self._backup_or_restore, 1),
            (lambda: self.pick(list(self.logs.values())).start_new_epoch(), 1),
        ]

    def _step_task(self) -> None:
        if self.tasks:
            self._step(self.pick(self.tasks))

    def _step(self, task: tuple[Process, Steps]) -> None:
        try:
            next(task[1])
        except StopIteration:
            # A task that crashed its own process has been removed already.
            if task in self.tasks:
                self.tasks.remove(task)

    def _with_connection(self, act: Callable[[Connection], None]) -> None:
        connection = self.pick(self.clients).connection
        if connection is not None:
            act(connection)

    def _deliver_news(self) -> None:
        """Deliver a random message of the bus."""
        if self.bus:
            process, news = self.bus.pop(int(self.random.random() * len(self.bus)))
            room = process.hub.rooms.get(news.room)
            if room is not None and room.is_subscribed:
                process.hub.hear(news)

    def _poll(self) -> None:
        if self.rules.hub_polls:
            process = self.pick(self.processes)
            process.start(process.hub.poll())

    def _change(self, how: str) -> None:
        log = self.logs[self.pick(ROOMS)]
        if log.messages:
            seq = self.pick(list(log.messages))
            body = how and f"{log.messages[seq].body.partition(' ')[0]} {how} {self.random.random():.6f}"
            done = log.change(seq, body)
            if done is not None:
                self._publish_later(done)

    def _publish_later(self, news: Batch | Access) -> None:
        process = self.pick(self.processes)

        def publishing() -> Steps:
            yield
            process.publish(news)

        process.start(publishing())

    def _ban(self, banned: bool) -> None:
        log, sender = self.logs[self.pick(ROOMS)], self.pick(self.clients).key
        if (sender in log.banned) is not banned:
            self._publish_later(log.set_banned(sender, banned))

    def _prune(self) -> None:
        log = self.logs[self.pick(ROOMS)]
        if log.messages:
            log.prune(self.pick(sorted(log.messages)))

    def _backup_or_restore(self) -> None:
        """Make a backup, or restore it: every log gets a new epoch, and processes with a query in progress crash."""
        if self.random.random() < 0.6:
            self.backups = {room: log.backup() for room, log in self.logs.items()}
            return
        for process in self.processes:
            if any(process is busy for busy, _ in self.tasks) or self.random.random() < 0.5:
                process.crash()
        for room, log in self.logs.items():
            stored = {said for _, said in log.said}
            log.restore(self.backups[room])
            self.unmade |= stored - {said for _, said in log.said}
            log.start_new_epoch()

    def _settle(self) -> None:
        """Continue without faults until nothing changes any more."""
        quiet = 0
        for round_ in range(300):
            before = self._fingerprint()
            for client in self.clients:
                client.connect()
                connection = client.connection
                assert connection is not None
                connection.read_frame()
                for _ in range(len(connection.down)):
                    client.receive()
                client.send_seen()
                if round_ % 4 == 0:
                    connection.ping()
                if round_ % 40 == 39:
                    connection.close_if_stuck()
            for task in list(self.tasks):
                self._step(task)
            for _ in range(len(self.bus)):
                self._deliver_news()
            if self.rules.hub_polls and round_ % 6 == 0:
                for process in self.processes:
                    process.start(process.hub.poll())
            quiet = quiet + 1 if before == self._fingerprint() and self._is_idle() else 0
            if quiet > 12:
                return

    def _is_idle(self) -> bool:
        return not self.bus and all(
            client.connection is not None
            and not client.connection.up
            and not client.connection.is_handling
            and not client.connection.is_blocked
            for client in self.clients
        )

    def _fingerprint(self) -> tuple[object, ...]:
        return (
            *((log.head, log.version) for log in self.logs.values()),
            *(
                (view.epoch, view.cursor, view.is_joining, view.is_shut_out)
                for client in self.clients
                for view in client.views.values()
            ),
            *(len(client.pending) for client in self.clients),
        )

    def _judge_bans(self) -> None:
        for client in self.clients:
            rooms = client.connection.seats if client.connection is not None else ()
            if any(client.key in self.logs[room].banned for room in rooms):
                self.report(PUT_OUT)

    def _judge(self) -> None:
        stored: set[str] = set()
        for log in self.logs.values():
            stored.update(said for _, said in log.said)
            if log.numbers != list(range(1, log.head + 1)):
                self.report(GAPLESS)
            if len(set(log.said)) != len(log.said):
                self.report(ONCE)
            for sender in range(CLIENTS):
                order = [int(said.partition(".")[2]) for who, said in log.said if who == sender]
                if list(dict.fromkeys(order)) != sorted(set(order)):
                    self.report(SENDER_ORDER)
            for client in self.clients:
                view = client.views[log.room]
                behind = view.cursor != log.head or (log.head > 0 and view.epoch != log.epoch)
                if behind or not client.sees(log.room):
                    self.report(STATE)
        if self.sent - stored - self.refused - self.unmade:
            self.report(STORED)
        if self.acked - stored - self.unmade:
            self.report(ACKED)


def run(seed: int, rules: Rules = Rules()) -> set[str]:  # noqa: B008  (frozen)
    """Play one history, and return the checks that failed."""
    return World(seed, rules).run()
