"""Deliveries of outgoing webhooks: contents, retries, slow receivers and several workers."""

import json
import threading
import time
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from django_roomchat import log
from django_roomchat.messages.edit import delete_message, edit_message
from django_roomchat.messages.history import read_history
from django_roomchat.messages.post import post_message
from django_roomchat.models import AuditEntry, Message, RoomLog, Webhook
from django_roomchat.webhooks import worker as webhooks_worker
from django_roomchat.webhooks.outgoing import (
    make_webhook,
    resume_webhook,
)
from django_roomchat.webhooks.signatures import verify_signature
from django_roomchat.webhooks.worker import (
    DeliveryResult,
    _advance_cursor,
    _back_off,
    _claim,
    _claimed,
    _record_failure,
)
from tests.services.egress_proxy import EgressProxy
from tests.services.receiver import Receiver
from tests.support.caches import clear_caches
from tests.support.webhooks import ANA, CLOSED, hold, state

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("private_receivers")]


def make_due(webhook):
    """Make the next attempt due now."""
    Webhook.objects.filter(pk=webhook.pk).update(next_try_at=timezone.now())


# Telling -------------------------------------------------------------------------------------------------------------


def test_it_is_told_what_happened(worker, receiver):
    webhook = make_webhook("Lobby", receiver.url)
    post_message("lobby", "hi", author=ANA, id="a1")

    assert worker.deliver_due() == 1

    [(path, headers, body)] = receiver.requests
    [event] = read_history("lobby", by=ANA).messages
    assert path == "/hook?x=1"
    assert json.loads(body) == {
        "room": "lobby",
        "title": "Lobby",
        "epoch": str(webhook.epoch),
        "prev": 0,
        "head": 1,
        "events": [
            {
                "seq": 1,
                "rev": 1,
                "id": "a1",
                "kind": "user",
                "author": {"key": "g:ana", "name": "Ana", "guest": True},
                "body": "hi",
                "at": event.at,
            }
        ],
    }
    assert headers["Content-Type"] == "application/json"
    assert headers["webhook-id"] == f"{webhook.pk}.{webhook.epoch}.0.1"
    assert state(webhook) == (1, 0, "", True)


def test_a_delivery_passes_the_proxy_of_the_settings(worker, receiver, settings):
    with EgressProxy(int(receiver.url.split(":")[2].split("/")[0])) as proxy:
        settings.ROOMCHAT = {"WEBHOOK_PROXY": f"http://127.0.0.1:{proxy.port}"}
        webhook = make_webhook("lobby", "http://hooks.example/in")
        post_message("lobby", "hi")

        assert worker.deliver_due() == 1

        assert [target for _method, target, _credentials in proxy.requests] == ["http://hooks.example/in"]
        assert state(webhook) == (1, 0, "", True)


def test_a_delivery_is_signed(worker, receiver):
    webhook = make_webhook("lobby", receiver.url)
    post_message("lobby", "hi")
    worker.deliver_due()

    [(_path, headers, body)] = receiver.requests

    assert verify_signature(body, headers, webhook.secret)
    assert not verify_signature(body.replace(b"hi", b"ho"), headers, webhook.secret)


def test_nothing_is_told_where_nothing_happened(worker, receiver):
    make_webhook("lobby", receiver.url)

    assert (worker.deliver_due(), receiver.requests) == (0, [])


def test_edits_and_deletions_are_told_as_the_messages_are_now(worker, receiver):
    make_webhook("lobby", receiver.url)
    post_message("lobby", "one")
    post_message("lobby", "two")
    worker.deliver_due()
    edit_message("lobby", 2, "two!")
    delete_message("lobby", 1)

    worker.deliver_due()

    last = receiver.deliveries[-1]
    assert receiver.ranges == [(0, 2, ["one", "two"]), (2, 4, ["two!", ""])]
    assert ["deleted_at" in event for event in last["events"]] == [False, True]


def test_what_is_much_comes_in_several_parts_without_a_hole(worker, receiver, monkeypatch):
    monkeypatch.setattr(webhooks_worker, "EVENTS_MAX", 3)
    make_webhook("lobby", receiver.url)
    for number in range(7):
        post_message("lobby", f"{number}")
    edit_message("lobby", 1, "0!")

    assert worker.deliver_due() == 3

    assert receiver.ranges == [(0, 4, ["1", "2", "3"]), (4, 7, ["4", "5", "6"]), (7, 8, ["0!"])]


def test_each_webhook_has_its_own_place(worker):
    with Receiver() as one, Receiver(500) as other:
        first, second = make_webhook("lobby", one.url), make_webhook("lobby", other.url)
        post_message("lobby", "hi")

        assert worker.deliver_due() == 1

        assert (state(first), state(second)) == ((1, 0, "", True), (0, 1, "HTTP 500", True))


def test_what_is_rolled_back_is_not_told(worker, receiver):
    make_webhook("lobby", receiver.url)
    with transaction.atomic():
        post_message("lobby", "never")
        transaction.set_rollback(True)
    clear_caches()
    post_message("lobby", "hi")

    worker.deliver_due()

    assert receiver.ranges == [(0, 1, ["hi"])]


# Plainly -------------------------------------------------------------------------------------------------------------


def test_what_was_pruned_before_it_could_be_told_is_said_plainly(worker, receiver):
    webhook = make_webhook("lobby", receiver.url)
    for body in ("one", "two", "three"):
        post_message("lobby", body)
    log.prune(webhook.room_id, 2)

    worker.deliver_due()

    assert receiver.ranges == [(0, 3, ["three"])]
    assert receiver.deliveries[0]["reset"] == "pruned"


def test_a_room_of_which_everything_was_pruned_is_told_once(worker, receiver):
    webhook = make_webhook("lobby", receiver.url)
    post_message("lobby", "one")
    log.prune(webhook.room_id, 1)

    assert worker.deliver_due() == 1

    assert (receiver.ranges, receiver.deliveries[0]["reset"]) == ([(0, 1, [])], "pruned")


def test_what_was_told_may_be_pruned_in_silence(worker, receiver):
    webhook = make_webhook("lobby", receiver.url)
    post_message("lobby", "one")
    worker.deliver_due()
    log.prune(webhook.room_id, 1)
    post_message("lobby", "two")

    worker.deliver_due()

    assert receiver.ranges[1:] == [(1, 2, ["two"])]
    assert "reset" not in receiver.deliveries[1]


def test_another_log_is_told_plainly_with_its_newest_messages(worker, receiver):
    webhook = make_webhook("lobby", receiver.url)
    post_message("lobby", "one")
    worker.deliver_due()

    log.start_new_epoch(webhook.room_id)
    worker.deliver_due()

    [_, second] = receiver.deliveries
    epoch = str(RoomLog.objects.get().epoch)
    assert (second["reset"], second["epoch"], second["prev"], second["head"]) == ("epoch", epoch, 0, 1)
    assert [event["body"] for event in second["events"]] == ["one"]
    assert str(Webhook.objects.get().epoch) == epoch


def test_a_log_that_ends_before_the_cursor_is_another_log(worker, receiver):
    """The state after a backup has been restored without a new epoch, and messages have been posted."""
    webhook = make_webhook("lobby", receiver.url)
    post_message("lobby", "one")
    Webhook.objects.update(cursor=5)
    log.start_new_epoch(webhook.room_id)

    worker.deliver_due()

    assert (receiver.deliveries[0]["reset"], state(webhook)) == ("epoch", (1, 0, "", True))


# Failing -------------------------------------------------------------------------------------------------------------


def test_a_failure_is_tried_again_later_with_the_same_id(worker):
    with Receiver(500, 200) as receiver:
        webhook = make_webhook("lobby", receiver.url)
        post_message("lobby", "hi")
        assert worker.deliver_due() == 0
        failed = state(webhook)
        post_pause = webhook.next_try_at
        assert worker.deliver_due() == 0, "not before its time"

        make_due(webhook)
        assert worker.deliver_due() == 1

        assert failed == (0, 1, "HTTP 500", True)
        assert timezone.now() < post_pause + timedelta(seconds=2)
        assert state(webhook) == (1, 0, "", True)
        assert len({headers["webhook-id"] for _, headers, _ in receiver.requests}) == 1


@pytest.mark.parametrize(
    ("failures", "shortest", "longest"),
    [(1, 1, 2), (2, 2, 4), (5, 16, 32), (12, 1800, 3600), (70, 1800, 3600)],
)
def test_it_waits_twice_as_long_with_every_failure_and_an_hour_at_most(failures, shortest, longest):
    pauses = [_back_off(failures, 0).total_seconds() for _ in range(200)]

    assert shortest <= min(pauses) <= max(pauses) <= longest
    assert len(set(pauses)) > 100


def test_it_is_as_patient_as_the_receiver_asks_within_reason(worker):
    with Receiver((503, {"Retry-After": "600"})) as receiver:
        webhook = make_webhook("lobby", receiver.url)
        post_message("lobby", "hi")
        before = timezone.now()

        worker.deliver_due()

        webhook.refresh_from_db()
        assert 600 <= (webhook.next_try_at - before).total_seconds() < 700
    assert _back_off(1, 999_999) == timedelta(hours=1)


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 429, 500])
def test_anything_but_yes_is_a_failure_and_redirections_are_not_followed(worker, status):
    with Receiver((status, {"Location": "/elsewhere"})) as receiver:
        webhook = make_webhook("lobby", receiver.url)
        post_message("lobby", "hi")

        worker.deliver_due()

        assert (state(webhook), len(receiver.requests)) == ((0, 1, f"HTTP {status}", True), 1)


def test_after_many_failures_it_is_switched_off_and_the_trail_says_so(worker, settings):
    settings.ROOMCHAT = settings.ROOMCHAT | {"WEBHOOK_MAX_FAILURES": 2}
    with Receiver(500, 500, 200) as receiver:
        webhook = make_webhook("lobby", receiver.url)
        post_message("lobby", "hi")
        worker.deliver_due()
        still_on = state(webhook)
        make_due(webhook)
        worker.deliver_due()
        off = state(webhook)
        make_due(webhook)
        assert worker.deliver_due() == 0

        resume_webhook(webhook)
        worker.deliver_due()

        assert (still_on, off) == ((0, 1, "HTTP 500", True), (0, 2, "HTTP 500", False))
        assert AuditEntry.objects.filter(verb="stop_webhook").get().data == {
            "url": receiver.url,
            "error": "HTTP 500",
        }
        assert state(webhook) == (1, 0, "", True)


def test_a_receiver_that_is_gone_is_not_asked_again(worker):
    with Receiver(410) as receiver:
        webhook = make_webhook("lobby", receiver.url)
        post_message("lobby", "hi")

        worker.deliver_due()

        assert state(webhook) == (0, 1, "HTTP 410", False)


def test_where_nobody_listens_it_fails_with_a_sentence(worker):
    webhook = make_webhook("lobby", CLOSED)
    post_message("lobby", "hi")

    worker.deliver_due()

    assert state(webhook) == (0, 1, "[Errno 111] Connection refused", True)


def test_a_private_address_is_not_spoken_to_unless_the_settings_allow_it(worker, receiver, settings):
    settings.ROOMCHAT = {}
    webhook = make_webhook("lobby", receiver.url)
    post_message("lobby", "hi")

    worker.deliver_due()

    sentence = "127.0.0.1 resolves to 127.0.0.1, an address of a private network"
    assert (state(webhook), receiver.requests) == ((0, 1, sentence, True), [])


def test_a_room_that_cannot_be_read_does_not_stop_the_others(worker, receiver):
    broken, whole = make_webhook("broken", receiver.url), make_webhook("whole", receiver.url)
    post_message("broken", "hi")
    post_message("whole", "hi")
    Message.objects.filter(room__name="broken").update(data={"mentions": "no list"})

    worker.deliver_due()

    assert state(whole) == (1, 0, "", True)
    assert state(broken)[:2] == (0, 1) and "ValidationError" in state(broken)[2]


# Slow receivers and several workers ----------------------------------------------------------------------------------


def test_a_slow_receiver_holds_nobody_up(worker):
    gate = threading.Event()
    with Receiver(hold(gate)) as slow, Receiver() as quick:
        make_webhook("slow", slow.url)
        make_webhook("quick", quick.url)
        post_message("slow", "hi")
        post_message("quick", "one")
        worker._start()
        slow.arrivals.get(timeout=5)
        quick.arrivals.get(timeout=5)
        while worker._settle(5) == 0:
            pass

        post_message("quick", "two")
        worker._start()
        quick.arrivals.get(timeout=5)
        gate.set()
        worker.deliver_due()

        assert quick.ranges == [(0, 1, ["one"]), (1, 2, ["two"])]
        assert slow.ranges == [(0, 1, ["hi"])]


def test_a_receiver_that_drips_is_hung_up_on(worker, settings):
    settings.ROOMCHAT = settings.ROOMCHAT | {"WEBHOOK_TIMEOUT_SECONDS": 0.5}
    hung_up = threading.Event()

    def drip(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        while not hung_up.wait(0.05):
            handler.wfile.write(b"x")

    with Receiver(drip) as receiver:
        webhook = make_webhook("lobby", receiver.url)
        post_message("lobby", "hi")
        began = time.monotonic()

        worker.deliver_due()
        hung_up.set()

        assert (state(webhook), time.monotonic() - began < 4) == (
            (0, 1, "no response within 0.5 s", True),
            True,
        )


def test_a_post_does_not_wait_for_a_webhook(worker, django_assert_num_queries):
    gate = threading.Event()
    with Receiver(hold(gate)) as slow:
        make_webhook("lobby", slow.url)
        post_message("lobby", "one")
        worker._start()
        slow.arrivals.get(timeout=5)

        assert post_message("lobby", "two").seq == 2

        gate.set()
        worker.deliver_due()
        assert slow.ranges == [(0, 1, ["one"]), (1, 2, ["two"])]


def test_a_webhook_is_one_workers_at_a_time(worker, receiver):
    make_webhook("lobby", receiver.url)
    post_message("lobby", "hi")

    [claim] = _claim(9)

    assert (list(_claim(9)), worker.deliver_due()) == ([], 0)
    assert claim.head == 1


def test_two_workers_that_look_at_the_same_moment_do_not_both_get_it(monkeypatch):
    webhook = make_webhook("lobby", CLOSED)
    post_message("lobby", "hi")

    def take_first(webhook, until, original=_claimed):
        return original(webhook, until)

    monkeypatch.setattr(webhooks_worker, "_claimed", take_first)
    due = Webhook.objects.select_related("room").get()
    Webhook.objects.filter(pk=webhook.pk).update(next_try_at=timezone.now() - timedelta(seconds=1))

    class Seen:
        """The rows that the other worker read before the claim."""

        def __init__(self):
            self.real = Webhook.objects.all()

        def filter(self, *about, **options):
            return self.real.filter(*about, **options) if "pk" in options else self

        def select_related(self, *about):
            return self

        order_by = select_related

        def __getitem__(self, part):
            return [due]

    monkeypatch.setattr(webhooks_worker, "webhook_rows", Seen)

    assert list(_claim(9)) == []


def test_a_worker_whose_claim_has_ended_moves_nothing(receiver):
    webhook = make_webhook("lobby", receiver.url)
    post_message("lobby", "hi")
    [late] = _claim(1)
    Webhook.objects.filter(pk=webhook.pk).update(next_try_at=timezone.now() - timedelta(seconds=1))
    [early] = _claim(1)
    _advance_cursor(early)

    _advance_cursor(late)
    _record_failure(late.webhook, late.until, DeliveryResult(500, "HTTP 500"))

    assert state(webhook) == (1, 0, "", True)
