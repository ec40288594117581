"""What muted and banned people receive: what is restricted, until when, why and what next; on the page, in frames and over HTTP."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone, translation

from django_roomchat import ChatConsumer, ban, mute, post_message
from django_roomchat.identity import site
from django_roomchat.log import iso
from django_roomchat.policy import sanction_errors
from django_roomchat.policy.roles import Sanction
from django_roomchat.realtime.threads import in_thread
from django_roomchat.testing import ChatClient

UNTIL = datetime(2026, 11, 30, 15, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    ("make", "sanction", "detail"),
    [
        (
            sanction_errors.muted,
            Sanction("be kind", None),
            "You are muted in this room. You can read, but not post. A moderator can end this. Reason: be kind",
        ),
        (
            sanction_errors.muted,
            Sanction("", UNTIL),
            "You are muted in this room until Nov. 30, 2026, 3:40 p.m. UTC. Until then you can read, but not post.",
        ),
        (
            sanction_errors.banned,
            Sanction("100% {time} spam", UNTIL),
            "You are banned from this room until Nov. 30, 2026, 3:40 p.m. UTC. After that, you can enter it again."
            " Reason: 100% {time} spam",
        ),
        (
            sanction_errors.banned,
            Sanction("", None),
            "You are banned from this room. A moderator can end this.",
        ),
    ],
)
def test_the_detail_states_what_until_when_why_and_what_next(settings, make, sanction, detail) -> None:
    settings.TIME_ZONE = "UTC"

    assert make(sanction).detail == detail


def test_the_detail_is_in_the_language_of_the_reader() -> None:
    error = sanction_errors.muted(Sanction("be kind", None))

    with translation.override("de"):
        detail = error.detail

    assert detail == (
        "Du bist in diesem Raum stummgeschaltet. Du kannst lesen, aber nichts schreiben. "
        "Die Moderation kann das beenden. Grund: be kind"
    )


@pytest.mark.django_db(transaction=True)
async def test_the_rights_and_errors_of_a_muted_person_carry_code_end_and_reason() -> None:
    until = timezone.now() + timedelta(hours=1)
    async with ChatClient(ChatConsumer.as_asgi(), "lobby") as client:
        you = (await client.receive("welcome"))["you"]
        await client.receive("joined")
        await in_thread(post_message, "lobby", "first", author=site())
        await in_thread(mute, "lobby", you["key"], reason="be kind", until=until)
        rights = await client.receive("rights")
        while "post" in rights["can"]:
            rights = await client.receive("rights")
        await client.send({"type": "post", "id": "p", "body": "hello"})
        refused = await client.receive("error")

    told = {"code": "muted", "until": iso(until), "reason": "be kind"}
    assert {name: rights[name] for name in told} == told
    assert {name: refused[name] for name in told} == told


@pytest.mark.django_db(transaction=True)
async def test_a_person_who_is_banned_while_in_the_room_receives_end_and_reason() -> None:
    until = timezone.now() + timedelta(hours=1)
    async with ChatClient(ChatConsumer.as_asgi(), "lobby") as client:
        you = (await client.receive("welcome"))["you"]
        await client.receive("joined")
        await in_thread(post_message, "lobby", "first", author=site())
        await in_thread(ban, "lobby", you["key"], reason="Spam.", until=until)
        refused = await client.receive("error")

    told = {"code": "banned", "until": iso(until), "reason": "Spam.", "frame": "join"}
    assert {name: refused[name] for name in told} == told


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("reason", "until"),
    [("Spam.", UNTIL.replace(year=2100)), ("", UNTIL.replace(year=2100)), ("Spam.", None)],
)
def test_a_banned_person_reads_on_the_page_and_over_http_what_it_is_about(
    client: Client, reason, until
) -> None:
    post_message("lobby", "first", author=site())
    client.get("/chat/lobby/")
    key = client.get("/chat/lobby/").context["me"].key
    ban("lobby", key, reason=reason, until=until)

    page, json = (
        client.get("/chat/lobby/"),
        client.get("/chat/lobby/messages/", HTTP_ACCEPT="application/json"),
    )

    said = page.content.decode()
    assert (page.status_code, '<h1 class="roomchat-lobby-title">Banned from this room</h1>' in said) == (
        403,
        True,
    )
    assert [f"Reason: {reason}" in said, " until Nov. 30, 2100" in said] == [bool(reason), until is not None]
    told = json.json()["error"]
    expected = {"code": "banned", "detail": told["detail"]}
    expected |= {"reason": reason} if reason else {}
    expected |= {"until": iso(until)} if until else {}
    assert told == expected
