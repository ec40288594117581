"""Objects inside frames: events, authors, files, people, rooms."""

from __future__ import annotations

from typing import Literal

import msgspec

from django_roomchat.text.values import is_guest as is_guest


class FileToPost(msgspec.Struct, omit_defaults=True, frozen=True):
    """A previously uploaded file that a post attaches."""

    id: str
    """File id from the response to the upload."""
    alt: str = ""
    """Alternative text that describes the file, for example for screen readers: up to 500 characters."""


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
    guest: bool = False
    """Whether the author is a guest, that is, not signed in. Defaults to ``false``."""


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
    guest: bool = False
    """Whether the author of the quoted message is a guest. Defaults to ``false``."""


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
    target_key: str = ""
    """Key of the user whom the change affects."""
    by_key: str = ""
    """Key of the user who made the change, if it is another user."""


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


class Person(msgspec.Struct, omit_defaults=True, frozen=True):
    """A user in a room."""

    key: str
    """Key of the user, as in ``Author``."""
    name: str
    """Display name of the user."""
    avatar: str = ""
    """URL of the user's avatar image."""
    guest: bool = False
    """Whether the user is a guest, that is, not signed in. Defaults to ``false``."""


def person_with_key(key: str, name: str, avatar: str = "") -> Person:
    """Return a user in a room; whether the user is a guest follows from the key."""
    return Person(key, name, avatar, is_guest(key))


class EarlierText(msgspec.Struct, frozen=True):
    """Text of a message before an edit."""

    body: str
    """Earlier text of the message."""
    at: str
    """Time from which the message had this text: ISO 8601, UTC, milliseconds."""


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


class SanctionInForce(msgspec.Struct, omit_defaults=True, frozen=True):
    """A ban or mute in force."""

    reason: str = ""
    """Reason shown to the sanctioned user."""
    until: str | None = None
    """End of the sanction: ISO 8601, UTC, milliseconds. Absent if the sanction has no end."""


class SanctionedUser(msgspec.Struct, omit_defaults=True, frozen=True):
    """A user with a ban, a mute or both."""

    key: str
    """Key of the user, as in ``Author``."""
    name: str = ""
    """Display name of the user when the sanction was imposed. Absent if the user was unknown in the room."""
    banned: SanctionInForce | None = None
    """Ban in force. Absent if the user is not banned."""
    muted: SanctionInForce | None = None
    """Mute in force. Absent if the user is not muted."""
    guest: bool = False
    """Whether the user is a guest, that is, not signed in. Defaults to ``false``."""


class ListedMember(msgspec.Struct, omit_defaults=True, frozen=True):
    """A member of a room."""

    key: str
    """Key of the user, as in ``Author``."""
    name: str
    """Display name of the user."""
    role: str
    """Role of the member: ``owner``, ``moderator`` or ``member``."""
    since: str
    """Start of the membership: ISO 8601, UTC, milliseconds."""
    guest: bool = False
    """Whether the member is a guest, that is, not signed in. Defaults to ``false``."""


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
