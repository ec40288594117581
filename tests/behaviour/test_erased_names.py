"""After an erasure neither the name nor the key of the person is stored, except in what others wrote in their own words."""

import json

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import models
from django.http import HttpRequest
from django.urls import reverse

from django_roomchat import (
    add_member,
    ban,
    block,
    configure_room,
    create_room,
    direct_room,
    earlier_texts,
    edit_message,
    erase_user,
    export_user,
    make_ticket,
    mute,
    pin_message,
    post_message,
    remove_member,
    report_message,
    set_role,
    unread,
)
from django_roomchat.identity import Identity, of_user
from django_roomchat.models import (
    Attachment,
    AuditEntry,
    Ban,
    Block,
    HeldMessage,
    IncomingHook,
    Membership,
    Message,
    Presence,
    Report,
    Room,
    ServerProcess,
)
from django_roomchat.moderation import uphold
from tests.support.privacy import BOB, leave_traces, make_ana, put

pytestmark = pytest.mark.django_db
CLEO = Identity("g:cleo", "Cleo", is_guest=True)
TEXT = (models.CharField, models.TextField, models.JSONField)

WITHOUT_NAMES = {
    "Room.visibility", "Room.object_id", "Room.direct_key", "Membership.role", "Invitation.digest", "Invitation.role",
    "Message.kind", "Message.fingerprint", "Reaction.emoji", "Attachment.held_as", "Attachment.content_type",
    "Attachment.stored", "Attachment.thumb", "Attachment.address_digest", "JobRun.job", "Report.state", "HeldMessage.state", "HeldMessage.files", "AuditEntry.verb",
    "Ticket.digest", "Ticket.session_key", "Ticket.auth_digest", "Presence.avatar", "Webhook.url", "Webhook.secret",
    "Webhook.last_error", "IncomingHook.digest",
}  # fmt: skip
"""Columns that the package fills itself, with choices, digests and random names, and URLs of programs."""
OWN_WORDS = {
    "Room.title": "Ana Ito's garden",
    "Room.name": "ana ito's garden",
    "AuditEntry.room_name": "ana ito's garden",
    "AuditEntry.data": "Ana Ito's garden",
    "Presence.room": "ana ito's garden",
    "Message.body": "I met Ana Ito, not @Ana Itoh",
    "Message.data": "Ana Ito's garden",
    "Ban.reason": "Rude to Ana Ito",
    "Mute.reason": "Rude to Ana Ito",
    "Report.body": "I met Ana Ito, not @Ana Itoh",
    "Report.reason": "Rude to Ana Ito",
    "HeldMessage.body": "Where is Ana Ito?",
    "HeldMessage.reason": "About Ana Ito",
    "Attachment.name": "Ana Ito.png",
    "IncomingHook.name": "Bot of Ana Ito",
}
"""What others wrote without a mention, by column."""


def columns():
    """Yield every text column of every model as ``(name, model, field)``."""
    for model in apps.get_app_config("roomchat").get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, TEXT):
                yield f"{model.__name__}.{field.name}", model, field.name


def stored(*words):
    """Return the values that contain one of the words, by column, in any case."""
    found = {}
    for name, model, field in columns():
        for value in model._default_manager.values_list(field, flat=True):
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            if any(word.casefold() in text.casefold() for word in words):
                found.setdefault(name, set()).add(text)
    return found


def links_to(user):
    """Return the columns that refer to the account."""
    return {
        f"{model.__name__}.{field.name}"
        for model in apps.get_app_config("roomchat").get_models()
        for field in model._meta.concrete_fields
        if field.related_model is User and model._default_manager.filter(**{field.name: user}).exists()
    }


@pytest.fixture
def ana():
    return make_ana()


def live(ana):
    """A person's name and key in every column that can have them, and the words of others."""
    leave_traces(ana)
    me = of_user(ana)
    garden = create_room("Ana Ito's garden", by=BOB, tells_changes=True)
    add_member(garden, ana, by=BOB)
    set_role(garden, ana, "owner", by=BOB)
    add_member(garden, CLEO, by=ana)
    configure_room(garden, by=ana, title="Ana Ito's own garden")
    configure_room(garden, title="Ana Ito's garden")
    mention = post_message(garden, "hello @Ana Ito", author=CLEO).seq
    post_message(garden, "welcome", author=ana, id=me.key)
    pin_message(garden, mention, by=ana)
    report_message(garden, mention, "Spam", by=BOB)
    words = put(garden.name, OWN_WORDS["Message.body"], CLEO)
    uphold_of_anas = report_message(garden, words.seq, "says Ana Ito", by=ana)
    report_message(garden, words.seq, OWN_WORDS["Report.reason"], by=BOB)
    AuditEntry.objects.create(
        verb="uphold", by_key=BOB.key, by_name="Bob", room_name=garden.name, target_key=CLEO.key, target_name="Cleo",
        data={"seq": uphold_of_anas.seq, "reason": uphold_of_anas.reason},
    )  # fmt: skip
    for act in (ban, mute):
        act(garden, Identity("g:1", "One"), by=ana, reason="says Ana Ito")
        act(garden, Identity("g:2", "Two"), by=BOB, reason=OWN_WORDS["Ban.reason"])
        AuditEntry.objects.filter(data__reason=OWN_WORDS["Ban.reason"]).delete()
    for body in ("come @Ana Ito!", OWN_WORDS["HeldMessage.body"]):
        HeldMessage.objects.create(
            room=garden,
            author_key=CLEO.key,
            author_name="Cleo",
            client_id=f"h{len(body)}",
            body=body,
            reason="About Ana Ito",
        )
    Attachment.objects.create(
        room=garden, key=CLEO.key, name="Ana Ito.png", content_type="image/png", bytes=1
    )
    HeldMessage.objects.create(
        room=garden, author_key=me.key, author_name=me.name, client_id=me.key, body="mine"
    )
    IncomingHook.objects.create(room=garden, name=OWN_WORDS["IncomingHook.name"], digest="d")
    Presence.objects.create(process=ServerProcess.objects.get(), room=garden.name, key=BOB.key, name="Bob")
    direct_room(ana, CLEO)
    block(CLEO, by=ana)
    block(ana, by=BOB)
    make_ticket(HttpRequest(), user=ana)
    return me


def test_no_text_column_has_the_name_or_the_key_of_an_erased_person(ana):
    key = live(ana).key
    named, keyed = stored("Ana Ito"), stored(f'"{key}"', key)
    assert {*named, *keyed} | WITHOUT_NAMES == {name for name, _model, _field in columns()}, (
        "fill the new column in live()"
    )
    assert links_to(ana)

    erase_user(ana, keep_sanctions=False)

    left = stored("Ana Ito")
    assert left.keys() == OWN_WORDS.keys()
    for column, texts in left.items():
        assert all(any(words in text for words in OWN_WORDS.values()) for text in texts), (column, texts)
    assert stored(key) == {}
    assert links_to(ana) == set()


def test_what_others_wrote_about_an_erased_person_stays_as_it_was(ana):
    live(ana)
    before = stored(*OWN_WORDS.values())

    erase_user(ana)

    assert stored(*OWN_WORDS.values()) == before


# Mentions ---------------------------------------------------------------------------------------------------------


def test_a_longer_name_that_begins_with_the_erased_one_stays():
    ann, anna, ann_lee = (
        User.objects.create_user(f"u{number}", first_name=name)
        for number, name in enumerate(("Ann", "Anna", "Ann Lee"))
    )
    for user in (ann, anna, ann_lee):
        post_message("lobby", "hi", author=user)
    post_message("lobby", "@Ann, @Anna, @Ann Lee, @Annika and ann@example.com", author=BOB)

    erase_user(ann)

    message = Message.objects.get(author_key=BOB.key)
    assert message.body == "@Deleted user, @Anna, @Ann Lee, @Annika and ann@example.com"
    assert [mention["name"] for mention in message.data["mentions"]] == ["Anna", "Ann Lee"]


def test_a_mention_of_a_namesake_stays(ana):
    namesake = User.objects.create_user("other", first_name="Ana", last_name="Ito")
    post_message("lobby", "hi", author=ana)
    post_message("kitchen", "hi", author=namesake)
    post_message("lobby", "to @Ana Ito", author=BOB)
    post_message("kitchen", "to @Ana Ito", author=BOB)

    erase_user(ana)

    bodies = Message.objects.filter(author_key=BOB.key).order_by("pk").values_list("body", flat=True)
    assert list(bodies) == ["to @Deleted user", "to @Ana Ito"]


def test_a_mention_that_was_edited_away_is_erased_from_the_earlier_text(ana, settings):
    settings.ROOMCHAT = {"EDIT_HISTORY": True}
    post_message("lobby", "hi", author=ana)
    post_message("lobby", "hi", author=CLEO)
    post_message("lobby", "@Ana Ito and @Cleo", author=BOB)
    edit_message("lobby", 3, "nobody", by=BOB)
    assert [text.body for text in earlier_texts("lobby", 3)] == ["@Ana Ito and @Cleo"]

    erase_user(ana)

    assert [text.body for text in earlier_texts("lobby", 3)] == ["@Deleted user and @Cleo"]
    assert Message.objects.get(seq=3).body == "nobody"


def test_a_mention_in_an_earlier_text_does_not_count_as_unread(ana, settings):
    settings.ROOMCHAT = {"EDIT_HISTORY": True}
    add_member(create_room("Lobby", by=BOB), ana)
    post_message("lobby", "@Ana Ito", author=BOB)
    assert [room.mentions for room in unread(ana)] == [1]

    edit_message("lobby", 1, "nobody", by=BOB)

    assert [(room.unread, room.mentions) for room in unread(ana)] == [(1, 0)]


def test_rendered_text_is_rendered_without_the_mention(ana, settings):
    settings.ROOMCHAT = {"MARKDOWN": True}
    post_message("lobby", "hi", author=ana)
    post_message("lobby", "**hi** @Ana Ito", author=BOB)

    erase_user(ana)

    assert Message.objects.get(seq=2).data["html"] == "<p><strong>hi</strong> @Deleted user</p>"


def test_a_mention_is_erased_from_the_copy_in_a_report(ana):
    post_message("lobby", "hi", author=ana)
    post_message("lobby", "@Ana Ito and @Ana Itoh", author=BOB)
    report = report_message("lobby", 2, "Rude to Ana Ito", by=CLEO)

    erase_user(ana)

    report.refresh_from_db()
    assert (report.body, report.reason) == ("@Deleted user and @Ana Itoh", "Rude to Ana Ito")


def test_a_mention_in_a_held_message_is_erased_unless_it_is_of_another_person(ana):
    namesake = User.objects.create_user("other", first_name="Ana", last_name="Ito")
    for room, user in (("lobby", ana), ("kitchen", ana), ("kitchen", namesake)):
        add_member(room, user)
        post_message(room, "hi", author=user)
    Membership.objects.filter(room__name="kitchen", key=of_user(ana).key).delete()
    for room in Room.objects.all():
        HeldMessage.objects.create(
            room=room, author_key=BOB.key, author_name="Bob", client_id="h", body="@Ana Ito, @Ana Itoh"
        )

    erase_user(ana)

    assert dict(HeldMessage.objects.values_list("room__name", "body")) == {
        "lobby": "@Deleted user, @Ana Itoh",
        "kitchen": "@Ana Ito, @Ana Itoh",
    }


# Admin -----------------------------------------------------------------------------------------------------------------


def test_what_staff_did_in_the_admin_is_kept_without_the_name(ana, admin_client):
    club = create_room("Club")
    add_member(club, ana)
    direct = direct_room(ana, CLEO)
    longer = add_member(club, Identity("g:other", "Ana Itoh", is_guest=True)) and club.memberships.last()
    for model, row in (("membership", club.memberships.first()), ("membership", longer), ("room", direct)):
        admin_client.post(reverse(f"admin:roomchat_{model}_delete", args=[row.pk]), {"post": "yes"})
    log = LogEntry.objects.order_by("pk").values_list("object_repr", flat=True)
    before = list(log)

    erase_user(ana)

    assert before == ["Ana Ito: Club", "Ana Itoh: Club", "Cleo, Ana Ito"]
    assert list(log.all()) == ["Deleted user: Club", "Ana Itoh: Club", "Cleo, Deleted user"]
    deletion = AuditEntry.objects.get(verb="delete_room")
    assert deletion.data == {"visibility": "direct", "messages": 0, "members": 2}


# System messages and direct rooms -----------------------------------------------------------------------------------


def test_system_messages_of_a_namesake_stay(ana):
    namesake = User.objects.create_user("other", first_name="Ana", last_name="Ito")
    add_member(create_room("Club", tells_changes=True), ana)
    add_member("club", namesake)
    set_role("club", namesake, "owner")
    add_member("club", Identity("g:x", "Ana Itoh"), by=namesake)
    remove_member("club", ana, by=namesake)

    erased = erase_user(ana)

    lines = Message.objects.exclude(data={}).order_by("seq").values_list("body", "data__line__target_key")
    [key] = erased.keys.values()
    assert list(lines) == [
        ("The room was created.", None),
        ("Deleted user joined.", key),
        ("Ana Ito joined.", of_user(namesake).key),
        ("Ana Ito: owner", of_user(namesake).key),
        ("Ana Ito added Ana Itoh.", "g:x"),
        ("Ana Ito removed Deleted user.", key),
    ]


def test_a_title_that_an_erased_person_wrote_is_erased_from_the_system_message(ana):
    room = create_room("Club", by=ana, tells_changes=True)
    configure_room(room, by=ana, title="Ana Ito's Club")
    configure_room(room, title="Club of Ana Ito")

    erase_user(ana)

    bodies = Message.objects.order_by("seq").values_list("body", flat=True)
    assert list(bodies)[1:] == [
        "Deleted user renamed the room to “…”.",
        "The room was renamed to “Club of Ana Ito”.",
    ]


def test_a_system_message_without_keys_is_erased_by_its_name(ana):
    post_message("lobby", "hi", author=ana)
    put("lobby", "Ana Ito joined.", kind="system", line={"code": "joined", "name": "Ana Ito"})

    erase_user(ana)

    assert Message.objects.get(seq=2).body == "Deleted user joined."


def test_the_title_of_a_direct_room_is_made_of_its_people():
    ann = User.objects.create_user("ann", first_name="Ann")
    anna = User.objects.create_user("anna", first_name="Anna")
    room = direct_room(ann, anna)

    erase_user(ann)

    assert Room.objects.get(pk=room.pk).title == "Deleted user, Anna"
    assert [listed.title for listed in unread(anna)] == ["Deleted user"]
    erase_user(anna)
    assert Room.objects.get(pk=room.pk).title == "Deleted user, Deleted user"


# Records -------------------------------------------------------------------------------------------------------------


def test_the_audit_trail_keeps_facts_and_no_texts_of_an_erased_moderator(ana):
    room = create_room("Club", by=ana)
    add_member(room, CLEO, by=ana)
    set_role(room, CLEO, "moderator", by=ana)
    ban(room, BOB, by=ana, reason="I do not like Bob")

    erase_user(ana)

    entries = AuditEntry.objects.filter(by_name="Deleted user").order_by("pk").values_list("verb", "data")
    assert list(entries) == [
        ("create_room", {"visibility": "open"}),
        ("add_member", {"role": "member"}),
        ("set_role", {"before": "member", "after": "moderator"}),
        ("ban", {"until": None}),
    ]
    assert Ban.objects.get().reason == ""


def test_reasons_of_an_erased_guest_are_found_by_the_audit_trail():
    room = create_room("Club", by=CLEO)
    ban(room, BOB, by=CLEO, reason="I, Cleo, do not like Bob")

    erase_user(CLEO)

    assert Ban.objects.get().reason == ""


def test_the_reason_of_an_erased_reporter_is_erased_from_the_decision(ana):
    post_message("lobby", "hi", author=CLEO)
    report = report_message("lobby", 1, "I, Ana Ito, object", by=ana)
    uphold(report)

    erase_user(ana)

    assert AuditEntry.objects.get(verb="uphold").data == {"seq": 1, "reason": ""}
    assert Report.objects.get().reason == ""


def test_blocks_are_exported_and_erased(ana):
    block(CLEO, by=ana)
    block(ana, by=BOB)
    [exported] = export_user(ana)["blocks"]

    erase_user(ana)

    assert (exported["name"], set(exported)) == ("Cleo", {"name", "created_at"})
    assert list(Block.objects.values_list("by_key", "key", "name")) == [
        (BOB.key, of_user(ana).key, "Deleted user")
    ]


def test_a_block_of_an_erased_person_can_be_lifted_with_the_sanctions(ana):
    block(ana, by=BOB)

    erase_user(ana, keep_sanctions=False)

    assert not Block.objects.exists()
