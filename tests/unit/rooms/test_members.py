"""Members of rooms: adding, removing, roles and listing."""

import pytest
from django.contrib.auth.models import User

from django_roomchat import (
    add_member,
    ban,
    create_room,
    direct_room,
    leave_room,
    list_members,
    post_message,
    remove_member,
    set_role,
)
from django_roomchat.errors import BadValue, Forbidden
from django_roomchat.identity import Identity, of_user, site
from django_roomchat.models import AuditEntry, Membership, Room
from django_roomchat.rooms import members
from django_roomchat.rooms.lookup import enter_room
from tests.support.members import MEMBER, MODERATOR, OWNER, STRANGER, roles
from tests.support.people import at_once
from tests.support.refusals import code
from tests.support.rooms import said

pytestmark = pytest.mark.django_db(transaction=True)
STAFF = of_user(User(pk=77, username="staff", is_staff=True))


def trail():
    return list(AuditEntry.objects.order_by("pk").values_list("verb", "by_name", "target_name", "data"))


# Adding --------------------------------------------------------------------------------------------------------------


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


def test_a_key_must_belong_to_an_author_in_the_room(room):
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


# Removing and leaving ------------------------------------------------------------------------------------------------


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


def test_removing_a_person_who_is_not_a_member_changes_nothing(make_room):
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


def test_the_members_of_a_direct_room_do_not_change():
    room = direct_room(OWNER, MEMBER)

    refusals = [
        code(add_member, room, STRANGER),
        code(add_member, room, STRANGER, by=OWNER),
        code(remove_member, room, MEMBER),
        code(set_role, room, MEMBER, "owner", by=MEMBER),
    ]

    assert refusals == ["direct_room", "forbidden", "direct_room", "forbidden"]
    assert roles(room) == {"Owner": "member", "Member": "member"}


# Roles ---------------------------------------------------------------------------------------------------------------


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


# Listing -------------------------------------------------------------------------------------------------------------


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
