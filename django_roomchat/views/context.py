"""Template contexts of the room page, the list of rooms and the search page."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from django_roomchat import identity, policy
from django_roomchat.conf import config
from django_roomchat.errors import BadValue, ChatError, TryAgain
from django_roomchat.files import storage
from django_roomchat.identity import Identity
from django_roomchat.messages import attachments, read_markers, room_list
from django_roomchat.messages.history import History, read_history
from django_roomchat.messages.search import SearchResults, result_of, search_steps
from django_roomchat.messages.search_patterns import QUERY_MAX_LENGTH
from django_roomchat.models import Room
from django_roomchat.policy import rate_limits
from django_roomchat.protocol import Event, File, Hit, LastMessage, Line, ListedRoom, Quote
from django_roomchat.realtime import threads
from django_roomchat.rooms.lookup import enter_room, title_for

BESIDE_MAX = 200
"""Maximum number of rooms in the list beside a room."""


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """A message, as a template shows it."""

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
    guest: bool = False


@dataclass(frozen=True, slots=True)
class ShownMention:
    """A person mentioned in a message."""

    key: str
    name: str
    mine: bool


@dataclass(frozen=True, slots=True)
class ShownReaction:
    """The count of one emoji among a message's reactions."""

    emoji: str
    count: int
    mine: bool


@dataclass(frozen=True, slots=True)
class ShownRoom:
    """A room, as the list of rooms shows it."""

    name: str
    title: str
    url: str
    visibility: str
    at: datetime | None = None
    """Time of the last message; if there is none, the time of the room's last change."""
    last: LastMessage | None = None
    unread: int = 0
    mentions: int = 0
    muted: bool = False
    archived: bool = False


@dataclass(frozen=True, slots=True)
class ShownRooms:
    """The list of rooms, in two parts."""

    yours: Sequence[ShownRoom]
    """Rooms that the person is a member of or has been in."""
    lately: Sequence[ShownRoom]
    """Other rooms with recent messages."""
    limit: int
    """Maximum number of rooms in the list."""


@dataclass(frozen=True, slots=True)
class NewRoom:
    """The form that creates a room, with the values typed into it."""

    kinds: Sequence[str]
    """Kinds of room that the person may create: ``open``, ``private``, both or none."""
    title: str = ""
    visibility: str = ""
    announcement: bool = False
    listed: bool = True
    error: str = ""
    is_taken: bool = False
    """Whether a room with this name exists."""


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
    """Build the context of ``room.html`` and of ``{% roomchat name %}``.

    Args:
        request: the request of the page.
        name: name of the room, in any spelling.
        before, after: show the messages before or after this sequence number instead of the newest.
        at: show the messages around this sequence number, and highlight it.
        draft: text of a form that was rejected.
        error: why it was rejected.

    Raises:
        ChatError: the name is invalid, or the policy denies access.
    """
    me = identity.who(request)
    history = read_history(name, by=me, before=before, after=after, around=at)
    room = history.room
    newest = history.messages[0].seq if history.messages else None
    can = policy.rights(me, room)
    refusal = None if "post" in can else policy.refusal(policy.require_post, me, room)
    read_seq, is_muted = read_markers.marker_of(me, room)
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
        # Evaluated only by templates that show it.
        "rooms": SimpleLazyObject(lambda: _rooms(me, BESIDE_MAX, here=room)),
        "new_room": SimpleLazyObject(lambda: _new_room(me)),
        "keeps_edits": config().EDIT_HISTORY,
        "may_post": "post" in can,
        "may_post_detail": refusal.detail if refusal else "",
    }


def _for_files(room: Room) -> dict[str, Any]:
    """Return the context values for attachments; the URL is empty if attachments are off."""
    url = reverse("roomchat:files", args=[_name_in_addresses(room)]) if storage.is_enabled() else ""
    return {
        "files_url": url,
        "file_max_bytes": config().ATTACHMENT_MAX_BYTES,
        "files_max": config().ATTACHMENTS_PER_MESSAGE,
        "attachment_types": attachments.offered_types(),
        "attachment_words": attachments.accepted_words(),
        "attachment_accept": attachments.accepted_by_chooser(),
    }


def index_page(request: HttpRequest, *, typed: str = "", error: str | None = None) -> dict[str, Any]:
    """Build the context of ``index.html``."""
    me = identity.who(request)
    return {
        "me": me,
        "rooms": _rooms(me, room_list.ROOMS_MAX),
        "new_room": _new_room(me),
        "typed": typed,
        "error": error,
        "index_url": reverse("roomchat:index"),
        "search_url": reverse("roomchat:search"),
        "name_max_length": config().ROOM_NAME_MAX_LENGTH,
    }


def new_room_page(me: Identity, **typed: Any) -> dict[str, Any]:
    """Build the context of ``new_room.html``. *typed* are fields of :class:`NewRoom` from a form that was
    rejected.

    Raises:
        Forbidden: the person may not create any room.
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
    # Nothing has been typed yet, so the policy is asked about a room without a name.
    kinds = [
        kind
        for kind in (Room.Visibility.OPEN, Room.Visibility.PRIVATE)
        if policy.policy().can_create(me, Room(visibility=kind))
    ]
    return NewRoom(kinds=[kind.value for kind in kinds], **typed)


def _rooms(me: Identity, limit: int, *, here: Room | None = None) -> ShownRooms:
    listed = room_list.unread(me, limit=limit)
    yours = [_shown_room(room) for room in listed if room.yours]
    lately = [_shown_room(room) for room in listed if not room.yours]
    if here is not None and here.name not in {room.name for room in listed}:
        # The room has no messages, or is in no list of the person. The person is in it, so it is shown all
        # the same.
        yours.insert(0, ShownRoom(here.name, title_for(me, here), room_url(here), here.visibility))
    return ShownRooms(yours, lately, limit)


def _shown_room(room: ListedRoom) -> ShownRoom:
    return ShownRoom(
        name=room.name,
        title=room.title,
        url=reverse("roomchat:room", args=[room.name]),
        visibility=room.visibility,
        at=_moment(room.last.at if room.last else room.changed_at),
        last=room.last,
        unread=room.unread,
        mentions=room.mentions,
        muted=room.muted,
        archived=room.archived,
    )


def history_json(history: History) -> dict[str, Any]:
    """Convert a page of history for the JSON views. The messages have the format of events in the protocol."""
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


def search_page(request: HttpRequest) -> tuple[dict[str, Any], ChatError | None]:
    """Build the context of ``search.html``, and return it with the error that it shows. The query string has the search: ``q``,
    ``room`` and ``before``.

    Raises:
        NotFound, Forbidden: the person may not enter that room.
    """
    me = identity.who(request)
    query, name = request.GET.get("q", ""), request.GET.get("room", "")
    room = enter_room(me, name) if name else None
    found = SearchResults([], "")
    refusal: ChatError | None = None
    if query.strip():
        try:
            rate_limits.spend("SEARCHES", me, rate_limits.address_of(request))
            with threads.searches().turn_in_thread():
                steps = search_steps(query, room=room, by=me, before=request.GET.get("before"))
                found = result_of(steps, rests=True)
        except (BadValue, TryAgain) as error:
            refusal = error
    url = reverse("roomchat:search")
    asked = {"q": query, **({"room": name} if name else {})}
    context = {
        "query": query,
        "room": room,
        "hits": [_shown_hit(hit) for hit in found.hits],
        "more_url": f"{url}?{urlencode({**asked, 'before': found.before})}" if found.before else None,
        "error": None if refusal is None else refusal.detail,
        "search_url": url,
        "everywhere_url": f"{url}?{urlencode({'q': query})}" if room is not None else None,
        "room_url": room_url(room) if room is not None else None,
        "index_url": reverse("roomchat:index"),
        "query_max_length": QUERY_MAX_LENGTH,
    }
    return context, refusal


def _shown_hit(hit: Hit) -> dict[str, Any]:
    return {
        "room_title": hit.title,
        "room_name": hit.room,
        "seq": hit.seq,
        "url": message_url(hit.room, hit.seq),
        "author_key": hit.author.key,
        "author_name": hit.author.name,
        "guest": hit.author.guest,
        "at": _moment(hit.at),
        "excerpt": [(piece, bool(place % 2)) for place, piece in enumerate(hit.excerpt)],
    }


def message_url(room: str, seq: int) -> str:
    """Return the permanent URL that shows a message among its neighbours."""
    return f"{reverse('roomchat:room', args=[room])}?at={seq}#m-{seq}"


def room_url(room: Room) -> str:
    """Return the URL of a room's page.

    The URL of a room that does not exist yet contains the name as typed, which the first message makes the
    room's title.
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
        guest=event.author.guest,
        body=event.body,
        at=_moment(event.at),
        reply_to=event.reply_to,
        edited_at=_moment_or_none(event.edited_at),
        deleted_at=_moment_or_none(event.deleted_at),
        mine=event.author.key == me.key,
        pinned_at=_moment_or_none(event.pinned_at),
        quote=event.quote,
        reactions=tuple(
            ShownReaction(emoji, of.count, me.key in of.keys) for emoji, of in (event.reactions or {}).items()
        ),
        html=event.html,
        line=event.line,
        files=event.files or (),
        mentions=tuple(ShownMention(of.key, of.name, of.key == me.key) for of in event.mentions or ()),
    )


def _moment(text: str) -> datetime:
    """Return a time of the protocol. Templates convert it to local time, but not with ``USE_TZ = False``."""
    at = datetime.fromisoformat(text)
    return at if settings.USE_TZ else timezone.localtime(at)


def _moment_or_none(text: str | None) -> datetime | None:
    return None if text is None else _moment(text)
