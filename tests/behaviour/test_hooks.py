"""Hooks that fail or answer wrongly: the page and the socket refuse, the log names the hook, and the room goes on."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.test import Client

from django_roomchat import arecheck
from django_roomchat.conf.hooks import HookError, dotted_path
from django_roomchat.identity import Identity
from django_roomchat.policy import OpenPolicy
from django_roomchat.realtime import threads
from tests.support.policies import raising
from tests.support.sockets import client, say

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_hub"),
    pytest.mark.filterwarnings("error::RuntimeWarning"),
]


ANONYMOUS = AnonymousUser()


class Denying(OpenPolicy):
    def can_enter(self, who, room):
        raise PermissionDenied("Only on Sundays.")


class Asynchronous(OpenPolicy):
    async def can_enter(self, who, room):
        return True


class Broken(OpenPolicy):
    def can_enter(self, who, room):
        raise ValueError("broken")


@pytest.mark.parametrize(
    ("policy", "detail", "logged"),
    [
        (Denying, "Only on Sundays.", []),
        (Asynchronous, "You are not allowed to do this.", ["returned coroutine"]),
        (Broken, "You are not allowed to do this.", ["raised ValueError('broken')"]),
    ],
)
async def test_a_policy_that_denies_in_another_way_is_403_on_the_page_and_4003_on_the_socket(
    settings, caplog, policy, detail, logged
):
    page = await threads.in_thread(lambda: Client().get("/chat/lobby/"))
    settings.ROOMCHAT = {"POLICY": policy}
    denied = await threads.in_thread(lambda: Client().get("/chat/lobby/"))
    async with client() as socket:
        await socket.receive("welcome")
        error, bye = await socket.receive(), await socket.receive()

    assert (page.status_code, denied.status_code, detail in denied.content.decode()) == (200, 403, True)
    assert error == {"type": "error", "code": "forbidden", "detail": detail, "frame": "join", "room": "lobby"}
    assert (bye["type"], bye["code"]) == ("bye", 4003)
    found = [record.getMessage() for record in caplog.records if record.name == "django_roomchat"]
    assert [
        f"{__name__}.{policy.__qualname__}.can_enter() {what}" in line
        for what, line in zip(logged, found, strict=True)
    ] == [True] * len(logged)


async def test_a_policy_that_begins_to_fail_ends_the_subscription_of_open_sockets(settings):
    await say("hi")
    async with client() as socket:
        await socket.receive("joined")
        settings.ROOMCHAT = {"POLICY": raising(RuntimeError("not made"))}
        await arecheck(room="lobby")
        error, bye = await socket.receive("error"), await socket.receive()

    assert (error["code"], error["room"], bye["code"]) == ("unavailable", "lobby", 4503)


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (Identity(5, "Ana"), "an Identity whose key must be a str of 1 to 100 printable characters, not 5"),
        (
            Identity("g:1", "Ana", user=ANONYMOUS),
            f"an Identity whose user must be a user with a primary key or None, not {ANONYMOUS!r}",
        ),
        (
            Identity("visitor:1", "Ana", is_guest=True),
            "an Identity whose key must begin with 'g:' for a guest, whom the page marks by it, not 'visitor:1'",
        ),
        (None, "None; it has to return a django_roomchat.identity.Identity, such as of_user(user)"),
    ],
    ids=["a number as key", "an anonymous user", "a key without the mark of guests", "None"],
)
async def test_an_identity_that_is_none_is_refused_and_the_error_names_the_hook(
    settings, caplog, answer, what
):
    def identify(source):
        return Identity("g:1", "Ana", is_guest=True) if is_good else answer

    is_good, settings.ROOMCHAT = True, {"IDENTITY": identify}
    async with client() as control:
        welcome = await control.receive("welcome")
    is_good = False

    with pytest.raises(HookError) as caught:
        await threads.in_thread(lambda: Client().get("/chat/lobby/"))

    assert welcome["you"]["key"] == "g:1"
    assert not await client().connect()
    assert str(caught.value) == f"ROOMCHAT['IDENTITY'] ({dotted_path(identify)}) returned {what}."
    [refused] = [message for message in caplog.messages if message.startswith("Socket refused")]
    assert refused == f"Socket refused: its identity could not be determined: {caught.value!r}"


async def test_an_identity_hook_that_denies_is_403_on_the_page_and_4003_on_the_socket(settings):
    settings.ROOMCHAT = {"IDENTITY": raising(PermissionDenied("Members only."))}

    page = await threads.in_thread(lambda: Client().get("/chat/lobby/"))
    async with client() as socket:
        error, bye = await socket.receive(), await socket.receive()

    assert (page.status_code, error["code"], error["detail"], bye["code"]) == (
        403,
        "forbidden",
        "Members only.",
        4003,
    )


async def test_an_author_that_cannot_be_stored_is_refused_in_code():
    with pytest.raises(ValueError, match="An Identity whose key must be a str"):
        await say("hi", author=Identity(5, "Ana"))


async def later(room):
    """A name that nothing awaits."""


@pytest.mark.parametrize("group_name", [later, lambda room: "a b", raising(KeyError("no name"))])
async def test_a_group_name_that_is_wrong_leaves_the_room_to_the_database(settings, caplog, group_name):
    settings.ROOMCHAT = {"GROUP_NAME": group_name}
    async with client() as socket:
        await socket.receive("joined")
        await say("hi")
        [event] = (await socket.receive("events"))["events"]

    assert event["body"] == "hi"
    assert [line for line in caplog.messages if line.startswith("Room 'lobby' has no channel layer; ")] != []
