"""Export and erasure of a person's data."""

import json

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db.models.signals import post_delete
from django.utils import translation

from django_roomchat import log, privacy
from django_roomchat.consumers import ChatConsumer
from django_roomchat.errors import NotFound
from django_roomchat.identity import Identity, of_user
from django_roomchat.messages.history import aread_history, read_history
from django_roomchat.messages.post import apost_message, post_message
from django_roomchat.models import (
    AuditEntry,
    Ban,
    HeldMessage,
    Invitation,
    Membership,
    Message,
    Mute,
    Presence,
    Reaction,
    ReadMarker,
    Report,
    Room,
    RoomLog,
)
from django_roomchat.privacy import (
    aerase_user,
    aexport_user,
    erase_user,
    erase_when_deleted,
    export_user,
    stream_export,
)
from django_roomchat.rooms.direct import direct_room
from django_roomchat.testing import ChatClient
from tests.support.privacy import BOB, GUEST, audited, leave_traces, make_ana, put

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana():
    return make_ana()


@pytest.fixture
def life(ana):
    """A user with rows in every table."""
    leave_traces(ana)
    return ana


def everything():
    """All rows of all tables of the chat, as text."""
    return json.dumps(
        [list(model._default_manager.values()) for model in apps.get_app_config("roomchat").get_models()],
        default=str,
        ensure_ascii=False,
    )


# Handing out ---------------------------------------------------------------------------------------------------------


def test_everything_of_a_person_is_handed_out(life):
    exported = export_user(life)

    key = f"u:{life.pk}"
    garden = [row["body"] for row in exported["messages"] if row["room"] == "garden"]
    assert exported["person"] == {"user": str(life.pk), "keys": [key], "names": ["Ana Ito"]}
    assert garden == ["I grow tomatoes", "My number is 555", ""]
    assert {name: len(rows) for name, rows in exported.items() if name != "person"} == {
        "messages": 4,
        "memberships": 1,
        "files": 1,
        "reactions": 2,
        "read_markers": 1,
        "bans": 1,
        "mutes": 1,
        "blocks": 0,
        "invitations": 1,
        "reports_made": 1,
        "reports_about": 1,
        "held_messages": 1,
        "audit": 2,
        "tickets": 0,
    }
    assert exported["reactions"][0]["emoji"] == "👍" and exported["reactions"][0]["room"] == "garden"
    assert json.loads(json.dumps(exported)) == exported


def test_who_has_reported_a_person_is_not_handed_out(life):
    assert "Bob" not in json.dumps(export_user(life)["reports_about"])


def test_a_message_is_handed_out_with_its_times_and_its_place(life):
    [fried] = [row for row in export_user(life)["messages"] if row["room"] == "kitchen"]

    message = Message.objects.get(room__name="kitchen")
    assert fried == {
        "room": "kitchen",
        "seq": 1,
        "kind": "user",
        "author_name": "Ana Ito",
        "client_id": "a1",
        "body": "I fry them",
        "reply_to": None,
        "created_at": message.created_at.isoformat().replace("+00:00", "Z"),
        "edited_at": message.edited_at.isoformat().replace("+00:00", "Z"),
        "deleted_at": None,
        "pinned_at": None,
        "data": {},
    }


def test_the_stream_says_the_same(life):
    pieces = list(stream_export(life))

    assert json.loads("".join(pieces)) == export_user(life)
    assert len(pieces) > 20


def test_the_export_of_a_person_without_data_is_empty():
    exported = export_user("g:nobody")

    assert exported.pop("person") == {"user": None, "keys": ["g:nobody"], "names": []}
    assert set(map(tuple, exported.values())) == {()}
    assert json.loads("".join(stream_export("g:nobody")))["messages"] == []


def test_a_user_whose_key_was_another_one_is_handed_both(ana):
    """A project's own IDENTITY may have named them otherwise."""
    post_message("garden", "one", author=Identity("staff:7", "The Gardener", user=ana))
    post_message("garden", "two", author=ana)

    exported = export_user(ana)

    assert exported["person"]["keys"] == ["staff:7", f"u:{ana.pk}"]
    assert exported["person"]["names"] == ["Ana Ito", "The Gardener"]
    assert [row["body"] for row in exported["messages"]] == ["one", "two"]


# Erasing -------------------------------------------------------------------------------------------------------------


def test_nothing_of_a_person_is_left(life):
    assert all(
        word in everything() for word in ("Ana Ito", "number is 555", "tomatoes", "fry them", "held words")
    )

    erased = erase_user(life, keep_sanctions=False)

    left = everything()
    assert (erased.messages, erased.rooms) == (4, 2)
    assert [
        word for word in ("Ana Ito", "number is 555", "tomatoes", "fry them", "held words") if word in left
    ] == []
    assert f'"u:{life.pk}"' not in left
    assert not Message.objects.filter(author=life).exists()
    assert export_user(life)["person"]["names"] == ["Ana Ito"]  # of the account
    assert {name for name, rows in export_user(life).items() if rows} == {"person"}


def test_the_numbering_holds(life):
    head = {row.room_id: row.head for row in RoomLog.objects.all()}

    erase_user(life)

    assert audited() == []
    assert all(row.head > head[row.room_id] for row in RoomLog.objects.all())
    call_command("roomchat_audit", verbosity=0)


def test_messages_stay_in_their_places_as_deleted_ones_of_nobody(life):
    erased = erase_user(life)

    events = {event.seq: event for event in read_history("garden", by=BOB_AS_SITE).messages}
    [key] = erased.keys.values()
    assert key.startswith("erased:")
    for seq in (1, 3, 4):
        event = events[seq]
        assert (event.author.key, event.author.name, event.body, event.id) == (
            key,
            "Deleted user",
            "",
            str(seq),
        )
        assert event.deleted_at is not None
    assert (events[2].body, events[2].quote.name, events[2].quote.body) == ("Nice!", "Deleted user", "")


BOB_AS_SITE = Identity("site:bob", "Bob", is_site=True)


def test_what_others_said_stays_without_the_name(life, settings):
    settings.ROOMCHAT = {"MARKDOWN": True}

    erase_user(life)

    events = {event.body: event for event in read_history("garden", by=BOB_AS_SITE).messages if event.body}
    hi = events["**hi** @Deleted user and @Bob"]
    assert ([mention.name for mention in hi.mentions], hi.html) == (
        ["Bob"],
        "<p><strong>hi</strong> @Deleted user and @Bob</p>",
    )
    assert events["hello @Deleted user"].mentions is None
    assert events["Deleted user joined."].line.name == "Deleted user"
    assert events["Cleo joined."].line.name == "Cleo"


def test_reactions_are_counted_again(life):
    erase_user(life)

    events = {event.body: event for event in read_history("garden", by=BOB_AS_SITE).messages}
    [(emoji, sums)] = events["like me"].reactions.items()
    assert (emoji, sums.count, sums.keys) == ("👍", 1, [BOB.key])
    assert events["love me"].reactions is None
    assert list(Reaction.objects.values_list("key", flat=True)) == [BOB.key]


def test_what_moderators_had_about_them_says_nothing_any_more(life):
    erased = erase_user(life)

    [key] = erased.keys.values()
    about, made = Report.objects.order_by("pk")
    assert (about.author_key, about.author_name, about.body, about.reason, about.state) == (
        key, "Deleted user", "", "", "dismissed",
    )  # fmt: skip
    assert about.decided_at is not None
    assert (made.by_key, made.by_name, made.body, made.state) == (key, "Deleted user", "Nice!", "upheld")
    assert (HeldMessage.objects.count(), ReadMarker.objects.count(), Presence.objects.count()) == (0, 0, 0)
    assert not Invitation.objects.exists()
    assert list(Membership.objects.values_list("key", flat=True)) == [BOB.key]


def test_a_ban_stays_under_the_key_alone(life):
    erase_user(life)

    for model in (Ban, Mute):
        of_ana = model.objects.get(key=f"u:{life.pk}")
        of_bob = model.objects.get(key=BOB.key)
        assert (of_ana.name, of_ana.reason, of_ana.by) == ("Deleted user", "", None)
        assert (of_bob.name, of_bob.reason, of_bob.by) == ("Bob", "", None)


def test_bans_can_be_lifted_with_it(life):
    erase_user(life, keep_sanctions=False)

    assert list(Ban.objects.values_list("key", flat=True)) == [BOB.key]
    assert post_message("garden", "back", author=life).seq


def test_the_trail_says_that_it_happened_and_to_nobody(life):
    erased = erase_user(life, by=BOB)

    [key] = erased.keys.values()
    entries = AuditEntry.objects.order_by("pk").values_list(
        "verb", "by_key", "by_name", "target_key", "target_name", "data"
    )
    assert list(entries)[-3:] == [
        ("ban", BOB.key, "Bob", key, "Deleted user", {}),
        ("mute", key, "Deleted user", BOB.key, "Bob", {}),
        ("erase_user", BOB.key, "Bob", key, "Deleted user", {"messages": 4, "rooms": 2}),
    ]


def test_others_are_not_touched(life):
    cleo = User.objects.create(pk=int(f"{life.pk}0"), username="cleo")  # her key begins like Ana's
    post_message("garden", "I am another", author=cleo)
    put("garden", "hi @Cleo", mentions=[{"key": f"u:{cleo.pk}", "name": "Cleo"}])
    before = export_user(cleo)

    erase_user(life)

    assert export_user(cleo) == before
    assert Message.objects.get(body="hi @Cleo").changes == 0


def test_a_guest_is_erased_by_their_key():
    post_message("lobby", "I am shy", author=GUEST, id="a")
    post_message("lobby", "I am not", author=BOB, id="a")

    erased = erase_user(GUEST.key)

    rows = Message.objects.order_by("seq").values_list("author_key", "author_name", "body", "client_id")
    assert list(rows) == [
        (erased.keys[GUEST.key], "Deleted user", "", "1"),
        (BOB.key, "Bob", "I am not", "a"),
    ]
    assert audited() == []


def test_two_erased_people_stay_two():
    post_message("lobby", "one", author=GUEST, id="same")
    post_message("lobby", "two", author=BOB, id="same")

    keys = {*erase_user(GUEST.key).keys.values(), *erase_user(BOB.key).keys.values()}

    assert set(Message.objects.values_list("author_key", flat=True)) == keys
    assert len(keys) == 2


def test_a_direct_room_loses_its_name_and_who_asks_again_gets_another(ana):
    cleo = User.objects.create_user("cleo", first_name="Cleo")
    room = direct_room(ana, cleo)
    post_message(room, "between us", author=ana)
    post_message(room, "yes", author=cleo)

    erase_user(ana)

    old = Room.objects.get(pk=room.pk)
    assert (old.title, list(old.memberships.values_list("name", flat=True))) == (
        "Deleted user, Cleo",
        ["Cleo"],
    )
    assert [event.body for event in read_history(room.name, by=of_user(cleo)).messages] == ["yes", ""]
    with pytest.raises(NotFound):
        read_history(room.name, by=of_user(ana))
    assert direct_room(cleo, ana).pk != room.pk


def test_two_keys_of_one_user_do_not_clash(ana):
    post_message("garden", "one", author=Identity("staff:7", "The Gardener", user=ana), id="same")
    post_message("garden", "two", author=ana, id="same")

    erased = erase_user(ana)

    assert (erased.messages, len(set(erased.keys.values()))) == (2, 2)
    assert audited() == []


def test_to_erase_again_does_no_harm(life):
    erase_user(life)
    heads = list(RoomLog.objects.order_by("pk").values_list("head", flat=True))

    again = erase_user(life)

    assert (again.messages, again.rooms) == (0, 0)
    assert list(RoomLog.objects.order_by("pk").values_list("head", flat=True)) == heads


def test_an_erased_person_who_still_writes_is_a_new_author():
    post_message("lobby", "one", author=GUEST, id="a")
    erase_user(GUEST.key)

    again = post_message("lobby", "one", author=GUEST, id="a")

    assert (again.seq, again.duplicate) == (3, False)
    assert audited() == []


def test_the_name_is_in_the_language_of_the_site(settings):
    settings.LANGUAGE_CODE = "en"
    post_message("lobby", "hi", author=GUEST)

    with translation.override("ko"):
        erase_user(GUEST.key)

    assert Message.objects.get().author_name == "Deleted user"


def test_it_works_in_small_transactions(monkeypatch):
    monkeypatch.setattr(privacy, "BATCH", 3)
    for number in range(8):
        post_message("lobby", f"{number}", author=GUEST)
    batches = []
    monkeypatch.setattr(
        log,
        "change_many",
        lambda room, seqs, make, original=log.change_many: (
            batches.append(list(seqs)) or original(room, seqs, make)
        ),
    )

    assert erase_user(GUEST.key).messages == 8

    assert batches == [[1, 2, 3], [4, 5, 6], [7, 8]]


def test_what_is_said_meanwhile_is_erased_too(monkeypatch):
    monkeypatch.setattr(privacy, "BATCH", 1)
    post_message("lobby", "one", author=GUEST)
    meanwhile = iter(["two"])

    def change_many(room, seqs, make, original=log.change_many):
        for body in meanwhile:
            post_message("lobby", body, author=GUEST)
        return original(room, seqs, make)

    monkeypatch.setattr(log, "change_many", change_many)

    assert erase_user(GUEST.key).messages == 2


def test_a_room_that_is_deleted_meanwhile_is_no_trouble(monkeypatch):
    post_message("lobby", "one", author=GUEST)

    def change_many(room, seqs, make, original=log.change_many):
        Room.objects.all().delete()
        return original(room, seqs, make)

    monkeypatch.setattr(log, "change_many", change_many)

    assert erase_user(GUEST.key).messages == 0


@pytest.mark.django_db(transaction=True)
async def test_open_pages_and_asynchronous_code():
    """A connected client receives the erasure; a client that resumes or is new receives nothing of the erased texts."""
    await apost_message("lobby", "my secret", author=GUEST, id="a")
    await apost_message("lobby", "what?", author=BOB, id="b", reply_to=1)
    application = ChatConsumer.as_asgi()
    async with ChatClient(application, "lobby") as member:
        joined = await member.receive("joined")
        assert (await aexport_user(GUEST.key))["messages"][0]["body"] == "my secret"

        erased = await aerase_user(GUEST.key)

        [event] = (await member.receive("events"))["events"]
        author = {"key": erased.keys[GUEST.key], "name": "Deleted user"}
        assert (event["seq"], event["author"], event["body"], "deleted_at" in event) == (1, author, "", True)
        async with (
            ChatClient(application, "lobby", epoch=joined["epoch"], since=1) as back,
            ChatClient(application, "lobby") as new,
        ):
            for client in (back, new):
                told = await client.receive("joined")
                assert "secret" not in json.dumps(told) and "Guest 1" not in json.dumps(told)
                assert {one["seq"]: one["body"] for one in told["events"]} == {1: "", 2: "what?"}
    assert (await aread_history("lobby", by=BOB)).head == 3


def test_resuming_from_anywhere_brings_what_a_new_reader_sees(life):
    """A client resumes from every number, in every batch size, and after a second erasure."""
    histories = {}

    def shown(room, since):
        row = RoomLog.objects.get(room__name=room)
        part = log.read(room, str(row.epoch), since, limit=1000, page=1000)
        assert part.reset == (None if since is not None else "new")
        return {event.seq: event for event in part.events}, part.head

    for room in ("garden", "kitchen"):
        _, head = shown(room, None)
        # A client at a number has the current state of everything that was changed up to it.
        histories[room] = head
    erase_user(life)
    erase_user(BOB.key)

    for room, head in histories.items():
        fresh, now = shown(room, None)
        assert now > head
        for since in range(now + 1):
            told, reached = shown(room, since)
            assert reached == now
            # A client with an earlier cursor receives all erased messages again.
            for seq, event in fresh.items():
                assert told.get(seq, event) == event
                assert seq in told or event.rev <= since
    assert audited() == []


# Accounts that are deleted -------------------------------------------------------------------------------------------


def test_without_the_receiver_the_messages_of_a_deleted_user_stay(ana):
    post_message("garden", "one", author=ana)
    ana.delete()

    assert list(Message.objects.values_list("body", "author_name", "author")) == [("one", "Ana Ito", None)]


@pytest.mark.django_db(transaction=True)
def test_with_the_receiver_who_is_deleted_is_erased(ana):
    post_message("garden", "one", author=ana)
    post_delete.connect(erase_when_deleted, sender=User)
    try:
        ana.delete()
    finally:
        post_delete.disconnect(erase_when_deleted, sender=User)

    assert list(Message.objects.values_list("body", "author_name")) == [("", "Deleted user")]
