"""What each frame does, the same for a socket and over HTTP: the verb's action is called, and what it gives becomes the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django_roomchat import actions, protocol, search
from django_roomchat.actions import Posted
from django_roomchat.conf import config
from django_roomchat.errors import UnknownType
from django_roomchat.identity import Identity

Verb = Callable[[Identity, str, Any], protocol.ServerFrame]
"""Given who acts, the name of the room as typed (empty where the frame names none) and the frame."""


def perform(who: Identity, room: str, frame: protocol.ClientFrame) -> protocol.ServerFrame:
    """Do what a frame asks for. Call it in a thread.

    Args:
        who: acts.
        room: its name, however typed; empty for what concerns no room.
        frame: says what.

    Returns:
        The answer.

    Raises:
        ChatError: it is refused.
    """
    verb = VERBS.get(type(frame))
    if verb is None:
        kind = type(frame).__struct_config__.tag
        raise UnknownType(f"A frame of type “{kind}” makes sense on a socket only.")
    return verb(who, room, frame)


def _acked(id: str, done: Posted) -> protocol.Ack:
    return protocol.Ack(id, done.room, done.seq, done.duplicate)


def _post(who: Identity, room: str, frame: protocol.Post) -> protocol.Ack:
    done = actions.post_message(room, frame.body, author=who, id=frame.id, reply_to=frame.reply_to)
    return _acked(frame.id, done)


def _edit(who: Identity, room: str, frame: protocol.Edit) -> protocol.Ack:
    wait = config().LOCK_TIMEOUT_SECONDS
    done = actions.edit_message(room, frame.seq, frame.body, author=who, wait_seconds=wait)
    return _acked(frame.id, done)


def _delete(who: Identity, room: str, frame: protocol.Delete) -> protocol.Ack:
    wait = config().LOCK_TIMEOUT_SECONDS
    return _acked(frame.id, actions.delete_message(room, frame.seq, author=who, wait_seconds=wait))


def _search(who: Identity, room: str, frame: protocol.Search) -> protocol.Found:
    where = None if frame.everywhere else room or None
    found = search.search_messages(who, frame.query, where, frame.before)
    return protocol.Found(frame.id, found.hits, bool(found.before), found.before)


VERBS: dict[type, Verb] = {
    protocol.Search: _search,
    protocol.Post: _post,
    protocol.Edit: _edit,
    protocol.Delete: _delete,
}
