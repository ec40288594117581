"""Content filter: a hook of the site that checks every text before it is stored.

The function is named in ``ROOMCHAT["FILTER"]`` and returns one of the values below.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_noop as _

from django_roomchat.conf import config, hook
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
    try:
        answer: Answer = hook("FILTER")(room, who, body)
        if isinstance(answer, Change):
            return Change(validation.body(answer.body, config().BODY_MAX_LENGTH))
        if answer is PASS or isinstance(answer, (Refuse, Hold)):
            return answer
        raise TypeError(f"ROOMCHAT['FILTER'] returned {answer!r}; expected PASS, Change, Refuse or Hold.")
    except Exception as error:
        _LOGGER.exception("The content filter failed in room %r", room.name)
        raise TryAgain(_("The message could not be checked; try again.")) from error
