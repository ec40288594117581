import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from django_roomchat import pubsub
from django_roomchat.errors import Forbidden
from django_roomchat.identity import Identity
from django_roomchat.messages.post import post_message
from django_roomchat.models import AuditEntry, Ban, HeldMessage, Message, Mute, Report, Room, RoomLog
from django_roomchat.moderation.reports import report_message
from django_roomchat.moderation.sanctions import ban, mute

pytestmark = pytest.mark.django_db
BOB = Identity("g:bob", "Bob", is_guest=True)
LISTS = ["room", "message", "ban", "mute", "report", "heldmessage"]


def fill(count, start=0):
    for number in range(start, start + count):
        post_message(f"room {number}", f"message {number}", author=BOB)
        ban(f"room {number}", f"g:{number}", reason=f"reason {number}")
        mute(f"room {number}", f"g:{number}")
        report_message(f"room {number}", 1, f"reason {number}", by=BOB)
        HeldMessage.objects.create(
            room=Room.objects.get(name=f"room {number}"),
            author_key="g:bob",
            author_name="Bob",
            client_id=str(number),
            body=f"held {number}",
        )


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
        ("mute", "room 2", 1),
        ("report", "message 2", 1),
        ("heldmessage", "held 1", 1),
        ("auditentry", "ban", 3),
        ("auditentry", "g:1", 2),
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
    monkeypatch.setattr(pubsub, "publish", told.append)
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
    monkeypatch.setattr(pubsub, "publish", told.append)

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


# Many ----------------------------------------------------------------------------------------------------------


def queries_of(client, address):
    with CaptureQueriesContext(connection) as captured:
        page = client.get(address)
    return len(captured), page.context["cl"]


def double(times):
    """Twice as many messages, so many times, by the database alone."""
    other = {"seq": "seq + {n}", "rev": "seq + {n}", "client_id": "CAST(seq + {n} AS varchar(20))"}
    columns = [field.column for field in Message._meta.fields if field.column != "id"]
    values = ", ".join(other.get(column, column) for column in columns)
    with connection.cursor() as cursor:
        for n in range(times):
            cursor.execute(
                f"INSERT INTO roomchat_message ({', '.join(columns)}) "
                f"SELECT {values.format(n=2**n)} FROM roomchat_message"
            )


def test_the_list_of_a_hundred_thousand_messages_costs_what_a_short_one_costs(admin_client):
    fill(1)
    few, _ = queries_of(admin_client, url("message"))
    double(17)

    many, shown = queries_of(admin_client, url("message"))
    last, _ = queries_of(admin_client, f"{url('message')}?p={shown.paginator.num_pages}")

    assert (many, last, shown.result_count, len(shown.result_list)) == (few, few, 10_000, 100)


def test_the_audit_trail_can_be_read_and_by_nobody_be_changed(admin_client):
    ban("lobby", BOB, reason="Spam.")
    entry = AuditEntry.objects.get()

    answers = {
        "list": admin_client.get(url("auditentry")).status_code,
        "read": admin_client.get(url("auditentry", "change", entry.pk)).status_code,
        "changed": admin_client.post(url("auditentry", "change", entry.pk), {"verb": "x"}).status_code,
        "added": admin_client.get(url("auditentry", "add")).status_code,
        "deleted": admin_client.post(url("auditentry", "delete", entry.pk), {"post": "yes"}).status_code,
    }
    admin_client.post(
        url("auditentry"), {"action": "delete_selected", "_selected_action": [entry.pk], "post": "yes"}
    )

    assert answers == {"list": 200, "read": 200, "changed": 403, "added": 403, "deleted": 403}
    assert (AuditEntry.objects.get().verb, str(entry)) == ("ban", "System ban Bob")


def test_the_audit_trail_costs_the_same_whatever_its_length(admin_client):
    fill(1)
    few, _ = queries_of(admin_client, url("auditentry"))
    fill(10, start=1)
    many, shown = queries_of(admin_client, url("auditentry"))

    assert (many, shown.result_count) == (few, AuditEntry.objects.count())


# Queues ---------------------------------------------------------------------------------------------------------


def act(client, model, action, *rows):
    data = {"action": action, "_selected_action": [row.pk for row in rows]}
    response = client.post(url(model), data, follow=True)
    return [str(message) for message in response.context["messages"]]


@pytest.mark.parametrize(
    ("action", "state", "body"), [("uphold", "upheld", ""), ("dismiss", "dismissed", "message 0")]
)
def test_reports_are_decided_in_the_list(admin_client, admin_user, action, state, body):
    fill(1)
    report = Report.objects.get()

    said = act(admin_client, "report", action, report)

    report.refresh_from_db()
    assert (report.state, report.decided_by, Message.objects.get().body) == (state, admin_user, body)
    assert said == [f"1 report {state}."]


def test_the_queue_shows_what_waits_and_links_to_the_message(admin_client):
    fill(2)
    act(admin_client, "report", "dismiss", Report.objects.first())

    shown = {
        str(state): [
            report.body
            for report in admin_client.get(url("report"), {"state": state} if state else {})
            .context["cl"]
            .result_list
        ]
        for state in (None, "decided", "all")
    }

    assert shown == {"None": ["message 1"], "decided": ["message 0"], "all": ["message 0", "message 1"]}
    page = admin_client.get(url("report")).content.decode()
    assert 'href="/chat/room%201/?at=1#m-1"' in page or 'href="/chat/room%201/?before=2#m-1"' in page


def test_held_messages_are_released_and_refused_in_the_list(admin_client, admin_user):
    fill(2)
    first, second = HeldMessage.objects.order_by("pk")

    said = act(admin_client, "heldmessage", "release", first) + act(
        admin_client, "heldmessage", "refuse", second
    )

    assert said == ["1 message released.", "1 message rejected."]
    assert list(HeldMessage.objects.order_by("pk").values_list("state", "decided_by")) == [
        ("released", admin_user.pk),
        ("refused", admin_user.pk),
    ]
    assert Message.objects.filter(room__name="room 0", body="held 0", author_name="Bob").exists()


def test_what_cannot_be_released_says_why_and_waits_on(admin_client):
    fill(1)
    ban("room 0", BOB, reason="Spam.")

    held = HeldMessage.objects.get()

    said = act(admin_client, "heldmessage", "release", held)

    assert (said, HeldMessage.objects.get().state) == ([f"{held}: Spam."], "waiting")


def test_who_may_only_look_at_the_queue_decides_nothing(client):
    fill(1)
    user = User.objects.create_user("looker", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_report"))
    client.force_login(user)

    client.post(url("report"), {"action": "uphold", "_selected_action": [Report.objects.get().pk]})

    assert (client.get(url("report")).status_code, Report.objects.get().state) == (200, "open")


def test_a_mute_made_in_the_admin_takes_hold_at_once_and_is_on_the_record(admin_client, admin_user):
    room = Room.objects.get(name=post_message("lobby", "hi").room)

    admin_client.post(url("mute", "add"), {"room": room.pk, "key": "g:bob", "name": "Bob", "reason": "Loud."})

    assert (Mute.objects.get().by, AuditEntry.objects.get().by_name) == (admin_user, "admin")
    with pytest.raises(Forbidden):
        post_message("lobby", "hi", author=BOB)


def test_a_sanction_that_cannot_be_is_told_on_the_form(admin_client):
    room = Room.objects.get(name=post_message("lobby", "hi").room)
    data = {"room": room.pk, "key": "g:bob", "until_0": "2001-01-01", "until_1": "00:00"}

    response = admin_client.post(url("ban", "add"), data, follow=True)

    assert (Ban.objects.count(), "The expiry must be in the future." in response.content.decode()) == (
        0,
        True,
    )
