"""Frames from clients to the server."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from django_roomchat.protocol.base import (
    Cursor,
    Epoch,
    Frame,
    Identifier,
    Key,
    MessageId,
    Name,
    Position,
    Prefix,
    Role,
    Seconds,
    Token,
)
from django_roomchat.protocol.objects import FileToPost


class RoomFrame(Frame, frozen=True, kw_only=True):
    """Base class of the frames that concern a room."""

    room: str = ""
    """Room name, in any spelling. Defaults to the room in the URL of the socket or request."""


class RoomRequest(RoomFrame, frozen=True, kw_only=True):
    """Base class of the requests that concern a room."""

    id: Identifier = ""
    """Identifier chosen by the client. The response contains it. Defaults to an empty string."""


class Request(Frame, frozen=True, kw_only=True):
    """Base class of the requests that concern no room."""

    id: Identifier = ""
    """Identifier chosen by the client. The response contains it. Defaults to an empty string."""


class Hello(Frame, frozen=True, tag="hello"):
    """Requests another ``welcome`` frame. The server responds with ``welcome``."""


class Join(Frame, frozen=True, tag="join"):
    """Enters a room, or catches up in a room that the socket is already in. The server responds with ``joined``."""

    room: str
    """Room name, in any spelling."""
    epoch: Epoch = ""
    """Epoch of the log that ``since`` refers to, from an earlier ``joined``."""
    since: Position | None = None
    """Head that the client has reached. If omitted, ``joined`` contains the newest page."""


class Leave(RoomFrame, frozen=True, tag="leave"):
    """Leaves a room with this socket. The server responds with ``left``."""


class Post(RoomFrame, frozen=True, tag="post"):
    """Posts a message. The server responds with ``ack`` after the COMMIT, or with ``error``."""

    id: MessageId
    """Identifier of the message, chosen by the client: 1 to 64 visible ASCII characters, preferably a UUID. Use
    a new one for each message and the same one on every retry; the server stores the message once.
    """
    body: str
    """Text of the message. It may be empty if there are ``files``."""
    reply_to: Position | None = None
    """Sequence number of the message that this message replies to."""
    files: list[FileToPost] = []
    """Files to attach, uploaded earlier by the same user. A file can be attached to one message only."""


class Edit(RoomRequest, frozen=True, tag="edit"):
    """Changes the text of a message. Requires the right to post at that moment. The server responds with ``ack``
    or ``error``.
    """

    seq: Position
    """Sequence number of the message."""
    body: str
    """New text of the message."""


class Delete(RoomRequest, frozen=True, tag="delete"):
    """Deletes a message: its sequence number stays, its text is removed. The server responds with ``ack`` or
    ``error``.
    """

    seq: Position
    """Sequence number of the message."""


class React(RoomRequest, frozen=True, tag="react"):
    """Adds an emoji reaction to a message, or removes it. The server responds with ``ack`` or ``error``."""

    seq: Position
    """Sequence number of the message."""
    emoji: str
    """A single emoji."""
    on: bool = True
    """``true`` adds the reaction, ``false`` removes it. Defaults to ``true``."""


class Pin(RoomRequest, frozen=True, tag="pin"):
    """Pins a message for all users of the room, or unpins it. The server responds with ``ack`` or ``error``."""

    seq: Position
    """Sequence number of the message."""
    on: bool = True
    """``true`` pins the message, ``false`` unpins it. Defaults to ``true``."""


class Pinned(RoomRequest, frozen=True, tag="pinned"):
    """Requests the pinned messages of a room. The server responds with ``pinned``."""


class Edits(RoomRequest, frozen=True, tag="edits"):
    """Requests the earlier texts of an edited message. The server responds with ``edits``, or with ``error`` if
    the site does not keep earlier texts or the policy does not show them to the user.
    """

    seq: Position
    """Sequence number of the message."""


class People(RoomRequest, frozen=True, tag="people"):
    """Requests mention candidates while the user types a name after ``@``. The server responds with ``people``."""

    prefix: Prefix = ""
    """Typed beginning of the name, or of a word in it."""


class Typing(RoomFrame, frozen=True, tag="typing"):
    """Starts or stops the user's typing indicator in a room that the socket is in. The server sends no response.

    Repeat the frame every few seconds while the user types. Without a repetition the indicator ends after 6 s;
    it ends at once with the user's next message.
    """

    on: bool = True
    """``true`` if the user is typing, ``false`` if the user has stopped. Defaults to ``true``."""


class Read(RoomFrame, frozen=True, tag="read"):
    """Moves the user's read marker of a room. The server responds with ``read`` on all sockets of the user,
    within two seconds.
    """

    seq: Position
    """Sequence number of the last message that the user has read. A number below the stored one changes nothing."""


class Notify(RoomRequest, frozen=True, tag="notify"):
    """Turns the user's notifications from a room on or off. The server responds with ``done``."""

    on: bool
    """``true`` turns notifications on, ``false`` turns them off."""


class Rooms(Request, frozen=True, tag="rooms"):
    """Requests the user's room list. The server responds with ``rooms``."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 500
    """Maximum number of rooms. Defaults to 500."""


class Ban(RoomRequest, frozen=True, tag="ban"):
    """Bans a user from a room, or ends the ban. Requires the moderator role. The server responds with ``done``."""

    key: Key
    """Key of the user to ban: the ``key`` of an author."""
    on: bool = True
    """``true`` starts the ban, ``false`` ends it. Defaults to ``true``."""
    seconds: Seconds | None = None
    """Duration of the ban in seconds. If omitted, the ban has no end."""
    reason: str = ""
    """Reason, shown to the banned user: up to 300 characters."""


class Mute(RoomRequest, frozen=True, tag="mute"):
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


class Sanctions(RoomRequest, frozen=True, tag="sanctions"):
    """Requests the bans and mutes in force in a room. Requires the moderator role. The server responds with
    ``sanctions``.
    """

    after: Cursor = ""
    """Cursor: the ``key`` of the last entry of the previous page."""


class Block(RoomRequest, frozen=True, tag="block"):
    """Blocks another user, or ends the block: neither of the two can send direct messages to the other. The blocked
    user is not notified. The server responds with ``done``.
    """

    key: Key
    """Key of the other user: to start a block, that of a member of ``room`` or of an author in it."""
    on: bool = True
    """``true`` starts the block, ``false`` ends it. Defaults to ``true``."""


class BlockedUsers(Request, frozen=True, tag="blocked"):
    """Requests the users whom the user has blocked. The server responds with ``blocked``."""

    after: Cursor = ""
    """Cursor: the ``key`` of the last entry of the previous page."""


class LookAt(RoomRequest, frozen=True, tag="person"):
    """Requests the role and sanctions of another user in a room, and the actions that the user may take. The
    server responds with ``person``.
    """

    key: Key
    """Key of the other user: the ``key`` of an author, of a member, or of a user who is present."""


class Report(RoomRequest, frozen=True, tag="report"):
    """Reports a message to the moderators. A user can report each message once. The server responds with ``done``."""

    seq: Position
    """Sequence number of the message."""
    reason: str = ""
    """Reason for the report: up to 300 characters."""


class ChooseName(Request, frozen=True, tag="name"):
    """Sets the display name of a guest. The server responds with ``done`` or ``error``; all sockets of the guest
    receive ``named``.
    """

    name: str
    """New display name."""


class Search(RoomRequest, frozen=True, tag="search"):
    """Searches for messages that contain all words of a query. The server responds with ``found``."""

    query: str
    """Words to search for: up to 200 characters. Quotes keep several words together."""
    everywhere: bool = False
    """``true`` searches all rooms that the user may enter. Defaults to ``false``."""
    before: Cursor = ""
    """Cursor from an earlier ``found`` of the same search, to request the next page."""


class Create(Request, frozen=True, tag="create"):
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


class Direct(RoomRequest, frozen=True, tag="direct"):
    """Requests the direct room of the user and another user. There is one for each pair; it is created on the
    first request, which is rejected if one of them has blocked the other. The server responds with ``room``.

    The field ``room`` names a room that both users have in common.
    """

    key: Key
    """Key of the other user: a member of ``room``, or an author in it."""


class Configure(RoomRequest, frozen=True, tag="configure"):
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


class Settings(RoomRequest, frozen=True, tag="settings"):
    """Requests the settings of a room. Requires the owner role. The server responds with ``settings``."""


class Members(RoomRequest, frozen=True, tag="members"):
    """Requests the members of a room. The server responds with ``members``."""

    prefix: Prefix = ""
    """Filter: only members with a word in their name that begins with this text."""
    after: Cursor = ""
    """Cursor: the ``key`` of the last entry of the previous page."""


class AddMember(RoomRequest, frozen=True, tag="add"):
    """Adds a member to a room. Requires the moderator role; in an open room users can add themselves. The server
    responds with ``done``.
    """

    key: Key
    """Key of the new member: the ``key`` of an author in the room, or the user's own."""
    role: Role = "member"
    """Role of the new member. Only owners can assign roles other than ``member``. Defaults to ``member``."""


class RemoveMember(RoomRequest, frozen=True, tag="remove"):
    """Removes a member of lower rank from a room. Requires the moderator role. The server responds with ``done``."""

    key: Key
    """Key of the member."""


class SetRole(RoomRequest, frozen=True, tag="role"):
    """Changes the role of a member. Requires the owner role. The server responds with ``done``."""

    key: Key
    """Key of the member."""
    role: Role
    """New role. The last owner of a room keeps the owner role."""


class Quit(RoomRequest, frozen=True, tag="quit"):
    """Ends the user's own membership of a room (``leave`` affects this socket only). The server responds with
    ``done``. A direct room is read, and missing in the user's room list until the next message.

    The request of the last owner is rejected with the error code ``last_owner`` while the room has other members.
    """


class Invite(RoomRequest, frozen=True, tag="invite"):
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


class Invitations(RoomRequest, frozen=True, tag="invitations"):
    """Requests the active invitations of a room: all of them with the moderator role, otherwise those that the user has
    created. Requires the right to invite, which moderators have. The server responds with ``invitations``.
    """

    before: Position | None = None
    """Cursor: the number of the last invitation of the previous page."""


class Revoke(RoomRequest, frozen=True, tag="revoke"):
    """Revokes an invitation that ``invitations`` lists. The server responds with ``done``."""

    invitation: Position
    """Number of the invitation, as in ``invited`` and ``invitations``."""


class RevokeAll(RoomRequest, frozen=True, tag="revoke_all"):
    """Revokes all invitations that ``invitations`` lists. The server responds with ``done``."""


class Accept(Request, frozen=True, tag="accept"):
    """Accepts an invitation, which makes the user a member. The server responds with ``room``."""

    token: Token
    """Token of the invitation: the last part of its link."""


class Seen(Frame, frozen=True, tag="seen"):
    """Acknowledges the events that the client has applied. The server sends no response.

    Send it every 2 s or every 64 KiB of events while heads move.
    """

    heads: dict[Name, Position]
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
    | Block
    | BlockedUsers
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
    | RevokeAll
    | Accept
    | Seen
    | Ping
)
