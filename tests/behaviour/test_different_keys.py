"""Keys that differ in case, in diacritics or in an emoji are different keys on every database."""

import pytest
from django.core.checks import Tags, run_checks
from django.db import connection

from django_roomchat import mute, post_message, react, read_history, unread
from django_roomchat.identity import Identity
from django_roomchat.models import Room

pytestmark = pytest.mark.django_db(transaction=True)


def test_ids_of_posts_differ():
    posted = [post_message("lobby", id, name="Ana", id=id) for id in ("ABC", "abc", "ABC")]

    assert [(done.seq, done.duplicate) for done in posted] == [(1, False), (2, False), (1, True)]


def test_names_of_rooms_differ():
    names = ["café", "cafe", "🎉", "🎊"]
    for name in names:
        post_message(name, f"in {name}", name="Ana")

    assert {room.name for room in Room.objects.all()} == {*names}
    assert [[event.body for event in read_history(name).messages] for name in names] == [
        [f"in {name}"] for name in names
    ]


def test_emoji_of_reactions_differ():
    ana = Identity("g:ana", "Ana", is_guest=True)
    post_message("lobby", "hi", name="Ben")
    for emoji in ("👍", "🎉", "🎊"):
        react("lobby", 1, emoji, by=ana)

    [event] = read_history("lobby").messages
    assert list(event.reactions) == ["👍", "🎉", "🎊"]


def test_people_differ():
    small, large = (Identity(key, "Ana", is_guest=True) for key in ("g:ana", "g:ANA"))
    post_message("lobby", "hi", author=small)
    mute("lobby", large)

    assert post_message("lobby", "again", author=small).seq == 2
    assert ([one.unread for one in unread(small)], [one.unread for one in unread(large)]) == ([0], [0])


def test_a_column_with_another_collation_is_found():
    before = _found()
    if connection.vendor == "mysql":
        statement = "ALTER TABLE roomchat_reaction MODIFY emoji varchar(64) {} NOT NULL"
        with connection.cursor() as cursor:
            cursor.execute(statement.format("COLLATE utf8mb4_general_ci"))
        found = _found()
        with connection.cursor() as cursor:
            cursor.execute(statement.format("COLLATE utf8mb4_bin"))
        assert len(found) == 1
        assert statement.format("COLLATE utf8mb4_bin") in found[0]

    assert (before, _found()) == ([], [])


def _found():
    return [
        one.hint
        for one in run_checks(tags=[Tags.database], databases=["default"])
        if one.id == "roomchat.W020"
    ]
