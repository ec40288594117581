"""Invitations: rights, expiry, revocation and their end with the rights of their creator."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from django_roomchat import (
    aaccept_invitation,
    accept_invitation,
    add_member,
    ainvite,
    alist_invitations,
    arevoke_invitation,
    arevoke_invitations,
    ban,
    create_room,
    direct_room,
    erase_user,
    invite,
    leave_room,
    list_invitations,
    remove_member,
    revoke_invitation,
    revoke_invitations,
    set_role,
    unban,
)
from django_roomchat.errors import BadValue
from django_roomchat.identity import Identity
from django_roomchat.models import AuditEntry, Invitation, Membership, Message, RoomLog
from django_roomchat.policy import ALLOWED, NOT_ALLOWED, OpenPolicy, roles
from django_roomchat.rooms import invitations
from tests.support.members import MEMBER, MODERATOR, OWNER, STRANGER
from tests.support.people import at_once
from tests.support.refusals import code

pytestmark = pytest.mark.django_db(transaction=True)
GUEST = Identity("g:guest", "Guest", is_guest=True)


@pytest.fixture
def room():
    room = create_room("Board", visibility="private")
    for who, role in ((OWNER, "owner"), (MODERATOR, "moderator"), (MEMBER, "member")):
        add_member(room, who, role=role)
    return room


def role(room, who):
    return Membership.objects.filter(room=room, key=who.key).values_list("role", flat=True).first()


ENDED = "no_such_invitation"


def test_a_person_with_the_link_becomes_a_member(room):
    invited = invite(room, by=MODERATOR)

    entered = accept_invitation(invited.token, by=STRANGER)

    assert (entered, role(room, STRANGER)) == (room, "member")


def test_an_invitation_lasts_a_week_and_its_token_is_not_kept(room):
    invited = invite(room, by=MODERATOR)

    stored = Invitation.objects.get()
    assert (invited.id, invited.room, invited.role, invited.uses_left) == (
        stored.pk,
        room.name,
        "member",
        None,
    )
    assert timedelta(days=6.9) < stored.expires_at - timezone.now() <= timedelta(days=7)
    assert invited.token not in str(Invitation.objects.values_list().get())
    assert len(invited.token) >= 32


def test_what_is_said_of_it_is_in_the_audit_trail(room):
    AuditEntry.objects.all().delete()

    invited = invite(room, by=MODERATOR, uses=3)
    revoke_invitation(room, invited.id, by=OWNER)

    assert list(AuditEntry.objects.order_by("pk").values_list("verb", "by_name", "data")) == [
        ("invite", "Moderator", {"invitation": invited.id, "role": "member", "uses": 3}),
        ("revoke_invitation", "Owner", {"invitation": invited.id}),
    ]


def test_an_owner_invites_moderators(room):
    invited = invite(room, by=OWNER, role="moderator")

    accept_invitation(invited.token, by=STRANGER)

    assert role(room, STRANGER) == "moderator"
    assert code(invite, room, by=MODERATOR, role="moderator") == "forbidden"


@pytest.mark.parametrize(("who", "refusal"), [(MEMBER, "forbidden"), (STRANGER, "no_such_room")])
def test_others_invite_nobody(room, who, refusal):
    assert code(invite, room, by=who) == refusal
    assert code(list_invitations, room, by=who) == refusal
    assert code(revoke_invitation, room, 1, by=who) == refusal


@pytest.mark.parametrize(
    "options",
    [{"role": "king"}, {"uses": 0}, {"uses": 100_001}, {"uses": True}, {"expires_in": timedelta(0)}],
)
def test_what_no_invitation_can_be_is_refused(room, options):
    with pytest.raises(BadValue):
        invite(room, by=OWNER, **options)


def test_nobody_is_invited_into_a_direct_room_or_one_that_does_not_exist():
    direct = direct_room(OWNER, MEMBER)

    assert [code(invite, direct, by=OWNER), code(invite, direct), code(invite, "nowhere")] == [
        "forbidden",
        "direct_room",
        "no_such_room",
    ]
    assert list_invitations("nowhere") == []
    assert code(revoke_invitation, "nowhere", 1) == "no_such_room"


# Endings ----------------------------------------------------------------------------------------------------------


def test_it_ends_with_its_time(room):
    invited = invite(room, by=OWNER, expires_in=timedelta(hours=1))
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert code(accept_invitation, invited.token, by=STRANGER) == ENDED


def test_one_without_an_end_does_not(room):
    invited = invite(room, by=OWNER, expires_in=None)

    assert (invited.expires_at, code(accept_invitation, invited.token, by=STRANGER)) == (None, None)


def test_it_ends_after_so_many_uses_and_members_use_up_none(room):
    invited = invite(room, by=OWNER, uses=1)

    results = [code(accept_invitation, invited.token, by=who) for who in (MEMBER, OWNER, STRANGER, GUEST)]

    assert results == [None, None, None, ENDED]
    assert code(accept_invitation, invited.token, by=STRANGER) == ENDED


def test_it_ends_when_it_is_revoked(room):
    invited = invite(room, by=OWNER)
    accept_invitation(invited.token, by=STRANGER)

    revoked = [revoke_invitation(room, invited.id, by=MODERATOR) for _ in range(2)]

    assert (revoked, code(accept_invitation, invited.token, by=GUEST)) == ([True, False], ENDED)
    assert role(room, STRANGER) == "member"


def test_nobody_revokes_the_invitations_of_another_room(room):
    invited = invite(room, by=OWNER)
    another = create_room("Another", by=STRANGER)

    assert not revoke_invitation(another, invited.id, by=STRANGER)
    assert code(accept_invitation, invited.token, by=STRANGER) is None


@pytest.mark.parametrize(
    "end",
    [
        lambda room: leave_room(room, by=MODERATOR),
        lambda room: remove_member(room, MODERATOR, by=OWNER),
        lambda room: set_role(room, MODERATOR, "member", by=OWNER),
        lambda room: ban(room, MODERATOR, by=OWNER),
    ],
    ids=["leaves", "is removed", "is demoted", "is banned"],
)
def test_it_ends_when_who_made_it(room, end):
    invited = invite(room, by=MODERATOR)
    end(room)

    assert code(accept_invitation, invited.token, by=STRANGER) == ENDED
    assert role(room, STRANGER) is None


def test_that_of_staff_holds_as_long_as_they_are_staff():
    lobby = create_room("Lobby")
    staff = User.objects.create_user("staff", is_staff=True)
    invited = [invite(lobby, by=staff, role="moderator") for _ in range(2)]
    first = code(accept_invitation, invited[0].token, by=STRANGER)

    User.objects.update(is_active=False)

    assert (first, code(accept_invitation, invited[1].token, by=GUEST)) == (None, ENDED)


def test_it_lifts_no_ban(room):
    invited = invite(room)
    ban(room, STRANGER, reason="Spam.")

    assert (code(accept_invitation, invited.token, by=STRANGER), role(room, STRANGER)) == ("banned", None)


def test_whom_the_policy_does_not_let_in_does_not_become_a_member(room, settings):
    settings.ROOMCHAT = {"POLICY": "django_roomchat.SignedInPolicy"}
    invited = invite(room, uses=1)

    refusal = code(accept_invitation, invited.token, by=GUEST)

    assert (refusal, role(room, GUEST), Invitation.objects.get().uses_left) == ("sign_in", None, 1)


def test_a_token_that_is_none_is_told_the_same(room):
    assert [code(accept_invitation, token, by=STRANGER) for token in ("", "x", "\ud800", "한" * 1000)] == [
        ENDED
    ] * 4


def test_an_accepted_invitation_makes_a_system_message(room):
    club = create_room("Club", tells_changes=True)
    accept_invitation(invite(club).token, by=STRANGER)

    assert list(Message.objects.order_by("seq").values_list("body", flat=True)) == [
        "The room was created.",
        "Stranger joined.",
    ]


def test_accepting_again_disturbs_nobody(room):
    invited = invite(room)
    accept_invitation(invited.token, by=STRANGER)
    before = RoomLog.objects.get(pk=room.pk).access_version

    accept_invitation(invited.token, by=STRANGER)

    assert RoomLog.objects.get(pk=room.pk).access_version == before


def test_those_that_have_not_ended_are_listed_the_newest_first(room):
    invited = [invite(room, by=OWNER, uses=number) for number in (1, 2, 3)]
    revoke_invitation(room, invited[1].id)

    assert [one.pk for one in list_invitations(room, by=MODERATOR)] == [invited[2].id, invited[0].id]


def test_invitations_are_listed_in_pages(room, monkeypatch):
    monkeypatch.setattr(invitations, "PAGE_INVITATIONS", 2)
    made = [invite(room, by=OWNER).id for _ in range(5)]

    pages, before = [], None
    while page := list_invitations(room, by=MODERATOR, before=before):
        pages.append([one.pk for one in page])
        before = page[-1].pk

    assert pages == [[made[4], made[3]], [made[2], made[1]], [made[0]]]


def test_all_invitations_of_a_room_are_revoked_at_once(room):
    another = create_room("Another", by=OWNER)
    kept = invite(another, by=OWNER)
    made = [invite(room, by=who) for who in (OWNER, MODERATOR, None)]
    before = len(list_invitations(room, by=OWNER))
    AuditEntry.objects.all().delete()

    revoked = [revoke_invitations(room, by=MODERATOR) for _ in range(2)]

    assert (before, revoked, list_invitations(room)) == (3, [3, 0], [])
    assert [code(accept_invitation, one.token, by=STRANGER) for one in made] == [ENDED] * 3
    assert code(accept_invitation, kept.token, by=STRANGER) is None
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.by_name, entry.data) == ("revoke_invitations", "Moderator", {"count": 3})


class Inviting(OpenPolicy):
    """All members may invite."""

    def can_invite(self, who, room):
        return ALLOWED if roles.of(who.key, room).role else NOT_ALLOWED


def test_a_member_who_may_invite_lists_and_revokes_only_their_own_invitations(room, settings):
    settings.ROOMCHAT = {"POLICY": Inviting}
    mine, others = invite(room, by=MEMBER), invite(room, by=OWNER)

    listed = [[one.pk for one in list_invitations(room, by=who)] for who in (MEMBER, MODERATOR)]
    revoked = [revoke_invitation(room, others.id, by=MEMBER), revoke_invitations(room, by=MEMBER)]

    assert listed == [[mine.id], [others.id, mine.id]]
    assert (revoked, [one.pk for one in list_invitations(room)]) == ([False, 1], [others.id])


def test_a_room_has_a_maximum_of_open_invitations(room, settings):
    settings.ROOMCHAT = {"ROOM_MAX_INVITATIONS": 2}
    first = invite(room, by=OWNER)
    second = invite(room, by=MODERATOR, uses=1)
    full = code(invite, room, by=OWNER)
    of_site = code(invite, room)
    Invitation.objects.order_by("-pk").first().delete()
    accept_invitation(second.token, by=STRANGER)

    assert (full, of_site, code(invite, room, by=OWNER), code(invite, room, by=OWNER)) == (
        "too_many",
        None,
        None,
        "too_many",
    )
    assert code(invite, create_room("Another", by=OWNER), by=OWNER) is None
    assert [one.pk for one in list_invitations(room)][-1] == first.id


def test_a_site_can_have_no_maximum(room, settings):
    settings.ROOMCHAT = {"ROOM_MAX_INVITATIONS": 1}
    limited = [code(invite, room, by=OWNER) for _ in range(2)]
    settings.ROOMCHAT = {"ROOM_MAX_INVITATIONS": None}

    assert (limited, code(invite, room, by=OWNER)) == ([None, "too_many"], None)


def test_of_invitations_at_the_same_time_as_many_are_made_as_a_room_may_have(on_postgres, settings):
    settings.ROOMCHAT = {"ROOM_MAX_INVITATIONS": 3}
    room = create_room("Board", by=OWNER)

    results = at_once(*[lambda: code(invite, room, by=OWNER)] * 8)

    assert sorted(map(str, results)) == ["None"] * 3 + ["too_many"] * 5


@pytest.mark.parametrize(
    ("end", "begin"),
    [
        (
            lambda room: remove_member(room, MODERATOR, by=OWNER),
            lambda room: add_member(room, MODERATOR, role="moderator"),
        ),
        (
            lambda room: set_role(room, MODERATOR, "member", by=OWNER),
            lambda room: set_role(room, MODERATOR, "moderator", by=OWNER),
        ),
        (lambda room: ban(room, MODERATOR, by=OWNER), lambda room: unban(room, MODERATOR, by=OWNER)),
    ],
    ids=["removed", "demoted", "banned"],
)
def test_an_invitation_stays_ended_when_its_creator_has_the_right_again(room, end, begin):
    ended, kept = invite(room, by=MODERATOR), invite(room, by=OWNER)
    AuditEntry.objects.all().delete()
    end(room)
    begin(room)

    assert [one.pk for one in list_invitations(room)] == [kept.id]
    assert code(accept_invitation, ended.token, by=STRANGER) == ENDED
    entry = AuditEntry.objects.get(verb="revoke_invitations")
    assert (entry.by_name, entry.target_key, entry.data) == ("Owner", MODERATOR.key, {"count": 1})


def test_a_demoted_owner_keeps_the_invitations_that_a_moderator_may_give(room):
    add_member(room, STRANGER, role="owner")
    for_owners, for_members = invite(room, by=STRANGER, role="owner"), invite(room, by=STRANGER)
    before = len(list_invitations(room))

    set_role(room, STRANGER, "moderator", by=STRANGER)

    assert (before, [one.pk for one in list_invitations(room)]) == (2, [for_members.id])
    assert code(accept_invitation, for_owners.token, by=GUEST) == ENDED


def test_the_invitations_of_a_deleted_user_end_whatever_the_policy_allows(settings):
    settings.ROOMCHAT = {"POLICY": Everybody}
    user = User.objects.create_user("ana")
    lobby = create_room("Lobby")
    first, second = (invite(lobby, by=user) for _ in range(2))
    before = code(accept_invitation, first.token, by=STRANGER)

    User.objects.all().delete()

    assert (before, code(accept_invitation, second.token, by=GUEST)) == (None, ENDED)
    assert list_invitations(lobby) == []


class Everybody(OpenPolicy):
    """Everybody may invite."""

    def can_invite(self, who, room):
        return ALLOWED


@pytest.mark.parametrize("kind", ["user", "guest"])
def test_the_invitations_of_an_erased_person_end(settings, kind):
    settings.ROOMCHAT = {"POLICY": Everybody}
    person = User.objects.create_user("ana") if kind == "user" else GUEST
    invited = invite(create_room("Lobby"), by=person)
    before = len(list_invitations("Lobby"))

    erase_user(person)

    assert (before, list_invitations("Lobby")) == (1, [])
    assert code(accept_invitation, invited.token, by=STRANGER) == ENDED


def test_of_many_who_accept_at_the_same_time_so_many_come_in_as_it_is_for(on_postgres):
    room = create_room("Board", visibility="private")
    invited = invite(room, uses=3)
    people = [Identity(f"u:{number}", f"P{number}") for number in range(8)]

    results = at_once(*[lambda who=who: code(accept_invitation, invited.token, by=who) for who in people])

    assert sorted(map(str, results)) == ["None"] * 3 + [ENDED] * 5
    assert (Membership.objects.count(), Invitation.objects.get().uses_left) == (3, 0)


def test_who_accepts_twice_at_the_same_time_uses_up_one(on_postgres):
    invited = invite(create_room("Board", visibility="private"), uses=2)

    results = at_once(*[lambda: code(accept_invitation, invited.token, by=STRANGER)] * 4)

    assert results == [None] * 4
    assert (Membership.objects.count(), Invitation.objects.get().uses_left) == (1, 1)


async def test_everything_has_a_twin():
    from asgiref.sync import sync_to_async

    room = await sync_to_async(create_room)("Board", visibility="private")
    invited = await ainvite(room)

    assert [one.pk for one in await alist_invitations(room)] == [invited.id]
    assert await aaccept_invitation(invited.token, by=STRANGER) == room
    assert await arevoke_invitation(room, invited.id)
    assert await arevoke_invitations(room) == 0
