"""Subclasses of `ChatConsumer`: which methods are called, when, and which cannot be overridden."""

import pytest
from channels.exceptions import AcceptConnection, DenyConnection
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import get_channel_layer
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied

from django_roomchat import ChatConsumer
from django_roomchat.errors import Forbidden, RateLimited, TryAgain
from django_roomchat.models import Message
from django_roomchat.policy import SignedInPolicy
from django_roomchat.realtime import threads
from django_roomchat.testing import ChatClient
from tests.support.policies import raising

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_hub")]


def client(consumer, **options):
    options.setdefault("user", AnonymousUser())
    return ChatClient(consumer.as_asgi(), "lobby", **options)


class Noting(ChatConsumer):
    """Notes what is called, in order."""

    called = []

    async def connect(self):
        self.called.append(("connect", self.scope["path"]))
        await super().connect()
        self.called.append("connected")

    async def receive(self, text_data=None, bytes_data=None):
        self.called.append(("receive", text_data, bytes_data))
        await super().receive(text_data, bytes_data)

    async def disconnect(self, code):
        self.called.append(("disconnect", code))
        await super().disconnect(code)


@pytest.fixture(autouse=True)
def _nothing_called():
    Noting.called.clear()


async def test_the_methods_are_called_in_the_documented_order():
    async with client(Noting, tutorial=True) as socket:
        opened = list(Noting.called)
        await socket.send_text('{"message": "hi"}')
        heard = await socket.receive()

    assert opened[0] == ("connect", "/ws/chat/lobby/")
    assert heard["message"] == "hi"
    assert Noting.called == [
        ("connect", "/ws/chat/lobby/"),
        "connected",
        ("receive", '{"message": "hi"}', None),
        ("disconnect", 1000),
    ]


async def test_a_binary_frame_is_given_to_receive_and_answered_as_ever():
    async with client(Noting) as socket:
        await socket.receive("joined")
        await socket.send_bytes(b"hi")
        error = await socket.receive()

    assert (error["code"], Noting.called[2]) == ("unsupported", ("receive", None, b"hi"))


def gate(refuse):
    class Gate(ChatConsumer):
        async def connect(self):
            if self.scope["user"].is_anonymous:
                await refuse(self)
            else:
                await super().connect()

        async def disconnect(self, code):
            Noting.called.append(code)

    return Gate


async def close(consumer):
    await consumer.close()


async def close_and_go_on(consumer):
    await consumer.close()
    await ChatConsumer.connect(consumer)


async def deny(consumer):
    raise DenyConnection


async def accept_and_deny(consumer):
    await consumer.accept()
    raise DenyConnection


async def do_nothing(consumer):
    pass


async def fail(consumer):
    raise KeyError("user")


@pytest.mark.parametrize("tutorial", [True, False])
@pytest.mark.parametrize("refuse", [close, close_and_go_on, deny, do_nothing])
async def test_a_gate_that_does_not_accept_keeps_the_socket_out(refuse, tutorial):
    ana = await threads.in_thread(User.objects.create_user, "ana")
    async with client(gate(refuse), user=ana, tutorial=tutorial) as socket:
        await socket.send({"message": "hi"} if tutorial else {"type": "hello"})
        answer = await socket.receive(None if tutorial else "welcome")
    outside = client(gate(refuse), tutorial=tutorial)

    assert answer is not None
    assert not await outside.connect()
    await outside._communicator.wait(5)
    assert Noting.called == [1000, 1006]


def gated(consumer):
    """A class decorator, whose method is not the one that the class statement defined."""

    async def connect(self):
        await self.close()

    consumer.connect = connect
    return consumer


async def test_a_gate_that_a_class_decorator_adds_keeps_the_socket_out():
    class Open(ChatConsumer):
        pass

    class Gated(ChatConsumer):
        pass

    async with client(Open) as socket:
        opened = await socket.receive("joined")

    assert (opened["room"], await client(gated(Gated)).connect()) == ("lobby", False)


def test_a_method_that_is_not_called_is_refused_when_a_class_decorator_adds_it():
    class Mine(ChatConsumer):
        pass

    Mine.websocket_connect = Noting.connect

    with pytest.raises(TypeError, match="defines websocket_connect"):
        Mine.as_asgi()


@pytest.mark.parametrize(
    ("error", "code", "close_code"),
    [
        (PermissionDenied("Members only."), "forbidden", 4003),
        (Forbidden("Members only.", code="sign_in"), "sign_in", 4003),
        (RateLimited("Members only."), "rate_limited", 4029),
        (TryAgain("Members only."), "unavailable", 4503),
    ],
)
async def test_a_gate_that_raises_a_refusal_sends_its_sentence(error, code, close_code):
    async with client(gate(raising(error))) as socket:
        answer, bye = await socket.receive(), await socket.receive()

    assert (answer["code"], answer["detail"], bye["code"]) == (code, "Members only.", close_code)


@pytest.mark.parametrize("tutorial", [True, False])
async def test_a_gate_that_fails_keeps_the_socket_out_and_is_logged(tutorial, caplog):
    async with client(gate(fail), tutorial=tutorial) as socket:
        answer = await socket.receive("error")

    assert answer["code"] == "unavailable"
    assert [message.partition(" failed: ")[2] for message in caplog.messages] == ["KeyError('user')"]


async def test_a_gate_that_denies_after_it_accepted_closes_the_socket():
    async with client(gate(accept_and_deny)) as socket:
        with pytest.raises(ConnectionResetError) as caught:
            await socket.receive("never")

    assert caught.value.args[-1] == 4003


async def test_accept_connection_of_channels_accepts():
    async with client(gate(raising(AcceptConnection()))) as socket:
        assert (await socket.receive())["type"] == "welcome"


async def test_the_policy_is_asked_behind_the_gate(settings):
    settings.ROOMCHAT = {"POLICY": SignedInPolicy}

    async with client(Noting) as socket:
        await socket.receive("welcome")
        error = await socket.receive()

    assert (Noting.called[0][0], error["code"]) == ("connect", "sign_in")


async def test_what_receive_does_not_pass_on_is_not_handled():
    class Deaf(ChatConsumer):
        async def receive(self, text_data=None, bytes_data=None):
            if "secret" not in text_data:
                await super().receive(text_data)

    async with client(Deaf, tutorial=True) as socket:
        await socket.send({"message": "secret"})
        await socket.send({"message": "hi"})
        heard = await socket.receive()

    assert (heard["message"], await threads.in_thread(Message.objects.count)) == ("hi", 1)


async def test_a_receive_that_fails_is_answered_and_the_socket_goes_on(caplog):
    class Failing(ChatConsumer):
        async def receive(self, text_data):
            if "deny" in text_data:
                raise PermissionDenied("Not that.")
            if "break" in text_data:
                raise KeyError("x")
            await super().receive(text_data)

    async with client(Failing, tutorial=True) as socket:
        answers = []
        for text in ("deny", "break", "hi"):
            await socket.send({"message": text})
            answers.append(await socket.receive())

    assert [answer.get("code", answer["message"]) for answer in answers] == ["forbidden", "unavailable", "hi"]
    assert [message.partition(" failed: ")[2] for message in caplog.messages] == ["KeyError('x')"]


async def test_frames_over_the_rate_limit_do_not_reach_receive(settings, monkeypatch):
    settings.ROOMCHAT = {"FRAMES_PER_SOCKET": "2/d"}
    monkeypatch.undo()  # the limits are on
    settings.ALLOWED_HOSTS = ["testserver"]

    async with client(Noting) as socket:
        await socket.receive("joined")
        for _ in range(3):
            await socket.send({"type": "hello"})
        answers = [(await socket.receive())["type"] for _ in range(3)]

    assert answers == ["welcome", "welcome", "error"]
    assert [call[0] for call in Noting.called].count("receive") == 2


async def test_a_disconnect_that_fails_is_logged_and_the_socket_has_left(caplog):
    class Failing(ChatConsumer):
        async def disconnect(self, code):
            raise KeyError("x")

    async with client(Failing) as socket:
        await socket.receive("joined")

    assert [message.partition(" failed: ")[2] for message in caplog.messages] == ["KeyError('x')"]


async def test_frames_of_its_own_are_sent_after_those_of_the_chat():
    class Greeting(ChatConsumer):
        async def connect(self):
            await super().connect()
            await self.send(text_data='{"type": "motd"}')
            await self.send(text_data='{"type": "end"}', close=4321)

    async with client(Greeting) as socket:
        frames = [(await socket.receive())["type"] for _ in range(6)]
        with pytest.raises(ConnectionResetError) as caught:
            await socket.receive()

    assert (frames, caught.value.args[-1]) == (
        ["welcome", "rights", "joined", "motd", "end", "bye"],
        4321,
    )


async def test_nothing_is_sent_before_the_socket_is_accepted(caplog):
    class Early(ChatConsumer):
        async def connect(self):
            await self.send("hi")

    async with client(Early, tutorial=True) as socket:
        await socket.receive("error")

    assert "Call super().connect() before self.send()" in caplog.messages[0]


async def test_messages_of_the_channel_layer_are_handled_by_methods():
    class Scoring(ChatConsumer):
        groups = ["score"]

        async def connect(self):
            await self.channel_layer.group_add("own", self.channel_name)
            await super().connect()

        async def disconnect(self, code):
            await self.channel_layer.group_discard("own", self.channel_name)

        async def score_changed(self, event):
            await self.send(text_data=event["text"])

    layer = get_channel_layer()
    async with client(Scoring) as socket:
        await socket.receive("joined")
        # A message of a type without a method, and one that would close the socket if it reached a method of the base.
        for kind in ("unknown", "close", "disconnect"):
            await layer.group_send("score", {"type": kind})
        for group in ("score", "own"):
            await layer.group_send(group, {"type": "score.changed", "text": f'{{"type": "{group}"}}'})
        heard = [(await socket.receive())["type"] for _ in range(2)]

    assert heard == ["score", "own"]
    assert {
        group: members for group, members in layer.groups.items() if group in ("score", "own") and members
    } == {}


async def test_a_handler_that_fails_does_not_end_the_socket(caplog):
    class Failing(ChatConsumer):
        groups = ["score"]

        async def score_changed(self, event):
            await self.send(text_data=event["text"])

    layer = get_channel_layer()
    async with client(Failing) as socket:
        await socket.receive("joined")
        await layer.group_send("score", {"type": "score.changed"})
        await layer.group_send("score", {"type": "score.changed", "text": '{"type": "on"}'})

        assert (await socket.receive())["type"] == "on"
    assert [message.partition(" failed: ")[2] for message in caplog.messages] == ["KeyError('text')"]


async def test_each_socket_has_an_instance_of_its_own():
    class Counting(ChatConsumer):
        def __init__(self, start):
            self.count = start

        async def receive(self, text_data):
            self.count += 1
            await self.send(text_data=f'{{"type": "{self.count}"}}')

    app = Counting.as_asgi(start=5)
    answers = []
    for _ in range(2):
        async with ChatClient(app, "lobby") as socket:
            await socket.receive("joined")
            await socket.send({})
            answers.append((await socket.receive())["type"])

    assert (answers, app.consumer_class) == (["6", "6"], Counting)


async def test_a_subclass_that_is_called_itself_passes_its_gate_too():
    outside = ChatClient(gate(close)(), "lobby", user=AnonymousUser())

    assert not await outside.connect()


async def test_a_class_without_overrides_shares_one_object():
    class Plain(ChatConsumer):
        """Nothing is overridden."""

    one = Plain.as_asgi()

    assert (type(one), Plain._is_extended, ChatConsumer._is_extended, Noting._is_extended) == (
        Plain,
        False,
        False,
        True,
    )


# Methods that cannot be overridden ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["connect", "receive", "disconnect"])
def test_a_method_without_async_is_refused_when_the_class_is_made(name):
    with pytest.raises(TypeError) as caught:
        type("Mine", (ChatConsumer,), {name: lambda self: None})

    assert str(caught.value) == (
        f"{__name__}.Mine.{name}() must be defined with async def. Query the database with database_sync_to_async(), "
        "or decide who may enter with the setting POLICY."
    )


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("websocket_connect", "override connect()"),
        ("receive_json", "override receive()"),
        ("accept", "override connect()"),
        (
            "send",
            "all sockets of a room share one encoded frame; change the text with the setting FILTER, or the look with templates",
        ),
    ],
)
def test_a_method_that_is_not_called_is_refused_when_the_class_is_made(name, instead):
    with pytest.raises(TypeError) as caught:
        type("Mine", (ChatConsumer,), {name: fail})

    assert (
        str(caught.value) == f"{__name__}.Mine defines {name}(), which ChatConsumer does not call: {instead}."
    )


def test_a_gate_of_a_mixin_is_called_and_one_of_channels_is_refused():
    class Mixin:
        async def connect(self):
            await self.close()

    class Mine(Mixin, ChatConsumer):
        pass

    assert Mine._is_extended
    with pytest.raises(TypeError):
        type("Both", (ChatConsumer, AsyncWebsocketConsumer), {})


async def test_a_route_without_a_room_is_closed_in_the_tutorials_dialect():
    async with ChatClient(ChatConsumer.as_asgi(), tutorial=True) as socket:
        error = await socket.receive()
        with pytest.raises(ConnectionResetError) as caught:
            await socket.receive()

    assert (error["message"], error["code"], caught.value.args[-1]) == (
        "The route of this socket has no room_name.",
        "no_such_room",
        4004,
    )
