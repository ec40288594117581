"""Cursors of the message search. A cursor is signed together with the search that returned it, and continues no other search."""

from __future__ import annotations

import json
from dataclasses import dataclass

from django.core.signing import BadSignature, Signer
from django.utils.translation import gettext_noop as _

from django_roomchat.errors import BadValue
from django_roomchat.identity import Identity


@dataclass(frozen=True, slots=True)
class CursorSigner:
    """Signs and verifies the cursors of one search of one person."""

    who: Identity
    room: str
    """Canonical name of the searched room; empty for a search in all rooms."""
    query: str

    def sign(self, room: str, seq: int) -> str:
        """Return the cursor of the page that ends with this message.

        A message that the person may read identifies the position. A primary key would count the messages of all rooms.
        """
        return self._signer().sign(f"{seq}@{room}")

    def verify(self, cursor: str) -> tuple[str, int]:
        """Return the room and the sequence number of the message that a cursor names.

        Raises:
            BadValue: this search has not returned the cursor.
        """
        try:
            seq, _at, room = self._signer().unsign(cursor).partition("@")
        except (BadSignature, UnicodeError) as error:
            raise no_such_cursor() from error
        return room, int(seq)

    def _signer(self) -> Signer:
        search = json.dumps([self.who.key, self.who.is_site, self.room, self.query])
        return Signer(salt=f"django_roomchat.messages.search:{search}")


def no_such_cursor() -> BadValue:
    """Return the error for a cursor that the search has not returned, or whose message the person may no longer read."""
    return BadValue(_("“before” must be the cursor of an earlier page of results, or empty."))
