import pytest

from django_roomchat.consumers import ChatConsumer
from django_roomchat.identity import Identity
from django_roomchat.messages.post import post_message
from django_roomchat.realtime.threads import in_thread
from django_roomchat.testing import ChatClient
from tests.asgi import application

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_client_posts_and_is_acknowledged():
    async with ChatClient(application, "lobby") as client:
        ack = await client.post("hi", id="a")

    assert (client.subprotocol, ack["type"], ack["seq"]) == ("roomchat.v1", "ack", 1)


async def test_a_client_gets_the_next_frame_or_the_next_of_a_type():
    async with ChatClient(application, "lobby") as client:
        first, later = await client.receive(), await client.receive("joined")

    assert (first["type"], later["type"]) == ("welcome", "joined")


async def test_a_client_may_name_the_room_it_posts_to():
    async with ChatClient(application) as client:
        ack = await client.post("hi", id="a", room="other")

    assert ack["room"] == "other"


async def test_a_client_may_say_where_it_stands():
    await in_thread(post_message, "lobby", "one")
    async with ChatClient(application, "lobby") as client:
        joined = await client.receive("joined")
        await client.post("two", id="b")

    async with ChatClient(application, "lobby", since=joined["head"], epoch=joined["epoch"]) as back:
        missed = await back.receive("joined")

    assert [event["body"] for event in missed["events"]] == ["two"]


async def test_a_client_may_speak_the_tutorials_dialect():
    async with ChatClient(application, "lobby", tutorial=True) as client:
        await client.send({"message": "hi"})

        assert ((await client.receive())["message"], client.subprotocol) == ("hi", None)


async def test_a_client_may_send_what_is_no_frame():
    async with ChatClient(application, "lobby") as client:
        await client.receive("joined")
        await client.send_text("{")
        await client.send_bytes(b"{}")

        assert [(await client.receive())["code"] for _ in range(2)] == ["bad_json", "unsupported"]


async def test_a_client_that_is_refused_raises():
    headers = [(b"host", b"testserver"), (b"origin", b"http://evil.example")]

    with pytest.raises(ConnectionRefusedError) as caught:
        async with ChatClient(application, "lobby", headers=headers):
            pass

    assert str(caught.value) == "The socket /ws/chat/lobby/ was refused; the server's log says why."


async def test_a_client_whose_socket_is_closed_by_the_server_raises_with_the_code():
    async with ChatClient(application, "a\\b") as client:
        with pytest.raises(ConnectionResetError) as caught:
            await client.receive("never")

    assert caught.value.args == ("The server closed the socket.", 4004)


async def test_a_client_may_be_tried_without_urls(settings):
    settings.ROOMCHAT = {"IDENTITY": lambda scope: Identity(scope["user"], scope["user"].title())}

    async with ChatClient(ChatConsumer.as_asgi(), "lobby", user="ana") as client:
        assert (await client.receive())["you"]["name"] == "Ana"
