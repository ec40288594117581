"""Channel layers of a hub: the groups that the process is in, and a client for each layer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from django_roomchat import database, pubsub
from django_roomchat.pubsub import News
from django_roomchat.pubsub.layer_client import LayerClient
from django_roomchat.realtime import threads
from django_roomchat.realtime.hub_room import HubRoom
from django_roomchat.throttled_logging import warn_throttled


class HubLayer:
    """The channel layers and groups of one hub. A site can have several layers, and rooms can share a group.

    Args:
        deliver: receives what other processes have published.
        joined: called with each room whose group this process has just joined.
    """

    def __init__(self, deliver: Callable[[News], None], joined: Callable[[HubRoom], None]) -> None:
        self._deliver = deliver
        self._joined = joined
        self._clients: dict[str, LayerClient] = {}
        self._rooms: dict[tuple[str, str], set[HubRoom]] = {}
        """The rooms of each group, by channel layer alias and group name."""

    @property
    def is_down(self) -> bool:
        """Whether a layer is known to be failing."""
        return any(client.is_down for client in self._clients.values())

    def subscribe(self, room: HubRoom) -> None:
        """Join the group of a room that was opened."""
        room.layer_client, room.group = self._client_and_group(room.name)
        if room.layer_client is not None:
            rooms = self._rooms.setdefault((room.layer_client.alias, room.group), set())
            rooms.add(room)
            if len(rooms) == 1:
                room.layer_client.join(room.group)

    def unsubscribe(self, room: HubRoom) -> None:
        """Leave the group of a room that was closed, unless it is the group of another room, too."""
        if room.layer_client is not None:
            key = room.layer_client.alias, room.group
            self._rooms[key].discard(room)
            if not self._rooms[key]:
                del self._rooms[key]
                room.layer_client.leave(room.group)

    def join_again(self, room: HubRoom) -> None:
        """Join a room's group again, because the layer may have lost the membership."""
        if room.layer_client is not None:
            room.layer_client.join(room.group)

    def join_broadcast(self) -> None:
        """Join the group of all processes."""
        client, group = self._client_and_group(pubsub.BROADCAST)
        if client is not None:
            client.join(group)

    def send(self, news: News) -> None:
        """Send what this process has published to the other processes."""
        client, group = self._client_and_group(news.room)
        if client is not None:
            client.send(group, news)

    async def close(self) -> None:
        """Leave all groups, so that the channel layers keep no messages for this process."""
        clients, self._clients = list(self._clients.values()), {}
        await asyncio.gather(*(client.close() for client in clients))

    def stop(self) -> None:
        """Stop the clients without leaving the groups."""
        for client in self._clients.values():
            client.stop()
        self._clients.clear()

    def _client_and_group(self, name: str) -> tuple[LayerClient | None, str]:
        """Return the client and the group of a room. A room for which a hook fails has no client."""
        try:
            alias, group = pubsub.layer_alias(name), pubsub.group_name(name)
            if alias not in self._clients:
                self._clients[alias] = LayerClient(alias, self._deliver, self._group_joined, _identifiers)
            return self._clients[alias], group
        except Exception as error:
            whose = f"Room {name!r}" if name != pubsub.BROADCAST else "The group for all processes"
            warn_throttled(
                "no layer", "%s has no channel layer; other processes poll the database: %r", whose, error
            )
            return None, ""

    def _group_joined(self, alias: str, group: str) -> None:
        for room in self._rooms.get((alias, group), ()):
            self._joined(room)


async def _identifiers(look_up: bool) -> tuple[str, ...]:
    if not look_up and (known := database.known_identifiers()) is not None:
        return known
    return await threads.in_thread(database.identifiers, look_up=look_up)
