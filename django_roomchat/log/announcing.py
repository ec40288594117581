"""Announcing changes after the commit: publishing to all processes, and Django signals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction

from django_roomchat import pubsub, signals
from django_roomchat.database import database
from django_roomchat.log.drafts import Appended
from django_roomchat.models import Message
from django_roomchat.protocol import Event, encode_event


def on_commit(tell: Callable[..., None], *about: Any) -> None:
    """Call *tell* when the transaction commits. An exception in it is logged and does not affect other callbacks."""

    # Django 5.2 logs an exception with the callback's ``__qualname__``, which a partial does not have.
    def call() -> None:
        tell(*about)

    transaction.on_commit(call, using=database(), robust=True)


SendSignals = Callable[[str, Event], None]
"""Sends the signals for an event. Called with the canonical name of the room and the event."""


def announce(room: str, done: Appended, tell: SendSignals | None = None) -> None:
    """Publish what was appended to a room and send its signals. Call it on commit.

    Args:
        room: the room's canonical name.
        done: the appended events.
        tell: sends the signals. The default sends ``message_posted``, ``message_edited`` or ``message_deleted``, and
            ``mentioned`` for new messages.
    """
    events = [(event.rev, encode_event(event)) for event in done.events]
    pubsub.publish(pubsub.Batch(room, done.epoch, done.prev, done.head, events))
    for event in done.events:
        (tell or send_signals)(room, event)


def send_signals(room: str, event: Event) -> None:
    if event.rev == event.seq:
        signal = signals.message_posted
    else:
        signal = signals.message_edited if event.deleted_at is None else signals.message_deleted
    if signal.has_listeners(Message):
        signal.send_robust(Message, room=room, event=event)
    if event.rev == event.seq and event.mentions:
        signals.mentioned.send_robust(Message, room=room, event=event, mentions=event.mentions)
