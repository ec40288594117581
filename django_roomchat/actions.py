"""Everything that can happen in a room: one function for each verb, which checks, writes and announces.

The socket, the views, the admin, a management command and a Celery task all enter here.
The bodies are synchronous; each has a twin with an ``a`` in front for asynchronous code.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from asgiref.sync import sync_to_async
from django.db import router, transaction
from django.db.models import OuterRef, Subquery

from django_roomchat import bus, identity, log, policy, signals, text
from django_roomchat.conf import config
from django_roomchat.errors import BadValue, Busy, ChatError
from django_roomchat.identity import Identity
from django_roomchat.models import Message, Room, RoomLog
from django_roomchat.protocol import Event, encode_event


@dataclass(frozen=True, slots=True)
class Post:
    """What somebody wants to say."""

    who: Identity
    room: str
    """Its name, however typed."""
    body: str
    id: str
    reply_to: int | None = None
    kind: Literal["user", "system", "bot"] = "user"


@dataclass(frozen=True, slots=True)
class Posted:
    """A post that is stored."""

    room: str
    """The canonical name."""
    id: str
    seq: int
    duplicate: bool
    """It was stored by an earlier try."""


def post_message(
    room: str | Room,
    body: str,
    *,
    author: Any = None,
    name: str | None = None,
    id: str | None = None,
    kind: Literal["user", "system", "bot"] | None = None,
    reply_to: int | None = None,
) -> Posted:
    """Say something in a room, from anywhere: a view, a signal, a task, a command, inside ``atomic``.

    Args:
        room: its name, however typed, or a :class:`~django_roomchat.models.Room`. It is made if it does not exist.
        body: the text.
        author: a user of the project or an :class:`~django_roomchat.identity.Identity`, who must be allowed to post.
            Without one the project itself speaks, which always may.
        name: under which the project speaks; without an author only.
        id: the same id makes the same message, however often this is called, such as ``f"order-{order.pk}-paid"``.
        kind: how it is shown. ``user`` for authors, ``bot`` for a name, else ``system``.
        reply_to: the ``seq`` of the message that this one answers.

    Returns:
        Where the message stands. Inside ``atomic`` it is there, and others hear of it, when the transaction commits.

    Raises:
        ChatError: it is refused; see :mod:`django_roomchat.errors`.
    """
    if author is not None and name is not None:
        raise BadValue("Give an author or a name: an author brings the name along.")
    if isinstance(author, Identity):
        who = author
    else:
        who = identity.site(name) if author is None else identity.of_user(author)
    post = Post(
        who=who,
        room=room.name if isinstance(room, Room) else room,
        body=body,
        id=uuid.uuid4().hex if id is None else id,
        reply_to=reply_to,
        kind=kind or ("user" if author is not None else "bot" if name else "system"),
    )
    [result] = post_messages([post])
    if isinstance(result, Posted):
        return result
    raise result or Busy("The room is locked by somebody else.")


async def apost_message(room: str | Room, body: str, **options: Any) -> Posted:
    """See :func:`post_message`."""
    return await sync_to_async(post_message)(room, body, **options)


def post_messages(
    posts: Sequence[Post], *, wait_seconds: float | None = None
) -> list[Posted | ChatError | None]:
    """Say many things in one transaction.

    Args:
        posts: in the order in which they shall stand.
        wait_seconds: for locked rooms, see :func:`django_roomchat.log.append`.

    Returns:
        For each post, in their order, where it stands or why it was refused; ``None`` if its room is locked and
        *wait_seconds* is 0.
    """
    results: list[Posted | ChatError | None] = [None] * len(posts)
    ready = _check(posts, results)
    drafts: dict[int, list[log.Draft]] = {}
    rooms: dict[int, Room] = {}
    for place, room in ready.items():
        rooms[room.pk] = room
        drafts.setdefault(room.pk, []).append(_draft(posts[place]))
    appended = log.append(drafts, wait_seconds=wait_seconds) if drafts else {}
    _set_results(posts, ready, appended, results)
    for pk, done in appended.items():
        if done.events:
            transaction.on_commit(partial(_announce, rooms[pk].name, done), using=_database(), robust=True)
    return results


def _check(posts: Sequence[Post], results: list[Posted | ChatError | None]) -> dict[int, Room]:
    """The rooms of those posts that are in order, by the post's place; the others get their error."""
    names: dict[int, tuple[str, str]] = {}
    for place, post in enumerate(posts):
        try:
            names[place] = _clean(post)
        except ChatError as error:
            results[place] = error
    rooms = Room.objects.using(_database()).in_bulk({name for name, _ in names.values()}, field_name="name")
    allowed: dict[tuple[str, str], ChatError | None] = {}
    ready = {}
    for place, (name, title) in names.items():
        post = posts[place]
        question = (post.who.key, name)
        if question not in allowed:
            allowed[question] = _refusal(post.who, rooms.get(name) or Room(name=name, title=title))
        refusal = allowed[question]
        if refusal is None and name not in rooms:
            rooms[name] = create_room(name, title)
        if refusal is None and post.reply_to is not None:
            refusal = _reply_refusal(rooms[name], post.reply_to)
        if refusal is None:
            ready[place] = rooms[name]
        results[place] = refusal
    return ready


def _clean(post: Post) -> tuple[str, str]:
    """The canonical name and the title of the room. Raises if anything about the post cannot be."""
    longest = config().ROOM_NAME_MAX_LENGTH
    text.client_id(post.id)
    text.body(post.body, config().BODY_MAX_LENGTH)
    return text.room_name(post.room, longest), text.room_title(post.room, longest)


def _refusal(who: Identity, room: Room) -> ChatError | None:
    try:
        policy.require_post(who, room)
    except ChatError as error:
        return error
    return None


def _reply_refusal(room: Room, seq: int) -> ChatError | None:
    try:
        log.require_message(room.pk, seq)
    except ChatError as error:
        return error
    return None


def create_room(name: str, title: str) -> Room:
    """The room of this canonical name, made if it does not exist."""
    with transaction.atomic(using=_database()):
        room, _ = Room.objects.using(_database()).get_or_create(name=name, defaults={"title": title})
        RoomLog.objects.using(_database()).get_or_create(room=room)
    return room


def _draft(post: Post) -> log.Draft:
    return log.Draft(
        author_id=None if post.who.user is None else post.who.user.pk,
        author_key=post.who.key,
        author_name=post.who.name,
        client_id=post.id,
        kind=post.kind,
        body=text.body(post.body, config().BODY_MAX_LENGTH),
        reply_to=post.reply_to,
    )


def _set_results(
    posts: Sequence[Post],
    ready: dict[int, Room],
    appended: dict[int, log.Appended],
    results: list[Posted | ChatError | None],
) -> None:
    answers = {pk: iter(done.results) for pk, done in appended.items()}
    for place, room in ready.items():
        if room.pk in answers:
            stored = next(answers[room.pk])
            if isinstance(stored, log.Stored):
                results[place] = Posted(room.name, posts[place].id, stored.seq, stored.duplicate)
            else:
                results[place] = stored


def _announce(room: str, done: log.Appended) -> None:
    bus.publish(
        bus.Batch(
            room,
            done.epoch,
            done.prev,
            done.head,
            [(event.rev, encode_event(event)) for event in done.events],
        )
    )
    if signals.message_posted.has_listeners(Message):
        for event in done.events:
            signals.message_posted.send_robust(Message, room=room, event=event)


def _database() -> str:
    return router.db_for_write(RoomLog)


# Reading --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class History:
    """A page of a room's messages."""

    room: Room
    messages: list[Event]
    """Newest first."""
    before: int | None
    """Ask for the messages before this place to get the next page; ``None`` on the last one."""
    epoch: str
    floor: int
    head: int
    """All changes up to this number are in the page, where they concern it."""


def room_of(name: str) -> Room:
    """The room of this name, however typed; one without a ``pk`` if nothing was said in it yet.

    Raises:
        BadRoomName: no room can have this name.
    """
    longest = config().ROOM_NAME_MAX_LENGTH
    canonical = text.room_name(name, longest)
    found = Room.objects.using(_database()).filter(name=canonical).select_related("log").first()
    return found or Room(name=canonical, title=text.room_title(name, longest))


def canonical_name(typed: str) -> str:
    """The canonical name of a room, however typed.

    Raises:
        BadRoomName: no room can have this name.
    """
    return text.room_name(typed, config().ROOM_NAME_MAX_LENGTH)


def enter_room(who: Identity, name: str) -> Room:
    """The room, for somebody who wants to read and hear it.

    Raises:
        ChatError: there cannot be such a room, or the policy says no.
    """
    room = room_of(name)
    policy.require_entry(who, room)
    return room


def read_history(who: Identity, name: str, *, before: int | None = None) -> History:
    """A page of a room's messages, newest first.

    Args:
        who: reads it.
        name: of the room, however typed.
        before: only messages whose ``seq`` is smaller.

    Raises:
        ChatError: there cannot be such a room, or the policy says no.
    """
    room = enter_room(who, name)
    if room.pk is None:
        return History(room, [], None, "", 0, 0)
    # The position before the messages: what is written in between is then seen twice, not never.
    state = room.log
    messages, more = log.page(room, before, limit=config().PAGE_MESSAGES)
    return History(
        room=room,
        messages=messages,
        before=messages[-1].seq if more else None,
        epoch=str(state.epoch),
        floor=state.floor,
        head=state.head,
    )


async def aread_history(who: Identity, name: str, *, before: int | None = None) -> History:
    """See :func:`read_history`."""
    return await sync_to_async(read_history)(who, name, before=before)


def list_rooms(who: Identity, *, limit: int = 50) -> list[tuple[Room, Message | None]]:
    """The rooms with recent activity that *who* may see, and the last message of each. Two queries."""
    newest = Message.objects.filter(room=OuterRef("pk")).order_by("-seq").values("pk")[:1]
    recent = Room.objects.using(_database()).recent().annotate(last_message=Subquery(newest))[:limit]
    rooms = [room for room in recent if who.is_site or policy.policy().can_list(who, room)]
    keys = {room.pk: getattr(room, "last_message", None) for room in rooms}
    messages = Message.objects.using(_database()).in_bulk([key for key in keys.values() if key is not None])
    return [(room, messages.get(keys[room.pk])) for room in rooms]
