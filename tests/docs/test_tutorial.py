"""The consumer with the routing and the frames of the Channels tutorial. The tutorial's page is tested in `browser/`."""

from collections.abc import AsyncIterator

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient
from django.urls import reverse

from django_roomchat import apost_message
from django_roomchat.models import Message
from django_roomchat.testing import ChatClient
from tests.tutorial.asgi import application

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def ana() -> AsyncIterator[ChatClient]:
    async with ChatClient(application, "lobby", tutorial=True) as client:
        yield client


@pytest.fixture
async def ben() -> AsyncIterator[ChatClient]:
    async with ChatClient(application, "lobby", tutorial=True) as client:
        yield client


async def test_a_message_reaches_everybody_in_the_room(ana: ChatClient, ben: ChatClient) -> None:
    await ana.send({"message": "hi"})

    heard = await ben.receive()
    assert heard["message"] == "hi"
    assert heard == await ana.receive()


async def test_a_message_comes_with_the_name_of_who_said_it_and_its_place(ana: ChatClient) -> None:
    await ana.send({"message": "hi"})

    heard = await ana.receive()
    assert heard == {"message": "hi", "name": heard["name"], "seq": 1}
    assert heard["name"].startswith("Guest ")


async def test_an_open_socket_receives_every_event_and_no_other_frame(ana: ChatClient) -> None:
    await apost_message("lobby", "first")

    assert (await ana.receive())["message"] == "first"


async def test_a_later_member_receives_messages_from_then_on(ana: ChatClient) -> None:
    await ana.send({"message": "early"})
    await ana.receive()

    async with ChatClient(application, "lobby", tutorial=True) as late:
        await ana.send({"message": "now"})

        assert (await late.receive())["message"] == "now"


async def test_what_is_said_is_stored(ana: ChatClient) -> None:
    await ana.send({"message": "hi"})
    await ana.receive()

    stored = await sync_to_async(list)(Message.objects.values_list("room__name", "seq", "body"))
    assert stored == [("lobby", 1, "hi")]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{", "bad_json"),
        ("[]", "bad_frame"),
        ("{}", "bad_value"),
        ('{"message": 5}', "bad_value"),
        ('{"message": ""}', "bad_text"),
    ],
)
async def test_a_frame_that_is_no_message_is_answered_with_a_sentence_and_the_socket_goes_on(
    ana: ChatClient, frame: str, code: str
) -> None:
    await ana.send_text(frame)

    answer = await ana.receive()
    assert answer == {"message": answer["message"], "type": "error", "code": code}
    assert answer["message"].endswith(".")
    await ana.send({"message": "still here"})
    assert (await ana.receive())["message"] == "still here"


async def test_the_pages_client_and_ours_are_in_the_same_room(ana: ChatClient) -> None:
    async with ChatClient(application, "lobby") as ours:
        await ours.receive("joined")

        await ana.send({"message": "hi"})

        news = await ours.receive("events")
        assert [event["body"] for event in news["events"]] == ["hi"]


@pytest.mark.parametrize("page", ["index.html", "room.html"])
def test_our_views_give_the_tutorials_pages_what_they_need(
    page: str, client: AsyncClient, settings: pytest.FixtureRequest
) -> None:
    from tests.tutorial.settings import TEMPLATES

    settings.TEMPLATES = TEMPLATES
    address = reverse("roomchat:room", args=["한국어"]) if page == "room.html" else reverse("roomchat:index")

    answer = client.get(address)

    assert [template.name for template in answer.templates] == [f"django_roomchat/{page}"]
    if page == "room.html":
        assert '<script id="room-name" type="application/json">"\\ud55c\\uad6d\\uc5b4"</script>' in (
            answer.content.decode()
        )
