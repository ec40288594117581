"""Channel layer clients for tests."""

import asyncio

from django_roomchat.pubsub.layer_client import LayerClient


class Delivered:
    def __init__(self, alias="default"):
        self.news = []
        self.joined = []
        self.arrived = asyncio.Event()
        # Without a database, as in `to_message(news)`, and that of `conftest.py`.
        self.databases = ("", "of the tests")
        self.layer_client = LayerClient(alias, self.deliver, self.note_joined, self.identify)

    async def identify(self, look_up):
        return self.databases

    def deliver(self, news):
        self.news.append(news)
        self.arrived.set()

    def note_joined(self, alias, group):
        self.joined.append((alias, group))
        self.arrived.set()

    async def wait(self):
        await asyncio.wait_for(self.arrived.wait(), 10)
        self.arrived.clear()
