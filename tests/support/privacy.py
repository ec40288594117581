"""A user with rows in every table, for tests of export and erasure."""

import itertools

from django.contrib.auth.models import User

from django_roomchat import identity, log
from django_roomchat.identity import Identity, of_user
from django_roomchat.log import Draft
from django_roomchat.messages.edit import delete_message, edit_message
from django_roomchat.messages.post import post_message
from django_roomchat.models import (
    Attachment,
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
    ServerProcess,
)

GUEST, BOB = Identity("g:guest", "Guest 1", is_guest=True), Identity("g:bob", "Bob", is_guest=True)


def put(room, body, author=BOB, kind="user", reply_to=None, **data):
    """A message as a chapter of its own would write it."""
    room = Room.objects.get(name=room)
    draft = Draft(
        None, author.key, author.name, f"p{Message.objects.count()}", kind, body, reply_to, data=data
    )
    [stored] = log.append({room.pk: [draft]})[room.pk].results
    return Message.objects.get(room=room, seq=stored.seq)


def make_ana():
    return User.objects.create_user("ana", "ana@example.com", "x", first_name="Ana", last_name="Ito")


def leave_traces(ana):
    """Two rooms in which the user has left a trace of every kind."""
    post_message("Garden", "I grow tomatoes", author=ana, id="a1")
    post_message("garden", "Nice!", author=BOB, id="b1", reply_to=1)
    post_message("garden", "My number is 555", author=ana, id="a2")
    post_message("kitchen", "I cook them", author=ana, id="a1")
    edit_message("kitchen", 1, "I fry them", by=ana)
    post_message("garden", "bye", author=ana, id="a3")
    delete_message("garden", 4, by=ana)
    garden = Room.objects.get(name="garden")
    me = of_user(ana)
    put("garden", "**hi** @Ana Ito and @Bob", mentions=[
        {"key": me.key, "name": "Ana Ito"}, {"key": BOB.key, "name": "Bob"}
    ], html="<p><strong>hi</strong> @Ana Ito and @Bob</p>", earlier=[{"body": "ho @Ana Ito", "at": "2026-01-01T00:00:00.000Z", "mentions": [[me.key, "Ana Ito"]]}])  # fmt: skip
    put("garden", "hello @Ana Ito", mentions=[{"key": me.key, "name": "Ana Ito"}])
    put("garden", "Ana Ito joined.", identity.site(), "system", line={
        "code": "joined", "name": "Ana Ito", "target_key": me.key
    })  # fmt: skip
    put("garden", "Cleo joined.", identity.site(), "system", line={
        "code": "joined", "name": "Cleo", "target_key": "g:cleo"
    })  # fmt: skip
    liked = put("garden", "like me", reactions={"👍": {"count": 2, "keys": [me.key, BOB.key]}})
    Reaction.objects.create(message=liked, key=me.key, emoji="👍")
    Reaction.objects.create(message=liked, key=BOB.key, emoji="👍")
    loved = put("garden", "love me", reactions={"❤": {"count": 1, "keys": [me.key]}})
    Reaction.objects.create(message=loved, key=me.key, emoji="❤")
    for model in (Ban, Mute):
        for who in (me, BOB):
            model.objects.create(room=garden, key=who.key, name=who.name, reason=f"{who.name} shouts", by=ana)
    Membership.objects.create(room=garden, key=me.key, name=me.name, user=ana)
    Membership.objects.create(room=garden, key=BOB.key, name=BOB.name)
    ReadMarker.objects.create(room=garden, key=me.key, user=ana, seq=3)
    Invitation.objects.create(room=garden, digest="d", by_key=me.key, by=ana)
    Attachment.objects.create(
        room=garden, seq=3, key=me.key, name="Ana Ito.jpg", content_type="image/jpeg", bytes=9, stored="x"
    )
    process = ServerProcess.objects.create()
    Presence.objects.create(process=process, room="garden", key=me.key, name=me.name)
    Report.objects.create(
        room=garden, seq=3, body="My number is 555", author_key=me.key, author_name=me.name,
        by_key=BOB.key, by_name="Bob", reason="Ana Ito gives her number",
    )  # fmt: skip
    Report.objects.create(
        room=garden, seq=2, body="Nice!", author_key=BOB.key, author_name="Bob",
        by_key=me.key, by_name=me.name, reason="I, Ana Ito, think so", state="upheld",
    )  # fmt: skip
    HeldMessage.objects.create(
        room=garden, author=ana, author_key=me.key, author_name=me.name, client_id="h", body="held words"
    )
    AuditEntry.objects.create(
        verb="ban", by_key=BOB.key, by_name="Bob", target_key=me.key, target_name=me.name,
        room_name="garden", data={"reason": "Ana Ito shouts"},
    )  # fmt: skip
    AuditEntry.objects.create(
        verb="mute",
        by_key=me.key,
        by_name=me.name,
        target_key=BOB.key,
        target_name="Bob",
        data={"reason": "x"},
    )


def audited():
    return [problem for row in RoomLog.objects.all() for problem in log.verify(row)]


def left():
    rows = Message.objects.order_by("pk").values_list("room__name", "body")
    return {room: [body for _, body in some] for room, some in itertools.groupby(rows, lambda row: row[0])}
