"""A trigram index for the search on PostgreSQL, which a project adds in a migration of its own.

The index is on a folded form of the texts, because PostgreSQL gets no trigrams from a regular expression that lists the forms of a
letter. The folded form is coarser than the search: it only narrows the messages down that the search compares with its patterns.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

from django.db import connections, models
from django.db.migrations.operations.base import Operation
from django.db.models import Func, Q, Value
from django.db.models.lookups import Contains

from django_roomchat.messages import search_patterns
from django_roomchat.models import Message

INDEX = "roomchat_message_folded"
FUNCTION = "roomchat_fold"

_TABLE = Message._meta.db_table
_SINGLE = {
    **search_patterns.VARIANTS,
    # Letters that lower() and NFKD do not change: final sigma, iota subscript, and forms of Cyrillic letters.
    "ς": "σ",
    "\u0345": "ι",
    **dict(zip("ᲀᲁᲂᲃᲄᲅᲆᲇᲈ", "вдосттъѣꙋ", strict=True)),
}
_SEVERAL = {"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th"}


class AddSearchIndex(Operation):
    """Migration operation that creates the index and its function on PostgreSQL, with the extension ``pg_trgm``. It does nothing
    on other databases. The migration must not be atomic, because the index is created concurrently.
    """

    reduces_to_sql = True
    reversible = True

    def state_forwards(self, app_label: str, state: Any) -> None:
        pass

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if self._is_for(app_label, schema_editor):
            for statement in (
                "CREATE EXTENSION IF NOT EXISTS pg_trgm",
                _function(),
                # An index whose creation was interrupted is invalid.
                f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}",
                f"CREATE INDEX CONCURRENTLY {INDEX} ON {_TABLE} USING gin ({FUNCTION}(body) gin_trgm_ops)",
            ):
                schema_editor.execute(statement, params=None)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if self._is_for(app_label, schema_editor):
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}", params=None)
            schema_editor.execute(f"DROP FUNCTION IF EXISTS {FUNCTION}(text)", params=None)

    def describe(self) -> str:
        return "Add the trigram index of the chat's search"

    def _is_for(self, app_label: str, schema_editor: Any) -> bool:
        connection = schema_editor.connection
        return connection.vendor == "postgresql" and self.allow_migrate_model(connection.alias, Message)


def _function() -> str:
    """Return the SQL that creates the function. It is made of immutable functions, as an index requires."""
    marks = "".join(one if one == "-" else f"\\u{ord(one):04x}" for one in search_patterns.MARKS)
    # Acute accents are apostrophes here, but decompose to blanks.
    folded = "normalize(translate($1, '\u00b4\u1ffd', ''''''), NFKD)"
    folded = f"regexp_replace(lower({folded}), '[{marks}]', '', 'g')"
    folded = f"translate({folded}, {_quoted(''.join(_SINGLE))}, {_quoted(''.join(_SINGLE.values()))})"
    for letter, letters in _SEVERAL.items():
        folded = f"replace({folded}, '{letter}', '{letters}')"
    return (
        f"CREATE OR REPLACE FUNCTION {FUNCTION}(text) RETURNS text "
        f"LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fold$ SELECT {folded} $fold$"
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


class Folded(Func):
    """The folded form of a text, as in the index."""

    function = FUNCTION
    output_field = models.TextField()


def exists(alias: str) -> bool:
    """Return whether a database has the index. Makes one query on PostgreSQL."""
    if connections[alias].vendor != "postgresql":
        return False
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid "
            "WHERE relname = %s AND indisvalid AND pg_table_is_visible(indexrelid))",
            [INDEX],
        )
        return bool(cursor.fetchone()[0])


def may_contain(words: Collection[str]) -> Q:
    """Return a condition that the index serves, and that every message with these words meets.

    Args:
        words: folded words.
    """
    found = Q()
    for word in words:
        found &= Q(Contains(Folded("body"), Folded(Value(word))))
    return found


def can_serve(alias: str, words: Sequence[str]) -> bool:
    """Return whether the database folds every form of the words alike. With ``LC_CTYPE`` ``C`` it knows the case of ASCII only."""
    return not any(piece in word for word in words for piece in _unlike(alias))


@cache
def _unlike(alias: str) -> frozenset[str]:
    """Return the folded texts of which the database folds a form differently. Makes one query."""
    pairs = [(written, folded) for folded, forms in search_patterns.spellings().items() for written in forms]
    with connections[alias].cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT folded FROM unnest(%s::text[], %s::text[]) AS pair(written, folded) "  # noqa: S608  (constants)
            f"WHERE {FUNCTION}(written) <> {FUNCTION}(folded)",
            [[written for written, _ in pairs], [folded for _, folded in pairs]],
        )
        return frozenset(folded for (folded,) in cursor.fetchall())
