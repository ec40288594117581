"""Reports of messages, and the decisions of moderators."""

import json

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from django_roomchat import areport_message, signals
from django_roomchat.consumers import ChatConsumer
from django_roomchat.errors import BadText, ChatError, Forbidden, NotFound
from django_roomchat.identity import Identity
from django_roomchat.messages.edit import delete_message, edit_message
from django_roomchat.messages.history import prune_history
from django_roomchat.messages.post import post_message
from django_roomchat.models import AuditEntry, Message, Report
from django_roomchat.moderation.reports import dismiss, report_message, uphold
from django_roomchat.moderation.sanctions import ban
from django_roomchat.realtime import threads
from django_roomchat.testing import ChatClient

pytestmark = pytest.mark.django_db(transaction=True)
ANA, BOB = Identity("g:ana", "Ana", is_guest=True), Identity("g:bob", "Bob", is_guest=True)


@pytest.fixture
def rude():
    return post_message("lobby", "You fool", author=BOB)


@pytest.fixture
def staff():
    return User.objects.create_user("staff", is_staff=True)


def trail():
    return list(AuditEntry.objects.order_by("pk").values_list("verb", "by_name", "target_name", "data"))


def test_a_report_keeps_the_text_as_it_was(rude):
    report = report_message("Lobby", 1, " Rude. ", by=ANA)
    edit_message("lobby", 1, "You are right", by=BOB)
    delete_message("lobby", 1, by=BOB)

    report.refresh_from_db()
    assert (report.body, report.author_key, report.author_name) == ("You fool", "g:bob", "Bob")
    assert (report.by_key, report.by_name, report.reason, report.state) == ("g:ana", "Ana", "Rude.", "open")


def test_a_repeated_report_is_stored_and_signalled_once(rude):
    heard = []

    def listen(sender, room, report, **kwargs):
        heard.append((sender, room, report.by_name, report.seq))

    signals.message_reported.connect(listen)
    try:
        first, second, other = (
            report_message("lobby", 1, why, by=who) for why, who in (("a", ANA), ("b", ANA), ("c", BOB))
        )
    finally:
        signals.message_reported.disconnect(listen)

    assert (first.pk, second.reason, other.pk == first.pk) == (second.pk, "a", False)
    assert heard == [(Report, "lobby", "Ana", 1), (Report, "lobby", "Bob", 1)]


def test_what_is_not_there_cannot_be_reported(rude):
    delete_message("lobby", 1)

    for room, seq in (("lobby", 1), ("lobby", 9), ("nowhere", 1)):
        with pytest.raises(NotFound):
            report_message(room, seq, by=ANA)


def test_who_may_not_enter_cannot_report(rude):
    ban("lobby", ANA)

    with pytest.raises(Forbidden):
        report_message("lobby", 1, by=ANA)


def test_a_reason_is_a_text_that_can_be_shown(rude):
    with pytest.raises(BadText):
        report_message("lobby", 1, "x" * 301, by=ANA)


def test_an_upheld_report_deletes_the_message_and_decides_all_of_its_reports(rude, staff):
    reports = [report_message("lobby", 1, "Rude.", by=who) for who in (ANA, BOB)]

    uphold(reports[0], by=staff)
    dismiss(reports[1], by=staff)

    assert list(Report.objects.values_list("state", "decided_by")) == [("upheld", staff.pk)] * 2
    assert Message.objects.get().deleted_at is not None
    assert trail() == [
        ("uphold", "staff", "Bob", {"seq": 1, "reason": "Rude."}),
        ("delete", "staff", "Bob", {"seq": 1}),
    ]


def test_a_dismissed_report_leaves_the_message_as_it_is(rude, staff):
    report = report_message("lobby", 1, by=ANA)

    dismiss(report, by=staff)

    report.refresh_from_db()
    assert (report.state, report.decided_by, Message.objects.get().body) == ("dismissed", staff, "You fool")
    assert [verb for verb, *_ in trail()] == ["dismiss"]


def test_a_message_that_is_gone_by_then_is_no_trouble(rude, staff):
    report = report_message("lobby", 1, by=ANA)
    prune_history(keep=0)

    uphold(report, by=staff)

    report.refresh_from_db()
    assert report.state == "upheld"


def test_who_does_not_moderate_decides_nothing(rude):
    report = report_message("lobby", 1, by=ANA)

    with pytest.raises(Forbidden):
        uphold(report, by=ANA)

    assert (Report.objects.get().state, trail()) == ("open", [])


def test_over_http_and_on_a_socket_it_is_a_frame(rude):
    client = Client()

    def send(frame):
        address = reverse("roomchat:room_frames", args=["lobby"])
        response = client.post(address, json.dumps(frame), content_type="application/json")
        return response.status_code, response.json()

    done = {"type": "done", "id": "a", "room": "lobby"}
    assert send({"type": "report", "seq": 1, "reason": "Rude.", "id": "a"}) == (200, done)
    assert send({"type": "report", "seq": 9})[0] == 404
    assert Report.objects.get().reason == "Rude."


async def test_on_a_socket_a_report_is_answered_with_done():
    await threads.in_thread(post_message, "lobby", "You fool")
    async with ChatClient(ChatConsumer.as_asgi(), "lobby") as client:
        await client.receive("joined")
        await client.send({"type": "report", "seq": 1, "id": "a"})
        done = await client.receive("done")

    assert done == {"type": "done", "id": "a", "room": "lobby"}
    assert (await areport_message("lobby", 1, by=ANA)).seq == 1
    assert issubclass(NotFound, ChatError)
