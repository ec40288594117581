"""Invitations: rights, expiry, revocation, and their page."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from django_roomchat import (
    aaccept_invitation,
    accept_invitation,
    add_member,
    ainvite,
    alist_invitations,
    arevoke_invitation,
    ban,
    create_room,
    direct_room,
    invite,
    leave_room,
    list_invitations,
    remove_member,
    revoke_invitation,
    set_role,
)
from django_roomchat.errors import BadValue, ChatError
from django_roomchat.identity import Identity, of_user
from django_roomchat.models import AuditEntry, Invitation, Membership, Message, RoomLog
from tests.support.people import at_once

pytestmark = pytest.mark.django_db(transaction=True)
OWNER, MODERATOR, MEMBER, STRANGER = (
    Identity(f"u:{name.lower()}", name) for name in ("Owner", "Moderator", "Member", "Stranger")
)
GUEST = Identity("g:guest", "Guest", is_guest=True)


@pytest.fixture
def room():
    room = create_room("Board", visibility="private")
    for who, role in ((OWNER, "owner"), (MODERATOR, "moderator"), (MEMBER, "member")):
        add_member(room, who, role=role)
    return room


def code(act, *about, **options):
    try:
        act(*about, **options)
    except ChatError as error:
        return error.code
    return None


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


# The page and the wire --------------------------------------------------------------------------------------------


@pytest.fixture
def browser():
    browser = Client(enforce_csrf_checks=False)
    browser.force_login(User.objects.create_user("bob", password="x"))
    return browser


def address(token):
    return reverse("roomchat:invitation", args=[token])


def test_the_page_shows_the_room_and_accepts_nothing(room, browser):
    page = browser.get(address(invite(room).token))

    assert (page.status_code, page["Referrer-Policy"], "no-store" in page["Cache-Control"]) == (
        200,
        "same-origin",
        True,
    )
    assert "Board" in page.text
    assert 'method="post"' in page.text
    assert "You will join as bob." in page.text
    assert Membership.objects.count() == 3


def test_its_button_leads_into_the_room(room, browser):
    answer = browser.post(address(invite(room).token))

    assert (answer.status_code, answer["Location"]) == (303, reverse("roomchat:room", args=[room.name]))
    assert browser.get(answer["Location"]).status_code == 200


def test_another_sites_page_cannot_press_it(room, browser):
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = browser.cookies

    assert strict.post(address(invite(room).token)).status_code == 403
    assert Membership.objects.count() == 3


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_link_that_has_ended_says_so(room, browser, method):
    invited = invite(room)
    revoke_invitation(room, invited.id)

    page = getattr(browser, method)(address(invited.token))

    assert page.status_code == 404
    assert "This invitation is invalid or has expired." in page.text
    assert "Board" not in page.text


def test_who_may_not_come_in_is_told_why(room, browser):
    invited = invite(room)
    ban(room, of_user(User.objects.get()), reason="Spam.")

    page = browser.post(address(invited.token))

    assert (page.status_code, "Spam." in page.text) == (403, True)


def send(browser, frame, room=""):
    view = reverse("roomchat:room_frames", args=[room]) if room else reverse("roomchat:frames")
    return browser.post(view, json.dumps(frame), content_type="application/json").json()


def test_invitations_are_frames(room, browser):
    bob = of_user(User.objects.get())
    club = create_room("Club", by=bob.user, visibility="private")

    made = send(browser, {"type": "invite", "id": "1", "uses": 2, "seconds": None}, club.name)
    another = send(browser, {"type": "invite", "id": "2"}, club.name)
    listed = send(browser, {"type": "invitations", "id": "3"}, club.name)
    revoked = send(browser, {"type": "revoke", "id": "4", "invitation": another["invitation"]}, club.name)
    accepted = send(browser, {"type": "accept", "id": "5", "token": invite(room).token})

    first = Invitation.objects.order_by("pk").first()
    assert (made.pop("token")) in (link := made.pop("link"))
    assert link.startswith("/chat/~/invite/")
    assert made == {"type": "invited", "id": "1", "room": club.name, "invitation": first.pk}
    assert another["expires_at"].endswith("Z")
    assert listed["invitations"][1] == {
        "invitation": first.pk, "role": "member", "by": bob.key, "uses": 2
    }  # fmt: skip
    assert listed["invitations"][0]["expires_at"] == another["expires_at"]
    assert revoked == {"type": "done", "id": "4", "room": club.name}
    assert (accepted["room"], accepted["title"], accepted["visibility"]) == (room.name, "Board", "private")


async def test_everything_has_a_twin():
    from asgiref.sync import sync_to_async

    room = await sync_to_async(create_room)("Board", visibility="private")
    invited = await ainvite(room)

    assert [one.pk for one in await alist_invitations(room)] == [invited.id]
    assert await aaccept_invitation(invited.token, by=STRANGER) == room
    assert await arevoke_invitation(room, invited.id)
