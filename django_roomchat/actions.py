"""Everything that can happen in a room: one function for each verb, which checks, writes and announces.

The socket, the views, the admin, a management command and a Celery task all enter here.
The bodies are synchronous; each has a twin with an ``a`` in front for asynchronous code.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any, Literal

from asgiref.sync import sync_to_async
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from django_roomchat import (
    audit,
    bus,
    files,
    filters,
    identity,
    limits,
    log,
    markdown,
    mentions,
    policy,
    signals,
    text,
)
from django_roomchat.conf import config
from django_roomchat.counter import database
from django_roomchat.errors import BadFile, BadValue, Busy, ChatError, Forbidden, Held, NotFound
from django_roomchat.identity import Identity
from django_roomchat.models import Attachment, HeldMessage, Message, Reaction, Room, RoomLog, RoomQuerySet
from django_roomchat.protocol import Event, FileToPost, encode_event

TRIES = 3
"""For a room in which somebody's rights change while another is looking them up."""
REMEMBERED_MAX = 10_000
"""Rooms that a process remembers, so that a post does not begin with a query."""
_remembered: dict[str, Room] = {}
_RIGHTS_CHANGE = _("The rights in this room are changing; try again.")


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
    is_reviewed: bool = False
    """A moderator has released it: neither the content filter nor slow mode is asked."""
    address: str | None = None
    """Where it comes from, for the rate limits; ``None`` if the project's own code posts, which has none."""
    files: Sequence[FileToPost] = ()
    """What was uploaded for it."""


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
    files: Iterable[Attachment | FileToPost] = (),
) -> Posted:
    """Say something in a room, from anywhere: a view, a signal, a task, a command, inside ``atomic``.

    Args:
        room: its name, however typed, or a :class:`~django_roomchat.models.Room`. It is made if it does not exist.
        body: the text. It may be empty if there are files.
        author: a user of the project or an :class:`~django_roomchat.identity.Identity`, who must be allowed to post.
            Without one the project itself speaks, which always may.
        name: under which the project speaks; without an author only.
        id: the same id makes the same message, however often this is called, such as ``f"order-{order.pk}-paid"``.
        kind: how it is shown. ``user`` for authors, ``bot`` for a name, else ``system``.
        reply_to: the ``seq`` of the message that this one answers.
        files: what :func:`attach_file` has made, for this room and by this author, each with its ``alt`` if it is given as
            ``django_roomchat.protocol.FileToPost(id, alt)``.

    Returns:
        Where the message stands. Inside ``atomic`` it is there, and others hear of it, when the transaction commits.

    Raises:
        ChatError: it is refused; see :mod:`django_roomchat.errors`.
    """
    if author is not None and name is not None:
        raise BadValue("Give an author or a name: an author brings the name along.")
    post = Post(
        who=identity_of(author, name),
        room=name_of(room),
        body=body,
        id=uuid.uuid4().hex if id is None else id,
        reply_to=reply_to,
        kind=kind or ("user" if author is not None else "bot" if name else "system"),
        address=limits.address_here(),
        files=[FileToPost(str(file.pk)) if isinstance(file, Attachment) else file for file in files],
    )
    [result] = post_messages([post])
    if isinstance(result, Posted):
        return result
    raise result or Busy(_RIGHTS_CHANGE)


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
    # Who waits for a locked room was here before, and is counted once.
    if config().RATE_CACHE is not None and (not wait_seconds or config().FILTER is not None):
        results = [_refusal(_count, post) for post in posts]
    places = [place for place, result in enumerate(results) if result is None]
    for tries in range(TRIES if wait_seconds != 0 else 1):
        _store(posts, places, results, wait_seconds, look_up=tries > 0)
        # Left over are those in whose room somebody's rights have changed meanwhile: look again who may.
        places = [place for place in places if results[place] is None]
        if not places:
            break
    return results


def _count(post: Post) -> None:
    limits.spend_shared("POSTS", post.who, post.address, canonical_name(post.room))


def _store(
    posts: Sequence[Post],
    places: Sequence[int],
    results: list[Posted | ChatError | None],
    wait_seconds: float | None,
    *,
    look_up: bool,
) -> None:
    rooms: dict[int, Room] = {}
    drafts: dict[int, list[log.Draft]] = {}
    waiting: dict[int, list[int]] = {}
    for place, (room, draft) in _check(posts, places, results, look_up).items():
        rooms[room.pk] = room
        drafts.setdefault(room.pk, []).append(draft)
        waiting.setdefault(room.pk, []).append(place)
    if not rooms:
        return
    appended = log.append(
        drafts,
        access_versions={pk: room.log.access_version for pk, room in rooms.items()},
        epochs={pk: str(room.log.epoch) for pk, room in rooms.items()},
        wait_seconds=wait_seconds,
    )
    for pk, done in appended.items():
        for place, result in zip(waiting[pk], done.results, strict=True):
            if isinstance(result, log.Stored):
                results[place] = Posted(rooms[pk].name, posts[place].id, result.seq, result.duplicate)
            else:
                results[place] = result
        if done.events:
            on_commit(announce, rooms[pk].name, done)


def _check(
    posts: Sequence[Post], places: Sequence[int], results: list[Posted | ChatError | None], look_up: bool
) -> dict[int, tuple[Room, log.Draft]]:
    """Those posts that are in order, by their place, with their rooms; the others get their error."""
    drafts: dict[int, tuple[str, log.Draft]] = {}
    for place in places:
        try:
            drafts[place] = canonical_name(posts[place].room), _draft(posts[place])
        except ChatError as error:
            results[place] = error
    door = _Door(drafts.values(), look_up)
    ready = {}
    for place, (name, draft) in drafts.items():
        post = posts[place]
        try:
            room = door.admit(post, name)
            if draft.files:
                draft = _with_files(post, draft, room)
            if filters.is_asked(post.who) and not post.is_reviewed:
                draft = _filtered(post, draft, room)
            room = door.make(post, room)
        except ChatError as error:
            results[place] = error
        else:
            results[place] = None
            ready[place] = room, _finished(post, draft, room)
    return ready


class _Door:
    """Who is let in with what they say: asked once for each person and room of a batch."""

    def __init__(self, drafts: Iterable[tuple[str, log.Draft]], look_up: bool) -> None:
        self._replies: dict[str, set[int]] = {}
        for name, draft in drafts:
            answered = self._replies.setdefault(name, set())
            if draft.reply_to is not None:
                answered.add(draft.reply_to)
        self._rooms = _rooms(set(self._replies), look_up)
        self._refusals: dict[tuple[str, str, bool], ChatError | None] = {}
        self._answered: dict[str, Container[int]] = {}

    def admit(self, post: Post, name: str) -> Room:
        """The room, which may not be made yet. Raises if they may not post to it, or answer what they answer."""
        try:
            return self._admit(post, name)
        except ChatError:
            if not self._recall(name):
                raise
            return self._admit(post, name)

    def make(self, post: Post, room: Room) -> Room:
        """The room, made by now. Raises if somebody makes too many."""
        if room.name not in self._rooms:
            limits.spend("ROOMS", post.who, post.address)
            self._rooms[room.name] = ensure_room(room)
        return self._rooms[room.name]

    def _admit(self, post: Post, name: str) -> Room:
        room = self._rooms.get(name) or _new_room(name, post.room)
        question = (post.who.key, name, bool(post.files))
        if question not in self._refusals:
            require = policy.require_attach if post.files else policy.require_post
            self._refusals[question] = _refusal(require, post.who, room)
        if (refusal := self._refusals[question]) is not None:
            raise refusal
        # Only whether there is one: the log quotes it under its lock, so that what is deleted meanwhile is not quoted.
        if post.reply_to is not None and post.reply_to not in self._messages_of(room):
            raise NotFound(_("There is no message %(seq)d in this room to reply to."), seq=post.reply_to)
        return room

    def _messages_of(self, room: Room) -> Container[int]:
        """Which of the messages that are answered there are."""
        if room.name not in self._answered:
            self._answered[room.name] = (
                () if room.pk is None else log.quotes(room.pk, self._replies[room.name])
            )
        return self._answered[room.name]

    def _recall(self, name: str) -> bool:
        """Look a room up that was only remembered: nobody compares a refusal with the database, as the log does
        for what is let in. Returns whether there was anything to look up."""
        room = self._rooms.get(name)
        if room is None or room is not _remembered.get(name):
            return False
        del _remembered[name], self._rooms[name]
        self._rooms |= _rooms({name}, look_up=True)
        self._answered.pop(name, None)
        self._refusals = {question: told for question, told in self._refusals.items() if question[1] != name}
        # Looked up for this batch: the next refusal of it is the last word.
        _remembered.pop(name, None)
        return True


def _finished(post: Post, draft: log.Draft, room: Room) -> log.Draft:
    """The draft with all that the room and its text make of it."""
    if room.slow_seconds and _is_slowed(post, room):
        draft = replace(draft, slow_seconds=room.slow_seconds)
    read = _read_in(draft.body, room)
    return replace(draft, data={**draft.data, **read}) if read else draft


def _read_in(body: str, room: Room) -> dict[str, Any]:
    """What a text says beyond its characters: whom it calls, and with the Markdown extra how it looks."""
    read: dict[str, Any] = {}
    if called := mentions.called_in(room, body):
        read["mentions"] = called
    if config().MARKDOWN and (html := markdown.html(body)) is not None:
        read["html"] = html
    return read


def _is_slowed(post: Post, room: Room) -> bool:
    return not (post.who.is_site or post.is_reviewed or policy.policy().can_moderate(post.who, room))


def _with_files(post: Post, draft: log.Draft, room: Room) -> log.Draft:
    """The draft with what its event says of its files. Raises if one is not there."""
    try:
        sent = files.described(room, None if post.who.is_site else post.who.key, draft.files)
    except BadFile:
        if _is_stored(draft, room):
            return draft
        raise
    return replace(draft, data={**draft.data, "files": sent})


def _is_stored(draft: log.Draft, room: Room) -> bool:
    """It was stored by an earlier try, and is acknowledged whatever is said to it by now."""
    stored = Message.objects.using(database()).filter(room_id=room.pk, author_key=draft.author_key)
    return stored.filter(client_id=draft.client_id).exists()


def _filtered(post: Post, draft: log.Draft, room: Room) -> log.Draft:
    """The draft as the content filter lets it pass. Raises if it does not."""
    try:
        if draft.files:
            _ask_about_names(post, draft, room)
        if draft.files and not draft.body:
            return draft
        answer = _passed(filters.ask(room, post.who, draft.body), draft, room)
    except ChatError:
        if _is_stored(draft, room):
            return draft
        raise
    return draft if answer is None else replace(draft, typed=draft.body, body=answer.body)


def _passed(answer: Any, draft: log.Draft, room: Room) -> Any:
    """The answer of the content filter, if it is neither to refuse nor to hold what was said. Raises if it is."""
    if isinstance(answer, filters.Refuse):
        raise Forbidden(answer.sentence, code=answer.code)
    if isinstance(answer, filters.Hold):
        raise _held(draft, answer.reason, room)
    return answer


def _ask_about_names(post: Post, draft: log.Draft, room: Room) -> None:
    """Files have names and descriptions, which others read, too. Raises if the content filter would change them: it cannot."""
    said = [text for file in draft.data.get("files", ()) for text in (file["name"], file.get("alt")) if text]
    answer = filters.ask(room, post.who, "\n".join(said)) if said else None
    if _passed(answer, draft, room) is not None:
        raise Forbidden(_("A file cannot be called or described like this here."), code="filtered")


def _held(draft: log.Draft, reason: str, room: Room) -> ChatError:
    """Put a post before the moderators, once."""
    values = {
        "author_id": draft.author_id,
        "author_name": draft.author_name,
        "body": draft.body,
        "reply_to": draft.reply_to,
        "reason": str(reason)[: text.REASON_MAX_LENGTH],
        "files": [{"id": file.id, "alt": file.alt} for file in draft.files],
    }
    pk = (room if room.pk is not None else ensure_room(room)).pk
    if draft.files:
        files.hold(draft.files, draft.client_id)
    held, _is_new = HeldMessage.objects.using(database()).get_or_create(
        values, room_id=pk, author_key=draft.author_key, client_id=draft.client_id
    )
    if held.state == HeldMessage.State.REFUSED:
        return Forbidden(_("A moderator has refused this message."), code="filtered")
    return Held(_("A moderator looks at your message before others see it."))


def _rooms(names: set[str], look_up: bool) -> dict[str, Room]:
    """Those rooms that exist, by name: as this process remembers them, or as the database has them now.

    A memory can be old. The log compares epoch and access version on the row that it locks, and takes no post that
    relies on others; the next try looks them up.
    """
    # Within somebody's transaction there may be rooms that will never have been.
    may_remember = not transaction.get_connection(database()).in_atomic_block
    rooms = (
        {name: _remembered[name] for name in names if name in _remembered}
        if may_remember and not look_up
        else {}
    )
    if missing := names - rooms.keys():
        found = _logged_rooms().filter(name__in=missing)
        looked_up = {room.name: room for room in found}
        rooms |= looked_up
        if may_remember:
            if len(_remembered) > REMEMBERED_MAX:
                _remembered.clear()
            _remembered.update(looked_up)
    return rooms


def _refusal(require: Callable[..., None], *about: Any) -> ChatError | None:
    try:
        require(*about)
    except ChatError as error:
        return error
    return None


def _logged_rooms() -> RoomQuerySet:
    # A room that the project made itself has no log before its first message.
    return Room.objects.using(database()).filter(log__isnull=False).select_related("log")


def ensure_room(room: Room) -> Room:
    """The room, made if nobody has made it meanwhile."""
    with transaction.atomic(using=database()):
        made, _is_new = Room.objects.using(database()).get_or_create(
            name=room.name, defaults={"title": room.title}
        )
        made.log, _is_new = RoomLog.objects.using(database()).get_or_create(room=made)
    return made


def _new_room(name: str, typed: str) -> Room:
    return Room(name=name, title=text.room_title(typed, config().ROOM_NAME_MAX_LENGTH))


def _draft(post: Post) -> log.Draft:
    """What is stored of a post. Raises if anything about it cannot be."""
    return log.Draft(
        author_id=None if post.who.user is None else post.who.user.pk,
        author_key=post.who.key,
        author_name=post.who.name,
        client_id=text.client_id(post.id),
        kind=post.kind,
        body=text.body(post.body, config().BODY_MAX_LENGTH, may_be_empty=bool(post.files)),
        reply_to=post.reply_to,
        data=_shown_of(post.who) if post.who.avatar or post.who.link else {},
        files=_chosen(post.files) if post.files else (),
    )


def _chosen(given: Sequence[FileToPost]) -> tuple[FileToPost, ...]:
    """The files of a post with what is said of them, clean. Raises if there cannot be such."""
    most = config().ATTACHMENTS_PER_MESSAGE
    if len(given) > most:
        raise BadValue(_("A message has at most %(most)d files."), most=most, code="too_many")
    ids = [files.named(file.id) for file in given]
    if None in ids or len(set(ids)) < len(ids):
        raise files.missing()
    return tuple(FileToPost(str(id), text.alt(file.alt)) for id, file in zip(ids, given, strict=True))


def _shown_of(who: Identity) -> dict[str, str]:
    """What else is shown of an author, as it is now."""
    addresses = {"avatar": text.web_address(who.avatar), "link": text.web_address(who.link)}
    return {name: address for name, address in addresses.items() if address}


def on_commit(tell: Callable[..., None], *about: Any) -> None:
    """Tell when the transaction is committed; an error in it harms nothing."""
    transaction.on_commit(partial(tell, *about), using=database(), robust=True)


Tell = Callable[[str, Event], None]
"""Sends the signals of an event, given the name of its room."""


def announce(room: str, done: log.Appended, tell: Tell | None = None) -> None:
    """Tell everybody who listens what was appended to a room. Call it on commit.

    Args:
        room: its canonical name.
        done: what was appended.
        tell: sends the signals; by default those of a message that is new, that says something else, or that is deleted.
    """
    events = [(event.rev, encode_event(event)) for event in done.events]
    bus.publish(bus.Batch(room, done.epoch, done.prev, done.head, events))
    for event in done.events:
        (tell or _tell)(room, event)


def _tell(room: str, event: Event) -> None:
    if event.rev == event.seq:
        signal = signals.message_posted
    else:
        signal = signals.message_edited if event.deleted_at is None else signals.message_deleted
    if signal.has_listeners(Message):
        signal.send_robust(Message, room=room, event=event)
    if event.rev == event.seq and event.mentions:
        signals.mentioned.send_robust(Message, room=room, event=event, mentions=event.mentions)


def name_of(room: str | Room) -> str:
    """The name of a room, or what was typed as one."""
    return room.name if isinstance(room, Room) else room


def identity_of(author: Any, name: str | None = None) -> Identity:
    """A user of the project or an identity as an identity; ``None`` is the project itself, under a *name* perhaps."""
    if isinstance(author, Identity):
        return author
    return identity.site(name) if author is None else identity.of_user(author)


# Changing ---------------------------------------------------------------------------------------------------------


def edit_message(
    room: str | Room, seq: int, body: str, *, author: Any = None, wait_seconds: float | None = None
) -> Posted:
    """Change the text of a message. It keeps its place and takes the next number.

    Args:
        room: its name, however typed, or the room.
        seq: the message's place.
        body: the new text. It may be empty if the message has files, which stay.
        author: who changes it, as for :func:`post_message`; without one the project itself, which always may.
        wait_seconds: for a locked room, see :func:`django_roomchat.log.append`.

    Returns:
        Where the message stands; ``duplicate`` if it said that already.

    Raises:
        ChatError: it is refused.
    """
    new = text.body(body, config().BODY_MAX_LENGTH, may_be_empty=True)
    who = identity_of(author)
    if new and filters.is_asked(who):
        answer = filters.ask(enter_room(who, name_of(room)), who, new)
        if isinstance(answer, filters.Refuse):
            raise Forbidden(answer.sentence, code=answer.code)
        if isinstance(answer, filters.Hold):
            raise Forbidden(
                _("This change would have to wait for a moderator; say it anew."), code="filtered"
            )
        new = new if answer is None else answer.body

    known: list[dict[str, str]] = []

    def make(room: Room, message: Message) -> bool:
        require_message(message)
        if not new and not message.data.get("files"):
            raise text.empty()
        if message.body == new:
            return False
        known[:] = message.data.get("mentions") or []
        now = timezone.now()
        message.data = _without_readings(message) | _earlier_of(message) | _read_in(new, room)
        message.body, message.edited_at = new, now
        return True

    def tell(room: str, event: Event) -> None:
        _tell(room, event)
        before = {mention["key"] for mention in known}
        if called := [mention for mention in event.mentions or () if mention.key not in before]:
            signals.mentioned.send_robust(Message, room=room, event=event, mentions=called)

    return _change(room, seq, who, "can_edit", make, tell, wait_seconds)


EARLIER_MAX = 10
"""Texts that an edited message keeps, the last ones."""


def _without_readings(message: Message) -> dict[str, Any]:
    return {name: value for name, value in message.data.items() if name not in ("mentions", "html")}


def _earlier_of(message: Message) -> dict[str, Any]:
    """What the message has said until now, where the site keeps that."""
    if not config().EDIT_HISTORY:
        return {}
    said = {"body": message.body, "at": log.iso(message.edited_at or message.created_at)}
    return {"earlier": [*(message.data.get("earlier") or ()), said][-EARLIER_MAX:]}


def require_message(message: Message) -> None:
    """Raise :class:`NotFound` if *message* was deleted."""
    if message.deleted_at is not None:
        raise NotFound(_("Message %(seq)d was deleted."), seq=message.seq)


async def aedit_message(room: str | Room, seq: int, body: str, **options: Any) -> Posted:
    """See :func:`edit_message`."""
    return await sync_to_async(edit_message)(room, seq, body, **options)


def delete_message(
    room: str | Room, seq: int, *, author: Any = None, wait_seconds: float | None = None
) -> Posted:
    """Delete a message: its text is erased, its place stays, and it takes the next number.

    The arguments and the answer are those of :func:`edit_message`.
    """

    def make(room: Room, message: Message) -> bool:
        if message.deleted_at is not None:
            return False
        if message.data.get("reactions"):
            Reaction.objects.using(database()).filter(message=message).delete()
        if message.data.get("files"):
            files.let_go_of(message.room_id, [message.seq])
        message.body, message.data, message.pinned_at = "", {}, None
        message.deleted_at = timezone.now()
        return True

    return _change(room, seq, identity_of(author), "can_delete", make, _tell, wait_seconds)


async def adelete_message(room: str | Room, seq: int, **options: Any) -> Posted:
    """See :func:`delete_message`."""
    return await sync_to_async(delete_message)(room, seq, **options)


def _change(
    room: str | Room,
    seq: int,
    who: Identity,
    question: Literal["can_edit", "can_delete"],
    make: Callable[[Room, Message], bool],
    tell: Tell,
    wait_seconds: float | None,
) -> Posted:
    def make_if_allowed(room: Room, message: Message) -> bool:
        policy.require_change(who, room, message, question)
        author = Identity(message.author_key, message.author_name)
        is_changed = make(room, message)
        if is_changed and author.key != who.key:
            verb = question.removeprefix("can_")
            audit.record(verb, who, room=room.name, target=author, seq=seq)
        return is_changed

    return change_message(room, seq, who, make_if_allowed, tell=tell, wait_seconds=wait_seconds)


def change_message(
    room: str | Room,
    seq: int,
    who: Identity,
    make: Callable[[Room, Message], bool],
    *,
    tell: Tell,
    wait_seconds: float | None = None,
) -> Posted:
    """Change a message in any way: for the verbs of other chapters.

    Args:
        room: its name, however typed, or the room.
        seq: the message's place.
        who: changes it, and must be allowed to enter the room.
        make: is given the room and the message, with the room locked; asks the policy, changes the message, and returns whether
            there was anything to change.
        tell: sends the signals.
        wait_seconds: for a locked room, see :func:`django_roomchat.log.append`.

    Returns:
        Where the message stands; ``duplicate`` if there was nothing to change.

    Raises:
        ChatError: it is refused.
    """
    for _attempt in range(TRIES):
        found = enter_room(who, name_of(room))
        if found.pk is None:
            raise NotFound(_("There is no message %(seq)d in this room."), seq=seq)
        version = found.log.access_version
        done = log.change(
            found.pk, seq, partial(make, found), access_version=version, wait_seconds=wait_seconds
        )
        if done is not None:
            if done.events:
                on_commit(announce, found.name, done, tell)
            return Posted(found.name, "", seq, duplicate=not done.events)
    raise Busy(_RIGHTS_CHANGE)


def rewrite(room: Room, seqs: Iterable[int], make: Callable[[Message], bool]) -> int:
    """Change many messages of a room in one transaction, whoever has written them: for what the project itself has to change.

    Args:
        room: of the messages.
        seqs: their places.
        make: changes a message, and returns whether there was anything to change.

    Returns:
        How many were changed.
    """
    done = log.change_many(room.pk, seqs, make)
    if done is None:
        return 0
    if done.events:
        on_commit(announce, room.name, done)
    return len(done.events)


# Rights -----------------------------------------------------------------------------------------------------------


def change_access(room: Room, key: str, write: Callable[[Room], Any]) -> int:
    """Change what somebody may do in a room, so that it holds at once: on open sockets, and for posts that are under way.

    Args:
        room: made if it does not exist.
        key: whose rights; empty if it may be anybody's.
        write: makes the change, in the transaction, with the room locked. It is given the room as it is now.

    Returns:
        The room's head when the change came into force; what was said before stands at or below it.
    """
    with transaction.atomic(using=database()):
        pk = (room if room.pk is not None else ensure_room(room)).pk
        # Whoever posts compares the version on this very row, under its lock.
        RoomLog.objects.using(database()).filter(pk=pk).update(access_version=F("access_version") + 1)
        locked = _logged_rooms().get(pk=pk)
        write(locked)
        on_commit(bus.publish, bus.Access(locked.name, locked.log.access_version, key))
    return locked.log.head


# Forgetting -------------------------------------------------------------------------------------------------------


def prune_history(
    *,
    rooms: Iterable[str] | None = None,
    older_than: timedelta | None = None,
    keep: int | None = None,
    dry_run: bool = False,
) -> dict[str, int]:
    """Forget old messages, a room at a time.

    Args:
        rooms: their names, however typed; all rooms if it is ``None``.
        older_than: forget what was posted longer ago. ``None`` is what each room says itself (``Room.retention_days``);
            a room that says nothing forgets nothing by age.
        keep: forget all but so many messages of each room.
        dry_run: forget nothing.

    Returns:
        How many messages were (or would be) forgotten, by room, where there were any.
    """
    chosen = Room.objects.using(database()).order_by("pk")
    if rooms is not None:
        chosen = chosen.filter(name__in=[canonical_name(name) for name in rooms])
    pruned = {}
    for room in chosen.iterator(chunk_size=500):
        own = timedelta(days=room.retention_days) if room.retention_days else None
        through = _last_to_prune(room, own if older_than is None else older_than, keep)
        if through:
            old = Message.objects.using(database()).filter(room=room, seq__lte=through)
            pruned[room.name] = old.count() if dry_run else log.prune(room.pk, through)
    return {name: count for name, count in pruned.items() if count}


def _last_to_prune(room: Room, older_than: timedelta | None, keep: int | None) -> int:
    messages = Message.objects.using(database()).filter(room=room).order_by("-seq")
    ends = [0]
    if older_than is not None:
        ends += messages.filter(created_at__lt=timezone.now() - older_than).values_list("seq", flat=True)[:1]
    if keep is not None:
        ends += messages.values_list("seq", flat=True)[keep : keep + 1]
    return max(ends)


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
    after: int | None = None
    """Of a page that was asked for by ``after`` or ``around``: ask for those after this place to get the next newer one;
    ``None`` if there is none."""


def room_of(name: str) -> Room:
    """The room of this name, however typed; one without a ``pk`` if nothing was said in it yet.

    Raises:
        BadRoomName: no room can have this name.
    """
    canonical = canonical_name(name)
    found = _logged_rooms().filter(name=canonical).first()
    return found or _new_room(canonical, name)


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


def read_history(
    who: Identity,
    name: str,
    *,
    before: int | None = None,
    after: int | None = None,
    around: int | None = None,
) -> History:
    """A page of a room's messages, newest first: the newest one, unless a place is given.

    Args:
        who: reads it.
        name: of the room, however typed.
        before: those before this ``seq``.
        after: those after it.
        around: those around it, the message itself too.

    Raises:
        ChatError: there cannot be such a room, or the policy says no.
    """
    room = enter_room(who, name)
    if room.pk is None:
        return History(room, [], None, "", 0, 0)
    # The position before the messages: what is written in between is then seen twice, not never.
    state = room.log
    size = config().PAGE_MESSAGES
    newer: list[Event] = []
    has_newer = False
    if around is not None:
        newer, has_newer = log.page_after(room, around, limit=size // 2)
        before, size = around + 1, size - size // 2
    elif after is not None:
        newer, has_newer = log.page_after(room, after, limit=size)
        # Only whether there are any: the reader comes from there.
        before, size = after + 1, 0
    older, has_older = log.page(room, before, limit=size)
    messages = newer + older
    return History(
        room=room,
        messages=messages,
        before=messages[-1].seq if messages and has_older else None,
        epoch=str(state.epoch),
        floor=state.floor,
        head=state.head,
        after=newer[0].seq if has_newer else None,
    )


async def aread_history(
    who: Identity,
    name: str,
    *,
    before: int | None = None,
    after: int | None = None,
    around: int | None = None,
) -> History:
    """See :func:`read_history`."""
    return await sync_to_async(read_history)(who, name, before=before, after=after, around=around)
