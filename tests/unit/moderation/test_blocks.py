"""Block and unblock people, and the effect on their direct rooms."""

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from django_roomchat import (
    ablock,
    apost_message,
    aunblock,
    block,
    create_room,
    delete_message,
    direct_room,
    edit_message,
    list_blocked,
    mute,
    pin_message,
    post_message,
    react,
    read_history,
    unblock,
    write_to,
)
from django_roomchat.consumers import ChatConsumer
from django_roomchat.errors import BadValue
from django_roomchat.identity import of_user, site
from django_roomchat.models import AuditEntry, Block, Room
from django_roomchat.moderation import blocks
from django_roomchat.moderation.available_actions import look_at
from django_roomchat.moderation.blocks import block_in
from django_roomchat.policy import roles
from django_roomchat.policy.blocks import Blocks
from django_roomchat.realtime.threads import in_thread
from django_roomchat.testing import ChatClient
from tests.support.refusals import code
from tests.support.rooms import ANA, BOB, CYD

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def room():
    room = direct_room(ANA, BOB)
    post_message(room, "hello", author=ANA)
    post_message(room, "hi", author=BOB)
    return room


def codes(room, who):
    """What *who* may do in the room with their own message and the other person's."""
    own, other = (1, 2) if who is ANA else (2, 1)
    return {
        "post": code(post_message, room, "hey", author=who),
        "react": code(react, room, other, "👍", by=who),
        "pin": code(pin_message, room, other, by=who),
        "edit": code(edit_message, room, own, "new", by=who),
        "read": code(read_history, room, by=who),
        "delete": code(delete_message, room, own, by=who),
    }


def test_after_a_block_both_people_can_only_read_and_delete(room):
    assert block(BOB, by=ANA)

    refused = {"post", "react", "pin", "edit"}
    assert codes(room, ANA) == dict.fromkeys(codes(room, ANA)) | dict.fromkeys(refused, "blocked")
    assert codes(room, BOB) == dict.fromkeys(codes(room, BOB)) | dict.fromkeys(refused, "unreachable")


def test_an_unblocked_person_can_write_again(room):
    block(BOB, by=ANA)
    assert code(post_message, room, "hey", author=BOB) == "unreachable"

    assert (unblock(BOB, by=ANA), unblock(BOB, by=ANA)) == (True, False)

    assert set(codes(room, BOB).values()) == {None}


def test_a_block_of_the_other_person_stays(room):
    block(BOB, by=ANA)
    block(ANA, by=BOB)

    unblock(BOB, by=ANA)

    assert code(post_message, room, "hey", author=ANA) == "unreachable"
    assert code(post_message, room, "hey", author=BOB) == "blocked"


def test_a_block_changes_nothing_in_other_rooms(room):
    create_room("Club")
    other = direct_room(BOB, CYD)

    block(BOB, by=ANA)

    assert post_message("club", "hi @Ana", author=BOB).seq
    assert post_message(other, "hi", author=BOB).seq


def test_a_blocked_pair_gets_no_direct_room():
    for who in (ANA, BOB):
        post_message("lobby", "hi", author=who)
    block(BOB.key, by=ANA)

    assert code(write_to, "lobby", ANA.key, by=BOB) == "unreachable"
    assert code(write_to, "lobby", BOB.key, by=ANA) == "blocked"
    assert code(direct_room, BOB, ANA) in ("blocked", "unreachable")
    assert not Room.objects.filter(visibility="direct").exists()


def test_a_direct_room_from_before_the_block_is_found(room):
    post_message("lobby", "hi", author=ANA)
    block(BOB, by=ANA)

    assert write_to("lobby", ANA.key, by=BOB) == direct_room(ANA, BOB) == room


def test_a_block_and_its_end_are_not_in_the_audit_trail(room):
    block(BOB, by=ANA)
    unblock(BOB, by=ANA)

    assert not AuditEntry.objects.exists()


def test_nobody_blocks_themselves_or_the_site():
    assert [code(block, whom, by=ANA) for whom in (ANA, site(), site().key)] == ["bad_value"] * 3
    assert code(block, BOB, by=site()) == "bad_value"
    assert not Block.objects.exists()


def test_an_invalid_key_is_refused():
    assert [code(act, key, by=ANA) for act in (block, unblock) for key in ("", "x" * 101, "u:\n")] == [
        "bad_value"
    ] * 6


def test_the_number_of_blocks_is_bounded(monkeypatch):
    monkeypatch.setattr(blocks, "BLOCKS_MAX", 1)
    block(BOB, by=ANA)

    assert (code(block, CYD, by=ANA), block(BOB, by=ANA), block(CYD, by=BOB)) == ("too_many", False, True)


def test_only_ones_own_blocks_are_listed_in_pages(monkeypatch):
    monkeypatch.setattr(blocks, "PAGE_BLOCKS", 1)
    block(CYD, by=ANA)
    block(BOB, by=ANA)
    block(ANA, by=BOB)

    first = list_blocked(by=ANA)
    second = list_blocked(by=ANA, after=first[0].key)

    assert [(one.key, one.name) for one in (*first, *second)] == [(CYD.key, "Cyd"), (BOB.key, "Bob")]
    assert list_blocked(by=ANA, after=BOB.key) == []
    assert [one.key for one in list_blocked(by=BOB)] == [ANA.key]
    assert Block.objects.get(by_key=ANA.key, key=CYD.key).created_at == first[0].since


def test_the_name_of_a_key_comes_from_the_direct_room_or_from_the_common_room(room):
    post_message("lobby", "hi", author=CYD)
    block(BOB.key, by=ANA)
    block_in("lobby", CYD.key, by=ANA)
    block("u:unknown", by=ANA)

    assert {one.key: one.name for one in list_blocked(by=ANA)} == {
        BOB.key: "Bob", CYD.key: "Cyd", "u:unknown": ""
    }  # fmt: skip


def test_a_person_who_was_not_met_in_the_room_is_not_blocked_there():
    private = create_room("Board", by=BOB, visibility="private")

    assert code(block_in, "lobby", BOB.key, by=ANA) == "no_such_person"
    assert code(block_in, private, BOB.key, by=ANA) == "no_such_room"


def test_a_deleted_account_has_no_blocks_left():
    user = User.objects.create_user("dan")
    block(BOB, by=user)
    assert list_blocked(by=user)

    user.delete()

    assert not Block.objects.exists()


def test_the_site_posts_in_spite_of_a_block(room):
    block(BOB, by=ANA)

    assert post_message(room, "Be kind.").seq == 3


def test_a_block_that_is_rolled_back_has_no_effect(room):
    with transaction.atomic():
        block(BOB, by=ANA)
        transaction.set_rollback(True)

    assert code(post_message, room, "hey", author=BOB) is None


def test_a_direct_room_that_is_created_during_the_block_obeys_it(monkeypatch):
    find = blocks.direct.find
    created = []

    def find_and_create(*keys):
        found = find(*keys)
        monkeypatch.setattr(blocks.direct, "find", find)
        room = direct_room_of_a_concurrent_transaction()
        created.append(room)
        return found

    def direct_room_of_a_concurrent_transaction():
        # It does not see the block yet, and its process caches the role state without it.
        monkeypatch.setattr("django_roomchat.policy.blocks._found", lambda *_: Blocks())
        room = direct_room(ANA, BOB)
        monkeypatch.undo()
        roles._known[roles._cache_key(BOB.key, room)] = roles.RoleState("member")
        return room

    monkeypatch.setattr(blocks.direct, "find", find_and_create)

    block(BOB, by=ANA)

    assert code(post_message, created[0].name, "hey", author=BOB) == "unreachable"


def test_the_menu_of_a_person_offers_what_the_server_accepts(room):
    post_message("lobby", "hi", author=BOB)
    before = look_at("lobby", BOB.key, by=CYD)
    block(BOB, by=CYD)

    after, of_blocked = look_at("lobby", BOB.key, by=CYD), look_at("lobby", BOB.key, by=ANA)

    assert (before.may, before.is_blocked) == (["write", "block"], False)
    assert (after.may, after.is_blocked) == (["block"], True)
    assert (of_blocked.may, of_blocked.is_blocked) == (["write", "block"], False)
    assert look_at("club", BOB.key, by=CYD).may == ["block"]
    assert look_at("lobby", BOB.key, by=BOB).may == []


def test_the_menu_does_not_offer_to_write_to_a_person_who_has_blocked_the_other():
    post_message("lobby", "hi", author=ANA)
    assert look_at("lobby", ANA.key, by=CYD_USER).may == ["write", "block"]

    block(CYD_USER, by=ANA)

    assert look_at("lobby", ANA.key, by=CYD_USER).may == ["block"]


CYD_USER = of_user(User(pk=77, username="cyd"))


async def test_open_sockets_receive_the_new_rights_of_both_people():
    ana, bob = [await User.objects.acreate(username=name) for name in ("ana", "bob")]
    room = await Room.objects.aget(pk=(await in_thread(direct_room, ana, bob)).pk)
    application = ChatConsumer.as_asgi()
    async with (
        ChatClient(application, room.name, user=ana) as hers,
        ChatClient(application, room.name, user=bob) as his,
    ):
        first = [await socket.receive("rights") for socket in (hers, his)]
        assert [("post" in frame["can"], frame.get("blocked"), frame["other"]) for frame in first] == [
            (True, None, of_user(bob).key),
            (True, None, of_user(ana).key),
        ]
        await apost_message(room, "hi", author=bob)

        await ablock(bob, by=ana)

        frames = [await socket.receive("rights") for socket in (hers, his)]
        assert [("post" in frame["can"], frame.get("blocked"), frame["why"]) for frame in frames] == [
            (False, True, "You have blocked this user; unblock them to send messages."),
            (False, None, "You cannot send messages to this user."),
        ]
        await aunblock(bob, by=ana)
        assert ["post" in (await socket.receive("rights"))["can"] for socket in (hers, his)] == [True, True]


def test_a_mute_is_named_before_a_block(room):
    block(BOB, by=ANA)
    mute(room, BOB)

    assert code(post_message, room, "hey", author=BOB) == "muted"


def test_the_error_of_a_full_list_names_the_limit(monkeypatch):
    monkeypatch.setattr(blocks, "BLOCKS_MAX", 0)

    with pytest.raises(BadValue, match="at most 0 users"):
        block(BOB, by=ANA)
