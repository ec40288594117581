"""System messages: a room's log records its own changes, such as members who join and new titles, as messages."""

from __future__ import annotations

import uuid
from collections.abc import Container, Mapping
from typing import Literal

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _
from msgspec import convert, to_builtins

from django_roomchat import identity, log
from django_roomchat.identity import Identity
from django_roomchat.models import Membership, Room
from django_roomchat.protocol import Line

Code = Literal["joined", "left", "removed", "renamed", "role", "archived", "unarchived", "pinned", "created"]

# For each code: the sentence without an actor (people act on themselves, or the site acts), and the sentence with one.
_SENTENCES: dict[Code, tuple[str, str]] = {
    "created": (_("The room was created."), _("%(by)s created the room.")),
    "joined": (_("%(name)s joined."), _("%(by)s added %(name)s.")),
    "left": (_("%(name)s left."), _("%(name)s left.")),
    "removed": (_("%(name)s was removed."), _("%(by)s removed %(name)s.")),
    "role": (_("%(name)s: %(role)s"), _("%(name)s: %(role)s (by %(by)s)")),
    "renamed": (
        _("The room was renamed to “%(value)s”."),
        _("%(by)s renamed the room to “%(value)s”."),
    ),
    "archived": (_("The room was archived."), _("%(by)s archived the room.")),
    "unarchived": (_("The room was unarchived."), _("%(by)s unarchived the room.")),
    "pinned": (_("A message was pinned."), _("%(by)s pinned a message.")),
}


def post_system_message(
    room: Room, code: Code, by: Identity, *, whom: Identity | None = None, value: str = ""
) -> None:
    """Append a system message to a room that has them enabled. Call it in the transaction of the change that it reports.

    Args:
        room: the room as loaded in this transaction.
        code: what changed.
        by: the acting identity; the site is not named.
        whom: the person acted on.
        value: the new title or the new role.
    """
    if not room.tells_changes:
        return
    doer = None if by.is_site or (whom is not None and by.key == whom.key) else by
    line = Line(
        code,
        name=whom.name if whom else "",
        by=doer.name if doer else "",
        value=value,
        target_key=whom.key if whom else "",
        by_key=doer.key if doer else "",
    )
    with translation.override(settings.LANGUAGE_CODE):
        author = identity.site()
    draft = log.Draft(
        author_id=None,
        author_key=author.key,
        author_name=author.name,
        client_id=uuid.uuid4().hex,
        kind="system",
        body=_sentence(line),
        data={"line": to_builtins(line)},
    )
    log.on_commit(log.announce, room.name, log.append({room.pk: [draft]})[room.pk])


PEOPLE = (("name", "target_key"), ("by", "by_key"))
"""Fields of a stored system message with the name of a person, each with the field that has the person's key."""


def without(
    line: dict[str, str], body: str, keys: Mapping[str, str], names: Container[str], name: str
) -> tuple[dict[str, str], str]:
    """Return a stored system message and its sentence without an erased person.

    Args:
        line: the fields of :class:`~django_roomchat.protocol.Line`, as stored.
        body: the sentence.
        keys: the new key of each erased key.
        names: names of the person, for messages that have no keys.
        name: the new name.
    """
    changes: dict[str, str] = {}
    for field, key in PEOPLE:
        if line.get(key) in keys:
            changes |= {field: name, key: keys[line[key]]}
        elif key not in line and line.get(field) in names:
            changes[field] = name
    if not changes:
        return line, body
    if "by" in changes and line["code"] == "renamed":
        changes["value"] = "…"  # a title that the person wrote
    changed = convert({**line, **changes}, Line)
    return to_builtins(changed), _sentence(changed)


def _sentence(line: Line) -> str:
    """Return the sentence as it is stored: in the language of the site, not of the acting user."""
    with translation.override(settings.LANGUAGE_CODE):
        return said(line)


def said(line: Line) -> str:
    """Return the sentence of a system message in the active language."""
    alone, by_another = _SENTENCES[line.code]
    role = _role(line.value) if line.code == "role" else ""
    return gettext(by_another if line.by else alone) % {
        "name": line.name,
        "by": line.by,
        "value": line.value,
        "role": role,
    }


def words() -> dict[str, str]:
    """Return the sentence templates for the script: ``line_<code>``, ``line_<code>_by`` and ``role_<role>``."""
    gaps = {"name": "{name}", "by": "{by}", "value": "{value}", "role": "{value}"}
    found = {f"role_{role}": str(role.label) for role in Membership.Role}
    for code, (alone, by_another) in _SENTENCES.items():
        found[f"line_{code}"] = gettext(alone) % gaps
        found[f"line_{code}_by"] = gettext(by_another) % gaps
    return found


def _role(value: str) -> str:
    return str(Membership.Role(value).label)
