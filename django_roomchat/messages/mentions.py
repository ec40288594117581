"""Mentions: ``@name`` with a display name as shown in the room. They are resolved once, when the text is posted or edited."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.db.models import Q
from django.db.models.fields.json import KT
from django.db.models.functions import Lower

from django_roomchat import identity
from django_roomchat.database import database, twin
from django_roomchat.identity import Actor
from django_roomchat.models import Membership, Message, Room
from django_roomchat.protocol import Person, person_with_key
from django_roomchat.rooms import lookup
from django_roomchat.rooms.members import has_word
from django_roomchat.text import values
from django_roomchat.text.mention_syntax import AT, markable_texts, may_end

MENTIONS_MAX = 20
"""Maximum number of people that a text can mention."""
WRITERS_MAX = 500
"""Number of latest messages whose authors can be mentioned."""
NAME_LENGTH = 80
"""Maximum length of a name that can be mentioned, in characters."""
_MARKS_MAX = 40
_REST_LENGTH = 80
"""Number of characters after a name that decide whether it ends there."""
_AT = re.compile(rf"{AT}(?=\w)")


def mentions_in(room: Room, body: str, html: str | None = None) -> list[dict[str, str]]:
    """Return the mentions in a text. Makes two queries; none for a text without ``@`` or a room that does not exist.

    A name in a link or in code is no mention, as the page does not mark it there.

    Args:
        room: the room of the message.
        body: the text. The longest matching name counts: “@Ana Silva!” mentions Ana Silva, not Ana.
        html: the rendered Markdown of the text; ``None`` if it is displayed as plain text.

    Returns:
        One object with ``key`` and ``name`` for each mention, in the order of the text, as stored in
        ``Message.data["mentions"]``.
    """
    if room.pk is None or not _AT.search(body):
        return []
    candidates = [_possible_names(text, match.end()) for text, match in _at_signs(markable_texts(body, html))]
    wanted = {name_there for names_there in candidates for name_there in names_there}
    if not wanted:
        return []
    keys = _keys(room, wanted)
    found: dict[tuple[str, str], None] = {}
    for names_there in candidates:
        name = next((name_there for name_there in names_there if name_there.casefold() in keys), None)
        if name is not None and len(found) < MENTIONS_MAX:
            found.setdefault((keys[name.casefold()], name))
    return [{"key": key, "name": name} for key, name in found]


def _at_signs(texts: Iterable[str]) -> Iterator[tuple[str, re.Match[str]]]:
    found = ((text, match) for text in texts for match in _AT.finditer(text))
    return islice(found, _MARKS_MAX)


def _possible_names(body: str, start: int) -> list[str]:
    """Return the possible names that begin at *start*, longest first."""
    line = body[start : start + NAME_LENGTH + _REST_LENGTH].partition("\n")[0]
    ends = [end for end in range(1, min(len(line), NAME_LENGTH) + 1) if _may_end(line, end)]
    return [line[:end] for end in reversed(ends)]


def _may_end(line: str, end: int) -> bool:
    return not line[end - 1].isspace() and may_end(line[:end], line[end:])


def _keys(room: Room, names: set[str]) -> dict[str, str]:
    """Return ``{casefolded name: key}`` for these names in the room. Members take precedence, then later messages."""
    wanted = {name.casefold() for name in names}
    keys: dict[str, str] = {}
    lowered = {name.lower() for name in names}
    members = Membership.objects.using(database()).filter(room=room).annotate(lowered=Lower("name"))
    # SQLite's LOWER() handles ASCII only, so other names are matched as written.
    some = members.filter(Q(name__in=names) | Q(lowered__in=lowered)).order_by("pk")
    for key, name in some.values_list("key", "name"):
        keys.setdefault(name.casefold(), key)
    for key, name, _avatar in _recent_authors(room):
        if name.casefold() in wanted:
            keys.setdefault(name.casefold(), key)
    return keys


def _recent_authors(room: Room) -> Iterable[tuple[str, str, Any]]:
    """Return key, name and avatar of the authors of the latest messages, latest first."""
    said = Message.objects.using(database()).filter(room=room, kind=Message.Kind.USER, deleted_at=None)
    return said.order_by("-seq").values_list("author_key", "author_name", KT("data__avatar"))[:WRITERS_MAX]


def known_people(room: Room, prefix: str, *, limit: int) -> list[tuple[str, str, str]]:
    """Return key, name and avatar of people with a word of their name that begins with *prefix*. Makes two queries."""
    # Scripts without capitals have no space between the parts of a name: “민준” also matches 김민준.
    space = "" if prefix and unicodedata.category(prefix[0]) == "Lo" else " "
    members = Membership.objects.using(database()).filter(room=room).exclude(name="")
    if prefix:
        members = members.filter(has_word(prefix, space=space))
    people = {
        key: (name, "") for key, name in members.order_by("name", "pk").values_list("key", "name")[:limit]
    }
    names = {name.casefold() for name, _ in people.values()}
    for key, name, avatar in _recent_authors(room):
        if key in people:
            people[key] = people[key][0], people[key][1] or avatar or ""
        # Only the first of several people with the same name can be mentioned.
        elif name.casefold() not in names and f"{space}{prefix}".casefold() in f" {name}".casefold():
            people[key] = name, avatar or ""
            names.add(name.casefold())
    return [(key, name, avatar) for key, (name, avatar) in people.items()][:limit]


PEOPLE_MAX = 20


def mention_candidates(
    room: str | Room, prefix: str = "", *, by: Actor | None = None, limit: int = PEOPLE_MAX
) -> list[Person]:
    """Return the mention candidates of a room: members and recent authors with a word of their name beginning with *prefix*.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        prefix: the typed beginning of the name; case is ignored.
        by: the acting user or identity, which must be allowed to enter the room. Without one the site acts.
        limit: maximum number of people.

    Returns:
        Each person once, with ``key``, ``name`` and ``avatar``: members first, sorted by name, then recent authors, latest first.

    Raises:
        ChatError: *by* may not enter the room.
            Codes: ``bad_room_name``, ``bad_value``, ``banned``, ``forbidden``, ``members_only``,
            ``name_taken``, ``no_permission``, ``no_such_room``, ``sign_in``.
    """
    values.line(prefix, "prefix", values.PREFIX_MAX_LENGTH)
    values.sequence_number(limit, "“limit”")
    found = lookup.enter_room(identity.identity_of(by), lookup.name_of(room))
    if found.pk is None:
        return []
    known = known_people(found, " ".join(prefix.split()), limit=limit)
    return [person_with_key(key, name, avatar) for key, name, avatar in known]


amention_candidates = twin(mention_candidates)
