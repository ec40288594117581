"""Cursors of the search: each is valid for one search of one person."""

from dataclasses import replace

import pytest

from django_roomchat.errors import BadValue
from django_roomchat.identity import Identity
from django_roomchat.messages.search_cursor import CursorSigner

ANA, BO = Identity("g:ana", "Ana", is_guest=True), Identity("g:bo", "Bo", is_guest=True)
SEARCH = CursorSigner(ANA, "lobby", "needle")


def test_a_cursor_names_a_message():
    assert SEARCH.verify(SEARCH.sign("a@b", 42)) == ("a@b", 42)


@pytest.mark.parametrize(
    "other",
    [
        CursorSigner(BO, "lobby", "needle"),
        CursorSigner(replace(ANA, is_site=True), "lobby", "needle"),
        CursorSigner(ANA, "", "needle"),
        CursorSigner(ANA, "lobby", "needles"),
    ],
    ids=["person", "site", "room", "query"],
)
def test_a_cursor_of_another_search_is_invalid(other):
    with pytest.raises(BadValue):
        SEARCH.verify(other.sign("lobby", 42))


def test_names_of_rooms_and_queries_are_not_confused():
    with pytest.raises(BadValue):
        CursorSigner(ANA, "a", 'b", "c').verify(CursorSigner(ANA, 'a", "b', "c").sign("lobby", 42))
