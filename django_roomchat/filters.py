"""The content filter: the site's word on what people write, asked before it is stored.

It is named in ``ROOMCHAT["FILTER"]``, and answers with one of the values below.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_noop as _

from django_roomchat import text
from django_roomchat.conf import config, hook
from django_roomchat.errors import TryAgain
from django_roomchat.identity import Identity
from django_roomchat.models import Room

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Change:
    """Store another text instead."""

    body: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """Store nothing."""

    sentence: Any
    """Told to the author; a text, or a lazy translation of one."""
    code: str = "filtered"
    """For programs."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Let a moderator look at it first. Edits cannot be held: they are refused."""

    reason: str = ""
    """For the moderator; up to 300 characters."""


PASS = None
"""Store it as it is."""

Answer = Change | Refuse | Hold | None


def is_asked(who: Identity) -> bool:
    """There is a filter, and it is asked about what *who* says. The site itself is not."""
    return config().FILTER is not None and not who.is_site


def ask(room: Room, who: Identity, body: str) -> Answer:
    """What the filter says to a text.

    Args:
        room: in which it shall stand; without a ``pk`` if it does not exist yet.
        who: has written it.
        body: the text, clean.

    Raises:
        TryAgain: the filter failed, or has answered with something else; nothing passes that was not looked at.
    """
    try:
        answer: Answer = hook("FILTER")(room, who, body)
        if isinstance(answer, Change):
            return Change(text.body(answer.body, config().BODY_MAX_LENGTH))
        if answer is PASS or isinstance(answer, (Refuse, Hold)):
            return answer
        raise TypeError(f"ROOMCHAT['FILTER'] answered {answer!r}; it is PASS, Change, Refuse or Hold.")
    except Exception as error:
        _LOGGER.exception("The content filter failed in room %r", room.name)
        raise TryAgain(_("The message could not be checked; try again.")) from error
