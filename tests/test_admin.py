import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from django_roomchat import actions
from django_roomchat.actions import post_message
from django_roomchat.errors import Forbidden
from django_roomchat.identity import Identity
from django_roomchat.models import Ban, Message, Room, RoomLog
from django_roomchat.moderation import ban

pytestmark = pytest.mark.django_db
BOB = Identity("g:bob", "Bob", is_guest=True)
LISTS = ["room", "message", "ban"]


@pytest.fixture(autouse=True)
def _forgetful():
    actions._remembered.clear()


def fill(count, start=0):
    for number in range(start, start + count):
        post_message(f"room {number}", f"message {number}", author=BOB)
        ban(f"room {number}", f"g:{number}", reason=f"reason {number}")


def url(model, view="changelist", *about):
    return reverse(f"admin:roomchat_{model}_{view}", args=about)


@pytest.mark.parametrize("model", LISTS)
def test_a_list_costs_the_same_whatever_its_length(admin_client, model):
    fill(2)
    admin_client.get(url(model))
    with CaptureQueriesContext(connection) as few:
        page = admin_client.get(url(model))
    fill(10, start=2)

    with CaptureQueriesContext(connection) as many:
        longer = admin_client.get(url(model))

    assert (page.context["cl"].result_count, longer.context["cl"].result_count) == (2, 12)
    assert len(many) == len(few)


@pytest.mark.parametrize(
    ("model", "query", "count"),
    [
        ("room", "ROOM 1", 1),
        ("message", "message 2", 1),
        ("message", "Bob", 3),
        ("ban", "g:1", 1),
        ("ban", "room 2", 1),
    ],
)
def test_a_list_can_be_searched(admin_client, model, query, count):
    fill(3)

    page = admin_client.get(url(model), {"q": query})

    assert page.context["cl"].result_count == count


def test_the_list_of_rooms_shows_the_latest_activity_first(admin_client):
    fill(2)
    post_message("room 0", "again")

    page = admin_client.get(url("room"))

    assert [(room.name, room.log.head) for room in page.context["cl"].result_list] == [
        ("room 0", 2),
        ("room 1", 1),
    ]


def test_a_message_can_be_read_and_not_changed_added_or_deleted(admin_client):
    fill(1)
    message = Message.objects.get()

    answers = {
        "read": admin_client.get(url("message", "change", message.pk)).status_code,
        "changed": admin_client.post(
            url("message", "change", message.pk), {"body": "other words"}
        ).status_code,
        "added": admin_client.get(url("message", "add")).status_code,
        "deleted": admin_client.post(url("message", "delete", message.pk), {"post": "yes"}).status_code,
    }

    assert answers == {"read": 200, "changed": 403, "added": 403, "deleted": 403}
    admin_client.post(
        url("message"), {"action": "delete_selected", "_selected_action": [message.pk], "post": "yes"}
    )
    assert Message.objects.values_list("body", flat=True).get() == "message 0"


def test_a_room_can_be_renamed_and_not_added(admin_client):
    fill(1)
    room = Room.objects.get()

    admin_client.post(url("room", "change", room.pk), {"title": "Another title", "slow_seconds": 0})

    room.refresh_from_db()
    assert (room.name, room.title) == ("room 0", "Another title")
    assert admin_client.get(url("room", "add")).status_code == 403


def test_a_room_can_be_deleted_with_all_that_is_in_it(admin_client):
    fill(2)
    room = Room.objects.get(name="room 0")

    response = admin_client.post(url("room", "delete", room.pk), {"post": "yes"})

    assert response.status_code == 302
    assert list(Room.objects.values_list("name", flat=True)) == ["room 1"]
    assert (Message.objects.count(), RoomLog.objects.count(), Ban.objects.count()) == (1, 1, 1)


def test_a_ban_made_in_the_admin_takes_hold_at_once(
    admin_client, admin_user, monkeypatch, django_capture_on_commit_callbacks
):
    told = []
    monkeypatch.setattr(actions.bus, "publish", told.append)
    room = Room.objects.get(name=post_message("lobby", "hi").room)

    with django_capture_on_commit_callbacks(execute=True):
        response = admin_client.post(
            url("ban", "add"), {"room": room.pk, "key": "g:bob", "name": "Bob", "reason": "Spam."}
        )

    made = Ban.objects.get()
    assert (response.status_code, made.key, made.reason, made.by) == (302, "g:bob", "Spam.", admin_user)
    assert [(news.room, news.key) for news in told] == [("lobby", "g:bob")]
    with pytest.raises(Forbidden):
        post_message("lobby", "hi", author=BOB)


@pytest.mark.parametrize("how", ["alone", "with others"])
def test_a_ban_ended_in_the_admin_is_ended_at_once(
    admin_client, monkeypatch, django_capture_on_commit_callbacks, how
):
    told = []
    ban("lobby", BOB)
    made = Ban.objects.get()
    monkeypatch.setattr(actions.bus, "publish", told.append)

    with django_capture_on_commit_callbacks(execute=True):
        if how == "alone":
            admin_client.post(url("ban", "delete", made.pk), {"post": "yes"})
        else:
            admin_client.post(
                url("ban"), {"action": "delete_selected", "_selected_action": [made.pk], "post": "yes"}
            )

    assert ([news.key for news in told], Ban.objects.count()) == (["g:bob"], 0)
    assert post_message("lobby", "hi", author=BOB).seq == 1


def test_of_a_ban_only_the_reason_and_the_end_can_be_changed(admin_client):
    ban("lobby", BOB, reason="Spam.")
    made = Ban.objects.get()

    admin_client.post(url("ban", "change", made.pk), {"name": "Bob", "reason": "More spam.", "key": "g:ana"})

    made.refresh_from_db()
    assert (made.key, made.reason, str(made)) == ("g:bob", "More spam.", "Bob: lobby")


def test_who_may_only_look_at_messages_may_look(client):
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_message"))
    client.force_login(user)
    fill(1)

    assert client.get(url("message")).status_code == 200
    assert client.get(url("room")).status_code == 403
