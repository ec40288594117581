"""Blocks as permission checks see them."""

import pytest

from django_roomchat import add_member, create_room, direct_room
from django_roomchat.errors import Forbidden
from django_roomchat.models import Block
from django_roomchat.policy.blocks import Blocks, in_room, of_pair, require_none
from tests.support.rooms import ANA, BOB, CYD

pytestmark = pytest.mark.django_db


def test_each_of_two_people_sees_the_block_from_their_side():
    Block.objects.create(by_key=ANA.key, key=BOB.key)

    assert of_pair(ANA.key, BOB.key) == Blocks(has_blocked=True)
    assert of_pair(BOB.key, ANA.key) == Blocks(is_blocked=True)
    assert of_pair(ANA.key, CYD.key) == Blocks()


def test_a_direct_room_has_the_blocks_of_its_two_people_only():
    room, other = direct_room(ANA, BOB), direct_room(ANA, CYD)
    Block.objects.create(by_key=ANA.key, key=BOB.key)
    Block.objects.create(by_key=BOB.key, key=ANA.key)

    assert in_room(ANA.key, room) == in_room(BOB.key, room) == Blocks(True, True)
    assert in_room(ANA.key, other) == Blocks()


def test_other_rooms_have_no_blocks():
    room = create_room("Club", by=ANA)
    add_member(room, BOB)
    Block.objects.create(by_key=ANA.key, key=BOB.key)

    assert in_room(BOB.key, room) == Blocks()


@pytest.mark.parametrize(
    ("blocks", "code"),
    [(Blocks(True, False), "blocked"), (Blocks(False, True), "unreachable"), (Blocks(True, True), "blocked")],
)
def test_a_block_is_refused_with_a_code_that_discloses_only_ones_own(blocks, code):
    with pytest.raises(Forbidden) as refused:
        require_none(blocks)

    assert (refused.value.code, "blocked" in refused.value.detail) == (code, code == "blocked")
    assert require_none(Blocks()) is None
