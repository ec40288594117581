"""Poll of the database, which finds what the channel layer has not delivered: events and changes of access."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from django_roomchat import log
from django_roomchat.pubsub import Access
from django_roomchat.realtime.hub_room import HubRoom
from django_roomchat.throttled_logging import warn_throttled


class LogPoll:
    """Compares the rooms of a hub with the database.

    Args:
        read_states: reads the states of logs; see :func:`django_roomchat.log.states`.
        fill: reads the log of a room that is not up to date.
        join_again: joins the room's group again.
        receive_access: compares the room's access version with that of the database.
    """

    def __init__(
        self,
        read_states: Callable[[list[str]], Awaitable[dict[str, log.State]]],
        fill: Callable[[HubRoom], None],
        join_again: Callable[[HubRoom], None],
        receive_access: Callable[[HubRoom, Access], None],
    ) -> None:
        self._read_states = read_states
        self._fill = fill
        self._join_again = join_again
        self._receive_access = receive_access

    async def compare(self, open_rooms: Iterable[HubRoom]) -> None:
        """Compare rooms with the database in one query."""
        rooms = {room: (room.cursor, room.access_version) for room in open_rooms if room.is_ready}
        if not rooms:
            return
        try:
            states = await self._read_states([room.name for room in rooms])
        except Exception as error:
            warn_throttled("poll", "The rooms could not be compared with the database: %r", error)
            return
        for room, (cursor, version) in rooms.items():
            state = states.get(room.name, log.State())
            room.wanted = max(room.wanted, state.head)
            if not room.cursor:
                room.set_epoch(state.epoch)
            is_another = state.epoch != room.epoch and room.cursor
            if state.head < cursor == room.cursor:
                # The database has lost committed events, as after a failover to a replica that lagged.
                room.needs_restart = True
            if state.head > room.cursor or is_another or room.needs_restart:
                self._fill(room)
                # The layer should have delivered these events. It may have lost our group membership, as
                # after FLUSHALL.
                self._join_again(room)
            if state.access_version < version == room.access_version:
                # Our version belongs to another log, or to a late message from one.
                room.access_version = -1
            self._receive_access(room, Access(room.name, state.access_version, ""))
