"""Clients of sockets for tests."""

from django_roomchat.messages.post import post_message
from django_roomchat.realtime import threads
from django_roomchat.testing import ChatClient
from tests.asgi import application


def client(room="lobby", **options):
    return ChatClient(application, room, **options)


async def say(body, room="lobby", **options):
    return await threads.in_thread(post_message, room, body, **options)
