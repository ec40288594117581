"""Invalid and hostile input, in one process."""

import gzip
import json
import logging
import re
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser, User
from django.test import AsyncClient
from django.utils import timezone

from django_roomchat.identity import Identity
from django_roomchat.messages.post import apost_message, post_message, post_messages
from django_roomchat.messages.types import NewPost
from django_roomchat.models import Message
from django_roomchat.moderation.sanctions import aban
from django_roomchat.policy import Decision, OpenPolicy
from django_roomchat.realtime import hub
from django_roomchat.testing import ChatClient
from tests.support.bad_inputs import APPLICATION, MEGABYTE, SAID, bodies_until, greeted, talk

pytestmark = pytest.mark.usefixtures("no_traceback")


# Not built yet. ------------------------------------------------------------------------------------------------------


LATER = {
    38: (6, "no link is looked up: 500 addresses are plain text"),
    62: (6, "no link is looked up"),
}
"""By number: the issue that brings the feature, and why there is nothing to test before."""
ELSEWHERE = {18, 19, 20, 21, 33, 39, 42, 46, 49, 50, 52, 53, 57, 60}
"""Cases with a test of their own, whose name contains the number, here or in test_bad_inputs_on_servers.py."""
WITH_THEIR_FEATURE = {
    37: "unit/messages/test_mentions.py::test_only_the_first_forty_calls_are_looked_at",
    51: "unit/realtime/test_session_watch.py",
    58: "unit/files/test_http.py::test_a_page_under_a_good_name_is_a_text_to_save",
    59: "unit/files/test_images.py::test_an_image_with_too_many_pixels_is_refused_before_it_is_unpacked",
    61: "edges/test_file_uploads.py::test_an_upload_without_a_size_is_cut_off_under_asgi",
    55: "unit/policy/test_rate_limits.py::test_sockets_are_limited_and_told_on_the_open_socket",
}
"""Cases that are tested with the feature that they concern, by number."""


def test_all_62_are_here():
    here = {case.number for case in SAID} | ELSEWHERE
    assert sorted(here | set(LATER) | set(WITH_THEIR_FEATURE)) == list(range(1, 63))
    assert not ({case.number for case in SAID} | ELSEWHERE | set(WITH_THEIR_FEATURE)) & set(LATER)


def test_those_with_tests_of_their_own_have_them():
    sources = (
        Path(__file__).with_name(name) for name in ("test_bad_inputs.py", "test_bad_inputs_on_servers.py")
    )
    named = {
        int(number)
        for source in sources
        for number in re.findall(r"^async def test_number_(\d+)", source.read_text(), re.MULTILINE)
    }

    assert named == ELSEWHERE


@pytest.mark.parametrize("place", WITH_THEIR_FEATURE.values())
def test_those_with_their_feature_are_there(place):
    file, _, name = place.partition("::")

    assert f"def {name}" in (Path(__file__).parent.parent / file).read_text()


@pytest.fixture
async def bad(transactional_db):
    """The client that sends the invalid input."""
    async with ChatClient(APPLICATION, "lobby") as client:
        yield await greeted(client)


@pytest.fixture
async def control(transactional_db):
    """A client that must receive what it would receive without the invalid input."""
    async with ChatClient(APPLICATION, "lobby") as client:
        yield await greeted(client)


# In one process ------------------------------------------------------------------------------------------------------


async def goes_on(control):
    await apost_message("lobby", "on")
    return await bodies_until(control.receive, "on") == ["on"]


def sender(client):
    async def send(content):
        await (client.send_bytes(content) if isinstance(content, bytes) else client.send_text(content))

    return send


@pytest.mark.parametrize("case", SAID, ids=lambda case: f"{case.number}: {case.what}")
async def test_a_bad_input_is_answered_and_nobody_else_notices(bad, control, case):
    answers = await talk(bad.receive, sender(bad), case)
    await bad.post("still here", id="last")

    assert answers == list(case.answers)
    assert await bodies_until(control.receive, "still here") == [*case.stored, "still here"]


async def test_number_18_who_says_nothing_stays(bad, control):
    """The proposal required a frame after the handshake; the handshake identifies the client, so none is needed."""
    assert await goes_on(bad)


async def test_number_33_a_name_of_wide_letters_is_a_name_of_its_own(bad, control):
    """The proposal restricted names of people. Names cannot be chosen here, and the name of a room is harmless."""
    await bad.send({"type": "join", "room": "ｌｏｂｂｙ"})
    joined = await bad.receive("joined")
    await bad.post("over there", id="1", room="ｌｏｂｂｙ")
    await bad.post("here", id="2")

    assert (joined["room"], joined["head"]) == ("ｌｏｂｂｙ", 0)
    assert await bodies_until(control.receive, "here") == ["here"]


async def test_number_39_a_row_that_could_not_have_been_said_does_not_stop_the_page(bad, control):
    """The row was written into the table directly."""
    await bad.post("before", id="1")
    odd = {"kind": "weird", "author_name": "", "author_key": "?", "body": "\x1b[31m\u202e</template>"}
    await sync_to_async(Message.objects.update)(**odd)
    await bad.post("after", id="2")

    async with ChatClient(APPLICATION, "lobby", user=AnonymousUser()) as late:
        joined = await late.receive("joined")
    page = await AsyncClient().get("/chat/lobby/")
    history = await AsyncClient().get("/chat/lobby/messages/")

    assert [event["body"] for event in joined["events"]] == [odd["body"], "after"]
    assert (page.status_code, history.status_code) == (200, 200)
    assert await bodies_until(control.receive, "after") == ["before", "after"]


async def test_number_42_the_client_id_of_another_author_has_no_effect(bad, control):
    mine = await control.post("mine", id="shared")
    yours = await bad.post("yours", id="shared")

    assert (mine["seq"], yours["seq"], yours["duplicate"]) == (1, 2, False)
    assert await bodies_until(control.receive, "yours") == ["yours"]


async def test_number_46_from_the_very_beginning_of_a_long_room_is_one_page(bad, control, settings):
    settings.ROOMCHAT = {"RESUME_MAX_EVENTS": 20, "RING_EVENTS": 10, "PAGE_MESSAGES": 5}
    posts = [NewPost(Identity("u:1", "Ana"), "long", f"{n}", f"{n}") for n in range(50)]
    await sync_to_async(post_messages)(posts)
    await bad.send({"type": "join", "room": "long", "since": 0})

    joined = await bad.receive("joined")
    assert (joined["reset"], joined["more"], len(joined["events"])) == ("gap", True, 5)
    await bad.post("here", id="1")
    assert await bodies_until(control.receive, "here") == ["here"]


async def test_number_49_a_right_that_ends_during_the_replay_ends_it(control):
    async with ChatClient(APPLICATION, "lobby") as client:
        key = (await client.receive("welcome"))["you"]["key"]
        await aban("lobby", key)
        frames = []
        with pytest.raises(ConnectionResetError) as closed:
            while True:
                frames.append(await client.receive())

    assert frames[-1]["type"] == "bye" and closed.value.args[-1] == 4003
    assert [answer["code"] for answer in frames if answer["type"] == "error"] == ["banned"]
    assert await goes_on(control)


async def test_number_50_nothing_can_be_done_after_a_ban(control):
    async with ChatClient(APPLICATION) as client:
        key = (await client.receive("welcome"))["you"]["key"]
        for room in ("lobby", "elsewhere"):
            await client.send({"type": "join", "room": room})
            await client.receive("joined")
        await client.post("before", id="1", room="lobby")
        head = await aban("lobby", key)
        await client.receive("left")
        refusals = [await client.post("after", id="2", room="lobby")]
        for deed in ({"type": "edit", "body": "changed"}, {"type": "delete"}, {"type": "join"}):
            await client.send({"room": "lobby", "seq": 1, "id": "3", **deed})
            refusals.append(await client.receive())
        elsewhere = await client.post("after", id="4", room="elsewhere")

    assert head == 1
    assert [answer["code"] for answer in refusals] == ["banned"] * 4
    assert elsewhere["type"] == "ack"
    await apost_message("lobby", "on")
    assert await bodies_until(control.receive, "on") == ["before", "on"]


class Members(OpenPolicy):
    """Only staff may enter a room."""

    def can_enter(self, who, room):
        return Decision(bool(getattr(who.user, "is_staff", False)))


async def test_a_room_that_one_may_not_enter_looks_like_one_that_does_not_exist(settings, transactional_db):
    """Number 48, under a policy that keeps rooms private."""
    await sync_to_async(post_message)("there", "hi")
    settings.ROOMCHAT = {"POLICY": Members}
    answers = []
    async with ChatClient(APPLICATION) as client:
        await client.receive("welcome")
        for room in ("there", "not there"):
            for deed in (
                {"type": "join", "room": room},
                {"type": "post", "room": room, "id": "1", "body": "hi"},
                {"type": "edit", "room": room, "id": "1", "seq": 1, "body": "hi"},
                {"type": "post", "room": room, "id": "1", "body": "hi", "reply_to": 1},
            ):
                await client.send(deed)
                answers.append({**await client.receive(), "room": None})

    assert answers[:4] == answers[4:]
    assert {answer["code"] for answer in answers} == {"forbidden"}


@pytest.mark.parametrize(
    "origin",
    [
        b"http://evil.example",
        b"null",
        b"http://testserver:8000",
        b"https://testserver",
        b"http://",
        b"http://[",
        b"\xff",
    ],
)
async def test_number_52_a_page_of_another_site_opens_no_socket(control, origin):
    headers = [(b"host", b"testserver"), (b"origin", origin)]
    client = ChatClient(APPLICATION, "lobby", headers=headers)

    assert not await client.connect()
    await client.disconnect()
    assert await goes_on(control)


async def test_number_53_another_persons_message_stays_as_it_is(bad, control):
    await control.post("mine", id="1")
    await bad.receive("events")
    await bad.send({"type": "edit", "seq": 1, "body": "yours", "id": "2"})
    await bad.send({"type": "delete", "seq": 1, "id": "3"})
    answers = [await bad.receive() for _ in range(2)]

    assert [(answer["code"], answer["id"]) for answer in answers] == [("forbidden", "2"), ("forbidden", "3")]
    await bad.post("on", id="4")
    assert await bodies_until(control.receive, "on") == ["on"]


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ({"content_type": "application/json"}, 403),
        ({"content_type": "text/plain", "csrf": True}, 415),
        ({"content_type": "application/x-www-form-urlencoded", "csrf": True}, 415),
        ({"content_type": "application/json", "csrf": True, "method": "PUT"}, 405),
        ({"content_type": "application/json", "csrf": True, "method": "DELETE"}, 405),
    ],
)
async def test_number_57_a_request_that_another_site_could_make_changes_nothing(control, how, status, caplog):
    caplog.set_level(logging.CRITICAL, "django.request")
    caplog.set_level(logging.CRITICAL, "django.security.csrf")
    client = AsyncClient(enforce_csrf_checks=True)
    headers = {}
    if how.get("csrf"):
        await client.get("/chat/lobby/")
        token = client.cookies["csrftoken"].value if "csrftoken" in client.cookies else await _token(client)
        headers = {"X-CSRFToken": token, "X-HTTP-Method-Override": "DELETE"}
    response = await client.generic(
        how.get("method", "POST"),
        "/chat/lobby/messages/",
        json.dumps({"id": "1", "body": "hi"}),
        content_type=how["content_type"],
        headers=headers,
    )

    assert response.status_code == status
    assert await Message.objects.acount() == 0


async def _token(client):
    page = await client.get("/chat/lobby/")
    return re.search(r'csrfmiddlewaretoken" value="(\w+)"', page.content.decode())[1]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (gzip.compress(json.dumps({"id": "1", "body": "hi"}).encode(), mtime=0), "bad_text"),
        (gzip.compress(b" " * MEGABYTE, mtime=0), "bad_text"),
        (b" ", "bad_json"),
        (b"\xff\xfe", "bad_text"),
        (b" " * 70_000, "too_big"),
    ],
)
async def test_number_60_a_request_body_is_never_unpacked(control, content, code):
    response = await AsyncClient().generic(
        "POST",
        "/chat/lobby/messages/",
        content,
        content_type="application/json",
        headers={"Content-Encoding": "gzip"},
    )

    assert response.status_code in (400, 413)
    assert response.json()["error"]["code"] == code
    assert await Message.objects.acount() == 0


async def test_markup_is_shown_as_it_was_typed(transactional_db):
    """Number 35, on the page."""
    await sync_to_async(post_message)(
        "lobby", '<script>alert(1)</script>" onload="x {{ 7*7 }}', name="<blink>"
    )

    page = (await AsyncClient().get("/chat/lobby/")).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page and "{{ 7*7 }}" in page
    assert "&lt;blink&gt;" in page
    assert "<script>alert" not in page and "<blink>" not in page


async def test_a_post_is_stored_once_a_year_later_too(control):
    """Number 40, long after, over HTTP and on another socket."""
    ana = await sync_to_async(User.objects.create_user)("ana")
    async with ChatClient(APPLICATION, "lobby", user=ana) as client:
        first = await client.post("once", id="forever")
    await sync_to_async(Message.objects.update)(created_at=timezone.now().replace(year=2001))
    async with ChatClient(APPLICATION, "lobby", user=ana) as client:
        again = await client.post("once", id="forever")

    assert (again["seq"], again["duplicate"]) == (first["seq"], True)
    assert await bodies_until(control.receive, "once") == ["once"]


async def test_a_socket_address_with_nonsense_in_it_is_entered_from_the_start(control):
    """Number 45, in the address."""
    for query in (
        "since=-1",
        "since=" + "9" * 500,
        "since=1e9",
        "since=5&epoch=%ff",
        "epoch",
        "=&&=",
    ):
        client = ChatClient(APPLICATION, "lobby")
        client.scope["query_string"] = query.encode()
        async with client:
            joined = await client.receive("joined")
            assert joined["reset"] in ("new", "epoch", "ahead")


@pytest.mark.parametrize(
    "query", ["since=%00", "since=1&epoch=%00", "since=" + "9" * 501, "epoch=" + "x" * 65]
)
async def test_a_socket_url_with_text_that_cannot_be_stored_is_rejected(query, transactional_db):
    """Number 45, in the URL."""
    client = ChatClient(APPLICATION, "lobby")
    client.scope["query_string"] = query.encode()
    async with client:
        error = await client.receive("error")

    assert (error["code"], error["frame"]) == ("bad_value", "join")


async def test_flapping_leaves_the_room_as_it_was(bad, control):
    """Number 56: the hub keeps a room for a while after its last socket left."""
    here = hub.current()
    before = here._rooms["lobby"]
    for _ in range(20):
        await bad.send({"type": "leave"})
        await bad.receive("left")
        await bad.send({"type": "join", "room": "lobby"})
        await bad.receive("joined")

    assert here._rooms["lobby"] is before
    assert len(before.subscriptions) == 2
