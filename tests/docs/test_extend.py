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

NAMED = re.findall(r"`(\w+)`", re.search(r"overrides (.*) or another method", PAGE)[1])  # type: ignore[index]


def test_the_page_names_the_methods_of_the_tutorials_consumer() -> None:
    assert NAMED == ["connect", "receive", "disconnect", "chat_message"]


async def test_an_overridden_method_is_not_called() -> None:
    called = []

    def override(name: str) -> Any:
        async def method(self: Any, *args: Any, **kwargs: Any) -> None:
            called.append(name)

        return method

    consumer: Any = type("Mine", (ChatConsumer,), {name: override(name) for name in NAMED})
    async with ChatClient(consumer.as_asgi(), "lobby", tutorial=True) as client:
        await client.send({"message": "hi"})
        heard = await client.receive()

    assert (heard["message"], called) == ("hi", [])


@pytest.mark.parametrize(
    "name",
    re.findall(r"`self\.(\w+)`", re.search(r"A subclass has no (.*)\.\n", PAGE)[1]),  # type: ignore[index]
)
def test_a_subclass_lacks_the_attributes_of_channels(name: str) -> None:
    assert not hasattr(type("Mine", (ChatConsumer,), {})(), name)


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
