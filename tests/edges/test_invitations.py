"""Invitations on their page and as frames."""

import json

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from django_roomchat import (
    add_member,
    ban,
    create_room,
    invite,
    revoke_invitation,
)
from django_roomchat.identity import Identity, of_user
from django_roomchat.models import Invitation, Membership
from django_roomchat.rooms import invitations
from tests.support.members import MEMBER, MODERATOR, OWNER

pytestmark = pytest.mark.django_db(transaction=True)
GUEST = Identity("g:guest", "Guest", is_guest=True)


@pytest.fixture
def room():
    room = create_room("Board", visibility="private")
    for who, role in ((OWNER, "owner"), (MODERATOR, "moderator"), (MEMBER, "member")):
        add_member(room, who, role=role)
    return room


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


def test_pages_of_invitations_and_their_revocation_are_frames(browser, monkeypatch):
    monkeypatch.setattr(invitations, "PAGE_INVITATIONS", 2)
    club = create_room("Club", by=User.objects.get(), visibility="private")
    made = [send(browser, {"type": "invite"}, club.name)["invitation"] for _ in range(3)]

    first = send(browser, {"type": "invitations"}, club.name)
    second = send(
        browser, {"type": "invitations", "before": first["invitations"][-1]["invitation"]}, club.name
    )
    revoked = send(browser, {"type": "revoke_all", "id": "r"}, club.name)

    pages = [[one["invitation"] for one in page["invitations"]] for page in (first, second)]
    assert (pages, first["more"], "more" in second) == ([made[:0:-1], made[:1]], True, False)
    assert revoked == {"type": "done", "id": "r", "room": club.name}
    assert send(browser, {"type": "invitations"}, club.name)["invitations"] == []
