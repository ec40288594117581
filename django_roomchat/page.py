"""What the templates of a room and of the list of rooms show."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from django_roomchat import attachments, identity, marks, policy, storage
from django_roomchat.actions import History, enter_room, read_history
from django_roomchat.conf import config
from django_roomchat.errors import BadValue
from django_roomchat.identity import Identity
from django_roomchat.models import Room
from django_roomchat.protocol import Event, File, Hit, LastMessage, Line, ListedRoom, Quote
from django_roomchat.rooms import title_for
from django_roomchat.search import QUERY_MAX_LENGTH, Found, search_messages

BESIDE_MAX = 200
"""Rooms that are listed beside a room."""


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """A message as a template shows it."""

    seq: int
    rev: int
    id: str
    kind: str
    author_key: str
    author_name: str
    body: str
    at: datetime
    reply_to: int | None
    edited_at: datetime | None
    deleted_at: datetime | None
    mine: bool
    pinned_at: datetime | None = None
    quote: Quote | None = None
    reactions: Sequence[ShownReaction] = ()
    html: str | None = None
    line: Line | None = None
    files: Sequence[File] = ()
    mentions: Sequence[ShownMention] = ()


@dataclass(frozen=True, slots=True)
class ShownMention:
    """Somebody whom a message calls."""

    key: str
    name: str
    mine: bool


@dataclass(frozen=True, slots=True)
class ShownReaction:
    """An emoji below a message."""

    emoji: str
    count: int
    mine: bool


@dataclass(frozen=True, slots=True)
class ShownRoom:
    """A room as the list of rooms shows it."""

    name: str
    title: str
    url: str
    visibility: str
    at: datetime | None = None
    """When something was said last, or else when the room last changed."""
    last: LastMessage | None = None
    unread: int = 0
    mentions: int = 0
    muted: bool = False
    archived: bool = False


@dataclass(frozen=True, slots=True)
class ShownRooms:
    """The list of rooms, in two parts."""

    yours: Sequence[ShownRoom]
    """Those that they belong to, or have been in."""
    lately: Sequence[ShownRoom]
    """Those in which others talk."""
    limit: int
    """How many there are at most."""


@dataclass(frozen=True, slots=True)
class NewRoom:
    """The form that makes a room, with what was typed into it."""

    kinds: Sequence[str]
    """Which rooms they may make: ``open``, ``private``, both or none."""
    title: str = ""
    visibility: str = ""
    announcement: bool = False
    listed: bool = True
    error: str = ""
    is_taken: bool = False
    """There is a room of this name already."""


def room_page(
    request: HttpRequest,
    name: str,
    *,
    before: int | None = None,
    after: int | None = None,
    at: int | None = None,
    draft: str = "",
    error: str | None = None,
) -> dict[str, Any]:
    """The context of ``room.html`` and of ``{% roomchat name %}``.

    Args:
        request: of the page.
        name: of the room, however typed.
        before, after: show the messages before or after this place instead of the newest.
        at: show those around it, and mark the one that stands there.
        draft: what was typed and not accepted.
        error: why it was not.

    Raises:
        ChatError: there cannot be such a room, or the policy says no.
    """
    me = identity.who(request)
    history = read_history(me, name, before=before, after=after, around=at)
    room = history.room
    newest = history.messages[0].seq if history.messages else None
    can = policy.rights(me, room)
    silence = None if "post" in can else policy.silence(me, room)
    read_seq, is_muted = marks.marker_of(me, room)
    return {
        "room": room,
        "room_name": room.name,
        "room_title": title_for(me, room),
        "messages": [_shown(event, me) for event in reversed(history.messages)],
        "epoch": history.epoch,
        "head": history.head,
        "is_newest": before is None and history.after is None,
        "older_before": history.before,
        "newer_after": newest if before is not None else history.after,
        "at": at,
        "me": me,
        **_addresses(room),
        "body_max_length": config().BODY_MAX_LENGTH,
        **_for_files(room),
        "post_id": str(uuid.uuid4()),
        "draft": draft,
        "error": error,
        "can": can,
        "read_seq": read_seq,
        "is_muted": is_muted,
        # Asked for by those templates only that show it.
        "rooms": SimpleLazyObject(lambda: _rooms(me, BESIDE_MAX, here=room)),
        "new_room": SimpleLazyObject(lambda: _new_room(me)),
        "keeps_edits": config().EDIT_HISTORY,
        "may_post": "post" in can,
        "may_post_detail": silence.detail if silence else "",
    }


def _for_files(room: Room) -> dict[str, Any]:
    """What the page knows of attachments; without an address where there are none."""
    url = reverse("roomchat:files", args=[_name_in_addresses(room)]) if storage.is_on() else ""
    return {
        "files_url": url,
        "file_max_bytes": config().ATTACHMENT_MAX_BYTES,
        "files_max": config().ATTACHMENTS_PER_MESSAGE,
        "attachment_types": attachments.offered_types(),
    }


def index_page(request: HttpRequest, *, typed: str = "", error: str | None = None) -> dict[str, Any]:
    """The context of ``index.html``."""
    me = identity.who(request)
    return {
        "me": me,
        "rooms": _rooms(me, marks.ROOMS_MAX),
        "new_room": _new_room(me),
        "typed": typed,
        "error": error,
        "index_url": reverse("roomchat:index"),
        "search_url": reverse("roomchat:search"),
        "name_max_length": config().ROOM_NAME_MAX_LENGTH,
    }


def new_room_page(me: Identity, **typed: Any) -> dict[str, Any]:
    """The context of ``new_room.html``. What was *typed* and not accepted is that of :class:`NewRoom`.

    Raises:
        Forbidden: they may make no room at all.
    """
    form = _new_room(me, **typed)
    if not form.kinds:
        policy.require(policy.policy().can_create(me, Room()))
    return {
        "me": me,
        "new_room": form,
        "index_url": reverse("roomchat:index"),
        "name_max_length": config().ROOM_NAME_MAX_LENGTH,
    }


def _new_room(me: Identity, **typed: Any) -> NewRoom:
    # Nothing is typed yet, so the policy is asked about a room without a name.
    kinds = [
        kind
        for kind in (Room.Visibility.OPEN, Room.Visibility.PRIVATE)
        if policy.policy().can_create(me, Room(visibility=kind))
    ]
    return NewRoom(kinds=[kind.value for kind in kinds], **typed)


def _rooms(me: Identity, limit: int, *, here: Room | None = None) -> ShownRooms:
    listed = marks.unread(me, limit=limit)
    yours = [_shown_room(room) for room in listed if room.yours]
    lately = [_shown_room(room) for room in listed if not room.yours]
    if here is not None and here.name not in {room.name for room in listed}:
        # Nothing was said here yet, or it is in nobody's list: whoever is here sees it nevertheless.
        yours.insert(0, ShownRoom(here.name, here.title, room_url(here), here.visibility))
    return ShownRooms(yours, lately, limit)


def _shown_room(room: ListedRoom) -> ShownRoom:
    return ShownRoom(
        name=room.name,
        title=room.title,
        url=reverse("roomchat:room", args=[room.name]),
        visibility=room.visibility,
        at=datetime.fromisoformat(room.last.at if room.last else room.changed_at),
        last=room.last,
        unread=room.unread,
        mentions=room.mentions,
        muted=room.muted,
        archived=room.archived,
    )


def history_json(history: History) -> dict[str, Any]:
    """A page of history as the JSON views answer it; its messages are the events of the wire."""
    return {
        "room": history.room.name,
        "title": history.room.title,
        "epoch": history.epoch,
        "floor": history.floor,
        "head": history.head,
        "messages": history.messages,
        "before": history.before,
        "after": history.after,
    }


def search_page(request: HttpRequest) -> dict[str, Any]:
    """The context of ``search.html``. What was searched for, where and from where on stands in the address: ``q``, ``room`` and ``before``.

    Raises:
        NotFound, Forbidden: they may not enter that room.
    """
    me = identity.who(request)
    query, name = request.GET.get("q", ""), request.GET.get("room", "")
    room = enter_room(me, name) if name else None
    found, error = Found([], ""), None
    if query.strip():
        try:
            found = search_messages(me, query, room, request.GET.get("before"))
        except BadValue as refused:
            error = refused.detail
    url = reverse("roomchat:search")
    asked = {"q": query, **({"room": name} if name else {})}
    return {
        "query": query,
        "room": room,
        "hits": [_shown_hit(hit) for hit in found.hits],
        "more_url": f"{url}?{urlencode({**asked, 'before': found.before})}" if found.before else None,
        "error": error,
        "search_url": url,
        "everywhere_url": f"{url}?{urlencode({'q': query})}" if room is not None else None,
        "room_url": room_url(room) if room is not None else None,
        "index_url": reverse("roomchat:index"),
        "query_max_length": QUERY_MAX_LENGTH,
    }


def _shown_hit(hit: Hit) -> dict[str, Any]:
    return {
        "room_title": hit.title,
        "room_name": hit.room,
        "seq": hit.seq,
        "url": message_url(hit.room, hit.seq),
        "author_key": hit.author.key,
        "author_name": hit.author.name,
        "at": datetime.fromisoformat(hit.at),
        "excerpt": [(piece, bool(place % 2)) for place, piece in enumerate(hit.excerpt)],
    }


def message_url(room: str, seq: int) -> str:
    """Where a message is shown among those around it, for ever."""
    return f"{reverse('roomchat:room', args=[room])}?at={seq}#m-{seq}"


def room_url(room: Room) -> str:
    """Where the page of a room is.

    A room that does not exist yet has its name there as it was typed, so that its first message makes it the title.
    """
    return reverse("roomchat:room", args=[_name_in_addresses(room)])


def _addresses(room: Room) -> dict[str, str]:
    name = _name_in_addresses(room)
    return {
        "room_url": room_url(room),
        "messages_url": reverse("roomchat:messages", args=[name]),
        "events_url": reverse("roomchat:events", args=[name]),
        "frames_url": reverse("roomchat:room_frames", args=[name]),
        "index_url": reverse("roomchat:index"),
        "search_url": f"{reverse('roomchat:search')}?{urlencode({'room': name})}",
        "socket_path": f"{config().SOCKET_PATH}{quote(name, safe='')}/",
    }


def _name_in_addresses(room: Room) -> str:
    return room.title if room.pk is None else room.name


def _shown(event: Event, me: Identity) -> ShownMessage:
    return ShownMessage(
        seq=event.seq,
        rev=event.rev,
        id=event.id,
        kind=event.kind,
        author_key=event.author.key,
        author_name=event.author.name,
        body=event.body,
        at=datetime.fromisoformat(event.at),
        reply_to=event.reply_to,
        edited_at=_moment(event.edited_at),
        deleted_at=_moment(event.deleted_at),
        mine=event.author.key == me.key,
        pinned_at=_moment(event.pinned_at),
        quote=event.quote,
        reactions=tuple(
            ShownReaction(emoji, of.count, me.key in of.keys) for emoji, of in (event.reactions or {}).items()
        ),
        html=event.html,
        line=event.line,
        files=event.files or (),
        mentions=tuple(ShownMention(of.key, of.name, of.key == me.key) for of in event.mentions or ()),
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
