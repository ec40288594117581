"""Compares what every member posted, received and showed during a run with the final contents of the database.

It classifies every post as Jepsen's total-queue checker does.
It does not depend on how a history was recorded: ``test_checker.py`` defines its histories itself.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

OK = "ok"
LOST = "lost"
DUPLICATED = "duplicated"
REORDERED = "reordered"
UNEXPECTED = "unexpected"
INDETERMINATE = "indeterminate"
CLASSES = (OK, LOST, DUPLICATED, REORDERED, UNEXPECTED, INDETERMINATE)


@dataclass(slots=True)
class Post:
    """A post of a member, and its answer."""

    author: str
    room: str
    id: str
    body: str
    invoked: float
    """When it was sent first, on the one clock of the run."""
    acked: float | None = None
    seq: int | None = None
    """The place that the ack named."""
    refused: str | None = None
    """The code of the error that ended it."""
    attempts: int = 0
    changes: list[tuple[str | None, bool]] = field(default_factory=list)
    """The later texts (``None``: deleted) in their order, each with whether it was acknowledged."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as a member sees it."""

    seq: int
    rev: int
    author: str
    id: str
    body: str
    deleted: bool = False


@dataclass(slots=True)
class View:
    """The messages of a room that a member has received since the last reset."""

    member: str
    room: str
    cursor: int = 0
    since: int = 0
    """They started over with the messages after this place; 0 is the beginning."""
    messages: dict[int, Shown] = field(default_factory=dict)
    applied: list[int] = field(default_factory=list)
    """The numbers of all changes in the order in which they were applied."""
    is_live: bool = True
    """Theirs is a socket that is open at the end."""
    frames: list[str] = field(default_factory=list)
    """The frames received, for the analysis of a violation."""


@dataclass(frozen=True, slots=True)
class Row:
    """A message as the database holds it."""

    room: str
    seq: int
    rev: int
    author: str
    id: str
    body: str
    changes: int = 0
    deleted: bool = False


@dataclass(slots=True)
class History:
    """All of a run."""

    posts: list[Post] = field(default_factory=list)
    views: list[View] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    heads: dict[str, int] = field(default_factory=dict)
    """Head of each room's log."""
    floors: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Verdict:
    classes: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    recovered: int = 0
    """Posts whose first answer was lost, and that a retry found or stored."""

    @property
    def holds(self) -> bool:
        return not self.violations


Key = tuple[str, str, str]


def check(history: History) -> Verdict:
    """Classify every post and name everything that does not hold."""
    verdict = Verdict()
    rows: dict[Key, list[Row]] = defaultdict(list)
    rooms: dict[str, list[Row]] = defaultdict(list)
    for row in history.rows:
        rows[row.room, row.author, row.id].append(row)
        rooms[row.room].append(row)
    for found in rooms.values():
        found.sort(key=lambda row: row.seq)
    posts = {(post.room, post.author, post.id): post for post in history.posts}

    shown_twice = _check_views(history.views, rooms, history.heads, verdict.violations)
    late = _out_of_order(history.posts)
    for key, post in posts.items():
        one = _classify(post, rows.get(key, []), key in shown_twice, key in late, verdict.violations)
        verdict.classes[one] += 1
        verdict.recovered += one == OK and post.attempts > 1
    for key in rows.keys() - posts.keys():
        verdict.classes[UNEXPECTED] += 1
        verdict.violations.append(f"{key} is stored, and nobody posted it")
    _check_numbers(rooms, history, verdict.violations)
    return verdict


def _classify(post: Post, stored: list[Row], twice: bool, late: bool, violations: list[str]) -> str:
    name = f"{post.author}'s {post.id} in {post.room}"
    if len(stored) > 1 or twice:
        places = ", ".join(str(row.seq) for row in stored)
        violations.append(f"{name} is there more than once: {places or 'on a page'}")
        return DUPLICATED
    if post.acked is None and post.refused is None:
        return INDETERMINATE
    if post.refused is not None:
        if stored:
            violations.append(f"{name} was refused ({post.refused}) and is stored")
            return UNEXPECTED
        return OK
    if not stored:
        violations.append(f"{name} was acknowledged at {post.seq} and is not stored")
        return LOST
    row = stored[0]
    if row.seq != post.seq:
        violations.append(f"{name} was acknowledged at {post.seq} and is stored at {row.seq}")
        return UNEXPECTED
    if late:
        violations.append(f"{name} stands before something that was acknowledged before it was said")
        return REORDERED
    if not _is_possible(post, row):
        violations.append(f"{name} is stored with another text than its author wrote last")
        return LOST if post.changes else UNEXPECTED
    return OK


def _is_possible(post: Post, row: Row) -> bool:
    """The stored text is the last that was acknowledged, or one that was tried after it."""
    possible: list[str | None] = [post.body]
    for text, acknowledged in post.changes:
        possible = [text] if acknowledged else [*possible, text]
    return (None if row.deleted else row.body) in possible


def _out_of_order(posts: Iterable[Post]) -> set[Key]:
    """Posts with a lower number than a post that was acknowledged before they were sent. This covers the order of each sender."""
    late = set()
    rooms: dict[str, list[Post]] = defaultdict(list)
    for post in posts:
        if post.acked is not None and post.seq is not None:
            rooms[post.room].append(post)
    for several in rooms.values():
        by_ack = sorted(several, key=lambda post: post.acked or 0)
        place = highest = 0
        for post in sorted(several, key=lambda post: post.invoked):
            while place < len(by_ack) and (by_ack[place].acked or 0) < post.invoked:
                highest = max(highest, by_ack[place].seq or 0)
                place += 1
            if (post.seq or 0) <= highest:
                late.add((post.room, post.author, post.id))
    return late


def _check_views(
    views: Iterable[View], rooms: dict[str, list[Row]], heads: dict[str, int], violations: list[str]
) -> set[Key]:
    """Every view is the database's, from where it begins to where it ends. Returns what one of them shows twice."""
    twice = set()
    for view in views:
        name = f"{view.member} in {view.room}"
        if any(later <= earlier for earlier, later in zip(view.applied, view.applied[1:], strict=False)):
            violations.append(f"{name} applied changes out of their order")
        ids = Counter((view.room, shown.author, shown.id) for shown in view.messages.values())
        twice |= {key for key, times in ids.items() if times > 1}
        head = heads.get(view.room, 0)
        if view.is_live and view.cursor != head:
            violations.append(f"{name} stands at {view.cursor}, and the room at {head}")
        stored_rows = {row.seq: row for row in rooms.get(view.room, []) if row.seq <= view.cursor}
        # What was changed after this view ended may have been on its way in its new state, in place of the old one.
        due = {seq for seq, row in stored_rows.items() if seq > view.since and row.rev <= view.cursor}
        if missing := due - view.messages.keys():
            violations.append(
                f"{name} misses {len(missing)} messages, the first at {min(missing)}{_around(view, min(missing))}"
            )
        # Of those from before, it has what was changed since.
        if extra := view.messages.keys() - stored_rows.keys():
            violations.append(
                f"{name} shows {len(extra)} messages that are not stored, the first at {min(extra)}"
            )
        for seq in stored_rows.keys() & view.messages.keys():
            row, shown = stored_rows[seq], view.messages[seq]
            stored = Shown(row.seq, row.rev, row.author, row.id, row.body, row.deleted)
            if shown != stored and row.rev <= view.cursor:
                violations.append(f"{name} shows {shown} where {stored} is stored")
                break
    return twice


def _around(view: View, number: int) -> str:
    """The frames among which a number should have come."""
    ranges = [(index, re.search(r"\((\d+), (\d+)\]", frame)) for index, frame in enumerate(view.frames)]
    found = [index for index, match in ranges if match and int(match[1]) < number <= int(match[2])]
    if not found:
        return ""
    return ", between " + "; ".join(view.frames[max(0, found[0] - 4) : found[-1] + 4])


def _check_numbers(rooms: dict[str, list[Row]], history: History, violations: list[str]) -> None:
    """Above the floor, every number up to the head is exactly one change of one message."""
    for room, rows in rooms.items():
        head, floor = history.heads.get(room, 0), history.floors.get(room, 0)
        seqs, revs = [row.seq for row in rows], [row.rev for row in rows]
        if len(set(seqs)) < len(seqs) or len(set(revs)) < len(revs):
            violations.append(f"{room}: a number is there twice")
        if max(revs, default=floor) > head:
            violations.append(f"{room}: the number {max(revs)} is above the head {head}")
        accounted = len(rows) + sum(row.changes for row in rows)
        if not floor and accounted != head:
            violations.append(f"{room}: the head is {head}, and {accounted} changes are stored")
    for room, head in history.heads.items():
        if head and room not in rooms:
            violations.append(f"{room}: the head is {head}, and nothing is stored")
