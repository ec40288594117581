"""Posting of messages, one or several at a time.

A post is checked, appended to the log and published. Sockets, views, management commands and background tasks all call
these functions.
"""

from __future__ import annotations

import uuid
from collections.abc import Container, Iterable, Sequence
from dataclasses import replace
from typing import Literal

from django.utils.translation import gettext_noop as _

from django_roomchat import filters, log, policy
from django_roomchat.conf import config
from django_roomchat.database import twin
from django_roomchat.errors import BadValue, Busy, ChatError, NotFound
from django_roomchat.identity import NAME_MAX_LENGTH, Actor, identity_of
from django_roomchat.log.announcing import announce, on_commit
from django_roomchat.messages.change import RIGHTS_CHANGE, TRIES
from django_roomchat.messages.content import chosen_files, filtered, profile_of, rendered_data, with_files
from django_roomchat.messages.types import NewPost, Posted
from django_roomchat.models import Attachment, Message, Room
from django_roomchat.policy import rate_limits
from django_roomchat.protocol import FileToPost
from django_roomchat.rooms.lookup import (
    canonical_name,
    ensure_room,
    name_of,
    new_room,
    remembered,
    room_name,
    rooms_named,
)
from django_roomchat.text import validation, values


def post_message(
    room: str | Room,
    body: str,
    *,
    author: Actor | None = None,
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
            Codes: ``announcement``, ``archived``, ``bad_file``, ``bad_room_name``, ``bad_text``,
            ``bad_value``, ``banned``, ``blocked``, ``busy``, ``filtered``, ``forbidden``,
            ``held``, ``id_reused``, ``members_only``, ``muted``, ``name_taken``,
            ``no_attachments``, ``no_permission``, ``no_such_room``, ``not_found``,
            ``rate_limited``, ``sign_in``, ``too_many``, ``unavailable``, ``unreachable``.
    """
    if author is not None and name is not None:
        raise BadValue("Give an author or a name, not both: an author has a name already.")
    if name is not None:
        values.line(name, "name", NAME_MAX_LENGTH)
    if reply_to is not None:
        values.sequence_number(reply_to, "“reply_to”")
    if kind is not None and kind not in Message.Kind.values:
        raise BadValue("The kind must be “user”, “system” or “bot”.")
    values.iterable(files, "“files”")
    post = NewPost(
        who=identity_of(author, name),
        room=room_name(name_of(room)),
        body=body,
        id=uuid.uuid4().hex if id is None else id,
        reply_to=reply_to,
        kind=kind or ("user" if author is not None else "bot" if name else "system"),
        address=rate_limits.address_here(),
        files=[
            FileToPost(str(file.pk))
            if isinstance(file, Attachment)
            else values.of_type(file, FileToPost, "An item of “files”")
            for file in files
        ],
    )
    [result] = post_messages([post])
    if isinstance(result, Posted):
        return result
    raise result or Busy(RIGHTS_CHANGE)


apost_message = twin(post_message)


def post_messages(
    posts: Sequence[NewPost], *, wait_seconds: float | None = None
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
        results = [policy.refusal(_count, post) for post in posts]
    indexes = [index for index, result in enumerate(results) if result is None]
    for tries in range(TRIES if wait_seconds != 0 else 1):
        _store(posts, indexes, results, wait_seconds, look_up=tries > 0)
        # A missing result means that the room's access version has changed meanwhile: check the permissions again.
        indexes = [index for index in indexes if results[index] is None]
        if not indexes:
            break
    return results


def _count(post: NewPost) -> None:
    rate_limits.spend_shared("POSTS", post.who, post.address, canonical_name(post.room))


def _store(
    posts: Sequence[NewPost],
    indexes: Sequence[int],
    results: list[Posted | ChatError | None],
    wait_seconds: float | None,
    *,
    look_up: bool,
) -> None:
    rooms: dict[int, Room] = {}
    drafts: dict[int, list[log.Draft]] = {}
    waiting: dict[int, list[int]] = {}
    for index, (room, draft) in _check(posts, indexes, results, look_up).items():
        rooms[room.pk] = room
        drafts.setdefault(room.pk, []).append(draft)
        waiting.setdefault(room.pk, []).append(index)
    if not rooms:
        return
    appended = log.append(
        drafts,
        access_versions={pk: room.log.access_version for pk, room in rooms.items()},
        epochs={pk: str(room.log.epoch) for pk, room in rooms.items()},
        wait_seconds=wait_seconds,
    )
    for pk, done in appended.items():
        for index, result in zip(waiting[pk], done.results, strict=True):
            if isinstance(result, log.Stored):
                results[index] = Posted(rooms[pk].name, posts[index].id, result.seq, result.duplicate)
            else:
                results[index] = result
        if done.events:
            on_commit(announce, rooms[pk].name, done)


def _check(
    posts: Sequence[NewPost], indexes: Sequence[int], results: list[Posted | ChatError | None], look_up: bool
) -> dict[int, tuple[Room, log.Draft]]:
    """Return the accepted posts as ``{index: (room, draft)}``. Store the error of a rejected post in *results*."""
    drafts: dict[int, tuple[str, log.Draft]] = {}
    for index in indexes:
        try:
            drafts[index] = canonical_name(posts[index].room), _draft(posts[index])
        except ChatError as error:
            results[index] = error
    checker = _PostChecker(drafts.values(), look_up)
    ready = {}
    for index, (name, draft) in drafts.items():
        post = posts[index]
        try:
            room = checker.check_access(post, name)
            if draft.files:
                draft = with_files(post, draft, room)
            if filters.is_asked(post.who) and not post.is_reviewed:
                draft = filtered(post, draft, room)
            room = checker.ensure_room(post, room)
        except ChatError as error:
            results[index] = error
        else:
            results[index] = None
            ready[index] = room, _completed(post, draft, room)
    return ready


class _PostChecker:
    """Checks who may post in which room, once for each author and room of a batch."""

    def __init__(self, drafts: Iterable[tuple[str, log.Draft]], look_up: bool) -> None:
        self._replies: dict[str, set[int]] = {}
        for name, draft in drafts:
            replied_to = self._replies.setdefault(name, set())
            if draft.reply_to is not None:
                replied_to.add(draft.reply_to)
        self._rooms = rooms_named(set(self._replies), look_up)
        self._refusals: dict[tuple[str, str, bool], ChatError | None] = {}
        self._quoted: dict[str, Container[int]] = {}

    def check_access(self, post: NewPost, name: str) -> Room:
        """Return the room, which may not be saved yet. Raise if the author may not post, or if the replied-to message is missing."""
        try:
            return self._check_access(post, name)
        except ChatError:
            if not self._reload(name):
                raise
            return self._check_access(post, name)

    def ensure_room(self, post: NewPost, room: Room) -> Room:
        """Return the saved room. Raise if the author has exceeded the rate limit for new rooms."""
        if room.name not in self._rooms:
            rate_limits.spend("ROOMS", post.who, post.address)
            self._rooms[room.name] = ensure_room(room)
        return self._rooms[room.name]

    def _check_access(self, post: NewPost, name: str) -> Room:
        room = self._rooms.get(name) or new_room(room_name(post.room))
        question = (post.who.key, name, bool(post.files))
        if question not in self._refusals:
            require = policy.require_attach if post.files else policy.require_post
            self._refusals[question] = policy.refusal(require, post.who, room)
        if (refusal := self._refusals[question]) is not None:
            raise refusal
        # Check only that the message exists. The log reads the quote under its lock, so that a message deleted meanwhile is
        # not quoted.
        if post.reply_to is not None and post.reply_to not in self._messages_of(room):
            raise NotFound(_("There is no message %(seq)d in this room to reply to."), seq=post.reply_to)
        return room

    def _messages_of(self, room: Room) -> Container[int]:
        """Return which of the replied-to messages exist."""
        if room.name not in self._quoted:
            self._quoted[room.name] = () if room.pk is None else log.quotes(room.pk, self._replies[room.name])
        return self._quoted[room.name]

    def _reload(self, name: str) -> bool:
        """Reload a cached room from the database and return whether it was cached.

        The log compares the cached versions of accepted posts with the database, but a rejected post never reaches it.
        """
        room = self._rooms.get(name)
        if room is None or room is not remembered.get(name):
            return False
        del remembered[name], self._rooms[name]
        self._rooms |= rooms_named({name}, look_up=True)
        self._quoted.pop(name, None)
        self._refusals = {question: told for question, told in self._refusals.items() if question[1] != name}
        # The room was loaded for this batch, so the next rejection in it is final.
        remembered.pop(name, None)
        return True


def _completed(post: NewPost, draft: log.Draft, room: Room) -> log.Draft:
    """Return the draft with slow mode, mentions and rendered Markdown added."""
    if room.slow_seconds and not post.is_reviewed and policy.is_slowed(post.who, room):
        draft = replace(draft, slow_seconds=room.slow_seconds)
    read = rendered_data(draft.body, room)
    return replace(draft, data={**draft.data, **read}) if read else draft


def _draft(post: NewPost) -> log.Draft:
    """Return the validated draft of a post. Raise if a value is invalid."""
    return log.Draft(
        author_id=None if post.who.user is None else post.who.user.pk,
        author_key=post.who.key,
        author_name=post.who.name,
        client_id=validation.client_id(post.id),
        kind=post.kind,
        body=validation.body(post.body, config().BODY_MAX_LENGTH, may_be_empty=bool(post.files)),
        reply_to=post.reply_to,
        data=profile_of(post.who) if post.who.avatar or post.who.link else {},
        files=chosen_files(post.files) if post.files else (),
    )
