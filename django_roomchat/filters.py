"""Content filter: a hook of the site that checks every text before it is stored.

The function is named in ``ROOMCHAT["FILTER"]`` and returns one of the values below.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_noop as _

from django_roomchat.conf import config, hook
from django_roomchat.conf.hooks import HookError, described, dotted_path
from django_roomchat.errors import TryAgain
from django_roomchat.identity import Identity
from django_roomchat.models import Room
from django_roomchat.text import validation

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Change:
    """Store this text instead."""

    body: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """Reject the message; nothing is stored."""

    sentence: Any
    """Reason shown to the author, as a string or a lazy translation of one."""
    code: str = "filtered"
    """Error code for programs."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Hold the message until a moderator decides. Edits cannot be held; they are rejected."""

    reason: str = ""
    """Reason shown to the moderator; up to 300 characters."""


PASS = None
"""Store the text unchanged."""

Answer = Change | Refuse | Hold | None


def is_asked(who: Identity) -> bool:
    """Return whether texts of *who* are filtered: a filter is configured and *who* is not the site."""
    return config().FILTER is not None and not who.is_site


def ask(room: Room, who: Identity, body: str) -> Answer:
    """Return the filter's answer for a text.

    Args:
        room: the room of the message; it has no ``pk`` if it does not exist yet.
        who: the author.
        body: the validated text.

    Raises:
        TryAgain: the filter raised an exception or returned another value. Nothing is stored unchecked.
    """
    function = hook("FILTER")
    try:
        return _understood(function(room, who, body))
    except Exception as error:
        _LOGGER.exception(
            "The content filter ROOMCHAT['FILTER'] (%s) failed in room %r", dotted_path(function), room.name
        )
        raise TryAgain(_("The message could not be checked; try again.")) from error


def _understood(answer: object) -> Answer:
    """Return a valid answer of the filter.

    Raises:
        HookError: it is not one.
    """
    if answer is PASS:
        return PASS
    if isinstance(answer, Change) and isinstance(answer.body, str):
        return Change(validation.body(answer.body, config().BODY_MAX_LENGTH))
    if (
        isinstance(answer, Refuse)
        and isinstance(answer.sentence, (str, Promise))
        and isinstance(answer.code, str)
    ):
        return answer
    if isinstance(answer, Hold) and isinstance(answer.reason, (str, Promise)):
        return answer
    raise HookError(
        f"The filter returned {described(answer)}; it has to return PASS, Change, Refuse or Hold."
    )
