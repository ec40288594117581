"""The admin asks no less than the functions, and what staff do and read there is in the audit trail under their name."""

import uuid
from io import BytesIO

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from django_roomchat import add_member, create_room, direct_room, invite, pubsub
from django_roomchat.files import storage
from django_roomchat.identity import Identity, of_user
from django_roomchat.messages.post import post_message
from django_roomchat.models import (
    Attachment,
    AuditEntry,
    HeldMessage,
    IncomingHook,
    Invitation,
    Membership,
    Report,
    Room,
    Webhook,
)
from django_roomchat.moderation.reports import report_message
from django_roomchat.policy import ALLOWED, NOT_ALLOWED, OpenPolicy
from django_roomchat.webhooks.incoming import make_incoming_hook
from django_roomchat.webhooks.outgoing import make_webhook

pytestmark = pytest.mark.django_db
ANA, BOB = Identity("u:ana", "Ana"), Identity("g:bob", "Bob", is_guest=True)


def url(model, view="changelist", *about):
    return reverse(f"admin:roomchat_{model}_{view}", args=about)


def entries(**filters):
    rows = AuditEntry.objects.filter(**filters).order_by("pk")
    return list(rows.values_list("verb", "by_name", "room_name", "data"))


def act(client, model, action, *rows):
    chosen = {"action": action, "_selected_action": [row.pk for row in rows], "post": "yes"}
    return client.post(url(model), chosen)


class Moderating(OpenPolicy):
    """Staff moderate rooms and do not manage them."""

    def can_manage(self, who, room):
        return NOT_ALLOWED


# Webhooks ---------------------------------------------------------------------------------------------------------


def change_hooks(client, room, webhook, hook):
    """Make every change of webhooks and incoming hooks that the admin offers."""
    client.post(url("webhook", "add"), {"room": room.pk, "url": "https://example.com/new"})
    client.post(url("incominghook", "add"), {"room": room.pk, "name": "New"})
    client.post(url("webhook", "change", webhook.pk), {})
    act(client, "webhook", "resume", webhook)
    act(client, "incominghook", "revoke", hook)
    client.post(url("webhook", "delete", webhook.pk), {"post": "yes"})
    client.post(url("incominghook", "delete", hook.pk), {"post": "yes"})


def hooks_of(room):
    urls = Webhook.objects.filter(room=room).order_by("pk").values_list("url", "is_active")
    names = IncomingHook.objects.filter(room=room).order_by("pk").values_list("name", "is_active")
    return [*urls, *names]


def test_hooks_need_the_right_to_manage_their_room(admin_client, settings):
    room = create_room("Builds")
    made = make_webhook(room, "https://example.com/"), make_incoming_hook(room, "CI")[0]
    before = hooks_of(room)
    AuditEntry.objects.all().delete()
    settings.ROOMCHAT = {"POLICY": Moderating}
    change_hooks(admin_client, room, *made)
    refused = hooks_of(room), entries()
    settings.ROOMCHAT = {}

    change_hooks(admin_client, room, *made)

    assert refused == (before, [])
    assert hooks_of(room) == [("https://example.com/new", True), ("New", True)]


def test_changes_of_hooks_are_in_the_audit_trail(admin_client):
    room = create_room("Builds")
    made = make_webhook(room, "https://example.com/"), make_incoming_hook(room, "CI")[0]
    AuditEntry.objects.all().delete()

    change_hooks(admin_client, room, *made)

    old, new = {"url": "https://example.com/"}, {"url": "https://example.com/new"}
    assert entries() == [
        ("make_webhook", "admin", "builds", new),
        ("make_incoming_hook", "admin", "builds", {"name": "New"}),
        ("pause_webhook", "admin", "builds", old),
        ("resume_webhook", "admin", "builds", old),
        ("revoke_incoming_hook", "admin", "builds", {"name": "CI"}),
        ("remove_webhook", "admin", "builds", old),
        ("remove_incoming_hook", "admin", "builds", {"name": "CI"}),
    ]


# Members and invitations ------------------------------------------------------------------------------------------


def test_staff_who_add_themselves_to_a_private_room_are_in_the_audit_trail(admin_client, admin_user):
    board = create_room("Board", visibility="private")
    AuditEntry.objects.all().delete()

    admin_client.post(
        url("membership", "add"), {"room": board.pk, "user": admin_user.pk, "role": "moderator"}
    )

    assert Membership.objects.filter(room=board, key=of_user(admin_user).key).exists()
    assert entries() == [("add_member", "admin", board.name, {"role": "moderator"})]


@pytest.mark.parametrize("is_list", [True, False])
def test_an_invitation_that_is_deleted_is_in_the_audit_trail(admin_client, is_list):
    invite(create_room("Board"))
    invitation = Invitation.objects.get()

    if is_list:
        act(admin_client, "invitation", "delete_selected", invitation)
    else:
        admin_client.post(url("invitation", "delete", invitation.pk), {"post": "yes"})

    assert not Invitation.objects.exists()
    assert entries()[-1] == ("revoke_invitation", "admin", "board", {"invitation": invitation.pk})


@pytest.mark.parametrize("is_list", [True, False])
@pytest.mark.parametrize("model", ["report", "heldmessage"])
def test_a_report_or_held_message_that_is_deleted_is_in_the_audit_trail(admin_client, rooms, model, is_list):
    row = (Report if model == "report" else HeldMessage).objects.get(room=rooms[0])

    if is_list:
        act(admin_client, model, "delete_selected", row)
    else:
        admin_client.post(url(model, "delete", row.pk), {"post": "yes"})

    assert not type(row).objects.filter(pk=row.pk).exists()
    assert entries(verb=f"delete_{model}") == [(f"delete_{model}", "admin", "lobby", {"state": row.state})]


# Deletion of rooms ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_list", [True, False])
def test_the_audit_trail_of_a_deleted_room_is_kept_and_records_the_deletion(
    admin_client, is_list, monkeypatch, django_capture_on_commit_callbacks
):
    told = []
    monkeypatch.setattr(pubsub, "publish", told.append)
    board = create_room("Board", visibility="private")
    add_member(board, ANA, role="owner")
    post_message(board, "hi", author=ANA)
    before = [verb for verb, *_ in entries(room_name=board.name)]

    with django_capture_on_commit_callbacks(execute=True):
        if is_list:
            act(admin_client, "room", "delete_selected", board)
        else:
            admin_client.post(url("room", "delete", board.pk), {"post": "yes"})

    assert not Room.objects.exists()
    assert [verb for verb, *_ in entries(room_name=board.name)] == [*before, "delete_room"]
    assert entries()[-1] == (
        "delete_room",
        "admin",
        board.name,
        {"title": "Board", "visibility": "private", "messages": 1, "members": 1},
    )
    # Open sockets check their access again.
    assert [(type(news).__name__, news.room, news.key) for news in told] == [("Access", board.name, "")]


def test_a_room_is_deleted_with_the_right_to_manage_it(admin_client, settings):
    rooms = [create_room(title) for title in ("Board", "Club")]
    settings.ROOMCHAT = {"POLICY": Moderating}
    admin_client.post(url("room", "delete", rooms[0].pk), {"post": "yes"})
    act(admin_client, "room", "delete_selected", *rooms)
    refused = Room.objects.count()
    settings.ROOMCHAT = {}

    act(admin_client, "room", "delete_selected", *rooms)

    assert (refused, Room.objects.count()) == (2, 0)


def test_a_direct_room_which_nobody_manages_is_deleted_with_the_permission_of_the_admin(admin_client):
    room = direct_room(ANA, BOB)

    act(admin_client, "room", "delete_selected", room)

    assert not Room.objects.exists()
    assert entries()[-1][:3] == ("delete_room", "admin", room.name)


def test_the_confirmation_shows_numbers_and_no_texts(admin_client):
    board = create_room("Board", visibility="private")
    for _ in range(2):
        post_message(board, "a secret")

    pages = [
        admin_client.get(url("room", "delete", board.pk)),
        admin_client.post(url("room"), {"action": "delete_selected", "_selected_action": [board.pk]}),
    ]

    for page in pages:
        assert page.status_code == 200
        assert ("messages", 2) in page.context["model_count"]
        assert "Board" in page.text and "secret" not in page.text


def test_deletions_of_held_messages_and_reports_show_no_texts_and_leave_none_in_the_log_of_the_admin(
    admin_client,
):
    room = direct_room(ANA, BOB)
    about = {
        "room": room,
        "author_key": ANA.key,
        "author_name": "Ana",
        "body": "a secret",
        "reason": "a secret",
    }
    held = HeldMessage.objects.create(client_id="h", **about)
    report = Report.objects.create(seq=1, by_key=BOB.key, by_name="Bob", **about)
    chosen = {"heldmessage": held, "report": report}
    shown = admin_client.get(url("heldmessage")).text

    pages = [
        admin_client.post(url(model), {"action": "delete_selected", "_selected_action": [row.pk]}).text
        for model, row in chosen.items()
    ]
    for model, row in chosen.items():
        act(admin_client, model, "delete_selected", row)

    assert ("secret" in shown, ["secret" in page for page in pages]) == (True, [False, False])
    assert list(LogEntry.objects.order_by("pk").values_list("object_repr", flat=True)) == [
        str(held),
        str(report),
    ]
    assert not HeldMessage.objects.exists() and not Report.objects.exists()


def test_a_room_is_not_deleted_without_the_permission_for_what_is_in_it(client):
    staff = User.objects.create_user("staff", is_staff=True)
    for name in ("view_room", "delete_room"):
        staff.user_permissions.add(Permission.objects.get(codename=name))
    client.force_login(staff)
    empty, board = create_room("Empty"), create_room("Board")
    add_member(board, ANA)

    statuses = [
        client.post(url("room", "delete", room.pk), {"post": "yes"}).status_code for room in (empty, board)
    ]

    assert (statuses, [room.title for room in Room.objects.all()]) == ([302, 403], ["Board"])


# Reading ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def rooms(media_folder):
    """Contents of an open, a private and a direct room."""
    made = [create_room("Lobby"), create_room("Board", visibility="private"), direct_room(ANA, BOB)]
    for room in made:
        post_message(room, "hi", author=None)
        report_message(room, 1, "Look.")
        HeldMessage.objects.create(room=room, author_key="g:x", author_name="X", client_id="x", body="held")
        name = storage.save(storage.new_name(), BytesIO(b"x"))
        Attachment.objects.create(
            id=uuid.uuid4(), room=room, seq=1, key="g:x", name="x", content_type="text/plain", bytes=1,
            stored=name,
        )  # fmt: skip
    AuditEntry.objects.all().delete()
    return made


def read_entries(what):
    return [
        (by, room, len(data["objects"]))
        for verb, by, room, data in entries()
        if (verb, data["what"]) == ("read", what)
    ]


@pytest.mark.parametrize("model", ["message", "report", "heldmessage", "attachment"])
def test_reading_a_list_of_contents_of_private_and_direct_rooms_is_recorded(admin_client, rooms, model):
    page = admin_client.get(url(model))

    assert page.context["cl"].result_count == 3
    assert sorted(read_entries(model)) == sorted(("admin", room.name, 1) for room in rooms[1:])


@pytest.mark.parametrize("model", ["message", "report", "heldmessage", "attachment"])
@pytest.mark.parametrize("view", ["change", "history"])
def test_reading_one_object_of_a_private_room_is_recorded(admin_client, rooms, model, view):
    manager = {"message": "messages", "report": "reports", "heldmessage": "held_messages"}.get(
        model, "attachments"
    )
    for room in rooms:
        admin_client.get(url(model, view, getattr(room, manager).get().pk))

    assert read_entries(model) == [("admin", room.name, 1) for room in rooms[1:]]


def test_reading_a_file_of_a_private_room_is_recorded(admin_client, rooms):
    for room in rooms:
        file = room.attachments.get()
        response = admin_client.get(url("attachment", "content", file.pk))
        assert b"".join(response) == b"x"

    assert read_entries("attachment") == [("admin", room.name, 1) for room in rooms[1:]]


def test_reading_the_same_again_is_recorded_once_and_by_another_person_again(admin_client, rooms, client):
    other = User.objects.create_superuser("other")
    for _ in range(2):
        admin_client.get(url("message"))
    once = len(entries())
    client.force_login(other)

    client.get(url("message"))

    assert (once, len(entries())) == (2, 4)


def test_contents_that_are_not_shown_are_not_recorded(client, rooms):
    staff = User.objects.create_user("staff", is_staff=True)
    client.force_login(staff)

    statuses = [client.get(url("message", "change", room.messages.get().pk)).status_code for room in rooms]
    refused = entries()
    staff.user_permissions.add(Permission.objects.get(codename="view_message"))
    shown = client.get(url("message", "change", rooms[1].messages.get().pk)).status_code

    assert (statuses, refused, shown) == ([403] * 3, [], 200)
    assert entries() == [("read", "staff", rooms[1].name, {"what": "message", "objects": [1]})]


def test_a_policy_decides_about_hooks_of_a_private_room_in_the_admin(admin_client, settings):
    class Managing(OpenPolicy):
        def can_manage(self, who, room):
            return ALLOWED if room.title == "Board" else NOT_ALLOWED

    settings.ROOMCHAT = {"POLICY": Managing}
    for title in ("Board", "Club"):
        room = create_room(title, visibility="private")
        admin_client.post(url("incominghook", "add"), {"room": room.pk, "name": "CI"})

    assert list(IncomingHook.objects.values_list("room__title", flat=True)) == ["Board"]
