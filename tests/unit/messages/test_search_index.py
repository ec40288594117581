"""The trigram index of the search: PostgreSQL uses it for every script, and the hits are the same as without it."""

import re

import pytest
from django.db import connection
from django.db.migrations.state import ProjectState
from django.test.utils import CaptureQueriesContext

from django_roomchat.identity import Identity
from django_roomchat.messages import search, search_index
from django_roomchat.messages.post import post_message
from django_roomchat.messages.search import search_messages
from django_roomchat.messages.search_cursor import CursorSigner
from django_roomchat.messages.search_index import AddSearchIndex

ANA = Identity("g:ana", "Ana", is_guest=True)
WORDS = {
    "Latin": "invoice",
    "Latin with diacritics": "tiếng",
    "digits": "20261130",
    "Korean": "한국어",
    "Korean, two letters": "한국",
    "hiragana": "ひらがな",
    "katakana": "ガラス",
    "Chinese": "聊天室",
    "Cyrillic": "привет",
    "Greek": "οδός",
    "Arabic": "محمد",
    "Hebrew": "שלום",
    "Thai": "ภาษาไทย",
    "a phrase": '"next week"',
}


def said(*bodies):
    for body in bodies:
        post_message("lobby", body, name="Bo")


def found(query, **options):
    return [hit.seq for hit in search_messages(query, by=ANA, **options).hits]


def fill(body, count):
    """Insert copies of a message of the only room, quickly."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO roomchat_message (room_id, seq, rev, changes, author_key, author_name, client_id, kind, body, fingerprint, created_at, data)"
            f" SELECT room_id, n, n, 0, 'x', 'x', n, 'user', {body}, 'x', now(), '{{}}'"
            " FROM (SELECT room_id FROM roomchat_message LIMIT 1) AS one, generate_series(1000, %s) n",
            [999 + count],
        )


@pytest.fixture
def trigrams(on_postgres):
    """The index, as the operation of a migration makes it."""
    state = ProjectState()
    search_index._unlike.cache_clear()
    with connection.schema_editor(atomic=False) as editor:
        AddSearchIndex().database_forwards("roomchat", editor, state, state)
    yield
    with connection.schema_editor(atomic=False) as editor:
        AddSearchIndex().database_backwards("roomchat", editor, state, state)


def is_used(query):
    """Return whether the plan of the search uses the index."""
    with CaptureQueriesContext(connection) as captured:
        search_messages(query, by=ANA)
    [sql] = [
        query["sql"] for query in captured if "roomchat_fold" in query["sql"] and "deleted_at" in query["sql"]
    ]
    with connection.cursor() as cursor:
        # The table of a test is so small that reading it whole is cheap, in its order or in that of its keys.
        cursor.execute("SET enable_seqscan = off")
        cursor.execute("SET enable_indexscan = off")
        cursor.execute(f"EXPLAIN {sql}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
        cursor.execute("RESET enable_seqscan")
        cursor.execute("RESET enable_indexscan")
    return re.search(rf"Bitmap Index Scan on {search_index.INDEX}", plan) is not None


@pytest.mark.postgres
def test_postgresql_uses_the_index_for_every_script(trigrams):
    said(*(word.strip('"') for word in WORDS.values()))
    fill("md5(n::text)", 3000)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE roomchat_message")

    assert {script: is_used(word) for script, word in WORDS.items()} == dict.fromkeys(WORDS, True)


@pytest.mark.postgres
def test_the_index_folds_every_form_of_a_letter_as_the_search_does(trigrams):
    assert search_index._unlike("default") == frozenset()


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("body", "query"),
    [
        ("STRASSE", "straße"),
        ("straße", "STRASSE"),
        ("un café", "cafe"),
        ("مُحَمَّد", "محمد"),
        ("ｶﾞﾗｽ", "ガラス"),
        ("ﬁnal", "final"),
        ("don’t", "don't"),
        ("ΟΔΟΣ", "οδός"),
        ("50% off_sale", "0% off_s"),
        ("a \\ b", "\\"),
    ],
)
def test_forms_of_a_word_are_found_with_the_index(trigrams, monkeypatch, body, query):
    monkeypatch.setattr(search, "STEP", None)  # the way without the index would not get far
    said("hay", body)

    assert found(query) == [2]


@pytest.mark.postgres
def test_an_index_of_trigrams_finds_the_same(trigrams, monkeypatch):
    monkeypatch.setattr(search, "HITS", 2)
    monkeypatch.setattr(search, "STEP", None)
    said("needle 1", "Привет", "needle 2", "NEEDLE 3", "hay", "й")

    first = search_messages("needle", by=ANA)

    assert ([hit.seq for hit in first.hits], first.before) == (
        [4, 3],
        CursorSigner(ANA, "", "needle").sign("lobby", 3),
    )
    assert found("needle", before=first.before) == [1]
    assert found("ПРИВЕТ") == [2]
    # The index folds more than the search, which compares the hits with its pattern.
    assert (found("и"), found("й")) == ([2], [6])


@pytest.mark.postgres
def test_an_index_that_does_not_help_in_time_is_done_without(trigrams, settings):
    settings.ROOMCHAT = {"SEARCH_SECONDS": 0.001}
    said("needle")
    fill("repeat('hay ', 500)", 5000)

    page = search_messages("n", by=ANA)

    while page.before and not page.hits:
        page = search_messages("n", by=ANA, before=page.before)
    assert [hit.seq for hit in page.hits] == [1]


@pytest.mark.postgres
def test_a_word_whose_case_the_database_does_not_know_is_searched_without_the_index(trigrams, monkeypatch):
    # So is every letter beyond ASCII with LC_CTYPE C.
    monkeypatch.setattr(search_index, "_unlike", lambda alias: frozenset("п"))
    said("ПРИВЕТ", "needle")

    with CaptureQueriesContext(connection) as captured:
        seqs = found("привет"), found("needle")

    asked = sum("roomchat_fold" in query["sql"] and "deleted_at" in query["sql"] for query in captured)
    assert (seqs, asked) == (([1], [2]), 1)


@pytest.mark.django_db
def test_the_operation_does_nothing_on_other_databases(monkeypatch):
    monkeypatch.setattr(connection, "vendor", "sqlite")
    operation, state = AddSearchIndex(), ProjectState()
    statements = []

    class Editor:
        pass

    Editor.connection, Editor.execute = connection, statements.append
    operation.state_forwards("roomchat", state)
    operation.database_forwards("roomchat", Editor, state, state)
    operation.database_backwards("roomchat", Editor, state, state)

    assert (statements, operation.describe()) == ([], "Add the trigram index of the chat's search")
    assert search_index.exists("default") is False
