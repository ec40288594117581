"""Wire protocol: the frames of ``roomchat.v1`` and the dialect of the Channels tutorial.

Every frame is a JSON object with a ``type``. The Structs below are the schema; the wire reference is generated
from them.
Frames name their room, so one socket can be in several rooms.
A frame that carries events states the range of revisions that it covers: every change in ``(prev, head]``.
In these docstrings "user" means a signed-in user or a guest.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from django_roomchat.errors import (
    BadFrame,
    BadJSON,
    BadText,
    BadValue,
    ChatError,
    TooBig,
    UnknownType,
    Unsupported,
)

SUBPROTOCOL = "roomchat.v1"

# Close codes. The server sends the code in ``bye`` and then closes with it.
CLOSE_NORMAL = 4000
CLOSE_SESSION_ENDED = 4001
CLOSE_FORBIDDEN = 4003
CLOSE_NO_SUCH_ROOM = 4004
CLOSE_TOO_SLOW = 4008
CLOSE_RESTART = 4012
CLOSE_TOO_MANY = 4029
CLOSE_PROTOCOL = 4400
CLOSE_REPLACED = 4409
CLOSE_TRY_AGAIN = 4503

CLOSE_CODES = {
    CLOSE_NORMAL: "closed",
    CLOSE_SESSION_ENDED: "session ended; sign in again",
    CLOSE_FORBIDDEN: "not allowed",
    CLOSE_NO_SUCH_ROOM: "no such room",
    CLOSE_TOO_SLOW: "client too slow",
    CLOSE_RESTART: "server restarting",
    CLOSE_TOO_MANY: "too many requests",
    CLOSE_PROTOCOL: "protocol error",
    CLOSE_REPLACED: "replaced by a newer socket",
    CLOSE_TRY_AGAIN: "try again",
}

Position = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
"""Sequence number or revision in a room's log. The limit is 2**53 - 1, the largest exact integer in JavaScript."""


Seconds = Annotated[int, msgspec.Meta(ge=1, le=10**9)]
"""Duration in seconds."""
Key = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
"""Key of a user or guest, as in ``Author.key``."""


class Frame(msgspec.Struct, tag_field="type", omit_defaults=True, frozen=True):
    """Base class of the frames of both directions."""


# Client frames --------------------------------------------------------------------------------------------------


class Hello(Frame, frozen=True, tag="hello"):
    """Requests another ``welcome`` frame. The server responds with ``welcome``."""


class Join(Frame, frozen=True, tag="join"):
    """Enters a room, or catches up in a room that the socket is already in. The server responds with ``joined``."""

    room: str
    """Room name, in any spelling."""
    epoch: str = ""
    """Epoch of the log that ``since`` refers to, from an earlier ``joined``."""
    since: Position | None = None
    """Head that the client has reached. If omitted, ``joined`` contains the newest page."""


class Leave(Frame, frozen=True, tag="leave"):
    """Leaves a room with this socket. The server responds with ``left``."""

    room: str = ""
    """Room name, in any spelling. Defaults to the room in the URL of the socket or request."""


class FileToPost(msgspec.Struct, omit_defaults=True, frozen=True):
    """A previously uploaded file that a post attaches."""

    id: str
    """File id from the response to the upload."""
    alt: str = ""
    """Alternative text that describes the file, for example for screen readers: up to 500 characters."""


class Post(Frame, frozen=True, tag="post"):
    """Posts a message. The server responds with ``ack`` after the COMMIT, or with ``error``."""

    id: str
    """Identifier of the message, chosen by the client: 1 to 64 visible ASCII characters, preferably a UUID. Use
    a new one for each message and the same one on every retry; the server stores the message once.
    """
    body: str
    """Text of the message. It may be empty if there are ``files``."""
    room: str = ""
    """Room name, in any spelling. Defaults to the room in the URL of the socket or request."""
    reply_to: Position | None = None
    """Sequence number of the message that this message replies to."""
    files: list[FileToPost] = []
    """Files to attach, uploaded earlier by the same user. A file can be attached to one message only."""


class Edit(Frame, frozen=True, tag="edit"):
    """Changes the text of a message. The server responds with ``ack`` or ``error``."""

    seq: Position
    """Sequence number of the message."""
    body: str
    """New text of the message."""
    room: str = ""
    """Room name, in any spelling. Defaults to the room in the URL of the socket or request."""
    id: str = ""
    """Identifier chosen by the client. The response contains it. Defaults to an empty string."""


class Delete(Frame, frozen=True, tag="delete"):
    """Deletes a message: its sequence number stays, its text is removed. The server responds with ``ack`` or
    ``error``.
    """

    seq: Position
    """Sequence number of the message."""
    room: str = ""
    """Room name, in any spelling. Defaults to the room in the URL of the socket or request."""
    id: str = ""
    """Identifier chosen by the client. The response contains it. Defaults to an empty string."""


class React(Frame, frozen=True, tag="react"):
    """Adds an emoji reaction to a message, or removes it. The server responds with ``ack`` or ``error``."""

    seq: Position
    """Sequence number of the message."""
    emoji: str
    """A single emoji."""
    on: bool = True
    """``true`` adds the reaction, ``false`` removes it. Defaults to ``true``."""
    room: str = ""
    """Room name, in any spelling. Defaults to the room in the URL of the socket or request."""
    id: str = ""
    """Identifier chosen by the client. The response contains it. Defaults to an empty string."""


class Pin(Frame, frozen=True, tag="pin"):
    """Pins a message for all users of the room, or unpins it. The server responds with ``ack`` or ``error``."""

    seq: Position
    """Sequence number of the message."""
    on: bool = True
    """``true`` pins the message, ``false`` unpins it. Defaults to ``true``."""
    room: str = ""
    """Room name, in any spelling. Defaults to the room in the URL of the socket or request."""
    id: str = ""
    """Identifier chosen by the client. The response contains it. Defaults to an empty string."""


class Pinned(Frame, frozen=True, tag="pinned"):
    """Requests the pinned messages of a room. The server responds with ``pinned``."""

    room: str = ""
    """Room name, in any spelling. Defaults to the room in the URL of the socket or request."""
    id: str = ""
    """Identifier chosen by the client. The response contains it. Defaults to an empty string."""


class Edits(Frame, frozen=True, tag="edits"):
    """Requests the earlier texts of an edited message. The server responds with ``edits``, or with ``error`` if
    the site does not keep earlier texts or the policy does not show them to the user.
    """

    seq: Position
    """Sequence number of the message."""
    room: str = ""
    """Room name, in any spelling. Defaults to the room in the URL of the socket or request."""
    id: str = ""
    """Identifier chosen by the client. The response contains it. Defaults to an empty string."""


class People(Frame, frozen=True, tag="people"):
    """Requests mention candidates while the user types a name after ``@``. The server responds with ``people``."""

    prefix: Annotated[str, msgspec.Meta(max_length=100)] = ""
    """Typed beginning of the name, or of a word in it."""
    room: str = ""
    """Room name, in any spelling. Defaults to the room in the URL of the socket or request."""
    id: str = ""
    """Identifier chosen by the client. The response contains it. Defaults to an empty string."""


class Typing(Frame, frozen=True, tag="typing"):
    """Starts or stops the user's typing indicator in a room that the socket is in. The server sends no response.

    Repeat the frame every few seconds while the user types. Without a repetition the indicator ends after 6 s;
    it ends at once with the user's next message.
    """

    room: str = ""
    """Room name, in any spelling. Defaults to the room in the URL of the socket or request."""
    on: bool = True
    """``true`` if the user is typing, ``false`` if the user has stopped. Defaults to ``true``."""


class Read(Frame, frozen=True, tag="read"):
    """Moves the user's read marker of a room. The server responds with ``read`` on all sockets of the user,
    within two seconds.
    """

    seq: Position
    """Sequence number of the last message that the user has read. A number below the stored one changes nothing."""
    room: str = ""
    """Room name, in any spelling. Defaults to the room in the URL of the socket or request."""


class Notify(Frame, frozen=True, tag="notify"):
    """Turns the user's notifications from a room on or off. The server responds with ``done``."""

    on: bool
    """``true`` turns notifications on, ``false`` turns them off."""
    room: str = ""
    """Room name, in any spelling. Defaults to the room in the URL of the socket or request."""
    id: str = ""
    """Identifier chosen by the client. The response contains it. Defaults to an empty string."""


class Rooms(Frame, frozen=True, tag="rooms"):
    """Requests the user's room list. The server responds with ``rooms``."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 500
    """Maximum number of rooms. Defaults to 500."""
    id: str = ""
    """Identifier chosen by the client. The response contains it. Defaults to an empty string."""


class Ban(Frame, frozen=True, tag="ban"):
    """Bans a user from a room, or ends the ban. Requires the moderator role. The server responds with ``done``."""

    key: Key
    """Key of the user to ban: the ``key`` of an author."""
    on: bool = True
    """``true`` starts the ban, ``false`` ends it. Defaults to ``true``."""
    seconds: Seconds | None = None
    """Duration of the ban in seconds. If omitted, the ban has no end."""
    reason: str = ""
    """Reason, shown to the banned user: up to 300 characters."""
    room: str = ""
    """Room name, in any spelling. Defaults to the room in the URL of the socket or request."""
    id: str = ""
    """Identifier chosen by the client. The response contains it. Defaults to an empty string."""


class Mute(Frame, frozen=True, tag="mute"):
    """Mutes a user in a room, or ends the mute. A muted user can read but not post. Requires the moderator role.
    The server responds with ``done``.
    """

    key: Key
    """Key of the user to mute: the ``key`` of an author."""
    on: bool = True
    """``true`` starts the mute, ``false`` ends it. Defaults to ``true``."""
    seconds: Seconds | None = None
    """Duration of the mute in seconds. If omitted, the mute has no end."""
    reason: str = ""
    """Reason, shown to the muted user: up to 300 characters."""
    room: str = ""
    """Room name, in any spelling. Defaults to the room in the URL of the socket or request."""
    id: str = ""
    """Identifier chosen by the client. The response contains it. Defaults to an empty string."""


class Sanctions(Frame, frozen=True, tag="sanctions"):
    """Requests the bans and mutes in force in a room. Requires the moderator role. The server responds with
    ``sanctions``.
    """

    after: str = ""
    """Cursor: the ``key`` of the last entry of the previous page."""
    room: str = ""
    """Room name, in any spelling. Defaults to the room in the URL of the socket or request."""
    id: str = ""
    """Identifier chosen by the client. The response contains it. Defaults to an empty string."""


class LookAt(Frame, frozen=True, tag="person"):
    """Requests the role and sanctions of another user in a room, and the actions that the user may take. The
    server responds with ``person``.
    """

    key: Key
    """Key of the other user: the ``key`` of an author, of a member, or of a user who is present."""
    room: str = ""
    """Room name, in any spelling. Defaults to the room in the URL of the socket or request."""
    id: str = ""
    """Identifier chosen by the client. The response contains it. Defaults to an empty string."""


class Report(Frame, frozen=True, tag="report"):
    """Reports a message to the moderators. A user can report each message once. The server responds with ``done``."""

    seq: Position
    """Sequence number of the message."""
    reason: str = ""
    """Reason for the report: up to 300 characters."""
    room: str = ""
    """Room name, in any spelling. Defaults to the room in the URL of the socket or request."""
    id: str = ""
    """Identifier chosen by the client. The response contains it. Defaults to an empty string."""


class ChooseName(Frame, frozen=True, tag="name"):
    """Sets the display name of a guest. The server responds with ``done`` or ``error``; all sockets of the guest
    receive ``named``.
    """

    name: str
    """New display name."""
    id: str = ""
    """Identifier chosen by the client. The response contains it. Defaults to an empty string."""


class Search(Frame, frozen=True, tag="search"):
    """Searches for messages that contain all words of a query. The server responds with ``found``."""

    query: str
    """Words to search for: up to 200 characters. Quotes keep several words together."""
    room: str = ""
    """Room name, in any spelling. Defaults to the room in the URL of the socket or request."""
    everywhere: bool = False
    """``true`` searches all rooms that the user may enter. Defaults to ``false``."""
    before: str = ""
    """Cursor from an earlier ``found``, to request the next page."""
    id: str = ""
    """Identifier chosen by the client. The response contains it. Defaults to an empty string."""


Role = Literal["owner", "moderator", "member"]


class Create(Frame, frozen=True, tag="create"):
    """Creates a room whose owner is the user. The server responds with ``room``.

    An open room whose name is taken is rejected with the error code ``taken``.
    """

    title: str
    """Title of the room. The canonical name of an open room is derived from it; that of a private room is random."""
    visibility: Literal["open", "private"] = "open"
    """``open`` lets all users enter, ``private`` members only. It cannot be changed later. Defaults to ``open``."""
    listed: bool = True
    """Whether the room is in the list of rooms. Defaults to ``true``."""
    announcement: bool = False
    """Whether only moderators can post. Defaults to ``false``."""
    tells_changes: bool = False
    """Whether system messages are posted when members join or leave and when the room is renamed. Defaults to
    ``false``.
    """
    slow_seconds: int = 0
    """Slow mode: minimum time between two posts of one user, in seconds; 0 turns it off."""
    retention_days: int = 0
    """Retention period in days, after which messages are pruned; 0 keeps them."""
    id: str = ""
    """Identifier chosen by the client. The response contains it. Defaults to an empty string."""


class Direct(Frame, frozen=True, tag="direct"):
    """Requests the direct room of the user and another user. There is one for each pair; it is created on the
    first request.
    The server responds with ``room``.
    """

    key: Key
    """Key of the other user: a member of ``room``, or an author in it."""
    room: str = ""
    """Name of a room that both users have in common, in any spelling. Defaults to the room in the URL of the
    socket or request.
    """
    id: str = ""
    """Identifier chosen by the client. The response contains it. Defaults to an empty string."""


class Configure(Frame, frozen=True, tag="configure"):
    """Changes settings of a room; omitted fields keep their value. Requires the owner role. The server responds
    with ``done``.
    """

    title: str | None = None
    """Title of the room. The canonical name does not change."""
    archived: bool | None = None
    """Whether the room is read-only."""
    listed: bool | None = None
    """Whether the room is in the list of rooms."""
    announcement: bool | None = None
    """Whether only moderators can post."""
    tells_changes: bool | None = None
    """Whether system messages are posted when members join or leave and when the room is renamed."""
    slow_seconds: int | None = None
    """Slow mode: minimum time between two posts of one user, in seconds; 0 turns it off. At most 86,400 (one day)."""
    retention_days: int | None = None
    """Retention period in days, after which messages are pruned; 0 keeps them."""
    room: str = ""
    """Room name, in any spelling. Defaults to the room in the URL of the socket or request."""
    id: str = ""
    """Identifier chosen by the client. The response contains it. Defaults to an empty string."""


class Settings(Frame, frozen=True, tag="settings"):
    """Requests the settings of a room. Requires the owner role. The server responds with ``settings``."""

    room: str = ""
    """Room name, in any spelling. Defaults to the room in the URL of the socket or request."""
    id: str = ""
    """Identifier chosen by the client. The response contains it. Defaults to an empty string."""


class Members(Frame, frozen=True, tag="members"):
    """Requests the members of a room. The server responds with ``members``."""

    prefix: Annotated[str, msgspec.Meta(max_length=100)] = ""
    """Filter: only members with a word in their name that begins with this text."""
    after: str = ""
    """Cursor: the ``key`` of the last entry of the previous page."""
    room: str = ""
    """Room name, in any spelling. Defaults to the room in the URL of the socket or request."""
    id: str = ""
    """Identifier chosen by the client. The response contains it. Defaults to an empty string."""


class AddMember(Frame, frozen=True, tag="add"):
    """Adds a member to a room. Requires the moderator role; in an open room users can add themselves. The server
    responds with ``done``.
    """

    key: Key
    """Key of the new member: the ``key`` of an author in the room, or the user's own."""
    role: Role = "member"
    """Role of the new member. Only owners can assign roles other than ``member``. Defaults to ``member``."""
    room: str = ""
    """Room name, in any spelling. Defaults to the room in the URL of the socket or request."""
    id: str = ""
    """Identifier chosen by the client. The response contains it. Defaults to an empty string."""


class RemoveMember(Frame, frozen=True, tag="remove"):
    """Removes a member of lower rank from a room. Requires the moderator role. The server responds with ``done``."""

    key: Key
    """Key of the member."""
    room: str = ""
    """Room name, in any spelling. Defaults to the room in the URL of the socket or request."""
    id: str = ""
    """Identifier chosen by the client. The response contains it. Defaults to an empty string."""


class SetRole(Frame, frozen=True, tag="role"):
    """Changes the role of a member. Requires the owner role. The server responds with ``done``."""

    key: Key
    """Key of the member."""
    role: Role
    """New role. The last owner of a room keeps the owner role."""
    room: str = ""
    """Room name, in any spelling. Defaults to the room in the URL of the socket or request."""
    id: str = ""
    """Identifier chosen by the client. The response contains it. Defaults to an empty string."""


class Quit(Frame, frozen=True, tag="quit"):
    """Ends the user's own membership of a room (``leave`` affects this socket only). The server responds with
    ``done``.

    The request of the last owner is rejected with the error code ``last_owner`` while the room has other members.
    """

    room: str = ""
    """Room name, in any spelling. Defaults to the room in the URL of the socket or request."""
    id: str = ""
    """Identifier chosen by the client. The response contains it. Defaults to an empty string."""


class Invite(Frame, frozen=True, tag="invite"):
    """Creates an invitation link, which makes users members of a room. Requires the moderator role. The server
    responds with ``invited``.
    """

    role: Role = "member"
    """Role of the members who accept the invitation. Only owners can choose roles other than ``member``.
    Defaults to ``member``.
    """
    seconds: Seconds | None = 604_800
    """Lifetime of the invitation in seconds; ``null`` for no end. Defaults to one week (604,800)."""
    uses: Annotated[int, msgspec.Meta(ge=1, le=100_000)] | None = None
    """Maximum number of users who can accept the invitation. If omitted, the number is unlimited."""
    room: str = ""
    """Room name, in any spelling. Defaults to the room in the URL of the socket or request."""
    id: str = ""
    """Identifier chosen by the client. The response contains it. Defaults to an empty string."""


class Invitations(Frame, frozen=True, tag="invitations"):
    """Requests the active invitations of a room. Requires the moderator role. The server responds with
    ``invitations``.
    """

    room: str = ""
    """Room name, in any spelling. Defaults to the room in the URL of the socket or request."""
    id: str = ""
    """Identifier chosen by the client. The response contains it. Defaults to an empty string."""


class Revoke(Frame, frozen=True, tag="revoke"):
    """Revokes an invitation. Requires the moderator role. The server responds with ``done``."""

    invitation: Position
    """Number of the invitation, as in ``invited`` and ``invitations``."""
    room: str = ""
    """Room name, in any spelling. Defaults to the room in the URL of the socket or request."""
    id: str = ""
    """Identifier chosen by the client. The response contains it. Defaults to an empty string."""


class Accept(Frame, frozen=True, tag="accept"):
    """Accepts an invitation, which makes the user a member. The server responds with ``room``."""

    token: Annotated[str, msgspec.Meta(max_length=100)]
    """Token of the invitation: the last part of its link."""
    id: str = ""
    """Identifier chosen by the client. The response contains it. Defaults to an empty string."""


class Seen(Frame, frozen=True, tag="seen"):
    """Acknowledges the events that the client has applied. The server sends no response.

    Send it every 2 s or every 64 KiB of events while heads move.
    """

    heads: dict[str, Position]
    """Head that the client has reached in each room whose head has moved."""


class Ping(Frame, frozen=True, tag="ping"):
    """Checks that the server responds. The server responds with ``ping``."""


ClientFrame = (
    Hello
    | Join
    | Leave
    | Post
    | Edit
    | Delete
    | React
    | Pin
    | Pinned
    | Edits
    | People
    | Ban
    | Mute
    | Sanctions
    | LookAt
    | Report
    | Typing
    | Read
    | Notify
    | Rooms
    | ChooseName
    | Search
    | Create
    | Direct
    | Configure
    | Settings
    | Members
    | AddMember
    | RemoveMember
    | SetRole
    | Quit
    | Invite
    | Invitations
    | Revoke
    | Accept
    | Seen
    | Ping
)


# Server frames --------------------------------------------------------------------------------------------------


class Author(msgspec.Struct, omit_defaults=True, frozen=True):
    """Author of a message."""

    key: str
    """Key of the author; it is the same for all messages of one user or guest."""
    name: str
    """Display name of the author when the message was posted."""
    avatar: str = ""
    """URL of the author's avatar image."""
    link: str = ""
    """URL of the author's profile page."""


class Quote(msgspec.Struct, omit_defaults=True, frozen=True):
    """Beginning of the message that a reply refers to, at the time when the frame was sent. Later events with
    the same ``seq`` change it.
    """

    seq: int
    """Sequence number of the quoted message."""
    name: str
    """Display name of the author of the quoted message."""
    body: str
    """First 140 characters of the quoted message, or the names of its files."""
    deleted: bool = False
    """Whether the quoted message was deleted; if so, ``body`` is empty. Defaults to ``false``."""


class Reactions(msgspec.Struct, frozen=True):
    """Reactions to a message with one emoji."""

    count: int
    """Number of users who reacted with this emoji."""
    keys: list[str]
    """Keys of the first 20 of these users."""


class Mention(msgspec.Struct, frozen=True):
    """A user mentioned in a text."""

    key: str
    """Key of the mentioned user."""
    name: str
    """Name as written in the text, without the ``@``."""


class Line(msgspec.Struct, omit_defaults=True, frozen=True):
    """Structured form of a system message, for clients that show it in their own language. The event's ``body``
    contains the text in the site's language.
    """

    code: Literal[
        "joined", "left", "removed", "renamed", "role", "archived", "unarchived", "pinned", "created"
    ]
    """Kind of change."""
    name: str = ""
    """Display name of the user whom the change affects."""
    by: str = ""
    """Display name of the user who made the change, if it is another user."""
    value: str = ""
    """New title of the room, or new role of the member."""


class File(msgspec.Struct, omit_defaults=True, frozen=True):
    """A file of a message."""

    id: str
    """Id of the file."""
    name: str
    """File name for display and download."""
    type: str
    """Content type, detected from the content: ``image/png``, ``application/pdf`` and so on."""
    bytes: int
    """Size of the file in bytes."""
    url: str
    """URL path of the file on the site; empty if the project does not include the package's URLs."""
    width: int | None = None
    """Width of an image, in pixels."""
    height: int | None = None
    """Height of an image, in pixels."""
    thumb: str | None = None
    """URL path of a still thumbnail. Absent if the file is not an image, or if neither side of the image exceeds
    640 pixels.
    """
    alt: str = ""
    """Alternative text that describes the file, for example for screen readers."""


class EventData(msgspec.Struct, omit_defaults=True, frozen=True):
    """Fields of an event that are stored in ``Message.data`` and not in columns of their own."""

    reactions: dict[str, Reactions] | None = None
    """Reactions by emoji, in the order of their first use."""
    mentions: list[Mention] | None = None
    """Users mentioned in the text."""
    html: str | None = None
    """Text rendered to sanitised HTML. Present with the Markdown extra only."""
    line: Line | None = None
    """Structured form of a system message. Present if ``kind`` is ``system``."""
    files: list[File] | None = None
    """Files attached to the message."""


class Event(msgspec.Struct, omit_defaults=True, frozen=True):
    """A message in its latest state. It replaces the message with the same ``seq``."""

    seq: int
    """Sequence number of the message in its room."""
    rev: int
    """Revision: the number of the latest change of the message. Equal to ``seq`` until the message is changed."""
    id: str
    """Identifier that the author's client gave the message."""
    kind: Literal["user", "system", "bot"]
    """``user`` for messages of users and guests, ``system`` for system messages, ``bot`` for messages of programs."""
    author: Author
    """Author of the message."""
    body: str
    """Text of the message."""
    at: str
    """Time when the message was posted: ISO 8601, UTC, milliseconds."""
    reply_to: int | None = None
    """Sequence number of the message that this message replies to."""
    edited_at: str | None = None
    """Time when the text was last edited: ISO 8601, UTC, milliseconds."""
    deleted_at: str | None = None
    """Time when the message was deleted: ISO 8601, UTC, milliseconds. If present, ``body`` is empty."""
    quote: Quote | None = None
    """Beginning of the message that this message replies to."""
    pinned_at: str | None = None
    """Time when the message was pinned: ISO 8601, UTC, milliseconds. Absent if it is not pinned."""
    reactions: dict[str, Reactions] | None = None
    """Reactions by emoji, in the order of their first use."""
    mentions: list[Mention] | None = None
    """Users mentioned in the text."""
    html: str | None = None
    """Text rendered to sanitised HTML. Present with the Markdown extra only."""
    line: Line | None = None
    """Structured form of a system message. Present if ``kind`` is ``system``."""
    files: list[File] | None = None
    """Files attached to the message."""


class You(msgspec.Struct, frozen=True):
    """Identity that a socket authenticated as."""

    key: str
    """Key of the user. Equal to the author's ``key`` in the user's own messages."""
    name: str
    """Display name of the user."""
    guest: bool
    """Whether the user is a guest, that is, not signed in."""


class Limits(msgspec.Struct, frozen=True):
    """Limits that the server enforces."""

    frame_bytes: int
    """Maximum size of a frame, in bytes."""
    body_chars: int
    """Maximum length of a message, in characters."""


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


class Ack(Frame, frozen=True, tag="ack"):
    """Confirms that a post, or a change of a message, is committed."""

    id: str
    """The ``id`` of the frame that this frame answers."""
    room: str
    """Canonical name of the room."""
    seq: int
    """Sequence number of the message in its room."""
    duplicate: bool
    """Whether the message was stored by an earlier request, or the request changed nothing."""


class Done(Frame, frozen=True, tag="done"):
    """Confirms that a request succeeded. Response to frames that have no response type of their own."""

    id: str
    """The ``id`` of the frame that this frame answers."""
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


class Person(msgspec.Struct, omit_defaults=True, frozen=True):
    """A user in a room."""

    key: str
    """Key of the user, as in ``Author``."""
    name: str
    """Display name of the user."""
    avatar: str = ""
    """URL of the user's avatar image."""


class PeopleFound(Frame, frozen=True, tag="people"):
    """Mention candidates in a room: its members and recent authors."""

    id: str
    """The ``id`` of the frame that this frame answers."""
    room: str
    """Canonical name of the room."""
    people: list[Person]
    """Mention candidates, at most 20."""


class PinnedList(Frame, frozen=True, tag="pinned"):
    """Pinned messages of a room."""

    id: str
    """The ``id`` of the frame that this frame answers."""
    room: str
    """Canonical name of the room."""
    events: list[Event]
    """Pinned messages, the latest pin first; at most 50."""


class EarlierText(msgspec.Struct, frozen=True):
    """Text of a message before an edit."""

    body: str
    """Earlier text of the message."""
    at: str
    """Time from which the message had this text: ISO 8601, UTC, milliseconds."""


class EditList(Frame, frozen=True, tag="edits"):
    """Earlier texts of an edited message."""

    id: str
    """The ``id`` of the frame that this frame answers."""
    room: str
    """Canonical name of the room."""
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


class LastMessage(msgspec.Struct, frozen=True):
    """Newest message of a room."""

    seq: int
    """Sequence number of the message."""
    at: str
    """Time when the message was posted: ISO 8601, UTC, milliseconds."""
    key: str
    """Key of the author."""
    name: str
    """Display name of the author."""
    body: str
    """First 140 characters of the message, or the names of its files."""


class ListedRoom(msgspec.Struct, omit_defaults=True, frozen=True):
    """A room in a user's room list."""

    name: str
    """Canonical name of the room."""
    title: str
    """Title of the room; for a direct room, the display name of the other user."""
    visibility: str
    """Visibility of the room: ``open``, ``private`` or ``direct``."""
    head: int
    """Head of the room's log: the number of its latest change."""
    changed_at: str
    """Time of the latest change: ISO 8601, UTC, milliseconds."""
    role: str = ""
    """Role of the user: ``owner``, ``moderator`` or ``member``. Absent if the user is not a member."""
    unread: int = 0
    """Unread count of the user, at most 100. Absent if there are no unread messages or the user has never
    entered the room.
    """
    mentions: int = 0
    """Number of the unread messages that mention the user."""
    last: LastMessage | None = None
    """Newest message of the room. Absent if there is none."""
    muted: bool = False
    """Whether the user has turned off notifications from the room. Defaults to ``false``."""
    yours: bool = False
    """Whether the user is a member of the room or has entered it before. Defaults to ``false``."""
    archived: bool = False
    """Whether the room is read-only. Defaults to ``false``."""


class RoomList(Frame, frozen=True, tag="rooms"):
    """Rooms of a user: those that the user is a member of or has read, and listed rooms. The latest message
    comes first.
    """

    id: str
    """The ``id`` of the frame that this frame answers."""
    rooms: list[ListedRoom]
    """Rooms, at most 500. If there are more, the user's own rooms take precedence over the others."""


class Hit(msgspec.Struct, frozen=True):
    """A search result."""

    room: str
    """Canonical name of the room."""
    title: str
    """Title of the room."""
    seq: int
    """Sequence number of the message in its room."""
    author: Author
    """Author of the message."""
    at: str
    """Time when the message was posted: ISO 8601, UTC, milliseconds."""
    excerpt: list[str]
    """Part of the text around the first match, as a list of pieces. The second, fourth, sixth … piece is a
    match; the others are the text between matches.
    """


class Found(Frame, frozen=True, tag="found"):
    """A page of search results, newest first."""

    id: str
    """The ``id`` of the frame that this frame answers."""
    hits: list[Hit]
    """Search results, at most 20."""
    more: bool = False
    """Whether the search is incomplete: request the next page with ``before``. In a very large room a page can
    be incomplete and empty. Defaults to ``false``.
    """
    before: str = ""
    """Cursor for the next page."""


class RoomAnswer(Frame, frozen=True, tag="room"):
    """A room that was created, found or opened. To enter it, send ``join`` with its name."""

    id: str
    """The ``id`` of the frame that this frame answers."""
    room: str
    """Canonical name of the room."""
    title: str
    """Title of the room."""
    visibility: str
    """Visibility of the room: ``open``, ``private`` or ``direct``."""
    url: str = ""
    """URL of the room's page. Absent if the project does not include the package's URLs."""


class RoomSettings(Frame, frozen=True, tag="settings"):
    """Settings of a room."""

    id: str
    """The ``id`` of the frame that this frame answers."""
    room: str
    """Canonical name of the room."""
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


class Sanction(msgspec.Struct, omit_defaults=True, frozen=True):
    """A ban or mute in force."""

    reason: str = ""
    """Reason shown to the sanctioned user."""
    until: str | None = None
    """End of the sanction: ISO 8601, UTC, milliseconds. Absent if the sanction has no end."""


class Sanctioned(msgspec.Struct, omit_defaults=True, frozen=True):
    """A user with a ban, a mute or both."""

    key: str
    """Key of the user, as in ``Author``."""
    name: str = ""
    """Display name of the user when the sanction was imposed. Absent if the user was unknown in the room."""
    banned: Sanction | None = None
    """Ban in force. Absent if the user is not banned."""
    muted: Sanction | None = None
    """Mute in force. Absent if the user is not muted."""


class SanctionList(Frame, frozen=True, tag="sanctions"):
    """Bans and mutes in force in a room, in the order of the users' keys."""

    id: str
    """The ``id`` of the frame that this frame answers."""
    room: str
    """Canonical name of the room."""
    sanctions: list[Sanctioned]
    """Sanctioned users, at most 200. Request the next page with ``after`` until a page has fewer."""


class PersonShown(Frame, frozen=True, tag="person"):
    """Role and sanctions of a user in a room, and the actions that the requesting user may take."""

    id: str
    """The ``id`` of the frame that this frame answers."""
    room: str
    """Canonical name of the room."""
    key: str
    """Key of the user, as in the request."""
    may: list[str]
    """Actions that the requesting user may take: a subset of ``write`` (the frame ``direct``), ``mute``,
    ``ban``, ``remove`` and ``role``.
    """
    name: str = ""
    """Display name of the user. Absent if the user is not a member and has posted nothing."""
    role: str = ""
    """Role of the user: ``owner``, ``moderator`` or ``member``. Absent if the user is not a member."""
    banned: Sanction | None = None
    """Ban in force. Sent to moderators only; absent if the user is not banned."""
    muted: Sanction | None = None
    """Mute in force. Sent to moderators only; absent if the user is not muted."""


class ListedMember(msgspec.Struct, frozen=True):
    """A member of a room."""

    key: str
    """Key of the user, as in ``Author``."""
    name: str
    """Display name of the user."""
    role: str
    """Role of the member: ``owner``, ``moderator`` or ``member``."""
    since: str
    """Start of the membership: ISO 8601, UTC, milliseconds."""


class MemberList(Frame, frozen=True, tag="members"):
    """Members of a room, in the order of their keys."""

    id: str
    """The ``id`` of the frame that this frame answers."""
    room: str
    """Canonical name of the room."""
    members: list[ListedMember]
    """Members, at most 200. Request the next page with ``after`` until a page has fewer."""


class ListedInvitation(msgspec.Struct, omit_defaults=True, frozen=True):
    """An active invitation."""

    invitation: int
    """Number of the invitation; ``revoke`` takes it."""
    role: str
    """Role of the members who accept the invitation."""
    by: str
    """Key of the user who created the invitation."""
    expires_at: str | None = None
    """Expiry of the invitation: ISO 8601, UTC, milliseconds. Absent if it does not expire."""
    uses: int | None = None
    """Number of users who can still accept the invitation. Absent if the number is unlimited."""


class InvitationList(Frame, frozen=True, tag="invitations"):
    """Active invitations of a room, the newest first."""

    id: str
    """The ``id`` of the frame that this frame answers."""
    room: str
    """Canonical name of the room."""
    invitations: list[ListedInvitation]
    """Invitations, at most 200. Their links are not included, as only their digests are stored."""


class InvitationMade(Frame, frozen=True, tag="invited"):
    """An invitation was created. This is the only frame that contains its link."""

    id: str
    """The ``id`` of the frame that this frame answers."""
    room: str
    """Canonical name of the room."""
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
    | PersonShown
    | MemberList
    | InvitationList
    | InvitationMade
    | Error
    | Heads
    | Left
    | Bye
)


# Tutorial dialect -------------------------------------------------------------------------------------------------


class TutorialPost(msgspec.Struct, frozen=True):
    """Message that the tutorial's page sends."""

    message: str
    """Text of the message."""
    id: str = ""
    """Identifier of the message, as in ``post``, for pages that retry. If omitted, the server generates one."""


class TutorialMessage(msgspec.Struct, frozen=True):
    """Message that the tutorial's page receives. The page shows ``message``."""

    message: str
    """Text of the message."""
    name: str
    """Display name of the author."""
    seq: int
    """Sequence number of the message in its room."""


class TutorialError(msgspec.Struct, omit_defaults=True, frozen=True):
    """Error in a form that the tutorial's page can show."""

    message: str
    """Error message for users."""
    type: str
    """Always ``"error"``."""
    code: str
    """Stable error code for programs."""
    retry_after: float | None = None
    """Seconds after which the same message may succeed."""


_encoder = msgspec.json.Encoder()
_client_frames = msgspec.json.Decoder(ClientFrame)
_tutorial_posts = msgspec.json.Decoder(TutorialPost)
_HALF_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def encode(frame: Any) -> str:
    """Encode a frame or an event as JSON text.

    Args:
        frame: a Struct of this module.

    Returns:
        The text of the WebSocket frame.
    """
    return _encoder.encode(frame).decode()


def encode_event(event: Event) -> bytes:
    """Encode an event as JSON, to be embedded in any number of frames.

    Args:
        event: the event.

    Returns:
        The JSON as UTF-8 bytes.
    """
    return _encoder.encode(event)


def decode_event(event: bytes) -> Event:
    """Decode an event that :func:`encode_event` encoded.

    Args:
        event: the JSON as UTF-8 bytes.

    Returns:
        The event.

    Raises:
        msgspec.MsgspecError: the bytes are not an event.
    """
    return _events.decode(event)


_events = msgspec.json.Decoder(Event)


def decode(text: str | None, max_bytes: int) -> ClientFrame:
    """Decode and validate a frame from a client.

    Args:
        text: text of the frame; ``None`` for a binary frame.
        max_bytes: maximum size in bytes. A larger frame is rejected without decoding it.

    Returns:
        The frame.

    Raises:
        BadFrame, BadValue: the frame is invalid; the detail names the fault.
    """
    return _decode(_client_frames, text, max_bytes)  # type: ignore[no-any-return]  # msgspec's Decoder of a union is untyped


def decode_tutorial(text: str | None, max_bytes: int) -> TutorialPost:
    """Decode and validate a message of a client that uses the tutorial's dialect.

    Args:
        text: text of the frame; ``None`` for a binary frame.
        max_bytes: maximum size in bytes. A larger frame is rejected without decoding it.

    Returns:
        The message.

    Raises:
        BadFrame, BadValue: the message is invalid; the detail names the fault.
    """
    return _decode(_tutorial_posts, text, max_bytes)  # type: ignore[no-any-return]  # as above


T = TypeVar("T")


def decode_body(text: str, wanted: type[T], max_bytes: int) -> T:
    """Decode and validate the JSON body of an HTTP request, with the same errors as a frame.

    Args:
        text: body of the request.
        wanted: Struct type to decode to.
        max_bytes: maximum size in bytes. A larger body is rejected without decoding it.

    Returns:
        An instance of *wanted*.

    Raises:
        BadFrame, BadValue: the body is invalid; the detail names the fault.
    """
    return _decode(msgspec.json.Decoder(wanted), text, max_bytes)  # type: ignore[no-any-return]  # as above


def _decode(decoder: msgspec.json.Decoder[Any], text: str | None, max_bytes: int) -> Any:
    if text is None:
        raise Unsupported("Binary frames are not supported; send JSON as text.")
    if len(text) > max_bytes or (not text.isascii() and len(text.encode(errors="surrogatepass")) > max_bytes):
        raise TooBig(f"A frame can have at most {max_bytes} bytes.")
    try:
        return decoder.decode(text)
    except msgspec.ValidationError as error:
        raise _explain(str(error)) from error
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        if isinstance(error, UnicodeEncodeError) or _HALF_SURROGATE.search(text):
            raise BadText("The frame contains an unpaired surrogate, which is not a character.") from error
        raise BadJSON(f"The frame is not JSON: {error}.") from error
    except RecursionError as error:
        raise BadJSON("The frame is nested too deeply.") from error


def _explain(problem: str) -> ChatError:
    """Convert msgspec's error message to a :class:`ChatError`.

    The message ends with the path of the field, such as ``$.body``; without a path the frame itself is invalid.
    """
    what, _, place = problem.partition(" - at `$.")
    field = place.rstrip("`")
    if field == "type" and what.startswith("Invalid value"):
        return UnknownType(f"Unknown frame type {what.removeprefix('Invalid value ')}.")
    if what == "Object missing required field `type`" or field == "type":
        return BadFrame('A frame needs a "type", which is a string.')
    if not field and what.startswith("Expected `object`"):
        return BadFrame(f"A frame must be an object: {what[0].lower()}{what[1:]}.")
    return BadValue(f"{field}: {what[0].lower()}{what[1:]}." if field else f"{what}.")
