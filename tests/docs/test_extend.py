"""The samples of `docs/howto/extend.md`, and the sentences of that page about overridden methods and groups."""

import logging
import re
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.layers import get_channel_layer
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.urls import path

from django_roomchat import ChatConsumer, ChatError, apost_message, post_message, pubsub
from django_roomchat.asgi import websocket_application, with_chat
from django_roomchat.identity import Identity
from django_roomchat.signals import message_posted
from django_roomchat.testing import ChatClient

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "howto" / "extend.md").read_text()
GUEST = Identity("g:1", "Guest", is_guest=True)

pytestmark = pytest.mark.django_db(transaction=True)


def sample(containing: str) -> dict[str, Any]:
    """The names that a sample of the page defines."""
    blocks = re.findall(r"^% runs\n```\{code-block\} python\n(?::[^\n]*\n)*\n(.*?)^```$", PAGE, re.M | re.S)
    [code] = [block for block in blocks if containing in block]
    names: dict[str, Any] = {"__name__": "sample"}
    exec(compile(code, "extend.md", "exec"), names)
    return names


def texts() -> list[str]:
    from django_roomchat.models import Message

    return list(Message.objects.order_by("seq").values_list("body", flat=True))


# Subclasses of the consumer -----------------------------------------------------------------------------------------


async def test_the_sample_of_a_subclass_lets_in_who_is_signed_in() -> None:
    gate = sample("class Gate")["Gate"]
    ana = await sync_to_async(get_user_model().objects.create_user)("ana")
    layer: Any = get_channel_layer()

    async with ChatClient(gate.as_asgi(), "lobby", user=ana) as client:
        await client.receive("joined")
        await layer.group_send("notices", {"type": "notice.given", "text": '{"type": "notice"}'})
        notice = await client.receive()
        await client.send({"type": "hello"})
        answer = await client.receive()

    assert (notice["type"], answer["type"]) == ("notice", "welcome")
    assert not await ChatClient(gate.as_asgi(), "lobby", user=AnonymousUser()).connect()


@pytest.mark.parametrize(
    "name", re.findall(r"`(\w+)`", re.search(r"A subclass that overrides (.*), or one of", PAGE)[1])
)  # type: ignore[index]
def test_the_methods_that_the_page_names_cannot_be_overridden(name: str) -> None:
    async def method(self: Any) -> None:
        """Never called."""

    with pytest.raises(TypeError, match=rf"defines {name}\(\), which ChatConsumer does not call"):
        type("Mine", (ChatConsumer,), {name: method})


# The groups of the chat ----------------------------------------------------------------------------------------------


async def test_a_message_of_other_code_in_the_group_of_a_room_is_ignored() -> None:
    async with ChatClient(ChatConsumer.as_asgi(), "lobby", tutorial=True) as client:
        await client.send({"message": "first"})
        await client.receive()

        layer: Any = get_channel_layer()
        await layer.group_send(pubsub.group_name("lobby"), {"type": "chat.message", "message": "lost"})
        await apost_message("lobby", "second")

        assert (await client.receive())["message"] == "second"


async def test_a_consumer_in_the_group_of_a_room_has_no_handler_for_the_messages_of_the_chat() -> None:
    class Mine(AsyncJsonWebsocketConsumer):
        async def connect(self) -> None:
            await self.channel_layer.group_add(pubsub.group_name("lobby"), self.channel_name)
            await self.accept()

    mine: Any = Mine.as_asgi()
    client = ChatClient(websocket_application(path("mine/", mine)), path="/mine/")
    await client.connect()

    await apost_message("lobby", "hi")

    with pytest.raises(ValueError, match="No handler for message type"):
        await client.receive()


# The samples ---------------------------------------------------------------------------------------------------------


async def test_the_policy_keeps_guests_out_of_the_rooms_of_teams(settings: Any) -> None:
    settings.ROOMCHAT = {"POLICY": sample("TeamPolicy")["TeamPolicy"]}
    application = websocket_application()

    async with ChatClient(application, "lobby") as client:
        await client.receive("joined")
    async with ChatClient(application, "team red") as client:
        error = await client.receive("error")
        with pytest.raises(ConnectionResetError) as closed:
            await client.receive("joined")

    assert (error["code"], closed.value.args[-1]) == ("sign_in", 4003)


async def test_the_filter_changes_and_refuses_texts(settings: Any) -> None:
    settings.ROOMCHAT = {"FILTER": sample("Refuse(")["check"]}
    ana = await get_user_model().objects.acreate(username="ana")

    await apost_message("lobby", "/roll", author=GUEST)
    await apost_message("lobby", "see http://example.com/", author=ana)
    with pytest.raises(ChatError) as refused:
        await apost_message("lobby", "see http://example.com/", author=GUEST)

    rolled, linked = await sync_to_async(texts)()
    assert re.fullmatch(r"rolls [1-6]", rolled)
    assert (linked, refused.value.code) == ("see http://example.com/", "no_links")


def test_the_receiver_answers_once() -> None:
    receiver = sample("answer_help")["answer_help"]
    try:
        post_message("lobby", "/help", author=GUEST)
        post_message("lobby", "hello", author=GUEST)
    finally:
        message_posted.disconnect(receiver)

    assert texts() == ["/help", "Write /roll to roll a die.", "hello"]


async def test_a_consumer_of_its_own_is_beside_the_chat() -> None:
    consumer = sample("ScoreConsumer")["ScoreConsumer"]
    application = with_chat(None, path("ws/score/<int:match>/", consumer.as_asgi()))

    async with (
        ChatClient(application, path="/ws/score/7/") as score,
        ChatClient(application, "lobby") as chat,
    ):
        await chat.receive("joined")
        layer: Any = get_channel_layer()
        await layer.group_send("score_7", {"type": "score.changed", "score": "2:1"})

        assert await score.receive() == {"score": "2:1"}


async def test_the_middleware_logs_the_opening_and_the_closing(caplog: pytest.LogCaptureFixture) -> None:
    application = sample("LogSockets")["LogSockets"](ChatConsumer.as_asgi())

    with caplog.at_level(logging.INFO, logger="sample"):
        async with ChatClient(application, "lobby") as client:
            await client.receive("joined")

    assert [record.getMessage() for record in caplog.records if record.name == "sample"] == [
        "Socket /ws/chat/lobby/ is opening",
        "Socket /ws/chat/lobby/ is closed",
    ]
