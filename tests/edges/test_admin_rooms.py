"""Rooms, memberships and invitations in the admin: what is changed there goes through the actions."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from django_roomchat import (
    accept_invitation,
    add_member,
    create_room,
    direct_room,
    invite,
    post_message,
    pubsub,
)
from django_roomchat.errors import ChatError
from django_roomchat.identity import Identity, of_user
from django_roomchat.models import AuditEntry, Invitation, Membership, Message, Room

pytestmark = pytest.mark.django_db
ANA, BOB = Identity("u:ana", "Ana"), Identity("g:bob", "Bob", is_guest=True)
SETTINGS = {"title": "Board", "is_listed": "on", "slow_seconds": 0, "retention_days": ""}


@pytest.fixture
def room():
    room = create_room("Board")
    add_member(room, ANA, role="owner")
    AuditEntry.objects.all().delete()
    return room


def url(model, view="changelist", *about):
    return reverse(f"admin:roomchat_{model}_{view}", args=about)


def told(page):
    return [str(message) for message in page.context["messages"]]


def change(client, room, **settings):
    return client.post(url("room", "change", room.pk), SETTINGS | settings, follow=True)


def verbs():
    return list(AuditEntry.objects.order_by("pk").values_list("verb", "by_name", "target_name"))


@pytest.mark.parametrize("model", ["membership", "invitation"])
def test_a_list_costs_the_same_whatever_its_length(admin_client, room, model):
    def fill(count):
        for number in range(count):
            another = create_room(f"{model} {Room.objects.count()}")
            add_member(another, Identity(f"u:{number}", "P"))
            invite(another)

    fill(2)
    admin_client.get(url(model))
    with CaptureQueriesContext(connection) as few:
        shorter = admin_client.get(url(model))
    fill(10)

    with CaptureQueriesContext(connection) as many:
        longer = admin_client.get(url(model))

    assert longer.context["cl"].result_count - shorter.context["cl"].result_count == 10
    assert len(many) == len(few)


def test_settings_are_changed_at_once_and_on_the_record(
    admin_client, room, monkeypatch, django_capture_on_commit_callbacks
):
    told = []
    monkeypatch.setattr(pubsub, "publish", told.append)

    with django_capture_on_commit_callbacks(execute=True):
        page = change(
            admin_client, room, title="Council", is_archived="on", retention_days=30, tells_changes="on"
        )

    stored = Room.objects.get()
    assert page.redirect_chain
    assert (stored.title, stored.archived_at is not None, stored.retention_days) == ("Council", True, 30)
    assert {type(news).__name__ for news in told} == {"Access", "Batch"}
    assert verbs() == [("configure", "admin", "")]
    assert list(Message.objects.values_list("body", flat=True)) == [
        "The room was renamed to “Council”.",
        "The room was archived.",
    ]


def test_a_room_is_opened_again(admin_client, room):
    change(admin_client, room, is_archived="on", retention_days=3)
    form = admin_client.get(url("room", "change", room.pk)).context["adminform"].form

    change(admin_client, room)

    stored = Room.objects.get()
    assert form.initial["is_archived"]
    assert (stored.archived_at, stored.retention_days) == (None, None)


@pytest.mark.parametrize("title", ["a/b", "a\u202eb"])
def test_a_title_that_no_room_has_is_refused_with_a_sentence(admin_client, room, title):
    page = change(admin_client, room, title=title)

    assert told(page)[0].startswith("A room's name cannot contain")
    assert Room.objects.get().title == "Board"


def test_a_direct_room_is_nobodys_to_manage(admin_client):
    room = direct_room(ANA, BOB)
    membership = Membership.objects.first()

    pages = [
        change(admin_client, room, title="Ours"),
        admin_client.post(url("membership", "delete", membership.pk), {"post": "yes"}),
        admin_client.post(
            url("membership"),
            {"action": "delete_selected", "_selected_action": [membership.pk], "post": "yes"},
        ),
    ]

    assert told(pages[0]) == ["You are not allowed to do this."]
    assert [page.status_code for page in pages] == [200, 302, 302]
    assert (Membership.objects.count(), Room.objects.get().title) == (2, room.title)


def test_a_room_leads_to_its_memberships(admin_client, room):
    add_member(create_room("Another"), BOB)

    page = admin_client.get(url("room", "change", room.pk))
    memberships = admin_client.get(f"{url('membership')}?room__id__exact={room.pk}")

    assert f"?room__id__exact={room.pk}" in page.text
    assert [row.name for row in memberships.context["cl"].result_list] == ["Ana"]


def test_a_user_becomes_a_member(admin_client, room):
    user = User.objects.create_user("cyd")

    admin_client.post(url("membership", "add"), {"room": room.pk, "user": user.pk, "role": "moderator"})

    made = Membership.objects.get(user=user)
    assert (made.key, made.name, made.role) == (of_user(user).key, "cyd", "moderator")
    assert verbs() == [("add_member", "admin", "cyd")]


def test_a_guest_becomes_a_member_by_key_and_name(admin_client, room):
    given = {"room": room.pk, "key": "g:bob", "name": "Bob", "role": "member"}

    page = admin_client.post(url("membership", "add"), given, follow=True)

    assert page.redirect_chain
    assert Membership.objects.get(key="g:bob").name == "Bob"


def test_nobody_becomes_no_member(admin_client, room):
    page = admin_client.post(url("membership", "add"), {"room": room.pk, "key": "g:bob", "role": "member"})

    assert page.context["adminform"].form.non_field_errors() == [
        "Choose a user, or enter the key and name of a guest."
    ]


def test_a_role_is_changed_and_a_membership_ended(admin_client, room):
    add_member(room, BOB)
    made = Membership.objects.get(key="g:bob")

    admin_client.post(url("membership", "change", made.pk), {"role": "moderator"})
    during = Membership.objects.get(key="g:bob").role
    admin_client.post(url("membership", "delete", made.pk), {"post": "yes"})

    assert (during, Membership.objects.filter(key="g:bob").exists()) == ("moderator", False)
    assert verbs()[1:] == [("set_role", "admin", "Bob"), ("remove_member", "admin", "Bob")]


def test_memberships_are_ended_together(admin_client, room):
    add_member(room, BOB)
    chosen = [row.pk for row in Membership.objects.all()]

    admin_client.post(
        url("membership"), {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
    )

    assert not Membership.objects.exists()
    assert {verb for verb, *_ in verbs()} == {"add_member", "remove_member"}


def test_rooms_are_deleted_together(admin_client, room):
    post_message(room, "hi")
    invite(room)

    admin_client.post(
        url("room"), {"action": "delete_selected", "_selected_action": [room.pk], "post": "yes"}
    )

    assert not Room.objects.exists()


def test_an_invitation_is_revoked(admin_client, room):
    first, second = invite(room), invite(room)

    page = admin_client.post(
        url("invitation"), {"action": "revoke", "_selected_action": [first.id]}, follow=True
    )

    assert told(page) == ["1 invitation revoked."]
    assert Invitation.objects.get(revoked_at=None).pk == second.id
    with pytest.raises(ChatError):
        accept_invitation(first.token, by=BOB)


def test_an_invitation_is_neither_made_nor_changed(admin_client, room):
    invited = invite(room)

    assert admin_client.get(url("invitation", "add")).status_code == 403
    assert admin_client.get(url("invitation", "change", invited.id)).status_code == 200
