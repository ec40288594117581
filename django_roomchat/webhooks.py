"""Outgoing webhooks: an address is told what happens in a room.

The log is the queue. A webhook has a cursor in it, a worker reads what happened after that and sends it,
and an answer that says yes moves the cursor: nothing is put anywhere when somebody posts, so no post waits for a webhook.
Each webhook is told in order, at least once; a worker that dies in between leaves a claim that ends by itself.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from asgiref.sync import sync_to_async
from django.db import DatabaseError, connections, transaction
from django.db.models import F, Q
from django.utils import timezone

from django_roomchat import actions, audit, identity, log, outgoing, policy, reports, signatures
from django_roomchat.conf import config
from django_roomchat.counter import database
from django_roomchat.models import Room, Webhook
from django_roomchat.outgoing import Answer
from django_roomchat.protocol import Event

EVENTS_MAX = 100
"""In one delivery."""
BACK_OFF_SECONDS, BACK_OFF_MAX_SECONDS = 2.0, 3600.0
GONE = 410
"""The receiver says that it wants no more."""
LOOK_SECONDS = 1.0
"""How often a worker looks whether anything happened."""


class Delivery(msgspec.Struct, omit_defaults=True, frozen=True):
    """What a webhook is sent, as JSON."""

    room: str
    """The room's canonical name."""
    title: str
    """Its name as people see it."""
    epoch: str
    """Of the log that all numbers count in."""
    prev: int
    """Where the range of this delivery begins: the ``head`` of the last one that was answered with yes."""
    head: int
    """Where it ends."""
    events: list[Event]
    """All messages whose last change is in ``(prev, head]``, as they are now, in the order of those changes."""
    reset: Literal["epoch", "pruned"] | None = None
    """``epoch``: the log is another one, as after the restoration of a backup; the events are its newest messages.
    ``pruned``: some of what happened in the range was forgotten before it could be told."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A webhook that one worker takes care of for a while."""

    webhook: Webhook
    until: datetime
    id: str
    epoch: str
    head: int
    body: bytes


# Making ---------------------------------------------------------------------------------------------------------


def make_webhook(room: str | Room, url: str, *, by: Any = None) -> Webhook:
    """Tell an address what happens in a room from now on.

    Args:
        room: its name, however typed, or the room. It is made if it does not exist.
        url: an ``http`` or ``https`` address; of a private network only with ``WEBHOOK_PRIVATE_ADDRESSES``.
        by: who wants it, and must be allowed to manage the room; without one the project itself.

    Returns:
        The webhook; the receiver needs its ``secret``.

    Raises:
        ChatError: it is refused.
    """
    outgoing.check_url(url)
    who = actions.identity_of(by)
    found = actions.room_of(actions.name_of(room))
    policy.require_may(who, found, "can_manage")
    with transaction.atomic(using=database()):
        if found.pk is None:
            found = actions.ensure_room(found)
        webhook = Webhook.objects.using(database()).create(
            room=found,
            url=url,
            secret=signatures.new_secret(),
            cursor=found.log.head,
            epoch=found.log.epoch,
        )
        audit.record("make_webhook", who, room=found.name, url=url)
    return webhook


async def amake_webhook(room: str | Room, url: str, *, by: Any = None) -> Webhook:
    """See :func:`make_webhook`."""
    return await sync_to_async(make_webhook)(room, url, by=by)


def remove_webhook(webhook: Webhook, *, by: Any = None) -> None:
    """Tell an address nothing more. *by* is as for :func:`make_webhook`."""
    who = actions.identity_of(by)
    policy.require_may(who, actions.room_of(webhook.room.name), "can_manage")
    with transaction.atomic(using=database()):
        audit.record("remove_webhook", who, room=webhook.room.name, url=webhook.url)
        webhook.delete()


async def aremove_webhook(webhook: Webhook, *, by: Any = None) -> None:
    """See :func:`remove_webhook`."""
    await sync_to_async(remove_webhook)(webhook, by=by)


def resume_webhook(webhook: Webhook) -> None:
    """Try again, now, to tell an address what it has not heard yet."""
    _rows().filter(pk=webhook.pk).update(is_active=True, failures=0, next_try_at=timezone.now())


# Delivering -----------------------------------------------------------------------------------------------------


class Worker:
    """Delivers for all rooms. Any number of workers may run; the database is used by the thread that calls, and by no other.

    Args:
        threads: receivers that are spoken to at the same time.
    """

    def __init__(self, threads: int = 8) -> None:
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="roomchat-webhooks")
        self._under_way: dict[Future[Answer], Claim] = {}

    def deliver_due(self) -> int:
        """Deliver until nothing is due. Returns how many deliveries succeeded."""
        delivered = 0
        while self._start() or self._under_way:
            delivered += self._settle(None)
        return delivered

    def run(self, stop: threading.Event) -> None:
        """Deliver until *stop* is set; what is under way then is brought to its end."""
        while not stop.is_set():
            try:
                self._start()
                if self._under_way:
                    self._settle(LOOK_SECONDS)
                else:
                    stop.wait(LOOK_SECONDS)
            except DatabaseError as error:
                # What was delivered and not written down is delivered again.
                reports.warn("webhooks", "The webhooks wait for the database: %r", error)
                connections[database()].close()
                stop.wait(LOOK_SECONDS)
        while self._under_way:
            self._settle(None)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()

    def _start(self) -> int:
        claims = list(_claim(self._threads - len(self._under_way)))
        for claim in claims:
            self._under_way[self._pool.submit(_send, claim)] = claim
        return len(claims)

    def _settle(self, seconds: float | None) -> int:
        done = wait(self._under_way, seconds, FIRST_COMPLETED).done
        answers = [(self._under_way.pop(future), future.result()) for future in done]
        for claim, answer in answers:
            if answer.is_success:
                _move_on(claim)
            else:
                _write_down(claim.webhook, claim.until, answer)
        return sum(answer.is_success for _, answer in answers)


def _rows() -> Any:
    return Webhook.objects.using(database())


def _claim(most: int) -> Iterator[Claim]:
    """Those webhooks that have something to tell and that no other worker takes care of, *most* at most."""
    has_news = Q(cursor__lt=F("room__log__head")) | ~Q(epoch=F("room__log__epoch"))
    due = _rows().filter(has_news, is_active=True, next_try_at__lte=timezone.now())
    for webhook in due.select_related("room").order_by("next_try_at")[: max(0, most)]:
        # Longer than a delivery can take; who has died is taken over from after that.
        until = timezone.now() + timedelta(seconds=3 * config().WEBHOOK_TIMEOUT_SECONDS)
        mine = _rows().filter(pk=webhook.pk, is_active=True, next_try_at=webhook.next_try_at)
        if not mine.update(next_try_at=until):
            continue
        try:
            claim = _claimed(webhook, until)
        except DatabaseError:
            raise
        except Exception as error:  # a room that cannot be read does not stop the others
            _write_down(webhook, until, Answer(error=repr(error)[:300]))
        else:
            yield claim


def _claimed(webhook: Webhook, until: datetime) -> Claim:
    part = log.follow(webhook.room.name, str(webhook.epoch), webhook.cursor, limit=EVENTS_MAX)
    reset: Literal["epoch", "pruned"] | None = None
    if part.reset is not None:
        reset = "pruned" if part.reset == "floor" else "epoch"
    delivery = Delivery(part.room, part.title, part.epoch, part.prev, part.head, part.events, reset)
    return Claim(
        webhook=webhook,
        until=until,
        # The same while the same is told, however often.
        id=f"{webhook.pk}.{part.epoch}.{part.prev}.{part.head}",
        epoch=part.epoch,
        head=part.head,
        body=msgspec.json.encode(delivery),
    )


def _send(claim: Claim) -> Answer:
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "django-roomchat",
        **signatures.sign(claim.body, claim.webhook.secret, id=claim.id, timestamp=int(time.time())),
    }
    return outgoing.post(
        claim.webhook.url,
        claim.body,
        headers,
        timeout_seconds=config().WEBHOOK_TIMEOUT_SECONDS,
        may_be_private=config().WEBHOOK_PRIVATE_ADDRESSES,
    )


def _mine(webhook: Webhook, until: datetime) -> Any:
    """The row, unless the claim has ended and another worker has it by now."""
    return _rows().filter(pk=webhook.pk, next_try_at=until)


def _move_on(claim: Claim) -> None:
    told = {"cursor": claim.head, "epoch": claim.epoch, "next_try_at": timezone.now()}
    _mine(claim.webhook, claim.until).update(failures=0, last_error="", **told)


def _write_down(webhook: Webhook, until: datetime, answer: Answer) -> None:
    """That it failed, and when to try again."""
    failures = webhook.failures + 1
    is_over = answer.status == GONE or failures >= config().WEBHOOK_MAX_FAILURES
    with transaction.atomic(using=database()):
        written = _mine(webhook, until).update(
            failures=failures,
            last_error=answer.error,
            is_active=not is_over,
            next_try_at=timezone.now() + _back_off(failures, answer.retry_after),
        )
        if written and is_over:
            room, error = webhook.room.name, answer.error
            audit.record("stop_webhook", identity.site(), room=room, url=webhook.url, error=error)


def _back_off(failures: int, asked_for: float) -> timedelta:
    """Twice as long with every failure, and by chance a little less, so that many webhooks do not come back at once."""
    longest = min(BACK_OFF_MAX_SECONDS, BACK_OFF_SECONDS * 2 ** min(failures - 1, 20))
    # A receiver may ask for more patience, within reason.
    seconds = max(longest * random.uniform(0.5, 1), min(asked_for, BACK_OFF_MAX_SECONDS))
    return timedelta(seconds=seconds)
