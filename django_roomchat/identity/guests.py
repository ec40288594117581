"""Names chosen by guests. A name that resembles that of another person, of an account or of the site is rejected."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.core.signals import setting_changed
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from django_roomchat import pubsub
from django_roomchat.conf import config, hook
from django_roomchat.conf.hooks import HookError, described, dotted_path
from django_roomchat.database import database
from django_roomchat.errors import Forbidden
from django_roomchat.identity.identities import ERASED_NAME, GUEST_SESSION_KEY, Identity
from django_roomchat.models import IncomingHook, Membership, Message, Presence, Room
from django_roomchat.text import validation, values
from django_roomchat.text.confusables import skeletons

NAMES_SECONDS = 10.0
"""Time for which the names in a room are cached, in seconds."""
MEMBERS_MAX = 10_000
"""Maximum number of members whose names are compared, newest first."""
MESSAGES_MAX = 500
"""Maximum number of messages whose authors are compared, newest first."""
PRESENT_MAX = 10_000
"""Maximum number of presences whose names are compared."""
ROLE_NAMES = _("admin, administrator, moderator, owner, staff, support, system, bot")
"""Names that imitate the staff of a site. Each translation has the words of its language, in all genders."""
ROOMS_MAX = 1_000
"""Maximum number of rooms whose names a process caches."""

_names: dict[tuple[int, int], tuple[float, dict[str, set[str]]]] = {}


def choose_name(who: Identity, typed: str, session: Any, rooms: Iterable[Room]) -> Identity:
    """Store the name that a guest has chosen in their session and notify their open sockets. May query the database.

    Args:
        who: the guest's identity until now.
        typed: the chosen name, as typed.
        session: the guest's session, freshly loaded. With ``None`` the name lasts as long as the socket.
        rooms: the rooms that the guest is in.

    Returns:
        The guest's identity with the new name.

    Raises:
        BadValue: the name is invalid.
        Forbidden: the name resembles that of another person, or *who* is not a guest.
    """
    if not who.is_guest:
        raise Forbidden(_("Only guests can choose a name; yours comes from your account."))
    named = replace(who, name=validation.person_name(typed, config().GUEST_NAME_MAX_LENGTH), chose_name=True)
    if not skeletons(named.name).isdisjoint(_reserved()):
        raise _name_taken()
    for room in rooms:
        require_own_name(named, room)
    if _is_present(named) or _is_account_name(named.name):
        raise _name_taken()
    if session is not None:
        _store_name(session, named)
    pubsub.publish(pubsub.Notice("guest_named", {"key": named.key, "name": named.name}))
    return named


def require_own_name(who: Identity, room: Room) -> None:
    """Raise :class:`Forbidden` if *who* is a guest whose chosen name resembles that of another person in *room*."""
    if not who.chose_name or room.pk is None:
        return
    known = _names_in(room)
    if any(known.get(skeleton, set()) - {who.key} for skeleton in skeletons(who.name)):
        raise _name_taken()


def _is_present(who: Identity) -> bool:
    """Return whether another person with a name like this is in any room now."""
    present = (
        Presence.objects.using(database()).exclude(key=who.key).order_by().values_list("name", flat=True)
    )
    taken = skeletons(who.name)
    return any(not taken.isdisjoint(skeletons(name)) for name in present.distinct()[:PRESENT_MAX])


def _is_account_name(name: str) -> bool:
    """Return the answer of ``ROOMCHAT["ACCOUNT_NAMES"]``.

    Raises:
        HookError: it is not a bool.
    """
    function = hook("ACCOUNT_NAMES")
    if function is None:
        return False
    answer = function(name)
    if type(answer) is not bool:
        raise HookError(
            f"ROOMCHAT['ACCOUNT_NAMES'] ({dotted_path(function)}) returned {described(answer)}; it has to return a bool."
        )
    return answer


def _name_taken() -> Forbidden:
    return Forbidden(
        _("This name looks too much like another user's name; choose a different one."), code="name_taken"
    )


def _names_in(room: Room) -> dict[str, set[str]]:
    """Return ``{skeleton: keys}`` for the names in a room: of members, and of recent authors except guests."""
    place = room.pk, room.log.access_version
    now = time.monotonic()
    at, known = _names.get(place, (0.0, None))
    if known is None or now - at >= NAMES_SECONDS:
        known = {}
        for key, name in _keys_and_names_of(room):
            for skeleton in skeletons(name):
                known.setdefault(skeleton, set()).add(key)
        if len(_names) >= ROOMS_MAX:
            _names.clear()
        _names[place] = now, known
    return known


def _keys_and_names_of(room: Room) -> set[tuple[str, str]]:
    members = Membership.objects.using(database()).filter(room=room).order_by("-pk")
    said = Message.objects.using(database()).filter(room=room).order_by("-seq")
    lately = said.values_list("author_key", "author_name")[:MESSAGES_MAX]
    hooks = IncomingHook.objects.using(database()).filter(room=room, is_active=True)
    return {
        *((f"hook:{pk}", name) for pk, name in hooks.values_list("pk", "name")),
        *members.values_list("key", "name")[:MEMBERS_MAX],
        # Guests come and go; a guest who wants to reserve a name becomes a member.
        *((key, name) for key, name in lately if not values.is_guest(key)),
    }


@cache
def _reserved() -> frozenset[str]:
    """Return the skeletons of the reserved names, and in every language of the names of roles, of the site and of erased users."""
    names = {*config().RESERVED_NAMES, *re.split("[,،、] *", ROLE_NAMES)}
    # The languages of the package, whichever the site offers: a reader may know them all the same.
    own = Path(__file__).parents[1].joinpath("locale").iterdir()
    for language in {"en", *(translation.to_language(one.name) for one in own), *dict(settings.LANGUAGES)}:
        with translation.override(language):
            names |= {gettext("System"), gettext(ERASED_NAME), *re.split("[,،、] *", gettext(ROLE_NAMES))}
            names |= {str(role.label) for role in Membership.Role}
    return frozenset().union(*map(skeletons, names))


def _store_name(session: Any, named: Identity) -> None:
    if session.get(GUEST_SESSION_KEY, {}).get("key") == named.key:
        session[GUEST_SESSION_KEY] = {"key": named.key, "name": named.name, "chose_name": True}
        if session.session_key:
            with suppress(UpdateError):  # the session was deleted meanwhile
                session.save()


def _clear_reserved(*, setting: str, **kwargs: Any) -> None:
    if setting in ("ROOMCHAT", "LANGUAGES"):
        _reserved.cache_clear()


setting_changed.connect(_clear_reserved, dispatch_uid="django_roomchat.identity.guests")
