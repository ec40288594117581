"""The wire: the frames of ``roomchat.v1``, and the dialect of the Channels tutorial.

Every frame is a JSON object with a ``type``; the Structs below are its schema, and the documentation is made from them.
Rooms are named in frames, so that one socket can hold many rooms.
A frame that carries events says which range of the room's numbers it covers: everything in ``(prev, head]``.
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

# Close codes: the server says one of these in ``bye`` and closes with it.
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
    CLOSE_SESSION_ENDED: "the session is over; sign in again",
    CLOSE_FORBIDDEN: "not allowed",
    CLOSE_NO_SUCH_ROOM: "no such room",
    CLOSE_TOO_SLOW: "did not read what was sent",
    CLOSE_RESTART: "the server restarts",
    CLOSE_TOO_MANY: "too many requests",
    CLOSE_PROTOCOL: "not the protocol",
    CLOSE_REPLACED: "replaced by a newer socket",
    CLOSE_TRY_AGAIN: "try again",
}

Position = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
"""A number of a room's log. Below 2**53, because JavaScript's numbers end there."""


Seconds = Annotated[int, msgspec.Meta(ge=1, le=10**9)]
"""A length of time."""
Key = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
"""Of a person."""


class Frame(msgspec.Struct, tag_field="type", omit_defaults=True, frozen=True):
    """A frame of either direction."""


# From the client ------------------------------------------------------------------------------------------------


class Hello(Frame, frozen=True, tag="hello"):
    """Asks for ``welcome`` again."""


class Join(Frame, frozen=True, tag="join"):
    """Enters a room, or catches up in one. Answered with ``joined``."""

    room: str
    """Its name, however typed."""
    epoch: str = ""
    """Of the log that ``since`` counts in; from an earlier ``joined``."""
    since: Position | None = None
    """The position that the client has reached. Without it, ``joined`` brings the newest page."""


class Leave(Frame, frozen=True, tag="leave"):
    """Leaves a room. Answered with ``left``."""

    room: str = ""
    """The room of the socket's address if it is left out."""


class FileToPost(msgspec.Struct, omit_defaults=True, frozen=True):
    """A file that was uploaded before."""

    id: str
    """What the upload was answered with."""
    alt: str = ""
    """What it shows, for those who do not see it: up to 500 characters."""


class Post(Frame, frozen=True, tag="post"):
    """Says something. Answered with ``ack`` after the COMMIT, or with ``error``."""

    id: str
    """Made once for each thing that a person says, and the same on every retry: 1 to 64 visible ASCII characters, best a UUID."""
    body: str
    """The text. It may be empty if there are ``files``."""
    room: str = ""
    """The room of the socket's address if it is left out."""
    reply_to: Position | None = None
    """The ``seq`` of the message that this one answers."""
    files: list[FileToPost] = []
    """What the person has uploaded for it. Each file is in one message only."""


class Edit(Frame, frozen=True, tag="edit"):
    """Changes the text of a message. Answered with ``ack`` or ``error``."""

    seq: Position
    """Its place."""
    body: str
    """The new text."""
    room: str = ""
    """The room of the socket's address if it is left out."""
    id: str = ""
    """Comes back in the answer."""


class Delete(Frame, frozen=True, tag="delete"):
    """Deletes a message: its place stays, its text goes. Answered with ``ack`` or ``error``."""

    seq: Position
    """Its place."""
    room: str = ""
    """The room of the socket's address if it is left out."""
    id: str = ""
    """Comes back in the answer."""


class React(Frame, frozen=True, tag="react"):
    """Answers a message with an emoji, or takes that back. Answered with ``ack`` or ``error``."""

    seq: Position
    """Its place."""
    emoji: str
    """One emoji."""
    on: bool = True
    """``false`` takes it back."""
    room: str = ""
    """The room of the socket's address if it is left out."""
    id: str = ""
    """Comes back in the answer."""


class Pin(Frame, frozen=True, tag="pin"):
    """Pins a message for everybody, or unpins it. Answered with ``ack`` or ``error``."""

    seq: Position
    """Its place."""
    on: bool = True
    """``false`` unpins it."""
    room: str = ""
    """The room of the socket's address if it is left out."""
    id: str = ""
    """Comes back in the answer."""


class Pinned(Frame, frozen=True, tag="pinned"):
    """Asks for the pinned messages of a room. Answered with ``pinned``."""

    room: str = ""
    """The room of the socket's address if it is left out."""
    id: str = ""
    """Comes back in the answer."""


class Edits(Frame, frozen=True, tag="edits"):
    """Asks what an edited message said before. Answered with ``edits``; only where the site keeps it, and for whom it shows it."""

    seq: Position
    """Its place."""
    room: str = ""
    """The room of the socket's address if it is left out."""
    id: str = ""
    """Comes back in the answer."""


class People(Frame, frozen=True, tag="people"):
    """Asks whom one can call in a room, while a name is typed behind an ``@``. Answered with ``people``."""

    prefix: Annotated[str, msgspec.Meta(max_length=100)] = ""
    """What has been typed of the name: the beginning of it, or of a word in it."""
    room: str = ""
    """The room of the socket's address if it is left out."""
    id: str = ""
    """Comes back in the answer."""


class Typing(Frame, frozen=True, tag="typing"):
    """Says that the person types, in a room that the socket is in. Repeated every few seconds while they do; not answered.

    Without a repetition it ends after 6 s, and at once with their next message."""

    room: str = ""
    """The room of the socket's address if it is left out."""
    on: bool = True
    """``false``: they have stopped."""


class Read(Frame, frozen=True, tag="read"):
    """Says how far the person has read a room. Answered with ``read`` on all of their sockets, within a second or two."""

    seq: Position
    """The place of the last message that they have read. A smaller one than before changes nothing."""
    room: str = ""
    """The room of the socket's address if it is left out."""


class Notify(Frame, frozen=True, tag="notify"):
    """Turns the person's notifications from a room off, or on again. Answered with ``done``."""

    on: bool
    """Whether they want any."""
    room: str = ""
    """The room of the socket's address if it is left out."""
    id: str = ""
    """Comes back in the answer."""


class Rooms(Frame, frozen=True, tag="rooms"):
    """Asks for the person's list of rooms. Answered with ``rooms``."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 500
    """How many at most."""
    id: str = ""
    """Comes back in the answer."""


class Ban(Frame, frozen=True, tag="ban"):
    """Shuts somebody out of a room, or lets them in again. For moderators. Answered with ``done``."""

    key: Key
    """Whom: the ``key`` of an author."""
    on: bool = True
    """``false`` ends it."""
    seconds: Seconds | None = None
    """How long it lasts; without end if it is left out."""
    reason: str = ""
    """Told to them: up to 300 characters."""
    room: str = ""
    """The room of the socket's address if it is left out."""
    id: str = ""
    """Comes back in the answer."""


class Mute(Frame, frozen=True, tag="mute"):
    """Lets somebody read and not post, or lets them post again. For moderators. Answered with ``done``."""

    key: Key
    """Whom: the ``key`` of an author."""
    on: bool = True
    """``false`` ends it."""
    seconds: Seconds | None = None
    """How long it lasts; without end if it is left out."""
    reason: str = ""
    """Told to them: up to 300 characters."""
    room: str = ""
    """The room of the socket's address if it is left out."""
    id: str = ""
    """Comes back in the answer."""


class Sanctions(Frame, frozen=True, tag="sanctions"):
    """Asks who is banned or muted in a room just now. For moderators. Answered with ``sanctions``."""

    after: str = ""
    """The ``key`` of the last one of the page before."""
    room: str = ""
    """The room of the socket's address if it is left out."""
    id: str = ""
    """Comes back in the answer."""


class LookAt(Frame, frozen=True, tag="person"):
    """Asks how somebody stands in a room, and what the person may do about them. Answered with ``person``."""

    key: Key
    """Whom: the ``key`` of an author, of a member, or of somebody who is there."""
    room: str = ""
    """The room of the socket's address if it is left out."""
    id: str = ""
    """Comes back in the answer."""


class Report(Frame, frozen=True, tag="report"):
    """Asks the moderators to look at a message. Once for each person and message. Answered with ``done``."""

    seq: Position
    """Its place."""
    reason: str = ""
    """What is wrong with it: up to 300 characters."""
    room: str = ""
    """The room of the socket's address if it is left out."""
    id: str = ""
    """Comes back in the answer."""


class ChooseName(Frame, frozen=True, tag="name"):
    """Gives a guest the name that others see from now on. Answered with ``done`` or ``error``; all sockets of theirs hear ``named``."""

    name: str
    """What they want to be called."""
    id: str = ""
    """Comes back in the answer."""


class Search(Frame, frozen=True, tag="search"):
    """Looks for messages that contain all words of a query. Answered with ``found``."""

    query: str
    """The words: up to 200 characters. Quotes keep several words together."""
    room: str = ""
    """The room of the socket's address if it is left out."""
    everywhere: bool = False
    """In all rooms that the person may enter."""
    before: str = ""
    """From an earlier ``found``, to go on."""
    id: str = ""
    """Comes back in the answer."""


Role = Literal["owner", "moderator", "member"]


class Create(Frame, frozen=True, tag="create"):
    """Makes a room, whose owner the person becomes. Answered with ``room``.

    An open room whose name is taken is refused with the code ``taken``."""

    title: str
    """What people call it. The canonical name of an open room is made of it, that of a private one by chance."""
    visibility: Literal["open", "private"] = "open"
    """For everybody, or for its members only. It never changes."""
    listed: bool = True
    """It is in the list of rooms."""
    announcement: bool = False
    """Only moderators post."""
    tells_changes: bool = False
    """It says who joined, who left, and what it was called."""
    slow_seconds: int = 0
    """Seconds between two posts of one person."""
    retention_days: int = 0
    """Days after which messages are forgotten; 0 for never."""
    id: str = ""
    """Comes back in the answer."""


class Direct(Frame, frozen=True, tag="direct"):
    """Asks for the room of the person and another one: always the same, made if there is none. Answered with ``room``."""

    key: Key
    """Whose: of a member of ``room``, or of an author in it."""
    room: str = ""
    """Where they have met: the room of the socket's address if it is left out."""
    id: str = ""
    """Comes back in the answer."""


class Configure(Frame, frozen=True, tag="configure"):
    """Changes the settings of a room. What is left out stays as it is. For owners. Answered with ``done``."""

    title: str | None = None
    """What people call it. Its canonical name stays."""
    archived: bool | None = None
    """It can be read only."""
    listed: bool | None = None
    """It is in the list of rooms."""
    announcement: bool | None = None
    """Only moderators post."""
    tells_changes: bool | None = None
    """It says who joined, who left, and what it was called."""
    slow_seconds: int | None = None
    """Seconds between two posts of one person; 0 for none, at most a day."""
    retention_days: int | None = None
    """Days after which messages are forgotten; 0 for never."""
    room: str = ""
    """The room of the socket's address if it is left out."""
    id: str = ""
    """Comes back in the answer."""


class Settings(Frame, frozen=True, tag="settings"):
    """Asks for the settings of a room. For owners. Answered with ``settings``."""

    room: str = ""
    """The room of the socket's address if it is left out."""
    id: str = ""
    """Comes back in the answer."""


class Members(Frame, frozen=True, tag="members"):
    """Asks who belongs to a room. Answered with ``members``."""

    prefix: Annotated[str, msgspec.Meta(max_length=100)] = ""
    """Only those of whose name a word begins with this."""
    after: str = ""
    """The ``key`` of the last one of the page before."""
    room: str = ""
    """The room of the socket's address if it is left out."""
    id: str = ""
    """Comes back in the answer."""


class AddMember(Frame, frozen=True, tag="add"):
    """Makes somebody a member. For moderators; into an open room everybody may add themselves. Answered with ``done``."""

    key: Key
    """Whom: the ``key`` of an author in the room, or the person's own."""
    role: Role = "member"
    """Others than ``member`` are for owners to give."""
    room: str = ""
    """The room of the socket's address if it is left out."""
    id: str = ""
    """Comes back in the answer."""


class RemoveMember(Frame, frozen=True, tag="remove"):
    """Ends somebody's membership. For moderators, and people of lower rank. Answered with ``done``."""

    key: Key
    """Whose."""
    room: str = ""
    """The room of the socket's address if it is left out."""
    id: str = ""
    """Comes back in the answer."""


class SetRole(Frame, frozen=True, tag="role"):
    """Gives a member another role. For owners. Answered with ``done``."""

    key: Key
    """Whom."""
    role: Role
    """The new one. The last owner remains one."""
    room: str = ""
    """The room of the socket's address if it is left out."""
    id: str = ""
    """Comes back in the answer."""


class Quit(Frame, frozen=True, tag="quit"):
    """Ends the person's own membership (``leave`` only leaves with this socket). Answered with ``done``.

    The last owner is refused with the code ``last_owner`` as long as there are other members."""

    room: str = ""
    """The room of the socket's address if it is left out."""
    id: str = ""
    """Comes back in the answer."""


class Invite(Frame, frozen=True, tag="invite"):
    """Makes a link by which people become members. For moderators. Answered with ``invited``."""

    role: Role = "member"
    """What they become. Others than ``member`` are for owners to give."""
    seconds: Seconds | None = 604_800
    """How long it lasts, a week if it is left out; ``null`` for ever."""
    uses: Annotated[int, msgspec.Meta(ge=1, le=100_000)] | None = None
    """How many people it is for; any number if it is left out."""
    room: str = ""
    """The room of the socket's address if it is left out."""
    id: str = ""
    """Comes back in the answer."""


class Invitations(Frame, frozen=True, tag="invitations"):
    """Asks for the invitations that have not ended. For moderators. Answered with ``invitations``."""

    room: str = ""
    """The room of the socket's address if it is left out."""
    id: str = ""
    """Comes back in the answer."""


class Revoke(Frame, frozen=True, tag="revoke"):
    """Ends an invitation. For moderators. Answered with ``done``."""

    invitation: Position
    """Its number."""
    room: str = ""
    """The room of the socket's address if it is left out."""
    id: str = ""
    """Comes back in the answer."""


class Accept(Frame, frozen=True, tag="accept"):
    """Becomes a member by an invitation. Answered with ``room``."""

    token: Annotated[str, msgspec.Meta(max_length=100)]
    """The end of its link."""
    id: str = ""
    """Comes back in the answer."""


class Seen(Frame, frozen=True, tag="seen"):
    """Says how far the client has applied each room. Sent every 2 s or 64 KiB while positions move; not answered."""

    heads: dict[str, Position]
    """The position in each room that has moved."""


class Ping(Frame, frozen=True, tag="ping"):
    """Asks whether the server is there. Answered with ``ping``."""


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


# From the server ------------------------------------------------------------------------------------------------


class Author(msgspec.Struct, omit_defaults=True, frozen=True):
    """Who wrote a message."""

    key: str
    """The same for everything that one user or guest says."""
    name: str
    """As it was when the message was written."""
    avatar: str = ""
    """The address of a picture."""
    link: str = ""
    """The address of a profile."""


class Quote(msgspec.Struct, omit_defaults=True, frozen=True):
    """The beginning of a message that is answered, as it was when this was sent. Later events of its ``seq`` change it."""

    seq: int
    """Its place."""
    name: str
    """Of its author."""
    body: str
    """Its first 140 characters, or the names of its files."""
    deleted: bool = False
    """It was deleted, and ``body`` is empty."""


class Reactions(msgspec.Struct, frozen=True):
    """Who has answered a message with one emoji."""

    count: int
    """How many."""
    keys: list[str]
    """The first 20 of them."""


class Mention(msgspec.Struct, frozen=True):
    """Somebody named in a text."""

    key: str
    """Whom."""
    name: str
    """How the text calls them, without the ``@``."""


class Line(msgspec.Struct, omit_defaults=True, frozen=True):
    """What a line of the system says, for clients that say it in their own language; ``body`` has it in the site's."""

    code: Literal[
        "joined", "left", "removed", "renamed", "role", "archived", "unarchived", "pinned", "created"
    ]
    """What happened."""
    name: str = ""
    """Of whom it happened to."""
    by: str = ""
    """The name of who did it, where that is somebody else."""
    value: str = ""
    """The new title, or the new role."""


class File(msgspec.Struct, omit_defaults=True, frozen=True):
    """A file of a message."""

    id: str
    """Of it."""
    name: str
    """As it is shown and handed out."""
    type: str
    """What it is, by its content: ``image/png``, ``application/pdf`` and so on."""
    bytes: int
    """Its size."""
    url: str
    """Its address, a path of the site; empty where the project has left the package's addresses out."""
    width: int | None = None
    """Of an image, in pixels."""
    height: int | None = None
    """Of an image, in pixels."""
    thumb: str | None = None
    """The address of a small image of it, which does not move; absent where it is small itself (640 pixels), or no image."""
    alt: str = ""
    """What it shows, for those who do not see it."""


class EventData(msgspec.Struct, omit_defaults=True, frozen=True):
    """What an event carries beyond the columns of its message: the fields that are kept in ``Message.data``."""

    reactions: dict[str, Reactions] | None = None
    """By emoji, in the order of their first use."""
    mentions: list[Mention] | None = None
    """Those whom the text calls by name."""
    html: str | None = None
    """The text, rendered and safe to show; with the Markdown extra only."""
    line: Line | None = None
    """With ``kind`` ``system``: what happened."""
    files: list[File] | None = None
    """What was sent with it."""


class Event(msgspec.Struct, omit_defaults=True, frozen=True):
    """A message in its latest state. Put it in the place of the one with the same ``seq``."""

    seq: int
    """Its place in the room."""
    rev: int
    """The number of its last change. Equal to ``seq`` until it is edited or deleted."""
    id: str
    """What its author's client called it."""
    kind: Literal["user", "system", "bot"]
    """Said by a person, by the site, or by a program that has a name."""
    author: Author
    """Who wrote it."""
    body: str
    """The text."""
    at: str
    """When it was posted: ISO 8601, UTC, milliseconds."""
    reply_to: int | None = None
    """The ``seq`` of the message that it answers."""
    edited_at: str | None = None
    """When its text was last changed."""
    deleted_at: str | None = None
    """If present, ``body`` is empty."""
    quote: Quote | None = None
    """The beginning of the message that it answers."""
    pinned_at: str | None = None
    """It is pinned, since then."""
    reactions: dict[str, Reactions] | None = None
    """By emoji, in the order of their first use."""
    mentions: list[Mention] | None = None
    """Those whom the text calls by name."""
    html: str | None = None
    """The text, rendered and safe to show; with the Markdown extra only."""
    line: Line | None = None
    """With ``kind`` ``system``: what happened."""
    files: list[File] | None = None
    """What was sent with it."""


class You(msgspec.Struct, frozen=True):
    """Who the socket speaks for."""

    key: str
    """Equal to the author's ``key`` in one's own messages."""
    name: str
    """What others see."""
    guest: bool
    """Nobody has signed in."""


class Limits(msgspec.Struct, frozen=True):
    """What the server takes."""

    frame_bytes: int
    """The largest frame, in bytes."""
    body_chars: int
    """The longest message, in characters."""


class Welcome(Frame, frozen=True, tag="welcome"):
    """The first frame of every socket."""

    version: str
    """Of django-roomchat."""
    you: You
    """Who the socket speaks for."""
    limits: Limits
    """What the server takes."""
    ping_seconds: float
    """Nothing heard for this and 10 s more means that the connection is dead."""


class Joined(Frame, frozen=True, tag="joined"):
    """The room was entered, and this brings the client up to ``head``."""

    room: str
    """Its canonical name, which all later frames use."""
    title: str
    """Its name as people see it."""
    epoch: str
    """Of the log that all numbers count in; empty while nothing was said in the room."""
    floor: int
    """Changes up to here were pruned."""
    prev: int
    """Where the range of this frame begins."""
    head: int
    """Where it ends: the client's new position."""
    events: list[msgspec.Raw]
    """In the order of their ``rev``; with ``reset`` the oldest first."""
    reset: Literal["new", "epoch", "floor", "gap", "ahead"] | None = None
    """Present: throw away what you have of this room, ``events`` is its newest page. Absent: ``events`` is all in ``(prev, head]``.

    ``new``: no ``since`` was given. ``epoch``: the log is another one. ``floor``: what is missing was pruned.
    ``gap``: too much is missing. ``ahead``: the log does not reach that far."""
    more: bool = False
    """With ``reset``: there are older messages than these."""


class Rights(Frame, frozen=True, tag="rights"):
    """What the socket's person may do in a room. Sent before ``joined``, and whenever it changes."""

    room: str
    """Its canonical name."""
    can: list[str]
    """Some of ``post``, ``attach``, ``react``, ``pin``, ``report``, ``invite``, ``moderate``, ``manage``."""
    visibility: str
    """Of the room: ``open``, ``private`` or ``direct``."""
    title: str
    """Its name as people see it."""
    role: str = ""
    """``owner``, ``moderator``, ``member``, or absent for who is no member."""
    slow_seconds: int = 0
    """Seconds between two posts of one person."""
    archived: bool = False
    """The room can be read only."""
    why: str = ""
    """Why the person may not post: a sentence in the language of their page; absent where they may."""
    retry_after: float | None = None
    """Seconds after which they may, where that is known: their mute ends."""


class Events(Frame, frozen=True, tag="events"):
    """What happened in a room in ``(prev, head]``."""

    room: str
    """Its canonical name."""
    epoch: str
    """Of the log that the numbers count in."""
    prev: int
    """Where the range of this frame begins."""
    head: int
    """Where it ends."""
    events: list[msgspec.Raw]
    """In the order of their ``rev``."""


class Ack(Frame, frozen=True, tag="ack"):
    """The post, or the change of a message, is stored."""

    id: str
    """Of the frame that this answers."""
    room: str
    """Its room's canonical name."""
    seq: int
    """The message's place in the room."""
    duplicate: bool
    """It was stored before, or there was nothing to change."""


class Done(Frame, frozen=True, tag="done"):
    """What was asked for is done. The answer to frames that have no answer of their own."""

    id: str
    """Of the frame that this answers."""
    room: str = ""
    """The canonical name of the room that it concerns."""


class Named(Frame, frozen=True, tag="named"):
    """The guest for whom this socket speaks has another name."""

    name: str
    """What others see from now on."""


class Error(Frame, frozen=True, tag="error"):
    """A frame was refused. The socket goes on."""

    code: str
    """For programs. It does not change."""
    detail: str
    """For people: what was wrong, and what would be right."""
    frame: str | None = None
    """The type of the frame that this answers, if it had one."""
    id: str | None = None
    """Of the frame that this answers."""
    room: str | None = None
    """The room that it is about, as the client called it."""
    retry_after: float | None = None
    """Seconds after which the same frame may succeed. Without it, it will not."""


class Heads(Frame, frozen=True, tag="ping"):
    """A sign of life with the positions of the socket's rooms. A client that is behind one for 2 s has lost something and joins again."""

    heads: dict[str, int]
    """Where each of them stands."""


class Left(Frame, frozen=True, tag="left"):
    """The room was left."""

    room: str
    """Its canonical name."""


class Person(msgspec.Struct, omit_defaults=True, frozen=True):
    """Somebody in a room."""

    key: str
    """As in ``author``."""
    name: str
    """What others see."""
    avatar: str = ""
    """The address of a picture."""


class PeopleFound(Frame, frozen=True, tag="people"):
    """Whom one can call in a room: its members, and those who have written there lately."""

    id: str
    """Of the frame that this answers."""
    room: str
    """Its canonical name."""
    people: list[Person]
    """At most 20."""


class PinnedList(Frame, frozen=True, tag="pinned"):
    """The pinned messages of a room."""

    id: str
    """Of the frame that this answers."""
    room: str
    """Its canonical name."""
    events: list[Event]
    """The last one pinned first, at most 50."""


class EarlierText(msgspec.Struct, frozen=True):
    """What a message said before it was edited."""

    body: str
    """The text."""
    at: str
    """Since when it said so: ISO 8601, UTC, milliseconds."""


class EditList(Frame, frozen=True, tag="edits"):
    """What an edited message said before."""

    id: str
    """Of the frame that this answers."""
    room: str
    """Its canonical name."""
    seq: int
    """The place of the message."""
    texts: list[EarlierText]
    """The oldest first, at most 10, and without what it says now."""


class Here(Frame, frozen=True, tag="presence"):
    """Who is in a room: soon after ``joined``, and then its changes, at most once a second.

    With ``here`` it is the whole list, and replaces the one that the client has.
    With ``joined`` or ``left`` it changes that list.
    With ``count`` alone the room has more than 200 people, and no list."""

    room: str
    """Its canonical name."""
    count: int
    """How many people there are. Somebody with several tabs, or on several devices, is one."""
    here: list[Person] | None = None
    """All of them."""
    joined: list[Person] | None = None
    """Those who have come, or are called otherwise now."""
    left: list[str] | None = None
    """The keys of those who have gone: their last socket was closed some seconds ago."""


class Typists(Frame, frozen=True, tag="typing"):
    """Who types in a room. Sent when it changes, at most once a second. It replaces what was said before."""

    room: str
    """Its canonical name."""
    count: int
    """How many."""
    people: list[Person]
    """The first three of them. The client leaves out its own person."""


class Marked(Frame, frozen=True, tag="read"):
    """How far the person has read a room, told to all of their sockets."""

    room: str
    """Its canonical name."""
    seq: int
    """The place of the last message that they have read."""
    unread: int
    """Messages after that, of others and not deleted: at most 100."""
    mentions: int
    """Those of them that call the person by name."""


class LastMessage(msgspec.Struct, frozen=True):
    """The newest thing that was said in a room."""

    seq: int
    """Its place."""
    at: str
    """When it was said: ISO 8601, UTC, milliseconds."""
    key: str
    """Of its author."""
    name: str
    """Of its author."""
    body: str
    """Its first 140 characters, or the names of its files."""


class ListedRoom(msgspec.Struct, omit_defaults=True, frozen=True):
    """A room in somebody's list."""

    name: str
    """Canonical, as in all frames."""
    title: str
    """Its name as people see it; that of a direct room is the name of the other person."""
    visibility: str
    """``open``, ``private`` or ``direct``."""
    head: int
    """The number of its last change."""
    changed_at: str
    """When that was: ISO 8601, UTC, milliseconds."""
    role: str = ""
    """The person's: ``owner``, ``moderator``, ``member``, or absent for who is no member."""
    unread: int = 0
    """Messages that they have not read, at most 100; absent if there are none, or if they have never been there."""
    mentions: int = 0
    """Those of them that call them by name."""
    last: LastMessage | None = None
    """The newest message; absent if there is none."""
    muted: bool = False
    """They want no notifications from it."""
    yours: bool = False
    """They belong to it, or have been there."""
    archived: bool = False
    """It can be read only."""


class RoomList(Frame, frozen=True, tag="rooms"):
    """The rooms of a person, the latest message first: those they belong to or have read, and those that are listed."""

    id: str
    """Of the frame that this answers."""
    rooms: list[ListedRoom]
    """At most 500. Where there are more, those that are theirs go before the others."""


class Hit(msgspec.Struct, frozen=True):
    """A message that was found."""

    room: str
    """The canonical name of its room."""
    title: str
    """The room's name as people see it."""
    seq: int
    """Its place there."""
    author: Author
    """Who wrote it."""
    at: str
    """When it was posted: ISO 8601, UTC, milliseconds."""
    excerpt: list[str]
    """The part of its text around the first hit, in pieces: every second one, from the second on, is what was looked for."""


class Found(Frame, frozen=True, tag="found"):
    """A page of what was looked for, newest first."""

    id: str
    """Of the frame that this answers."""
    hits: list[Hit]
    """At most 20."""
    more: bool = False
    """Not everything was looked through: ask again with ``before``. It can be so without any hits, in a very large room."""
    before: str = ""
    """For the next page."""


class RoomAnswer(Frame, frozen=True, tag="room"):
    """A room that was made, found or opened: ``join`` it by its name."""

    id: str
    """Of the frame that this answers."""
    room: str
    """Its canonical name."""
    title: str
    """Its name as people see it."""
    visibility: str
    """``open``, ``private`` or ``direct``."""
    url: str = ""
    """The address of its page; absent where the project has no such pages."""


class RoomSettings(Frame, frozen=True, tag="settings"):
    """The settings of a room."""

    id: str
    """Of the frame that this answers."""
    room: str
    """Its canonical name."""
    title: str
    """What people call it."""
    visibility: str
    """``open``, ``private`` or ``direct``."""
    archived: bool = False
    """It can be read only."""
    listed: bool = False
    """It is in the list of rooms."""
    announcement: bool = False
    """Only moderators post."""
    tells_changes: bool = False
    """It says who joined, who left, and what it was called."""
    slow_seconds: int = 0
    """Seconds between two posts of one person."""
    retention_days: int = 0
    """Days after which messages are forgotten; absent for never."""


class Sanction(msgspec.Struct, omit_defaults=True, frozen=True):
    """A ban or a mute that is in force."""

    reason: str = ""
    """What the person was told."""
    until: str | None = None
    """When it ends: ISO 8601, UTC, milliseconds; absent if it does not by itself."""


class Sanctioned(msgspec.Struct, omit_defaults=True, frozen=True):
    """Somebody who is banned or muted, or both."""

    key: str
    """As in ``author``."""
    name: str = ""
    """What others saw then; absent if the room did not know them."""
    banned: Sanction | None = None
    """They are banned."""
    muted: Sanction | None = None
    """They are muted."""


class SanctionList(Frame, frozen=True, tag="sanctions"):
    """Who is banned or muted in a room just now, in the order of their keys."""

    id: str
    """Of the frame that this answers."""
    room: str
    """Its canonical name."""
    sanctions: list[Sanctioned]
    """At most 200; ask for those ``after`` the last one until there are fewer."""


class PersonShown(Frame, frozen=True, tag="person"):
    """How somebody stands in a room, for who asks."""

    id: str
    """Of the frame that this answers."""
    room: str
    """Its canonical name."""
    key: str
    """As it was asked for."""
    may: list[str]
    """What who asks may do: some of ``write`` (the frame ``direct``), ``mute``, ``ban``, ``remove`` and ``role``."""
    name: str = ""
    """What others see; absent if they are no member and have said nothing."""
    role: str = ""
    """``owner``, ``moderator``, ``member``, or absent for who is no member."""
    banned: Sanction | None = None
    """They are banned; told to moderators."""
    muted: Sanction | None = None
    """They are muted; told to moderators."""


class ListedMember(msgspec.Struct, frozen=True):
    """Somebody who belongs to a room."""

    key: str
    """As in ``author``."""
    name: str
    """What others see."""
    role: str
    """``owner``, ``moderator`` or ``member``."""
    since: str
    """Since when they belong to it: ISO 8601, UTC, milliseconds."""


class MemberList(Frame, frozen=True, tag="members"):
    """Who belongs to a room, in the order of their keys."""

    id: str
    """Of the frame that this answers."""
    room: str
    """Its canonical name."""
    members: list[ListedMember]
    """At most 200; ask for those ``after`` the last one until there are fewer."""


class ListedInvitation(msgspec.Struct, omit_defaults=True, frozen=True):
    """An invitation that has not ended."""

    invitation: int
    """Its number, by which it is revoked."""
    role: str
    """What those who accept it become."""
    by: str
    """The ``key`` of who made it."""
    expires_at: str | None = None
    """When it ends: ISO 8601, UTC, milliseconds; absent if it does not by itself."""
    uses: int | None = None
    """For how many people it still is; absent for any number."""


class InvitationList(Frame, frozen=True, tag="invitations"):
    """The invitations to a room, the newest first."""

    id: str
    """Of the frame that this answers."""
    room: str
    """Its canonical name."""
    invitations: list[ListedInvitation]
    """At most 200. Their links cannot be shown again."""


class InvitationMade(Frame, frozen=True, tag="invited"):
    """An invitation was made. Its link is told this once."""

    id: str
    """Of the frame that this answers."""
    room: str
    """The room's canonical name."""
    invitation: int
    """Its number, by which it is revoked."""
    token: str
    """For ``accept``."""
    link: str = ""
    """The address of the page where people accept it; absent where the project has no such pages."""
    expires_at: str | None = None
    """When it ends: ISO 8601, UTC, milliseconds; absent if it does not by itself."""


class Bye(Frame, frozen=True, tag="bye"):
    """Comes before every close by the server (daphne drops the reasons of close frames)."""

    code: int
    """Of the close that follows."""
    reason: str
    """For people."""
    retry_after: float | None = None
    """Seconds to wait before the next attempt, in place of the client's own back-off."""


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


# The tutorial's dialect -------------------------------------------------------------------------------------------


class TutorialPost(msgspec.Struct, frozen=True):
    """What the tutorial's page sends."""

    message: str
    """The text."""
    id: str = ""
    """As in ``post``, for pages that have learnt to repeat themselves; made up by the server if it is left out."""


class TutorialMessage(msgspec.Struct, frozen=True):
    """What the tutorial's page receives; it shows ``message``."""

    message: str
    """The text."""
    name: str
    """Of who said it."""
    seq: int
    """Its place in the room."""


class TutorialError(msgspec.Struct, omit_defaults=True, frozen=True):
    """An error as the tutorial's page can show it."""

    message: str
    """The sentence for people."""
    type: str
    """Always ``"error"``."""
    code: str
    """For programs."""
    retry_after: float | None = None
    """Seconds after which the same message may succeed."""


_encoder = msgspec.json.Encoder()
_client_frames = msgspec.json.Decoder(ClientFrame)
_tutorial_posts = msgspec.json.Decoder(TutorialPost)
_HALF_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def encode(frame: Any) -> str:
    """A frame, or an event, as the text that is sent."""
    return _encoder.encode(frame).decode()


def encode_event(event: Event) -> bytes:
    """An event, ready to be set into any number of frames."""
    return _encoder.encode(event)


def decode_event(event: bytes) -> Event:
    """What :func:`encode_event` made.

    Raises:
        msgspec.MsgspecError: it is something else.
    """
    return _events.decode(event)


_events = msgspec.json.Decoder(Event)


def decode(text: str | None, max_bytes: int) -> ClientFrame:
    """The frame that a client sent.

    Args:
        text: of the frame; ``None`` if it was a binary one.
        max_bytes: more are not read.

    Raises:
        BadFrame, BadValue: it is none; the detail says what is wrong.
    """
    return _decode(_client_frames, text, max_bytes)  # type: ignore[no-any-return]  # msgspec's Decoder of a union is untyped


def decode_tutorial(text: str | None, max_bytes: int) -> TutorialPost:
    """The same for a client that speaks the tutorial's dialect."""
    return _decode(_tutorial_posts, text, max_bytes)  # type: ignore[no-any-return]  # as above


T = TypeVar("T")


def decode_body(text: str, wanted: type[T], max_bytes: int) -> T:
    """The JSON body of an HTTP request, with the errors of a frame."""
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
    """msgspec's sentence as an error of ours. Its last part is the place: ``$.body``; no place is the frame itself."""
    what, _, place = problem.partition(" - at `$.")
    field = place.rstrip("`")
    if field == "type" and what.startswith("Invalid value"):
        return UnknownType(f"Unknown frame type {what.removeprefix('Invalid value ')}.")
    if what == "Object missing required field `type`" or field == "type":
        return BadFrame('A frame needs a "type", which is a string.')
    if not field and what.startswith("Expected `object`"):
        return BadFrame(f"A frame must be an object: {what[0].lower()}{what[1:]}.")
    return BadValue(f"{field}: {what[0].lower()}{what[1:]}." if field else f"{what}.")
