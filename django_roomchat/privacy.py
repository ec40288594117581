"""Export and erasure of everything that the chat stores about one person.

Erasure leaves no gaps: messages keep their sequence numbers, and each erasure takes a revision like any other change. So open
pages and other processes drop the text, and clients that reconnect later receive the same change.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from django.conf import settings
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone, translation
from django.utils.translation import gettext

from django_roomchat import identity
from django_roomchat.database import batches, database, paged, twin
from django_roomchat.files import records
from django_roomchat.identity import Actor, Identity, Target
from django_roomchat.messages.change import rewrite
from django_roomchat.messages.content import rendered_html
from django_roomchat.messages.mentions import mentions_in
from django_roomchat.models import (
    Attachment,
    AuditEntry,
    Ban,
    Block,
    HeldMessage,
    Invitation,
    Membership,
    Message,
    Mute,
    Presence,
    Reaction,
    ReadMarker,
    Report,
    Room,
    Ticket,
)
from django_roomchat.policy import audit_trail
from django_roomchat.rooms import direct, lookup, system_messages
from django_roomchat.text import mention_syntax

BATCH = 100
"""Number of messages erased in one transaction, during which their room is locked."""
ERASED = "erased:"
"""Prefix of the keys that replace those of erased authors."""
REACTION_KEYS_MAX = 20
FACTS = frozenset({"after", "before", "role", "until", "visibility"})
"""Texts in the details of audit entries that nobody typed."""


@dataclass(frozen=True, slots=True)
class Erased:
    """Result of erasing a person."""

    keys: dict[str, str]
    """Random replacement of each erased key, by erased key. This mapping is not stored."""
    messages: int
    """Number of messages erased."""
    rooms: int
    """Number of rooms with erased messages."""


@dataclass(frozen=True, slots=True)
class _Person:
    keys: tuple[str, ...]
    user: Any
    names: frozenset[str]


def _person(user: Target) -> _Person:
    """Return a person with all their keys and names. A guest has one key; a user may have had several."""
    known = Identity(identity.key_of(user), "") if isinstance(user, str) else identity.person_of(user)
    keys, account, names = {known.key}, known.user, {known.name}
    if account is not None and account.pk is not None:
        keys |= set(
            _rows(Message).filter(author=account).order_by().values_list("author_key", flat=True).distinct()
        )
        keys |= set(_rows(Membership).filter(user=account).values_list("key", flat=True))
    for rows, key, name in (
        (_rows(Membership), "key", "name"),
        (_rows(AuditEntry), "target_key", "target_name"),
        (_rows(AuditEntry), "by_key", "by_name"),
        (_rows(Ban), "key", "name"),
        (_rows(Mute), "key", "name"),
        (_rows(Block), "key", "name"),
        (_rows(Report), "author_key", "author_name"),
        (_rows(Report), "by_key", "by_name"),
        (_rows(HeldMessage), "author_key", "author_name"),
    ):
        names |= set(rows.filter(**{f"{key}__in": keys}).values_list(name, flat=True).distinct())
    person = _Person(tuple(sorted(keys)), account, frozenset())
    for room in _rooms_of(person):
        names |= set(_messages_of(person, room).order_by().values_list("author_name", flat=True).distinct())
    return _Person(person.keys, account, frozenset(names - {""}))


def _rows(model: type[models.Model]) -> Any:
    return model._default_manager.using(database())


def _rooms_of(person: _Person) -> Any:
    """Return the rooms in which the person has posted."""
    theirs = _rows(Message).filter(room=OuterRef("pk"), author_key__in=person.keys)
    return _rows(Room).filter(Exists(theirs)).order_by("pk")


def _messages_of(person: _Person, room: Room) -> Any:
    # Filtered by room, because the index begins with it.
    return _rows(Message).filter(room=room, author_key__in=person.keys).order_by("seq")


def _tickets_of(person: _Person) -> Any:
    pk = getattr(person.user, "pk", None)
    return _rows(Ticket).filter(user=pk, user__isnull=False)


# Export ---------------------------------------------------------------------------------------------------------


def export_user(user: Target) -> dict[str, Any]:
    """Export everything that the chat stores about a person, as JSON-serialisable values.

    Args:
        user: a user of the project, an :class:`~django_roomchat.identity.Identity`, or the key of a guest.

    Returns:
        A dictionary. ``person`` identifies the person; every other key holds a list with an object for each record.
        The result is held in memory; use :func:`stream_export` for people with very many messages.

    Raises:
        BadValue: the key is empty, too long, or contains invisible characters.
            Codes: ``bad_value``.
    """
    person = _person(user)
    return {"person": _about(person)} | {name: list(rows) for name, rows in _sections(person)}


aexport_user = twin(export_user)


def stream_export(user: Target) -> Iterator[str]:
    """Export everything that the chat stores about a person, as JSON text in pieces of bounded size.

    Args:
        user: a user of the project, an :class:`~django_roomchat.identity.Identity`, or the key of a guest.

    Returns:
        An iterator of strings that together are the JSON document of :func:`export_user`.

    Raises:
        BadValue: the key is empty, too long, or contains invisible characters.
            Codes: ``bad_value``.
    """
    return _json_pieces(_person(user))


def _json_pieces(person: _Person) -> Iterator[str]:
    yield f'{{"person": {_json(_about(person))}'
    for name, rows in _sections(person):
        yield f',\n"{name}": ['
        for number, row in enumerate(rows):
            yield f"{',' if number else ''}\n{_json(row)}"
        yield "]"
    yield "}\n"


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _about(person: _Person) -> dict[str, Any]:
    user = None if person.user is None else str(person.user.pk)
    return {"user": user, "keys": list(person.keys), "names": sorted(person.names)}


def _sections(person: _Person) -> Iterator[tuple[str, Iterator[dict[str, Any]]]]:
    keys = person.keys
    yield "messages", _all_messages(person)
    for name, rows, fields in (
        ("memberships", _rows(Membership).filter(key__in=keys), "room name role created_at"),
        ("reactions", _rows(Reaction).filter(key__in=keys), "room seq emoji created_at"),
        ("files", records.rows().filter(key__in=keys), "room seq name content_type bytes created_at"),
        ("read_markers", _rows(ReadMarker).filter(key__in=keys), "room seq read_at is_muted"),
        ("bans", _rows(Ban).filter(key__in=keys), "room name reason created_at until"),
        ("mutes", _rows(Mute).filter(key__in=keys), "room name reason created_at until"),
        # Blocks of the person by others are left out: they are not disclosed.
        ("blocks", _rows(Block).filter(by_key__in=keys), "name created_at"),
        ("invitations", _rows(Invitation).filter(by_key__in=keys), "room role created_at expires_at"),
        ("reports_made", _rows(Report).filter(by_key__in=keys), "room seq reason state created_at"),
        # The reporter is left out.
        ("reports_about", _rows(Report).filter(author_key__in=keys), "room seq body reason state created_at"),
        (
            "held_messages",
            _rows(HeldMessage).filter(author_key__in=keys),
            "room client_id body reply_to files reason state created_at",
        ),
        (
            "audit",
            _rows(AuditEntry).filter(Q(by_key__in=keys) | Q(target_key__in=keys)),
            "room verb at data",
        ),
        ("tickets", _tickets_of(person), "expires_at"),
    ):
        # Primary keys of files are random.
        order = ("created_at", "pk") if rows.model is Attachment else ("pk",)
        yield name, _plain(rows, order, fields.split())


def _all_messages(person: _Person) -> Iterator[dict[str, Any]]:
    fields = (
        "room seq kind author_name client_id body reply_to created_at edited_at deleted_at pinned_at data"
    )
    for room in _rooms_of(person):
        yield from _plain(_messages_of(person, room), ("seq",), fields.split())


_ELSEWHERE: dict[tuple[type[models.Model], str], str] = {
    (Reaction, "room"): "message__room__name",
    (Reaction, "seq"): "message__seq",
    (AuditEntry, "room"): "room_name",
}
"""Paths to the columns that a table has under another name."""


def _plain(rows: Any, order: tuple[str, ...], fields: list[str]) -> Iterator[dict[str, Any]]:
    paths = [_ELSEWHERE.get((rows.model, name), "room__name" if name == "room" else name) for name in fields]
    for row in paged(rows.values(*order, *paths), *order):
        yield msgspec.to_builtins({name: row[path] for name, path in zip(fields, paths, strict=True)})


# Erasure --------------------------------------------------------------------------------------------------------


def erase_user(user: Target, *, by: Actor | None = None, keep_sanctions: bool = True) -> Erased:
    """Erase a person: their texts, files, names and keys everywhere in the chat.

    Their messages stay as deleted messages of “Deleted user”. Their reactions, read markers, memberships and presence, and the
    quotes and mentions of them, are removed. Erasure runs in small transactions, so rooms are locked only briefly; if it is
    interrupted, call it again. A person who can still sign in can still write, so end their access first.

    Args:
        user: a user of the project, an :class:`~django_roomchat.identity.Identity`, or an identity key, such as that of a guest.
        by: the user or identity that erases, for the audit trail. Without one it is the site. The policy is not asked.
        keep_sanctions: keep bans, mutes and blocks of the person with only the key, so that erasure does not lift them.

    Returns:
        The replaced keys, and the number of erased messages and of their rooms.

    Raises:
        BadValue: the key is empty, too long, or contains invisible characters.
            Codes: ``bad_value``.
    """
    eraser = identity.identity_of(by)
    person = _person(user)
    keys = {key: f"{ERASED}{secrets.token_hex(8)}" for key in person.keys}
    with translation.override(settings.LANGUAGE_CODE):
        name = gettext(identity.ERASED_NAME)
    # First, because memberships and messages resolve the mentions.
    _erase_held_mentions(person, name)
    _end_rights(person, name, keep_sanctions)
    _erase_traces(person, keys, name)
    messages = rooms = 0
    for room in list(_rooms_of(person)):
        rooms += 1
        messages += _erase_messages(person, room, keys, name)
    _erase_reasons(person)
    _erase_records(person, keys, name, keep_sanctions)
    audit_trail.erase_from_admin_log({*person.names, *person.keys}, name)
    target = Identity(keys[person.keys[0]], name)
    audit_trail.record("erase_user", eraser, target=target, messages=messages, rooms=rooms)
    return Erased(keys, messages, rooms)


aerase_user = twin(erase_user)


def _end_rights(person: _Person, name: str, keep_sanctions: bool) -> None:
    ended: tuple[type[models.Model], ...] = (Membership,) if keep_sanctions else (Membership, Ban, Mute)
    for model in ended:
        for row in _rows(model).filter(key__in=person.keys).select_related("room"):
            lookup.change_access(row.room, row.key, _leave(name, row))
    for model in (ReadMarker, Presence):
        _rows(model).filter(key__in=person.keys).delete()
    _rows(Invitation).filter(by_key__in=person.keys).delete()
    _tickets_of(person).delete()


def _leave(name: str, row: Membership | Ban | Mute) -> Callable[[Room], None]:
    def write(room: Room) -> None:
        row.delete()
        if room.visibility == Room.Visibility.DIRECT:
            # The title consists of the names of the two people, and the direct key is derived from their keys.
            left = _rows(Membership).filter(room=room).order_by("key").values_list("name", flat=True)[:2]
            title = direct.title_of([*[name] * (2 - len(left)), *left])
            _rows(Room).filter(pk=room.pk).update(title=title, direct_key=None)

    return write


def _erase_traces(person: _Person, keys: dict[str, str], name: str) -> None:
    """Erase the person from messages of others: reactions, mentions and system messages."""

    def make(message: Message) -> bool:
        if message.author_key in keys:
            return False  # erased later with the person's own messages
        before = (message.body, message.data)
        message.data = dict(message.data)
        _erase_reactions(message, person)
        _erase_mentions(message, person, name)
        _erase_earlier_mentions(message, person, name)
        if line := message.data.get("line"):
            message.data["line"], message.body = system_messages.without(
                line, message.body, keys, person.names, name
            )
        return (message.body, message.data) != before

    theirs = _rows(Reaction).filter(key__in=person.keys).values_list("message__room_id", "message__seq")
    others = _rows(Message).filter(_is_about(person)).values_list("room_id", "seq")
    places: dict[int, set[int]] = {}
    for room, seq in (*theirs, *others):
        places.setdefault(room, set()).add(seq)
    for room_of_them in _rows(Room).filter(pk__in=places):
        for some in batches(sorted(places[room_of_them.pk]), BATCH):
            rewrite(room_of_them, some, make)
    _rows(Reaction).filter(key__in=person.keys).delete()


def _is_about(person: _Person) -> Q:
    """Return the condition for messages with a mention of the person, also in an earlier text, or a change about them."""
    found = Q()
    for field, key in system_messages.PEOPLE:
        found |= Q(**{f"data__line__{key}__in": person.keys})
        # System messages of older versions have names only.
        found |= Q(**{f"data__line__{field}__in": person.names, f"data__line__{key}__isnull": True})
    return found | _holds(person, "data__mentions") | _holds(person, "data__earlier")


def _holds(person: _Person, field: str) -> Q:
    """Return the condition for JSON that contains one of the keys, with its quotes, so that u:1 does not match u:12."""
    found = Q()
    for key in person.keys:
        # Databases differ in whether they store characters outside of ASCII as escapes.
        for quoted in {json.dumps(key), json.dumps(key, ensure_ascii=False)}:
            found |= Q(**{f"{field}__icontains": quoted})
    return found


def _erase_reactions(message: Message, person: _Person) -> None:
    if _rows(Reaction).filter(message=message, key__in=person.keys).delete()[0]:
        keys: dict[str, list[str]] = {}
        left = _rows(Reaction).filter(message=message).order_by("created_at", "pk")
        for emoji, key in left.values_list("emoji", "key"):
            keys.setdefault(emoji, []).append(key)
        message.data.pop("reactions", None)
        if keys:
            message.data["reactions"] = {
                emoji: {"count": len(some), "keys": some[:REACTION_KEYS_MAX], "place": place}
                for place, (emoji, some) in enumerate(keys.items(), 1)
            }


def _erase_mentions(message: Message, person: _Person, name: str) -> None:
    mentions = message.data.get("mentions") or []
    left = [mention for mention in mentions if mention["key"] not in person.keys]
    if len(left) == len(mentions):
        return
    message.body = _without(person, message.body, _pairs(mentions), name)
    message.data.pop("mentions")
    if left:
        message.data["mentions"] = left
    if message.data.pop("html", None) is not None and (html := rendered_html(message.body)) is not None:
        message.data["html"] = html


def _erase_earlier_mentions(message: Message, person: _Person, name: str) -> None:
    if earlier := message.data.get("earlier"):
        message.data["earlier"] = [
            text
            | {
                "body": _without(person, text["body"], text.get("mentions", ()), name),
                "mentions": [[key, whom] for key, whom in text.get("mentions", ()) if key not in person.keys],
            }
            for text in earlier
        ]


def _pairs(mentions: Iterable[dict[str, str]]) -> list[tuple[str, str]]:
    return [(mention["key"], mention["name"]) for mention in mentions]


def _without(person: _Person, text: str, mentions: Iterable[Any], name: str) -> str:
    """Return a text with the mentions of the person replaced, given as pairs of key and name with those of others."""
    theirs = {whom for key, whom in mentions if key in person.keys}
    return mention_syntax.replace(text, theirs, name, others={whom for _key, whom in mentions})


def _erase_messages(person: _Person, room: Room, keys: dict[str, str], name: str) -> int:
    def make(message: Message) -> bool:
        if message.data.get("files"):
            records.release_of_messages(message.room_id, [message.seq])
        message.body, message.data, message.fingerprint = "", {}, ""
        message.deleted_at = message.deleted_at or timezone.now()
        message.pinned_at = None
        message.author_id = None
        message.author_key, message.author_name = keys[message.author_key], name
        # The client id may contain personal data. The sequence number is unique already.
        message.client_id = str(message.seq)
        return True

    erased = 0
    while some := list(_messages_of(person, room).values_list("seq", flat=True)[:BATCH]):
        erased += rewrite(room, some, make)
    return erased


def _erase_held_mentions(person: _Person, name: str) -> None:
    """Erase the mentions of the person from held messages of others, which are resolved when a message is posted."""
    member = _rows(Membership).filter(key__in=person.keys).values("room")
    rooms = Q(room__in=member) | Q(room__in=_rooms_of(person).order_by().values("pk"))
    held = _rows(HeldMessage).filter(rooms, body__regex="[@＠﹫]").exclude(author_key__in=person.keys)
    for row in paged(held.select_related("room"), "pk", size=BATCH):
        found = _pairs(mentions_in(row.room, row.body))
        known = {whom for _key, whom in found}
        # A name that is nobody else's is the person's, also if the room does not know them any more.
        found += [(person.keys[0], whom) for whom in person.names - known]
        body = _without(person, row.body, found, name)
        if body != row.body:
            _rows(HeldMessage).filter(pk=row.pk).update(body=body)


def _erase_reasons(person: _Person) -> None:
    """Erase the texts that the person wrote to moderate and to report, also where others' decisions quote them."""
    for report in _rows(Report).filter(by_key__in=person.keys).exclude(reason="").select_related("room"):
        same = {"room_name": report.room.name, "data__seq": report.seq, "data__reason": report.reason}
        for entry in _rows(AuditEntry).filter(verb__in=("uphold", "dismiss"), **same):
            _rows(AuditEntry).filter(pk=entry.pk).update(data=entry.data | {"reason": ""})
    for entry in _rows(AuditEntry).filter(by_key__in=person.keys).exclude(data={}):
        reason = entry.data.get("reason")
        for model in (Ban, Mute) if reason else ():
            given = _rows(model).filter(room__name=entry.room_name, key=entry.target_key, reason=reason)
            given.update(reason="")
        facts = {k: value for k, value in entry.data.items() if k in FACTS or not isinstance(value, str)}
        if facts != entry.data:
            _rows(AuditEntry).filter(pk=entry.pk).update(data=facts)


def _erase_records(person: _Person, keys: dict[str, str], name: str, keep_sanctions: bool) -> None:
    """Erase the person from moderation records, and remove their unsent uploads, held messages and blocks."""
    records.release(records.rows().filter(key__in=person.keys))
    nobody = {"name": name, "reason": ""}
    with transaction.atomic(using=database()):
        _rows(Block).filter(by_key__in=person.keys).delete()
        of_them = _rows(Block).filter(key__in=person.keys)
        _ = of_them.update(name=name) if keep_sanctions else of_them.delete()
        for old, new in keys.items():
            _rows(Ban).filter(key=old).update(**nobody)
            _rows(Mute).filter(key=old).update(**nobody)
            _rows(HeldMessage).filter(author_key=old).delete()
            about = _rows(Report).filter(author_key=old)
            about.filter(state=Report.State.OPEN).update(
                state=Report.State.DISMISSED, decided_at=timezone.now()
            )
            about.update(author_key=new, author_name=name, body="", reason="", mentions=[])
            _rows(Report).filter(by_key=old).update(by_key=new, by_name=name, reason="")
            _rows(AuditEntry).filter(target_key=old).update(target_key=new, target_name=name, data={})
            _rows(AuditEntry).filter(by_key=old).update(by_key=new, by_name=name)
        for report in _rows(Report).filter(_holds(person, "mentions")):
            left = [mention for mention in report.mentions if mention["key"] not in person.keys]
            body = _without(person, report.body, _pairs(report.mentions), name)
            _rows(Report).filter(pk=report.pk).update(body=body, mentions=left)
        if person.user is not None:
            for model in (Ban, Mute):
                _rows(model).filter(by=person.user.pk).update(by=None, reason="")
            for decided in (Report, HeldMessage):
                _rows(decided).filter(decided_by=person.user.pk).update(decided_by=None)


def erase_when_deleted(sender: Any, instance: Any, **kwargs: Any) -> None:
    """Receiver for ``post_delete`` of the user model: erase the person when the transaction commits.

    Without this receiver, the messages of a deleted user stay under their name, without the account.
    """
    # The account is gone, so its messages can be found by their key only.
    known = identity.of_user(instance)
    transaction.on_commit(lambda: erase_user(Identity(known.key, known.name)), using=database(), robust=True)
