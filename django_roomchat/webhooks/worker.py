"""Outgoing webhooks: a room's messages are sent to a URL by POST requests.

The log is the queue. Each webhook has a cursor in the log. A worker reads the changes after the cursor and
sends them, and a 2xx response advances the cursor. Posting a message enqueues nothing, so webhooks add no
latency to posts. Each webhook receives its deliveries in order, at least once. The claim of a worker that
crashes expires by itself.
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
from django.db import DatabaseError, connections, transaction
from django.db.models import F, Q
from django.utils import timezone

from django_roomchat import identity, log
from django_roomchat.conf import config
from django_roomchat.database import database
from django_roomchat.models import Webhook
from django_roomchat.policy import audit_trail
from django_roomchat.protocol import Event
from django_roomchat.throttled_logging import warn_throttled
from django_roomchat.webhooks import http_client, signatures
from django_roomchat.webhooks.http_client import DeliveryResult

EVENTS_MAX = 100
"""Maximum number of events in one delivery."""

BACK_OFF_SECONDS, BACK_OFF_MAX_SECONDS = 2.0, 3600.0

GONE = 410
"""Status code with which a receiver ends the webhook."""

LOOK_SECONDS = 1.0
"""Interval, in seconds, at which a worker looks for deliveries that are due."""


class Delivery(msgspec.Struct, omit_defaults=True, frozen=True):
    """The JSON body of a delivery."""

    room: str
    """The room's canonical name."""
    title: str
    """The room's title, as shown to people."""
    epoch: str
    """Epoch of the log that all revisions of the delivery belong to."""
    prev: int
    """Start of the delivery's range: the ``head`` of the last delivery that received a 2xx response."""
    head: int
    """End of the delivery's range."""
    events: list[Event]
    """All messages whose last change is in ``(prev, head]``, in their present state, in the order of those
    changes."""
    reset: Literal["epoch", "pruned"] | None = None
    """``epoch``: the log has a new epoch, as after the restoration of a backup; the events are its newest
    messages. ``pruned``: changes in the range were pruned before they could be sent.
    """


@dataclass(frozen=True, slots=True)
class ClaimedWebhook:
    """A webhook with its next delivery, reserved for one worker for a limited time."""

    webhook: Webhook
    until: datetime
    id: str
    epoch: str
    head: int
    body: bytes


# Delivery -----------------------------------------------------------------------------------------------


class Worker:
    """Delivers the webhooks of all rooms. Several workers may run at the same time.

    Only the calling thread uses the database.

    Args:
        threads: maximum number of requests in progress.

    Raises:
        ImproperlyConfigured: urllib3 is not installed.
    """

    def __init__(self, threads: int = 8) -> None:
        http_client.require_installed()
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="roomchat-webhooks")
        self._under_way: dict[Future[DeliveryResult], ClaimedWebhook] = {}

    def deliver_due(self) -> int:
        """Deliver until nothing is due. Returns the number of successful deliveries."""
        delivered = 0
        while self._start() or self._under_way:
            delivered += self._settle(None)
        return delivered

    def run(self, stop: threading.Event) -> None:
        """Deliver until *stop* is set. Requests in progress at that time are completed."""
        while not stop.is_set():
            try:
                self._start()
                if self._under_way:
                    self._settle(LOOK_SECONDS)
                else:
                    stop.wait(LOOK_SECONDS)
            except DatabaseError as error:
                # A delivery whose result was not stored is sent again.
                warn_throttled("webhooks", "Webhook delivery waits for the database: %r", error)
                connections[database()].close()
                stop.wait(LOOK_SECONDS)
        while self._under_way:
            self._settle(None)

    def close(self) -> None:
        """Shut down the threads."""
        self._pool.shutdown()

    def _start(self) -> int:
        claims = list(_claim(self._threads - len(self._under_way)))
        for claim in claims:
            self._under_way[self._pool.submit(_send, claim)] = claim
        return len(claims)

    def _settle(self, seconds: float | None) -> int:
        done = wait(self._under_way, seconds, FIRST_COMPLETED).done
        results = [(self._under_way.pop(future), future.result()) for future in done]
        for claim, result in results:
            if result.is_success:
                _advance_cursor(claim)
            else:
                _record_failure(claim.webhook, claim.until, result)
        return sum(result.is_success for _, result in results)


def webhook_rows() -> Any:
    return Webhook.objects.using(database())


def _claim(most: int) -> Iterator[ClaimedWebhook]:
    """Reserve at most *most* webhooks that have undelivered changes and are not reserved by another worker."""
    has_changes = Q(cursor__lt=F("room__log__head")) | ~Q(epoch=F("room__log__epoch"))
    due = webhook_rows().filter(has_changes, is_active=True, next_try_at__lte=timezone.now())
    for webhook in due.select_related("room").order_by("next_try_at")[: max(0, most)]:
        # Longer than a delivery can take. After that time another worker takes over from one that has
        # crashed.
        until = timezone.now() + timedelta(seconds=3 * config().WEBHOOK_TIMEOUT_SECONDS)
        mine = webhook_rows().filter(pk=webhook.pk, is_active=True, next_try_at=webhook.next_try_at)
        if not mine.update(next_try_at=until):
            continue
        try:
            claim = _claimed(webhook, until)
        except DatabaseError:
            raise
        except Exception as error:  # a room that cannot be read must not stop the others
            _record_failure(webhook, until, DeliveryResult(error=repr(error)[:300]))
        else:
            yield claim


def _claimed(webhook: Webhook, until: datetime) -> ClaimedWebhook:
    part = log.follow(webhook.room.name, str(webhook.epoch), webhook.cursor, limit=EVENTS_MAX)
    reset: Literal["epoch", "pruned"] | None = None
    if part.reset is not None:
        reset = "pruned" if part.reset == "floor" else "epoch"
    delivery = Delivery(part.room, part.title, part.epoch, part.prev, part.head, part.events, reset)
    return ClaimedWebhook(
        webhook=webhook,
        until=until,
        # The id of a range stays the same however often the range is sent.
        id=f"{webhook.pk}.{part.epoch}.{part.prev}.{part.head}",
        epoch=part.epoch,
        head=part.head,
        body=msgspec.json.encode(delivery),
    )


def _send(claim: ClaimedWebhook) -> DeliveryResult:
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "django-roomchat",
        **signatures.sign(claim.body, claim.webhook.secret, id=claim.id, timestamp=int(time.time())),
    }
    return http_client.post(
        claim.webhook.url,
        claim.body,
        headers,
        timeout_seconds=config().WEBHOOK_TIMEOUT_SECONDS,
        may_be_private=config().WEBHOOK_PRIVATE_ADDRESSES,
        proxy=config().WEBHOOK_PROXY,
    )


def _claimed_row(webhook: Webhook, until: datetime) -> Any:
    """Select the webhook's row, unless the claim has expired and another worker holds it."""
    return webhook_rows().filter(pk=webhook.pk, next_try_at=until)


def _advance_cursor(claim: ClaimedWebhook) -> None:
    position = {"cursor": claim.head, "epoch": claim.epoch, "next_try_at": timezone.now()}
    _claimed_row(claim.webhook, claim.until).update(failures=0, last_error="", **position)


def _record_failure(webhook: Webhook, until: datetime, result: DeliveryResult) -> None:
    """Store that a delivery failed, and the time of the next attempt."""
    failures = webhook.failures + 1
    is_over = result.status == GONE or failures >= config().WEBHOOK_MAX_FAILURES
    with transaction.atomic(using=database()):
        written = _claimed_row(webhook, until).update(
            failures=failures,
            last_error=result.error,
            is_active=not is_over,
            next_try_at=timezone.now() + _back_off(failures, result.retry_after),
        )
        if written and is_over:
            room, error = webhook.room.name, result.error
            audit_trail.record("stop_webhook", identity.site(), room=room, url=webhook.url, error=error)


def _back_off(failures: int, asked_for: float) -> timedelta:
    """Return a delay that doubles with each failure, with random jitter so that webhooks do not retry at the
    same time.
    """
    longest = min(BACK_OFF_MAX_SECONDS, BACK_OFF_SECONDS * 2 ** min(failures - 1, 20))
    # A receiver may ask for a longer delay, up to the maximum.
    seconds = max(longest * random.uniform(0.5, 1), min(asked_for, BACK_OFF_MAX_SECONDS))
    return timedelta(seconds=seconds)
