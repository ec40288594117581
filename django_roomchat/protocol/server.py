"""Frames from the server to clients."""

from __future__ import annotations

from typing import Literal

import msgspec

from django_roomchat.protocol.base import Frame
from django_roomchat.protocol.objects import (
    EarlierText,
    Event,
    Hit,
    Limits,
    ListedInvitation,
    ListedMember,
    ListedRoom,
    Person,
    SanctionedUser,
    SanctionInForce,
    You,
)


class Response(Frame, frozen=True):
    """Base class of the frames that answer one frame of the client."""

    id: str
    """The ``id`` of the frame that this frame answers."""


class ResponseInRoom(Response, frozen=True):
    """Base class of the answers that concern a room."""

    room: str
    """Canonical name of the room."""


class Welcome(Frame, frozen=True, tag="welcome"):
    """First frame of every connection: the identity of the socket and the limits of the server."""

    version: str
    """Version of django-roomchat on the server."""
    you: You
    """Identity that the socket authenticated as."""
    limits: Limits
    """Limits that the server enforces."""
    ping_seconds: float
    """Interval of the server's ``ping`` frames, in seconds. A client that receives no frame for this time plus
    10 s should treat the connection as lost.
    """


class Joined(Frame, frozen=True, tag="joined"):
    """Confirms that the socket entered a room, and brings the client up to ``head``."""

    room: str
    """Canonical name of the room. All later frames use it."""
    title: str
    """Title of the room."""
    epoch: str
    """Epoch of the log that all numbers refer to; empty while the room has no messages."""
    floor: int
    """Revision up to which changes were pruned."""
    prev: int
    """Start of the range that this frame covers (exclusive)."""
    head: int
    """End of the range that this frame covers (inclusive): the client's new head."""
    events: list[msgspec.Raw]
    """Events in the order of their ``rev``; with ``reset``, the messages of the newest page, the oldest first."""
    reset: Literal["new", "epoch", "floor", "gap", "ahead"] | None = None
    """Reason to discard all stored messages of the room: ``events`` is the newest page. If absent, ``events``
    contains all changes in ``(prev, head]``.

    ``new``: the request had no ``since``. ``epoch``: the log has another epoch. ``floor``: missing changes were
    pruned.
    ``gap``: too many changes are missing. ``ahead``: ``since`` is above the head of the log.
    """
    more: bool = False
    """With ``reset``: whether older messages exist. Defaults to ``false``."""


class Rights(Frame, frozen=True, tag="rights"):
    """Permissions of the socket's user in a room. Sent before ``joined`` and after every change."""

    room: str
    """Canonical name of the room."""
    can: list[str]
    """Permitted actions: a subset of ``post``, ``attach``, ``react``, ``pin``, ``report``, ``invite``,
    ``moderate``, ``manage``.
    """
    visibility: str
    """Visibility of the room: ``open``, ``private`` or ``direct``."""
    title: str
    """Title of the room."""
    role: str = ""
    """Role of the user: ``owner``, ``moderator`` or ``member``. Absent if the user is not a member."""
    slow_seconds: int = 0
    """Slow mode: minimum time between two posts of one user, in seconds; 0 turns it off."""
    archived: bool = False
    """Whether the room is read-only. Defaults to ``false``."""
    why: str = ""
    """Reason why the user may not post: a sentence in the language of the user's page. Absent if the user may post."""
    retry_after: float | None = None
    """Seconds until the user may post again, if known, such as the rest of a mute."""
    other: str = ""
    """Key of the other user of a direct room. Absent in other rooms."""
    blocked: bool = False
    """Whether the user has blocked the other user of a direct room. Defaults to ``false``."""
    code: str = ""
    """Error code of ``why``, such as ``muted`` or ``archived``. Absent if the user may post."""
    until: str | None = None
    """End of the user's mute: ISO 8601, UTC, milliseconds. Absent if it has no end."""
    reason: str = ""
    """Reason that the moderator gave for the user's mute."""


class Events(Frame, frozen=True, tag="events"):
    """Changes in a room: all of ``(prev, head]``."""

    room: str
    """Canonical name of the room."""
    epoch: str
    """Epoch of the log that all numbers refer to."""
    prev: int
    """Start of the range that this frame covers (exclusive)."""
    head: int
    """End of the range that this frame covers (inclusive): the client's new head."""
    events: list[msgspec.Raw]
    """Events in the order of their ``rev``."""


class Ack(ResponseInRoom, frozen=True, tag="ack"):
    """Confirms that a post, or a change of a message, is committed."""

    seq: int
    """Sequence number of the message in its room."""
    duplicate: bool
    """Whether the message was stored by an earlier request, or the request changed nothing."""


class Done(Response, frozen=True, tag="done"):
    """Confirms that a request succeeded. Response to frames that have no response type of their own."""

    room: str = ""
    """Canonical name of the room that the request concerns."""


class Named(Frame, frozen=True, tag="named"):
    """The guest of this socket has a new display name."""

    name: str
    """New display name."""


class Error(Frame, frozen=True, tag="error"):
    """A frame was rejected. The connection stays open."""

    code: str
    """Stable error code for programs."""
    detail: str
    """Error message for users: what is wrong, and how to correct it."""
    frame: str | None = None
    """The ``type`` of the frame that this frame answers, if it had one."""
    id: str | None = None
    """The ``id`` of the frame that this frame answers."""
    room: str | None = None
    """Room name that the request concerns, as the client spelled it."""
    retry_after: float | None = None
    """Seconds after which the same frame may succeed. If absent, a retry fails again."""
    until: str | None = None
    """With ``banned`` and ``muted``: end of the ban or mute: ISO 8601, UTC, milliseconds. Absent if it has no end."""
    reason: str = ""
    """With ``banned`` and ``muted``: reason that the moderator gave."""


class Heads(Frame, frozen=True, tag="ping"):
    """Keep-alive frame with the heads of the socket's rooms. A client that stays below a head for 2 s has missed
    an event and sends ``join``.
    """

    heads: dict[str, int]
    """Head of each room that the socket is in."""


class Left(Frame, frozen=True, tag="left"):
    """Confirms that the socket left a room."""

    room: str
    """Canonical name of the room."""


class PeopleFound(ResponseInRoom, frozen=True, tag="people"):
    """Mention candidates in a room: its members and recent authors."""

    people: list[Person]
    """Mention candidates, at most 20."""


class PinnedList(ResponseInRoom, frozen=True, tag="pinned"):
    """Pinned messages of a room."""

    events: list[Event]
    """Pinned messages, the latest pin first; at most 50."""


class EditList(ResponseInRoom, frozen=True, tag="edits"):
    """Earlier texts of an edited message."""

    seq: int
    """Sequence number of the message."""
    texts: list[EarlierText]
    """Earlier texts without the current one, the oldest first; at most 10."""


class Here(Frame, frozen=True, tag="presence"):
    """Presence in a room. Sent soon after ``joined``, then on changes, at most once a second.

    With ``here``, the frame contains the whole list and replaces the client's list.
    With ``joined`` or ``left``, the frame changes the client's list.
    With ``count`` alone, the room has more than 200 users present and the server sends no list.
    """

    room: str
    """Canonical name of the room."""
    count: int
    """Number of users present. A user with several tabs or devices counts once."""
    here: list[Person] | None = None
    """All users present."""
    joined: list[Person] | None = None
    """Users who arrived, and present users whose display name has changed."""
    left: list[str] | None = None
    """Keys of users who left: their last socket closed some seconds ago."""


class Typists(Frame, frozen=True, tag="typing"):
    """Typing indicators of a room. Sent on changes, at most once a second. Each frame replaces the previous one."""

    room: str
    """Canonical name of the room."""
    count: int
    """Number of users who are typing."""
    people: list[Person]
    """First three users who are typing. The client omits its own user."""


class Marked(Frame, frozen=True, tag="read"):
    """Read marker of the user in a room. Sent to all sockets of the user."""

    room: str
    """Canonical name of the room."""
    seq: int
    """Sequence number of the last message that the user has read."""
    unread: int
    """Unread count: later messages of other users that are not deleted; at most 100."""
    mentions: int
    """Number of these messages that mention the user."""


class RoomList(Response, frozen=True, tag="rooms"):
    """Rooms of a user: those that the user is a member of or has read, and listed rooms. The latest message
    comes first.
    """

    rooms: list[ListedRoom]
    """Rooms, at most 500. If there are more, the user's own rooms take precedence over the others."""


class Found(Response, frozen=True, tag="found"):
    """A page of search results, newest first."""

    hits: list[Hit]
    """Search results, at most 20."""
    more: bool = False
    """Whether the search is incomplete: request the next page with ``before``. In a very large room a page can
    be incomplete and empty. Defaults to ``false``.
    """
    before: str = ""
    """Cursor for the next page."""


class RoomAnswer(ResponseInRoom, frozen=True, tag="room"):
    """A room that was created, found or opened. To enter it, send ``join`` with its name."""

    title: str
    """Title of the room."""
    visibility: str
    """Visibility of the room: ``open``, ``private`` or ``direct``."""
    url: str = ""
    """URL of the room's page. Absent if the project does not include the package's URLs."""


class RoomSettings(ResponseInRoom, frozen=True, tag="settings"):
    """Settings of a room."""

    title: str
    """Title of the room."""
    visibility: str
    """Visibility of the room: ``open``, ``private`` or ``direct``."""
    archived: bool = False
    """Whether the room is read-only. Defaults to ``false``."""
    listed: bool = False
    """Whether the room is in the list of rooms. Defaults to ``false``."""
    announcement: bool = False
    """Whether only moderators can post. Defaults to ``false``."""
    tells_changes: bool = False
    """Whether system messages are posted when members join or leave and when the room is renamed. Defaults to
    ``false``.
    """
    slow_seconds: int = 0
    """Slow mode: minimum time between two posts of one user, in seconds; 0 turns it off."""
    retention_days: int = 0
    """Retention period in days, after which messages are pruned. Absent if messages are kept."""


class SanctionList(ResponseInRoom, frozen=True, tag="sanctions"):
    """Bans and mutes in force in a room, in the order of the users' keys."""

    sanctions: list[SanctionedUser]
    """Sanctioned users, at most 200. Request the next page with ``after`` until a page has fewer."""


class BlockedList(Response, frozen=True, tag="blocked"):
    """Users whom the user has blocked, in the order of their keys."""

    people: list[Person]
    """Blocked users with their names when they were blocked, at most 200. Request the next page with ``after`` until
    a page has fewer.
    """


class PersonShown(ResponseInRoom, frozen=True, tag="person"):
    """Role and sanctions of a user in a room, and the actions that the requesting user may take."""

    key: str
    """Key of the user, as in the request."""
    may: list[str]
    """Actions that the requesting user may take: a subset of ``write`` (the frame ``direct``), ``block``, ``mute``,
    ``ban``, ``remove`` and ``role``.
    """
    name: str = ""
    """Display name of the user. Absent if the user is not a member and has posted nothing."""
    role: str = ""
    """Role of the user: ``owner``, ``moderator`` or ``member``. Absent if the user is not a member."""
    banned: SanctionInForce | None = None
    """Ban in force. Sent to moderators only; absent if the user is not banned."""
    muted: SanctionInForce | None = None
    """Mute in force. Sent to moderators only; absent if the user is not muted."""
    blocked: bool = False
    """Whether the requesting user has blocked the user. Defaults to ``false``."""
    guest: bool = False
    """Whether the user is a guest, that is, not signed in. Defaults to ``false``."""


class MemberList(ResponseInRoom, frozen=True, tag="members"):
    """Members of a room, in the order of their keys."""

    members: list[ListedMember]
    """Members, at most 200. Request the next page with ``after`` until a page has fewer."""


class InvitationList(ResponseInRoom, frozen=True, tag="invitations"):
    """Active invitations of a room, the newest first."""

    invitations: list[ListedInvitation]
    """Invitations, at most 50. Their links are not included, as only their digests are stored."""
    more: bool = False
    """Whether there may be more: request the next page with ``before``. Defaults to ``false``."""


class InvitationMade(ResponseInRoom, frozen=True, tag="invited"):
    """An invitation was created. This is the only frame that contains its link."""

    invitation: int
    """Number of the invitation; ``revoke`` takes it."""
    token: str
    """Token of the invitation; ``accept`` takes it."""
    link: str = ""
    """URL of the page on which users accept the invitation. Absent if the project does not include the package's URLs."""
    expires_at: str | None = None
    """Expiry of the invitation: ISO 8601, UTC, milliseconds. Absent if it does not expire."""


class Bye(Frame, frozen=True, tag="bye"):
    """Announces that the server is about to close the connection. Sent before every close, as daphne drops the
    reason of close frames.
    """

    code: int
    """Close code of the close that follows."""
    reason: str
    """Reason in words."""
    retry_after: float | None = None
    """Seconds to wait before the next connection attempt, in place of the client's own back-off."""


ServerFrame = (
    Welcome
    | Joined
    | Rights
    | Events
    | Ack
    | Done
    | Named
    | PeopleFound
    | PinnedList
    | EditList
    | Here
    | Typists
    | Marked
    | RoomList
    | Found
    | RoomAnswer
    | RoomSettings
    | SanctionList
    | BlockedList
    | PersonShown
    | MemberList
    | InvitationList
    | InvitationMade
    | Error
    | Heads
    | Left
    | Bye
)
