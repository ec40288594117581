"""Operations on rooms and messages. Each function checks permissions, writes to the log and publishes the result.

Sockets, views, the admin, management commands and background tasks all call these functions.
They are synchronous; each public function has an asynchronous twin with the prefix ``a``.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any, Literal

from asgiref.sync import sync_to_async
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from django_roomchat import filters, log, mentions, policy, signals
from django_roomchat.conf import config
from django_roomchat.database import database
from django_roomchat.errors import BadFile, BadValue, Busy, ChatError, Forbidden, Held, NotFound
from django_roomchat.files import records
from django_roomchat.identity import Identity
from django_roomchat.identity.identities import identity_of
from django_roomchat.log.announce import SendSignals, announce, on_commit, send_signals
from django_roomchat.models import Attachment, HeldMessage, Message, Reaction, Room
from django_roomchat.policy import audit_trail, rate_limits
from django_roomchat.protocol import Event, FileToPost
from django_roomchat.rooms.lookup import (
    canonical_name,
    ensure_room,
    enter_room,
    name_of,
    new_room,
    remembered,
    rooms_named,
)
from django_roomchat.text import markdown, validation

TRIES = 3
"""Attempts to store or change a message when the room's access version changes between the check and the write."""
_RIGHTS_CHANGE = _("Permissions in this room are changing; try again.")


@dataclass(frozen=True, slots=True)
class Post:
    """A message to be posted."""

    who: Identity
    room: str
    """The room's name in any spelling."""
    body: str
    id: str
    reply_to: int | None = None
    kind: Literal["user", "system", "bot"] = "user"
    is_reviewed: bool = False
    """Whether a moderator has released this message. Such a message skips the content filter and slow mode."""
    address: str | None = None
    """IP address for the rate limits; ``None`` if the project's own code posts, which is not limited."""
    files: Sequence[FileToPost] = ()
    """Uploaded files to bind to the message."""


@dataclass(frozen=True, slots=True)
class Posted:
    """Result of a stored message."""

    room: str
    """The room's canonical name."""
    id: str
    seq: int
    duplicate: bool
    """Whether an earlier attempt had already stored the message."""


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
    """Post a message to a room.

    Can be called from any synchronous code: a view, a signal receiver, a task or a management command, also inside ``atomic``.
    The message is published when the transaction commits.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`. The room is created if it does not
            exist.
        body: the text. It may be empty if there are files.
        author: a user of the project or an :class:`~django_roomchat.identity.Identity`, which must be allowed to post.
            Without an author the message is posted as the site, which is always allowed.
        name: display name of the site; only without an author.
        id: client id of the message. Repeated calls with the same id store one message; use for example
            ``f"order-{order.pk}-paid"``. The default is a random id.
        kind: how the message is displayed. The default is ``user`` with an author, ``bot`` with a name, else ``system``.
        reply_to: sequence number of the message that this one replies to.
        files: attachments created with :func:`attach_file` for this room and this author. To add a description, pass
            ``django_roomchat.protocol.FileToPost(id, alt)``.

    Returns:
        The canonical room name, the id and the sequence number of the message, and whether it was stored before.
        Inside ``atomic`` the message is visible only after the transaction has committed.

    Raises:
        ChatError: the message is rejected; see :mod:`django_roomchat.errors`.
    """
    if author is not None and name is not None:
        raise BadValue("Give an author or a name, not both: an author has a name already.")
    post = Post(
        who=identity_of(author, name),
        room=name_of(room),
        body=body,
        id=uuid.uuid4().hex if id is None else id,
        reply_to=reply_to,
        kind=kind or ("user" if author is not None else "bot" if name else "system"),
        address=rate_limits.address_here(),
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
    """Post several messages in one transaction.

    Args:
        posts: the messages, in the order in which they are numbered.
        wait_seconds: lock timeout for the rooms, in seconds; see :func:`django_roomchat.log.append`.

    Returns:
        One result for each post, in the same order: the stored message or the error that rejected it. ``None`` if the room is
        locked and *wait_seconds* is 0, or if the room's access version changed on every attempt.
    """
    results: list[Posted | ChatError | None] = [None] * len(posts)
    # A post that waits for a locked room is a second attempt. It was counted at the first one.
    if config().RATE_CACHE is not None and (not wait_seconds or config().FILTER is not None):
        results = [_refusal(_count, post) for post in posts]
    places = [place for place, result in enumerate(results) if result is None]
    for tries in range(TRIES if wait_seconds != 0 else 1):
        _store(posts, places, results, wait_seconds, look_up=tries > 0)
        # A missing result means that the room's access version has changed meanwhile: check the permissions again.
        places = [place for place in places if results[place] is None]
        if not places:
            break
    return results


def _count(post: Post) -> None:
    rate_limits.spend_shared("POSTS", post.who, post.address, canonical_name(post.room))


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
    """Return the accepted posts as ``{index: (room, draft)}``. Store the error of a rejected post in *results*."""
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
    """Checks who may post in which room, once for each author and room of a batch."""

    def __init__(self, drafts: Iterable[tuple[str, log.Draft]], look_up: bool) -> None:
        self._replies: dict[str, set[int]] = {}
        for name, draft in drafts:
            answered = self._replies.setdefault(name, set())
            if draft.reply_to is not None:
                answered.add(draft.reply_to)
        self._rooms = rooms_named(set(self._replies), look_up)
        self._refusals: dict[tuple[str, str, bool], ChatError | None] = {}
        self._answered: dict[str, Container[int]] = {}

    def admit(self, post: Post, name: str) -> Room:
        """Return the room, which may not be saved yet. Raise if the author may not post, or if the replied-to message is missing."""
        try:
            return self._admit(post, name)
        except ChatError:
            if not self._recall(name):
                raise
            return self._admit(post, name)

    def make(self, post: Post, room: Room) -> Room:
        """Return the saved room. Raise if the author has exceeded the rate limit for new rooms."""
        if room.name not in self._rooms:
            rate_limits.spend("ROOMS", post.who, post.address)
            self._rooms[room.name] = ensure_room(room)
        return self._rooms[room.name]

    def _admit(self, post: Post, name: str) -> Room:
        room = self._rooms.get(name) or new_room(name, post.room)
        question = (post.who.key, name, bool(post.files))
        if question not in self._refusals:
            require = policy.require_attach if post.files else policy.require_post
            self._refusals[question] = _refusal(require, post.who, room)
        if (refusal := self._refusals[question]) is not None:
            raise refusal
        # Check only that the message exists. The log reads the quote under its lock, so that a message deleted meanwhile is
        # not quoted.
        if post.reply_to is not None and post.reply_to not in self._messages_of(room):
            raise NotFound(_("There is no message %(seq)d in this room to reply to."), seq=post.reply_to)
        return room

    def _messages_of(self, room: Room) -> Container[int]:
        """Return which of the replied-to messages exist."""
        if room.name not in self._answered:
            self._answered[room.name] = (
                () if room.pk is None else log.quotes(room.pk, self._replies[room.name])
            )
        return self._answered[room.name]

    def _recall(self, name: str) -> bool:
        """Reload a cached room from the database and return whether it was cached.

        The log compares the cached versions of accepted posts with the database, but a rejected post never reaches it.
        """
        room = self._rooms.get(name)
        if room is None or room is not remembered.get(name):
            return False
        del remembered[name], self._rooms[name]
        self._rooms |= rooms_named({name}, look_up=True)
        self._answered.pop(name, None)
        self._refusals = {question: told for question, told in self._refusals.items() if question[1] != name}
        # The room was loaded for this batch, so the next rejection in it is final.
        remembered.pop(name, None)
        return True


def _finished(post: Post, draft: log.Draft, room: Room) -> log.Draft:
    """Return the draft with slow mode, mentions and rendered Markdown added."""
    if room.slow_seconds and _is_slowed(post, room):
        draft = replace(draft, slow_seconds=room.slow_seconds)
    read = _read_in(draft.body, room)
    return replace(draft, data={**draft.data, **read}) if read else draft


def _read_in(body: str, room: Room) -> dict[str, Any]:
    """Return the data derived from a text: its mentions, and its HTML if the Markdown extra is enabled."""
    read: dict[str, Any] = {}
    if called := mentions.called_in(room, body):
        read["mentions"] = called
    if config().MARKDOWN and (html := markdown.html(body)) is not None:
        read["html"] = html
    return read


def _is_slowed(post: Post, room: Room) -> bool:
    return not (post.who.is_site or post.is_reviewed or policy.policy().can_moderate(post.who, room))


def _with_files(post: Post, draft: log.Draft, room: Room) -> log.Draft:
    """Return the draft with the descriptions of its files. Raise if a file does not exist."""
    try:
        sent = records.described(room, None if post.who.is_site else post.who.key, draft.files)
    except BadFile:
        if _is_stored(draft, room):
            return draft
        raise
    return replace(draft, data={**draft.data, "files": sent})


def _is_stored(draft: log.Draft, room: Room) -> bool:
    """Return whether an earlier attempt stored this message. Such a post is acknowledged whatever the checks return now."""
    stored = Message.objects.using(database()).filter(room_id=room.pk, author_key=draft.author_key)
    return stored.filter(client_id=draft.client_id).exists()


def _filtered(post: Post, draft: log.Draft, room: Room) -> log.Draft:
    """Return the draft as the content filter changed it. Raise if the filter refuses or holds it."""
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
    """Return the filter's answer. Raise if it refuses or holds the message."""
    if isinstance(answer, filters.Refuse):
        raise Forbidden(answer.sentence, code=answer.code)
    if isinstance(answer, filters.Hold):
        raise _held(draft, answer.reason, room)
    return answer


def _ask_about_names(post: Post, draft: log.Draft, room: Room) -> None:
    """Pass file names and descriptions to the content filter. Raise unless it passes them: they cannot be changed."""
    said = [text for file in draft.data.get("files", ()) for text in (file["name"], file.get("alt")) if text]
    answer = filters.ask(room, post.who, "\n".join(said)) if said else None
    if _passed(answer, draft, room) is not None:
        raise Forbidden(_("This file name or description is not allowed here."), code="filtered")


def _held(draft: log.Draft, reason: str, room: Room) -> ChatError:
    """Store the message for moderation, once for each client id, and return the error for its author."""
    values = {
        "author_id": draft.author_id,
        "author_name": draft.author_name,
        "body": draft.body,
        "reply_to": draft.reply_to,
        "reason": str(reason)[: validation.REASON_MAX_LENGTH],
        "files": [{"id": file.id, "alt": file.alt} for file in draft.files],
    }
    pk = (room if room.pk is not None else ensure_room(room)).pk
    if draft.files:
        records.hold(draft.files, draft.client_id)
    held, _is_new = HeldMessage.objects.using(database()).get_or_create(
        values, room_id=pk, author_key=draft.author_key, client_id=draft.client_id
    )
    if held.state == HeldMessage.State.REFUSED:
        return Forbidden(_("A moderator has rejected this message."), code="filtered")
    return Held(_("Your message is waiting for a moderator's approval."))


def _refusal(require: Callable[..., None], *about: Any) -> ChatError | None:
    try:
        require(*about)
    except ChatError as error:
        return error
    return None


def _draft(post: Post) -> log.Draft:
    """Return the validated draft of a post. Raise if a value is invalid."""
    return log.Draft(
        author_id=None if post.who.user is None else post.who.user.pk,
        author_key=post.who.key,
        author_name=post.who.name,
        client_id=validation.client_id(post.id),
        kind=post.kind,
        body=validation.body(post.body, config().BODY_MAX_LENGTH, may_be_empty=bool(post.files)),
        reply_to=post.reply_to,
        data=_shown_of(post.who) if post.who.avatar or post.who.link else {},
        files=_chosen(post.files) if post.files else (),
    )


def _chosen(given: Sequence[FileToPost]) -> tuple[FileToPost, ...]:
    """Return the validated files of a post. Raise if there are too many or an id is invalid or repeated."""
    most = config().ATTACHMENTS_PER_MESSAGE
    if len(given) > most:
        raise BadValue(_("A message can have at most %(most)d files."), most=most, code="too_many")
    ids = [records.named(file.id) for file in given]
    if None in ids or len(set(ids)) < len(ids):
        raise records.missing()
    return tuple(FileToPost(str(id), validation.alt(file.alt)) for id, file in zip(ids, given, strict=True))


def _shown_of(who: Identity) -> dict[str, str]:
    """Return the author's avatar and profile URLs as they are now. Invalid URLs are left out."""
    addresses = {"avatar": validation.web_address(who.avatar), "link": validation.web_address(who.link)}
    return {name: address for name, address in addresses.items() if address}


# Edit and delete --------------------------------------------------------------------------------------------------


def edit_message(
    room: str | Room, seq: int, body: str, *, author: Any = None, wait_seconds: float | None = None
) -> Posted:
    """Change the text of a message. It keeps its sequence number and takes the room's next revision.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        seq: sequence number of the message.
        body: the new text. It may be empty if the message has files, which are kept.
        author: the user or :class:`~django_roomchat.identity.Identity` that edits the message. Without one the site edits it,
            which is always allowed.
        wait_seconds: lock timeout for the room, in seconds; see :func:`django_roomchat.log.append`.

    Returns:
        The room and sequence number of the message; ``duplicate`` if it had this text already.

    Raises:
        ChatError: the edit is rejected.
    """
    new = validation.body(body, config().BODY_MAX_LENGTH, may_be_empty=True)
    who = identity_of(author)
    if new and filters.is_asked(who):
        answer = filters.ask(enter_room(who, name_of(room)), who, new)
        if isinstance(answer, filters.Refuse):
            raise Forbidden(answer.sentence, code=answer.code)
        if isinstance(answer, filters.Hold):
            raise Forbidden(
                _("This edit needs a moderator's approval; send it as a new message."), code="filtered"
            )
        new = new if answer is None else answer.body

    known: list[dict[str, str]] = []

    def make(room: Room, message: Message) -> bool:
        require_message(message)
        if not new and not message.data.get("files"):
            raise validation.empty()
        if message.body == new:
            return False
        known[:] = message.data.get("mentions") or []
        now = timezone.now()
        message.data = _without_readings(message) | _earlier_of(message) | _read_in(new, room)
        message.body, message.edited_at = new, now
        return True

    def tell(room: str, event: Event) -> None:
        send_signals(room, event)
        before = {mention["key"] for mention in known}
        if called := [mention for mention in event.mentions or () if mention.key not in before]:
            signals.mentioned.send_robust(Message, room=room, event=event, mentions=called)

    return _change(room, seq, who, "can_edit", make, tell, wait_seconds)


EARLIER_MAX = 10
"""Maximum number of earlier texts kept for an edited message; the oldest are dropped."""


def _without_readings(message: Message) -> dict[str, Any]:
    return {name: value for name, value in message.data.items() if name not in ("mentions", "html")}


def _earlier_of(message: Message) -> dict[str, Any]:
    """Return the earlier texts of a message including the current one; empty unless ``EDIT_HISTORY`` is enabled."""
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
    """Delete a message. Its text, files and reactions are erased; its sequence number stays and it takes the next revision.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        seq: sequence number of the message.
        author: the user or :class:`~django_roomchat.identity.Identity` that deletes the message. Without one the site deletes
            it, which is always allowed.
        wait_seconds: lock timeout for the room, in seconds; see :func:`django_roomchat.log.append`.

    Returns:
        The room and sequence number of the message; ``duplicate`` if it was deleted before.

    Raises:
        ChatError: the deletion is rejected.
    """

    def make(room: Room, message: Message) -> bool:
        if message.deleted_at is not None:
            return False
        if message.data.get("reactions"):
            Reaction.objects.using(database()).filter(message=message).delete()
        if message.data.get("files"):
            records.release_of(message.room_id, [message.seq])
        message.body, message.data, message.pinned_at = "", {}, None
        message.deleted_at = timezone.now()
        return True

    return _change(room, seq, identity_of(author), "can_delete", make, send_signals, wait_seconds)


async def adelete_message(room: str | Room, seq: int, **options: Any) -> Posted:
    """See :func:`delete_message`."""
    return await sync_to_async(delete_message)(room, seq, **options)


def _change(
    room: str | Room,
    seq: int,
    who: Identity,
    question: Literal["can_edit", "can_delete"],
    make: Callable[[Room, Message], bool],
    tell: SendSignals,
    wait_seconds: float | None,
) -> Posted:
    def make_if_allowed(room: Room, message: Message) -> bool:
        policy.require_change(who, room, message, question)
        author = Identity(message.author_key, message.author_name)
        is_changed = make(room, message)
        if is_changed and author.key != who.key:
            verb = question.removeprefix("can_")
            audit_trail.record(verb, who, room=room.name, target=author, seq=seq)
        return is_changed

    return change_message(room, seq, who, make_if_allowed, tell=tell, wait_seconds=wait_seconds)


def change_message(
    room: str | Room,
    seq: int,
    who: Identity,
    make: Callable[[Room, Message], bool],
    *,
    tell: SendSignals,
    wait_seconds: float | None = None,
) -> Posted:
    """Change a message with a callback. Edits, deletions, reactions and pins are built on this function.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        seq: sequence number of the message.
        who: the acting identity, which must be allowed to enter the room.
        make: called with the room and the message while the room is locked. It checks the policy, changes the message and
            returns whether anything changed.
        tell: sends the signals.
        wait_seconds: lock timeout for the room, in seconds; see :func:`django_roomchat.log.append`.

    Returns:
        The room and sequence number of the message; ``duplicate`` if nothing changed.

    Raises:
        ChatError: the change is rejected.
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
    """Change several messages of a room in one transaction, without asking the policy.

    Args:
        room: the room of the messages.
        seqs: sequence numbers of the messages.
        make: called with each message. It changes the message and returns whether anything changed.

    Returns:
        The number of messages that were changed.
    """
    done = log.change_many(room.pk, seqs, make)
    if done is None:
        return 0
    if done.events:
        on_commit(announce, room.name, done)
    return len(done.events)


# Pruning ----------------------------------------------------------------------------------------------------------


def prune_history(
    *,
    rooms: Iterable[str] | None = None,
    older_than: timedelta | None = None,
    keep: int | None = None,
    dry_run: bool = False,
) -> dict[str, int]:
    """Delete old messages permanently, one room at a time.

    Args:
        rooms: room names in any spelling; ``None`` for all rooms.
        older_than: minimum age of the deleted messages. ``None`` uses the retention period of each room
            (``Room.retention_days``); rooms without one keep messages of any age.
        keep: number of newest messages to keep in each room; ``None`` for no limit.
        dry_run: count the messages without deleting them.

    Returns:
        The number of messages that were (or would be) deleted, by canonical room name. Rooms without any are left out.

    Raises:
        BadRoomName: a name in *rooms* is invalid.
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


# History --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class History:
    """A page of a room's messages."""

    room: Room
    messages: list[Event]
    """The messages of this page, newest first."""
    before: int | None
    """Value of ``before`` for the next older page; ``None`` on the last page."""
    epoch: str
    floor: int
    head: int
    """Revision up to which the page includes all changes of its messages."""
    after: int | None = None
    """Value of ``after`` for the next newer page, on pages requested with ``after`` or ``around``; ``None`` if there is none."""


def read_history(
    who: Identity,
    name: str,
    *,
    before: int | None = None,
    after: int | None = None,
    around: int | None = None,
) -> History:
    """Return a page of a room's messages. Without ``before``, ``after`` or ``around`` it is the newest page.

    Args:
        who: the identity that reads, which must be allowed to enter the room.
        name: the room's name in any spelling.
        before: return messages with a lower sequence number than this one.
        after: return messages with a higher sequence number than this one.
        around: return this message and those before and after it.

    Returns:
        At most ``PAGE_MESSAGES`` messages, newest first, with the values for the next page in each direction. A room that does
        not exist yet gives an empty page.

    Raises:
        ChatError: the name is invalid, or the policy denies entry.
    """
    room = enter_room(who, name)
    if room.pk is None:
        return History(room, [], None, "", 0, 0)
    # Read the room's position before its messages: a change committed in between is then delivered twice rather than lost.
    state = room.log
    size = config().PAGE_MESSAGES
    newer: list[Event] = []
    has_newer = False
    if around is not None:
        newer, has_newer = log.page_after(room, around, limit=size // 2)
        before, size = around + 1, size - size // 2
    elif after is not None:
        newer, has_newer = log.page_after(room, after, limit=size)
        # Check only whether there are older messages: the client has them already.
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
