"""Who belongs to a room and as what: from Python, over HTTP and through a socket; and what it does to open sockets."""

import json
from typing import get_args, get_type_hints

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.urls import reverse

from django_roomchat import (
    aadd_member,
    acreate_room,
    add_member,
    aleave_room,
    alist_members,
    aremove_member,
    aset_role,
    ban,
    configure_room,
    create_room,
    direct_room,
    leave_room,
    list_members,
    post_message,
    protocol,
    remove_member,
    set_role,
)
from django_roomchat.consumers import ChatConsumer
from django_roomchat.errors import BadValue, ChatError, Forbidden, NotFound
from django_roomchat.identity import Identity, of_user, site
from django_roomchat.models import AuditEntry, Membership, Message, Room
from django_roomchat.protocol import Line
from django_roomchat.realtime import handlers, threads
from django_roomchat.rooms import members
from django_roomchat.rooms.lookup import enter_room
from django_roomchat.rooms.system_messages import _SENTENCES
from django_roomchat.testing import ChatClient
from tests.support.people import at_once

pytestmark = pytest.mark.django_db(transaction=True)
OWNER, MODERATOR, MEMBER, STRANGER = (
    Identity(f"u:{name.lower()}", name) for name in ("Owner", "Moderator", "Member", "Stranger")
)
GUEST = Identity("g:1", "Guest 1", is_guest=True)
STAFF = of_user(User(pk=77, username="staff", is_staff=True))
ROLES = {MEMBER: "member", MODERATOR: "moderator", OWNER: "owner"}


@pytest.fixture
def make_room():
    def make(visibility="open", **settings):
        room = create_room("Club", visibility=visibility, **settings)
        for who, role in ROLES.items():
            add_member(room, who, role=role)
        Message.objects.all().delete()
        AuditEntry.objects.all().delete()
        return room

    return make


@pytest.fixture
def room(make_room):
    return make_room()


def roles(room):
    return dict(Membership.objects.filter(room=room).values_list("name", "role"))


def said(room):
    return list(Message.objects.filter(room=room).order_by("seq").values_list("body", flat=True))


def trail():
    return list(AuditEntry.objects.order_by("pk").values_list("verb", "by_name", "target_name", "data"))


def code(act, *about, **options):
    try:
        act(*about, **options)
    except ChatError as error:
        return error.code
    return None


# Adding -----------------------------------------------------------------------------------------------------------


def test_a_moderator_adds_members(make_room):
    room = make_room("private")

    added = add_member(room, STRANGER, by=MODERATOR), add_member(room.name, STRANGER, by=MODERATOR)

    assert added == (True, False)
    assert roles(room)["Stranger"] == "member"
    assert trail() == [("add_member", "Moderator", "Stranger", {"role": "member"})]
    assert post_message(room, "hi", author=STRANGER).room == room.name


def test_a_user_of_the_project_is_remembered_as_one(room):
    user = User.objects.create_user("dan")

    add_member(room, user)

    assert Membership.objects.get(key=of_user(user).key).user == user


def test_who_is_a_member_keeps_their_role(room):
    assert not add_member(room, OWNER, role="member")
    assert roles(room)["Owner"] == "owner"


def test_only_who_may_manage_gives_roles(room):
    assert code(add_member, room, STRANGER, by=MODERATOR, role="moderator") == "forbidden"
    assert add_member(room, STRANGER, by=OWNER, role="moderator")


def test_members_add_nobody(room):
    assert code(add_member, room, STRANGER, by=MEMBER) == "forbidden"


def test_everybody_joins_an_open_room_by_themselves_and_a_private_one_not(make_room):
    assert add_member(make_room(), STRANGER, by=STRANGER)
    assert code(add_member, make_room("private"), STRANGER, by=STRANGER) == "no_such_room"


def test_nobody_joins_as_more_than_a_member(room):
    assert code(add_member, room, STRANGER, by=STRANGER, role="owner") == "forbidden"


def test_who_is_banned_is_not_added_but_by_the_project(room):
    ban(room, STRANGER, reason="Spam.")

    refusals = [code(add_member, room, STRANGER, by=who) for who in (STRANGER, OWNER)]

    assert refusals == ["banned", "banned"]
    assert add_member(room, STRANGER)


def test_a_key_is_that_of_somebody_who_has_spoken_there(room):
    post_message(room, "hi", author=STRANGER)

    assert add_member(room, "u:stranger", by=MODERATOR)
    assert roles(room)["Stranger"] == "member"
    assert code(add_member, room, "u:nobody", by=MODERATOR) == "no_such_person"


@pytest.mark.parametrize(
    ("who", "role"), [(STRANGER, "king"), (STRANGER, ""), (None, "member"), (site(), "member")]
)
def test_what_cannot_be_a_member_is_refused(room, who, role):
    with pytest.raises(BadValue):
        add_member(room, who, role=role)


def test_nobody_joins_a_room_that_does_not_exist():
    assert code(add_member, "nowhere", STRANGER, by=STRANGER) == "no_such_room"


def test_the_project_adds_to_a_room_that_nobody_has_spoken_in():
    assert add_member("lobby", STRANGER)
    assert roles(Room.objects.get(name="lobby")) == {"Stranger": "member"}


# Removing and leaving ---------------------------------------------------------------------------------------------


def test_who_is_removed_from_a_private_room_finds_it_no_more(make_room):
    room = make_room("private")

    removed = remove_member(room, MEMBER.key, by=MODERATOR)

    assert removed
    assert code(enter_room, MEMBER, room.name) == code(post_message, room, "hi", author=MEMBER)
    assert code(enter_room, MEMBER, room.name) == "no_such_room"
    assert trail() == [("remove_member", "Moderator", "Member", {})]


@pytest.mark.parametrize(
    ("by", "whom", "refusal"),
    [
        (MEMBER, STRANGER, "forbidden"),
        (MODERATOR, MODERATOR, "yourself"),
        (MODERATOR, OWNER, "rank"),
        (OWNER, MODERATOR, None),
        (STAFF, OWNER, None),
        (None, OWNER, None),
    ],
)
def test_one_removes_people_of_lower_rank(room, by, whom, refusal):
    assert code(remove_member, room, whom, by=by) == refusal
    assert (whom.name in roles(room)) == (refusal is not None and whom is not STRANGER)


def test_removing_who_is_no_member_changes_and_tells_nothing(make_room):
    room = make_room(tells_changes=True)

    assert not remove_member(room, STRANGER, by=OWNER)
    assert (trail(), said(room)) == ([], [])


def test_members_leave(make_room):
    room = make_room("private")

    assert leave_room(room, by=MEMBER)
    assert roles(room) == {"Moderator": "moderator", "Owner": "owner"}
    assert code(leave_room, room, by=MEMBER) == "no_such_room"


def test_leaving_an_open_room_twice_changes_nothing(room):
    assert (leave_room(room, by=MEMBER), leave_room(room, by=MEMBER)) == (True, False)


def test_the_last_owner_does_not_leave_the_others(room):
    with pytest.raises(Forbidden) as refused:
        leave_room(room, by=OWNER)
    set_role(room, MEMBER, "owner", by=OWNER)

    assert (refused.value.code, leave_room(room, by=OWNER)) == ("last_owner", True)


def test_who_is_alone_leaves():
    room = create_room("Board", by=OWNER, visibility="private")

    assert leave_room(room, by=OWNER)


def test_nobody_comes_into_a_direct_room_or_leaves_it():
    room = direct_room(OWNER, MEMBER)

    refusals = [
        code(add_member, room, STRANGER),
        code(add_member, room, STRANGER, by=OWNER),
        code(remove_member, room, MEMBER),
        code(leave_room, room, by=MEMBER),
        code(set_role, room, MEMBER, "owner", by=MEMBER),
    ]

    assert refusals == ["direct_room", "forbidden", "direct_room", "direct_room", "forbidden"]
    assert roles(room) == {"Owner": "member", "Member": "member"}


# Roles ------------------------------------------------------------------------------------------------------------


def test_a_new_role_holds_at_once(room):
    changed = set_role(room, MEMBER, "moderator", by=OWNER), set_role(room, MEMBER, "moderator", by=OWNER)

    assert changed == (True, False)
    assert code(ban, room, STRANGER, by=MEMBER) is None
    assert trail()[0] == ("set_role", "Owner", "Member", {"before": "member", "after": "moderator"})


@pytest.mark.parametrize(
    ("by", "whom", "role", "refusal"),
    [
        (MODERATOR, MEMBER, "moderator", "forbidden"),
        (OWNER, STRANGER, "member", "no_such_member"),
        (OWNER, OWNER, "member", "last_owner"),
        (None, OWNER, "member", None),
        (STAFF, MODERATOR, "member", None),
    ],
)
def test_owners_give_roles_and_remain(room, by, whom, role, refusal):
    assert code(set_role, room, whom, role, by=by) == refusal


def test_an_owner_demotes_themselves_but_no_other_owner(room):
    set_role(room, MODERATOR, "owner", by=OWNER)

    assert code(set_role, room, MODERATOR, "member", by=OWNER) == "rank"
    assert set_role(room, OWNER, "member", by=OWNER)
    assert roles(room) == {"Moderator": "owner", "Owner": "member", "Member": "member"}


def test_there_are_three_roles(room):
    with pytest.raises(BadValue):
        set_role(room, MEMBER, "king")


def test_of_two_owners_who_leave_at_the_same_time_one_stays(on_postgres):
    room = create_room("Club")
    for who in (OWNER, MODERATOR):
        add_member(room, who, role="owner")
    add_member(room, MEMBER)

    results = at_once(*[lambda who=who: code(leave_room, room, by=who) for who in (OWNER, MODERATOR)])

    assert sorted(map(str, results)) == ["None", "last_owner"]
    assert sorted(roles(room).values()) == ["member", "owner"]


# Listing ----------------------------------------------------------------------------------------------------------


def test_members_are_listed_in_pages(room, monkeypatch):
    monkeypatch.setattr(members, "PAGE_MEMBERS", 2)

    first = list_members(room, by=STRANGER)
    second = list_members("CLUB", after=first[-1].key)

    assert [(one.key, one.name, one.role) for one in first + second] == [
        ("u:member", "Member", "member"),
        ("u:moderator", "Moderator", "moderator"),
        ("u:owner", "Owner", "owner"),
    ]


def test_the_members_of_a_private_room_are_for_members(make_room):
    room = make_room("private")

    assert code(list_members, room, by=STRANGER) == "no_such_room"
    assert len(list_members(room, by=MEMBER)) == 3


def test_a_room_that_does_not_exist_has_no_members():
    assert list_members("nowhere", by=STRANGER) == []


# Lines ------------------------------------------------------------------------------------------------------------


def test_a_room_tells_who_comes_and_goes(make_room):
    room = make_room(tells_changes=True)

    add_member(room, STRANGER, by=STRANGER)
    add_member(room, GUEST, by=OWNER)
    set_role(room, STRANGER, "moderator", by=OWNER)
    set_role(room, STRANGER, "owner")
    remove_member(room, GUEST, by=OWNER)
    remove_member(room, MODERATOR)
    leave_room(room, by=MEMBER)

    assert said(room) == [
        "Stranger joined.",
        "Owner added Guest 1.",
        "Stranger: moderator (by Owner)",
        "Stranger: owner",
        "Owner removed Guest 1.",
        "Moderator was removed.",
        "Member left.",
    ]
    data = [message.data["line"] for message in Message.objects.order_by("seq")]
    assert data[1:3] == [
        {"code": "joined", "name": "Guest 1", "by": "Owner"},
        {"code": "role", "name": "Stranger", "by": "Owner", "value": "moderator"},
    ]


def test_a_room_tells_nothing_if_it_does_not_want_to(room):
    add_member(room, STRANGER)

    assert said(room) == []


def test_what_is_undone_is_not_told(make_room):
    room = make_room(tells_changes=True)

    with transaction.atomic():
        add_member(room, STRANGER)
        transaction.set_rollback(True)

    assert (said(room), roles(room)) == ([], {who.name: role for who, role in ROLES.items()})


def test_there_is_a_sentence_for_every_line():
    assert set(_SENTENCES) == set(get_args(get_type_hints(Line)["code"]))


# On the wire ------------------------------------------------------------------------------------------------------


@pytest.fixture
def users():
    return {name: User.objects.create_user(name, password="x") for name in ("ana", "bob")}


def send(user, frame, room=""):
    client = Client()
    client.force_login(user)
    address = reverse("roomchat:room_frames", args=[room]) if room else reverse("roomchat:frames")
    response = client.post(address, json.dumps(frame), content_type="application/json")
    return response.json()


def test_a_room_is_made_and_managed_over_http(users):
    ana, bob = users["ana"], users["bob"]
    key = of_user(bob).key

    made = send(ana, {"type": "create", "id": "1", "title": "Club", "slow_seconds": 2, "listed": False})
    post_message("club", "hi", author=bob)
    answers = [
        send(ana, {"type": "configure", "id": "2", "title": "The club", "slow_seconds": 0}, "Club"),
        send(ana, {"type": "add", "id": "3", "key": key}, "club"),
        send(ana, {"type": "role", "id": "4", "key": key, "role": "moderator"}, "club"),
        send(ana, {"type": "remove", "id": "5", "key": key}, "club"),
        send(bob, {"type": "add", "id": "6", "key": key}, "club"),
        send(bob, {"type": "quit", "id": "7"}, "club"),
    ]
    direct = send(ana, {"type": "direct", "id": "8", "key": key}, "club")
    listed = send(ana, {"type": "members", "id": "9"}, "club")

    stored = Room.objects.get(name="club")
    assert made == {
        "type": "room", "id": "1", "room": "club", "title": "Club", "visibility": "open", "url": "/chat/club/"
    }  # fmt: skip
    assert (stored.title, stored.slow_seconds, stored.is_listed) == ("The club", 0, False)
    assert answers == [{"type": "done", "id": str(number), "room": "club"} for number in range(2, 8)]
    assert (direct["visibility"], direct["room"][0], roles(Room.objects.get(name=direct["room"]))) == (
        "direct",
        "~",
        {"ana": "member", "bob": "member"},
    )
    [owner] = listed.pop("members")
    assert listed == {"type": "members", "id": "9", "room": "club"}
    assert (owner["key"], owner["name"], owner["role"]) == (of_user(ana).key, "ana", "owner")


def test_a_project_without_our_pages_has_no_addresses(users, settings):
    settings.ROOT_URLCONF = "django.contrib.auth.urls"

    made = handlers.perform(handlers.Caller(of_user(users["ana"])), None, protocol.Create("Club"))

    assert (made.room, made.url) == ("club", "")


def client(room, user):
    return ChatClient(ChatConsumer.as_asgi(), room, user=user)


async def test_who_is_removed_hears_nothing_more(users):
    ana, bob = users["ana"], users["bob"]
    room = await acreate_room("Board", by=ana, visibility="private")
    await aadd_member(room, bob, by=ana)
    async with client(room.name, ana) as owner, client(room.name, bob) as member:
        await owner.receive("joined")
        await member.receive("joined")
        await owner.send({"type": "remove", "id": "1", "key": of_user(bob).key})
        assert await owner.receive("done") == {"type": "done", "id": "1", "room": room.name}

        refusal = await member.receive("error")
        bye = await member.receive("bye")
        posted = await owner.post("he is gone", id="2")

        assert (refusal["code"], refusal["room"], bye["code"]) == ("no_such_room", room.name, 4003)
        with pytest.raises(ConnectionResetError):
            await member.receive()
        assert posted["type"] == "ack"


async def test_a_new_role_brings_new_rights(users):
    ana, bob = users["ana"], users["bob"]
    room = await acreate_room("Board", by=ana, visibility="private")
    await aadd_member(room, bob, by=ana)
    async with client(room.name, bob) as member:
        before = await member.receive("rights")
        await member.receive("joined")

        await aset_role(room, bob, "moderator", by=ana)
        after = await member.receive("rights")

    assert (before["role"], "moderate" in before["can"]) == ("member", False)
    assert (after["role"], "moderate" in after["can"]) == ("moderator", True)


async def test_an_archived_room_says_so_to_everybody_in_it(users):
    room = await acreate_room("Board", by=users["ana"])
    async with client(room.name, users["bob"]) as visitor:
        before = await visitor.receive("rights")
        await visitor.receive("joined")

        await threads.in_thread(configure_room, room, is_archived=True)
        after = await visitor.receive("rights")

    assert ("archived" in before, after["archived"]) == (False, True)
    assert ("post" in before["can"], "post" in after["can"]) == (True, False)


async def test_members_hear_the_lines(users):
    room = await acreate_room("Club", by=users["ana"], tells_changes=True)
    async with client(room.name, users["ana"]) as socket:
        await socket.receive("joined")

        await aadd_member(room, users["bob"], by=users["ana"])
        [event] = (await socket.receive("events"))["events"]

    assert (event["kind"], event["body"], event["line"]) == (
        "system",
        "ana added bob.",
        {"code": "joined", "name": "bob", "by": "ana"},
    )


async def test_everything_has_a_twin():
    room = await acreate_room("Club")
    done = [
        await aadd_member(room, MEMBER),
        await aset_role(room, MEMBER, "owner"),
        len(await alist_members(room)),
        await aremove_member(room, MEMBER),
        await aleave_room(room, by=MEMBER),
    ]

    assert done == [True, True, 1, True, False]


def test_a_private_room_that_is_gone_is_not_found():
    with pytest.raises(NotFound):
        add_member("~gone", STRANGER)


def test_members_are_found_by_the_beginning_of_a_word_of_their_name(room):
    for name in ("Min Su", "Susanne", "김 민수"):
        add_member(room, Identity(f"u:{name}", name))

    found = {
        prefix: [one.name for one in list_members(room, prefix=prefix)]
        for prefix in ("su", "민", " ", "nobody")
    }

    assert found == {
        "su": ["Min Su", "Susanne"],
        "민": ["김 민수"],
        " ": [one.name for one in list_members(room)],
        "nobody": [],
    }
