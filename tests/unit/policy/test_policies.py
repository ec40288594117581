import pytest
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.models import Permission, User

from django_roomchat.errors import Forbidden
from django_roomchat.identity import of_user
from django_roomchat.messages.post import post_message
from django_roomchat.models import Membership, Room, RoomLog
from django_roomchat.policy import (
    ALLOWED,
    Decision,
    DjangoPermissionsPolicy,
    MembersPolicy,
    OpenPolicy,
    Policy,
    SignedInPolicy,
    policy,
)
from django_roomchat.rooms import lookup
from django_roomchat.rooms.create import create_room
from tests.support.policies import GUEST, NEW_ROOM, ROOM, Nobody

MEMBER = of_user(User(pk=1, username="ana"))


RoomLog(room=ROOM)


def questions(chosen, who):
    return [ask(who, ROOM) for ask in (chosen.can_enter, chosen.can_post, chosen.can_create, chosen.can_list)]


def test_a_decision_is_true_where_it_allows():
    assert (bool(ALLOWED), bool(Decision(True)), bool(Decision(False))) == (True, True, False)


@pytest.mark.parametrize("who", [MEMBER, GUEST])
def test_the_open_policy_lets_everybody_do_everything(who):
    assert questions(OpenPolicy(), who) == [ALLOWED] * 4


def test_the_signed_in_policy_lets_users_do_everything():
    assert questions(SignedInPolicy(), MEMBER) == [ALLOWED] * 4


def test_the_signed_in_policy_asks_guests_to_sign_in():
    no = Decision(False, "Sign in to use the chat.", code="sign_in")
    decisions = questions(SignedInPolicy(), GUEST)

    assert [Decision(one.allowed, str(one.detail), one.code) for one in decisions] == [no] * 4


def test_a_policy_that_answers_nothing_says_what_to_define():
    with pytest.raises(NotImplementedError) as enter:
        Policy().can_enter(GUEST, ROOM)
    with pytest.raises(NotImplementedError) as post:
        Policy().can_post(GUEST, ROOM)

    assert [str(enter.value), str(post.value)] == [
        "Policy does not define can_enter(), which decides who may enter a room.",
        "Policy does not define can_post(), which decides who may post.",
    ]


def test_who_may_not_enter_a_room_does_not_see_it_listed():
    assert Nobody("can_enter").can_list(GUEST, ROOM) == Decision(False, "No: can_enter.", code="can_enter")


def test_a_changed_policy_is_in_force_at_once(settings):
    before = type(policy())

    settings.ROOMCHAT = {"POLICY": "django_roomchat.policy.SignedInPolicy"}

    assert (before, type(policy())) == (OpenPolicy, SignedInPolicy)


def test_a_policy_is_made_once(settings):
    before = policy()

    settings.DEBUG = True

    assert policy() is before


@pytest.fixture
def with_members():
    """A room, and an identity of each role in it."""
    room = lookup.ensure_room(Room(name="club", title="Club"))
    people = {}
    for role in ("owner", "moderator", "member", "stranger", "staff"):
        user = User.objects.create_user(role, is_staff=role == "staff")
        people[role] = of_user(user)
        if role in ("owner", "moderator", "member"):
            Membership.objects.create(room=room, key=f"u:{user.pk}", name=role, user=user, role=role)
    RoomLog.objects.filter(pk=room.pk).update(access_version=1)
    room = lookup.room_of("club")
    return room, {**people, "guest": GUEST}


def codes(ask, room, people):
    """The code of each error by role. Every error has a message too."""
    answers = {role: ask(who, room) for role, who in people.items()}
    assert all(str(answer.detail) for answer in answers.values() if not answer)
    return {role: answer.code for role, answer in answers.items() if not answer}


@pytest.mark.django_db(transaction=True)
def test_the_members_policy_is_for_members_and_those_who_look_after_them(with_members):
    room, people = with_members
    chosen = MembersPolicy()
    no = {"stranger": "members_only", "guest": "sign_in"}

    assert codes(chosen.can_enter, room, people) == no
    assert codes(chosen.can_post, room, people) == no


@pytest.mark.django_db(transaction=True)
def test_under_the_members_policy_signed_in_users_create_rooms(with_members):
    _room, people = with_members
    chosen = MembersPolicy()

    for ask in (chosen.can_create, chosen.can_enter):
        assert codes(ask, NEW_ROOM, people) == {"guest": "sign_in"}


@pytest.mark.django_db(transaction=True)
def test_under_the_members_policy_a_room_is_made_on_purpose_and_its_maker_is_in(with_members, settings):
    _room, people = with_members
    settings.ROOMCHAT = {"POLICY": MembersPolicy}
    who = people["stranger"]

    with pytest.raises(Forbidden, match="create this room first") as refused:
        post_message("new", "hi", author=who)
    made = create_room("New", by=who)

    assert refused.value.code == "members_only"
    assert post_message(made, "hi", author=who).seq


def permit(who, codename):
    who.user.user_permissions.add(
        Permission.objects.get(codename=codename, content_type__app_label="roomchat")
    )


@pytest.mark.django_db(transaction=True)
def test_without_permissions_djangos_policy_allows_nothing_but_what_a_role_does(with_members):
    room, people = with_members
    chosen = DjangoPermissionsPolicy()
    no = dict.fromkeys(people, "no_permission") | {"guest": "sign_in"}

    for ask in (chosen.can_enter, chosen.can_post, chosen.can_create):
        assert codes(ask, room, people) == no
    assert codes(chosen.can_moderate, room, people).keys() == no.keys() - {"owner", "moderator"}
    assert codes(chosen.can_manage, room, people).keys() == no.keys() - {"owner"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("permission", "question"),
    [
        ("enter_room", "can_enter"),
        ("post_in_room", "can_post"),
        ("moderate_room", "can_moderate"),
        ("add_room", "can_create"),
        ("change_room", "can_manage"),
    ],
)
def test_a_permission_answers_one_question(with_members, permission, question):
    room, people = with_members
    chosen = DjangoPermissionsPolicy()
    permit(people["stranger"], permission)

    answers = [
        name
        for name in ("can_enter", "can_post", "can_moderate", "can_create", "can_manage")
        if getattr(chosen, name)(people["stranger"], room)
    ]

    assert answers == [question]


class OneRoom(BaseBackend):
    """Knows permissions of single rooms only, as django-guardian's does."""

    def has_perm(self, user_obj, perm, obj=None):
        return perm == "roomchat.enter_room" and getattr(obj, "name", None) == "club"


@pytest.mark.django_db(transaction=True)
def test_a_backend_may_know_permissions_of_single_rooms(with_members, settings):
    room, people = with_members
    settings.AUTHENTICATION_BACKENDS = ["tests.unit.policy.test_policies.OneRoom"]
    chosen = DjangoPermissionsPolicy()

    answers = [chosen.can_enter(people["stranger"], one) for one in (room, NEW_ROOM)]

    assert [bool(one) for one in answers] == [True, False]


@pytest.mark.django_db(transaction=True)
def test_a_permission_that_is_taken_away_is_gone_although_the_socket_has_the_old_user(
    with_members, monkeypatch
):
    room, people = with_members
    who, chosen = people["stranger"], DjangoPermissionsPolicy()
    permit(who, "enter_room")
    before = [bool(chosen.can_enter(who, room)) for _ in range(2)]
    who.user.user_permissions.clear()
    monkeypatch.setattr(DjangoPermissionsPolicy, "FRESH_SECONDS", 0.0)

    after = bool(chosen.can_enter(who, room))
    User.objects.filter(pk=who.user.pk).delete()

    assert (before, after, bool(chosen.can_enter(who, room))) == ([True, True], False, False)


@pytest.mark.django_db(transaction=True)
def test_what_is_remembered_of_a_user_is_forgotten_when_they_are_asked_again(with_members):
    room, people = with_members
    who, chosen = people["stranger"], DjangoPermissionsPolicy()
    permit(who, "enter_room")
    before = bool(chosen.can_enter(who, room))
    who.user.user_permissions.clear()

    chosen.forget(who)
    chosen.forget(GUEST)

    assert (before, bool(chosen.can_enter(who, room))) == (True, False)


@pytest.mark.django_db(transaction=True)
def test_only_so_many_users_are_remembered(with_members, monkeypatch):
    room, people = with_members
    chosen = DjangoPermissionsPolicy()
    monkeypatch.setattr(DjangoPermissionsPolicy, "KNOWN_MAX", 1)

    for role in ("owner", "member"):
        chosen.can_enter(people[role], room)

    assert list(chosen._known) == [people["member"].user.pk]


def test_in_a_direct_room_nobody_moderates_whatever_they_may_elsewhere():
    chosen = DjangoPermissionsPolicy()
    room = Room(name="~x", title="~x", visibility="direct")

    assert not chosen.can_moderate(MEMBER, room) and not chosen.can_manage(MEMBER, room)
