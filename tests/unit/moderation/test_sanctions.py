"""Bans and mutes: rights, durations and the audit trail, from Python, over HTTP and through a socket."""

import json
import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from django_roomchat.consumers import ChatConsumer
from django_roomchat.errors import BadText, BadValue
from django_roomchat.identity import Identity, of_user
from django_roomchat.messages.edit import delete_message, edit_message
from django_roomchat.messages.post import post_message
from django_roomchat.models import AuditEntry, Ban, Membership, Mute, Presence, RoomLog, ServerProcess
from django_roomchat.moderation import sanctions
from django_roomchat.moderation.sanctions import aban, amute, aunban, aunmute, ban, mute, unban, unmute
from django_roomchat.policy import roles
from django_roomchat.realtime import threads
from django_roomchat.rooms import lookup
from django_roomchat.testing import ChatClient
from tests.support.caches import clear_caches
from tests.support.refusals import code

pytestmark = pytest.mark.django_db(transaction=True)
MEMBER, MODERATOR, OTHER, OWNER = (
    Identity(f"u:{name.lower()}", name) for name in ("Member", "Moderator", "Other", "Owner")
)
GUEST = Identity("g:guest", "Guest", is_guest=True)
ROLES = {MEMBER: "member", MODERATOR: "moderator", OTHER: "moderator", OWNER: "owner"}


@pytest.fixture
def room():
    post_message("lobby", "welcome")
    room = lookup.room_of("lobby")
    for who, role in ROLES.items():
        Membership.objects.create(room=room, key=who.key, name=who.name, role=role)
    RoomLog.objects.filter(pk=room.pk).update(access_version=1)
    return lookup.room_of("lobby")


def trail():
    return list(AuditEntry.objects.order_by("pk").values_list("verb", "by_name", "target_name", "data"))


def soon(seconds=60):
    return timezone.now() + timedelta(seconds=seconds)


def past(model):
    """The time of a sanction is over."""
    model.objects.update(until=timezone.now() - timedelta(seconds=1))
    clear_caches()  # the end of the sanction is cached


@pytest.mark.parametrize(
    ("begin", "end", "model", "refused"), [(ban, unban, Ban, "banned"), (mute, unmute, Mute, "muted")]
)
def test_a_sanction_begins_and_ends_at_once(room, begin, end, model, refused):
    begin("Lobby", GUEST, by=MODERATOR, reason=" Spam. ")
    during = code(post_message, "lobby", "hi", author=GUEST)
    made = model.objects.get()
    end("lobby", GUEST.key, by=MODERATOR)

    assert (during, code(post_message, "lobby", "hi", author=GUEST)) == (refused, None)
    assert (made.key, made.name, made.reason, made.until, str(made)) == (
        "g:guest",
        "Guest",
        "Spam.",
        None,
        "Guest: lobby",
    )
    assert not model.objects.exists()


@pytest.mark.parametrize(("begin", "model", "refused"), [(ban, Ban, "banned"), (mute, Mute, "muted")])
def test_a_sanction_ends_by_time_without_a_restart(room, begin, model, refused):
    begin("lobby", GUEST, by=MODERATOR, until=soon())
    during = code(post_message, "lobby", "hi", author=GUEST)

    past(model)

    assert (during, code(post_message, "lobby", "hi", author=GUEST)) == (refused, None)


async def test_the_end_of_a_ban_needs_nobody_who_looks_it_up_again(monkeypatch):
    await aban("lobby", GUEST, until=soon(3600))
    banned = await threads.in_thread(code, post_message, "lobby", "hi", author=GUEST)
    now = timezone.now()

    monkeypatch.setattr(roles.timezone, "now", lambda: now + timedelta(hours=2))

    assert (banned, await threads.in_thread(code, post_message, "lobby", "hi", author=GUEST)) == (
        "banned",
        None,
    )


def test_a_second_sanction_takes_the_place_of_the_first(room):
    mute("lobby", GUEST, reason="Loud.")
    mute("lobby", GUEST.key, reason="Louder.", until=soon())

    made = Mute.objects.get()

    assert (made.name, made.reason, made.until is not None) == ("Guest", "Louder.", True)


@pytest.mark.parametrize("act", [ban, mute, unban, unmute])
def test_a_person_of_the_same_rank_or_above_cannot_be_moderated(room, act):
    everybody = (GUEST, MEMBER, MODERATOR, OWNER)

    answers = {by.name: [code(act, "lobby", who, by=by) for who in everybody] for by in everybody}

    assert answers == {
        "Guest": ["forbidden"] * 4,
        "Member": ["forbidden"] * 4,
        "Moderator": [None, None, "yourself", "rank"],
        "Owner": [None, None, None, "yourself"],
    }


def test_moderators_do_not_judge_each_other_and_the_site_judges_anybody(room):
    assert code(mute, "lobby", OTHER, by=MODERATOR) == "rank"
    assert [code(mute, "lobby", who) for who in ROLES] == [None] * 4


def test_staff_stand_above_owners_also_where_only_their_key_is_given(room):
    boss = of_user(User.objects.create_user("boss", is_staff=True))
    post_message("lobby", "I am here", author=boss)

    assert code(ban, "lobby", boss.key, by=OWNER) == "rank"
    assert code(ban, "lobby", boss, by=OWNER) == "rank"
    assert code(ban, "lobby", OWNER, by=boss) is None


def test_a_muted_moderator_does_not_end_their_mute(room):
    mute("lobby", MODERATOR, by=OWNER)

    assert code(unmute, "lobby", MODERATOR, by=MODERATOR) == "yourself"
    assert code(unmute, "lobby", MODERATOR, by=OTHER) == "rank"


def test_a_refusal_leaves_nothing_behind(room):
    version = RoomLog.objects.get().access_version

    assert code(ban, "lobby", OWNER, by=MODERATOR) == "rank"

    assert (RoomLog.objects.get().access_version, Ban.objects.count(), trail()) == (version, 0, [])


def test_a_name_is_found_where_only_the_key_is_given(room):
    post_message("lobby", "hi", author=GUEST)

    for key in (GUEST.key, MEMBER.key, "u:unknown"):
        ban("lobby", key)

    assert list(Ban.objects.order_by("pk").values_list("name", flat=True)) == ["Guest", "Member", ""]


def test_a_person_can_be_banned_from_a_room_without_messages():
    assert ban("new", GUEST) == 0
    assert code(post_message, "new", "hi", author=GUEST) == "banned"


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"reason": "x" * 301}, BadText),
        ({"reason": "\x00"}, BadText),
        ({"reason": 5}, BadText),
        ({"until": timezone.now() - timedelta(seconds=1)}, BadValue),
    ],
)
def test_what_cannot_be_a_sanction_is_refused(room, options, error):
    with pytest.raises(error):
        ban("lobby", GUEST, **options)


@pytest.mark.parametrize("key", ["", "x" * 101, "a\x00b"])
def test_what_cannot_be_a_key_is_refused(room, key):
    with pytest.raises(BadValue):
        ban("lobby", key)


def test_everything_is_in_the_audit_trail_with_its_reason(room):
    until = soon()
    ban("lobby", GUEST, by=MODERATOR, reason="Spam.", until=until)
    unban("lobby", GUEST, by=OWNER)
    unban("lobby", GUEST, by=OWNER)
    mute("lobby", GUEST, by=MODERATOR)

    assert trail() == [
        ("ban", "Moderator", "Guest", {"reason": "Spam.", "until": until.isoformat()}),
        ("unban", "Owner", "Guest", {}),
        ("mute", "Moderator", "Guest", {"reason": "", "until": None}),
    ]


def test_what_moderators_do_to_the_messages_of_others_is_in_the_audit_trail(room):
    for number in range(2):
        post_message("lobby", f"message {number}", author=GUEST)
    delete_message("lobby", 2, by=MODERATOR)
    delete_message("lobby", 2, by=MODERATOR)
    edit_message("lobby", 3, "tidied")
    edit_message("lobby", 3, "my own words", by=GUEST)
    delete_message("lobby", 3, by=GUEST)

    assert [(verb, by, whom, data) for verb, by, whom, data in trail()] == [
        ("delete", "Moderator", "Guest", {"seq": 2}),
        ("edit", "System", "Guest", {"seq": 3}),
    ]


async def test_every_verb_has_a_twin():
    await aban("lobby", GUEST)
    await aunban("lobby", GUEST)
    await amute("lobby", GUEST)
    await aunmute("lobby", GUEST)

    assert await threads.in_thread(lambda: [verb for verb, *_ in trail()]) == [
        "ban",
        "unban",
        "mute",
        "unmute",
    ]


# On the wire ----------------------------------------------------------------------------------------------------


def test_moderators_judge_over_http(room):
    user = User.objects.create_user("mod")
    Membership.objects.create(room=room, key=f"u:{user.pk}", role="moderator")
    sanctions.unmute("lobby", GUEST)
    client = Client()
    client.force_login(user)

    def send(frame):
        address = reverse("roomchat:room_frames", args=["lobby"])
        response = client.post(address, json.dumps(frame), content_type="application/json")
        return response.status_code, response.json()

    done = {"type": "done", "id": "a", "room": "lobby"}
    frame = {"id": "a", "key": "g:guest", "reason": "Loud.", "seconds": 60}
    assert send({"type": "mute", **frame}) == (200, done)
    assert (Mute.objects.get().reason, Mute.objects.get().until is not None) == ("Loud.", True)
    assert send({"type": "mute", **frame, "on": False}) == (200, done)
    assert send({"type": "ban", **frame, "seconds": None}) == (200, done)
    assert (Ban.objects.get().until, Mute.objects.count()) == (None, 0)
    assert send({"type": "ban", **frame, "on": False}) == (200, done)
    assert Ban.objects.count() == 0
    assert send({"type": "ban", "key": f"u:{user.pk}"})[0] == 403
    assert send({"type": "ban", "key": ""})[0] == 400


async def test_a_mute_or_ban_is_sent_to_open_sockets_at_once():
    application = ChatConsumer.as_asgi()
    mod, rude = await threads.in_thread(_two_users)
    async with (
        ChatClient(application, "lobby", user=mod) as moderator,
        ChatClient(application, "lobby", user=rude) as client,
    ):
        await moderator.receive("joined")
        before = await client.receive("rights")
        await client.receive("joined")

        await moderator.send({"type": "mute", "key": f"u:{rude.pk}", "seconds": 60, "id": "m"})
        done = await moderator.receive("done")
        muted = await client.receive("rights")
        refused = await client.post("hi", id="a")
        await moderator.send({"type": "mute", "key": f"u:{rude.pk}", "on": False})
        free = await client.receive("rights")
        await moderator.send({"type": "ban", "key": f"u:{rude.pk}", "reason": "Rude."})
        error = await client.receive("error")
        bye = await client.receive("bye")
        await moderator.send({"type": "ban", "key": f"u:{mod.pk}", "id": "self"})
        own = await moderator.receive("error")

    assert done == {"type": "done", "id": "m", "room": "lobby"}
    assert ["post" in rights["can"] for rights in (before, muted, free)] == [True, False, True]
    assert refused["code"] == "muted"
    assert 0 < refused["retry_after"] <= 60
    sentence = "You are banned from this room. A moderator can end this. Reason: Rude."
    assert (error["code"], error["detail"], bye["code"]) == ("banned", sentence, 4003)
    assert (own["code"], own["id"]) == ("yourself", "self")


def _two_users():
    room = lookup.room_of(post_message("lobby", "welcome").room)
    mod, rude = User.objects.create_user("mod"), User.objects.create_user("rude")
    Membership.objects.create(room=room, key=f"u:{mod.pk}", role="moderator")
    RoomLog.objects.filter(pk=room.pk).update(access_version=1)
    return mod, rude


# Lists of banned and muted people ------------------------------------------------------------------------------------------------


def sanctioned(room, **options):
    return [
        (one.key, one.name, one.ban and one.ban.reason, one.mute and one.mute.reason)
        for one in sanctions.list_sanctions(room, **options)
    ]


def test_moderators_see_who_is_banned_or_muted_and_why(room):
    ban(room, MEMBER, by=OWNER, reason="Spam.")
    mute(room, MEMBER, by=OWNER, reason="Loud.")
    mute(room, "g:stranger", by=OWNER)

    listed = sanctioned(room, by=MODERATOR)

    assert listed == [("g:stranger", "", None, ""), ("u:member", "Member", "Spam.", "Loud.")]


def test_what_has_ended_is_not_listed(room):
    ban(room, MEMBER, by=OWNER, until=soon())
    mute(room, OTHER, by=OWNER)
    assert [one[0] for one in sanctioned(room)] == ["u:member", "u:other"]
    Ban.objects.update(until=timezone.now() - timedelta(seconds=1))
    unmute(room, OTHER, by=OWNER)

    assert sanctioned(room) == []


def test_the_list_comes_in_pages(room, monkeypatch):
    monkeypatch.setattr(sanctions, "PAGE_SANCTIONS", 2)
    for key in ("g:1", "g:3"):
        ban(room, key)
    for key in ("g:1", "g:2", "g:3"):
        mute(room, key)

    pages = [[one[0] for one in sanctioned(room, after=after)] for after in ("", "g:2", "g:3")]

    assert pages == [["g:1", "g:2"], ["g:3"], []]


def test_only_moderators_see_the_list(room):
    assert code(sanctions.list_sanctions, room, by=MODERATOR) is None
    assert code(sanctions.list_sanctions, room, by=MEMBER) == "forbidden"


def test_who_is_there_and_has_said_nothing_is_listed_by_name(room):
    process = ServerProcess.objects.create(pk=uuid.uuid4(), alive_at=timezone.now())
    Presence.objects.create(pk=uuid.uuid4(), process=process, room="lobby", key="g:quiet", name="Guest 7")

    mute(room, "g:quiet", by=MODERATOR)

    assert sanctioned(room) == [("g:quiet", "Guest 7", None, "")]
