"""Guests choose the name that others see, but none that looks like somebody else's."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.core.signals import setting_changed
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from django_roomchat import bus, text
from django_roomchat.conf import config
from django_roomchat.counter import database
from django_roomchat.errors import Forbidden
from django_roomchat.identity import GUEST_SESSION_KEY, Identity
from django_roomchat.lookalikes import skeletons
from django_roomchat.models import Membership, Message, Room

NAMES_SECONDS = 10.0
"""How long the names of a room are remembered."""
MEMBERS_MAX = 10_000
"""Members whose names are compared, the newest first."""
MESSAGES_MAX = 500
"""Messages whose authors are compared, the newest first."""
ROOMS_MAX = 1_000
"""Rooms whose names a process remembers."""

_names: dict[tuple[int, int], tuple[float, dict[str, set[str]]]] = {}


def choose_name(who: Identity, typed: str, session: Any, rooms: Iterable[Room]) -> Identity:
    """Give a guest the name they chose, for their session. Their open sockets hear of it. May use the database.

    Args:
        who: they are now.
        typed: the name.
        session: theirs, as it is now; ``None`` without one: then the name lasts as long as their socket.
        rooms: they are in.

    Returns:
        Who they are from now on.

    Raises:
        BadValue: it is no name.
        Forbidden: it looks like somebody else's, or they are no guest.
    """
    if not who.is_guest:
        raise Forbidden(_("Only guests choose a name here; yours is that of your account."))
    named = replace(who, name=text.person_name(typed, config().GUEST_NAME_MAX_LENGTH), chose_name=True)
    if not skeletons(named.name).isdisjoint(_reserved()):
        raise _taken()
    for room in rooms:
        require_own_name(named, room)
    if session is not None:
        _keep(session, named)
    bus.publish(bus.Notice("guest_named", {"key": named.key, "name": named.name}))
    return named


def require_own_name(who: Identity, room: Room) -> None:
    """Raise :class:`Forbidden` if a guest has chosen a name that looks like that of somebody in *room*."""
    if not who.chose_name or room.pk is None:
        return
    known = _names_in(room)
    if any(known.get(skeleton, set()) - {who.key} for skeleton in skeletons(who.name)):
        raise _taken()


def _taken() -> Forbidden:
    return Forbidden(
        _("Your name looks like that of somebody else here; choose another one."), code="name_taken"
    )


def _names_in(room: Room) -> dict[str, set[str]]:
    """Whose names come down to what: those of members, and of users, programs and the site that have spoken lately."""
    place = room.pk, room.log.access_version
    now = time.monotonic()
    at, known = _names.get(place, (0.0, None))
    if known is None or now - at >= NAMES_SECONDS:
        known = {}
        for key, name in _people_of(room):
            for skeleton in skeletons(name):
                known.setdefault(skeleton, set()).add(key)
        if len(_names) >= ROOMS_MAX:
            _names.clear()
        _names[place] = now, known
    return known


def _people_of(room: Room) -> set[tuple[str, str]]:
    members = Membership.objects.using(database()).filter(room=room).order_by("-pk")
    said = Message.objects.using(database()).filter(room=room).order_by("-seq")
    lately = said.values_list("author_key", "author_name")[:MESSAGES_MAX]
    return {
        *members.values_list("key", "name")[:MEMBERS_MAX],
        # Guests come and go; whoever of them wants to keep a name becomes a member.
        *((key, name) for key, name in lately if not key.startswith("g:")),
    }


@cache
def _reserved() -> frozenset[str]:
    """What the names of the site itself come down to, in all of its languages."""
    names = set(config().RESERVED_NAMES)
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            names.add(gettext("System"))
    return frozenset().union(*map(skeletons, names))


def _keep(session: Any, named: Identity) -> None:
    if session.get(GUEST_SESSION_KEY, {}).get("key") == named.key:
        session[GUEST_SESSION_KEY] = {"key": named.key, "name": named.name, "chose_name": True}
        if session.session_key:
            with suppress(UpdateError):  # it was deleted meanwhile
                session.save()


def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting in ("ROOMCHAT", "LANGUAGES"):
        _reserved.cache_clear()


setting_changed.connect(_forget, dispatch_uid="django_roomchat.guests")
