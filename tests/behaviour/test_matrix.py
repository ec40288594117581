"""Who may do what: every address and every frame, for everybody, in every kind of room.

The table is read so: each part begins with the addresses and frames that it is about; then for each kind of room what each role is told.
``yes`` is done, everything else is the code of the refusal. A new address or frame has no place in it, and fails.
"""

import itertools
import json
import re
from io import BytesIO
from typing import get_args
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from django_roomchat import protocol
from django_roomchat.consumers import ChatConsumer
from django_roomchat.files import storage
from django_roomchat.identity import GUEST_SESSION_KEY
from django_roomchat.models import Attachment, Ban, Membership, Message, Mute, Room, RoomLog
from django_roomchat.realtime.threads import in_thread
from django_roomchat.rooms import invitations
from django_roomchat.testing import ChatClient
from django_roomchat.urls import urlpatterns
from django_roomchat.webhooks import incoming

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("media_folder")]


ROLES = ("guest", "stranger", "member", "moderator", "owner", "banned", "muted", "staff")
ROOMS = {
    "open": {},
    "private": {"visibility": "private"},
    "direct": {"visibility": "direct"},
    "archived": {"archived_at": timezone.now()},
    "announcement": {"is_announcement": True},
    "nonexistent": None,
}

TABLE = """
# post, POST messages, POST files
=            guest        stranger     member       moderator    owner        banned       muted        staff
open         yes          yes          yes          yes          yes          banned       muted        yes
private      no_such_room no_such_room yes          yes          yes          banned       muted        no_such_room
direct       no_such_room no_such_room yes          no_such_room no_such_room banned       muted        no_such_room
archived     archived     archived     archived     archived     archived     banned       archived     archived
announcement announcement announcement announcement yes          yes          banned       muted        yes
nonexistent  yes          yes          yes          yes          yes          yes          yes          yes

# edit, delete
=            guest        stranger     member       moderator    owner        banned       muted        staff
open         yes          yes          yes          yes          yes          banned       yes          yes
private      no_such_room no_such_room yes          yes          yes          banned       yes          no_such_room
direct       no_such_room no_such_room yes          no_such_room no_such_room banned       yes          no_such_room
archived     archived     archived     archived     archived     archived     banned       archived     archived
announcement yes          yes          yes          yes          yes          banned       yes          yes
nonexistent  not_found    not_found    not_found    not_found    not_found    not_found    not_found    not_found

# typing, hello, join, leave, seen, ping
=            guest        stranger     member       moderator    owner        banned       muted        staff
open         unknown_type unknown_type unknown_type unknown_type unknown_type unknown_type unknown_type unknown_type
private      unknown_type unknown_type unknown_type unknown_type unknown_type unknown_type unknown_type unknown_type
direct       unknown_type unknown_type unknown_type unknown_type unknown_type unknown_type unknown_type unknown_type
archived     unknown_type unknown_type unknown_type unknown_type unknown_type unknown_type unknown_type unknown_type
announcement unknown_type unknown_type unknown_type unknown_type unknown_type unknown_type unknown_type unknown_type
nonexistent  unknown_type unknown_type unknown_type unknown_type unknown_type unknown_type unknown_type unknown_type

# read, notify, search, members, person, GET messages
=            guest        stranger     member       moderator    owner        banned       muted        staff
open         yes          yes          yes          yes          yes          banned       yes          yes
private      no_such_room no_such_room yes          yes          yes          banned       yes          no_such_room
direct       no_such_room no_such_room yes          no_such_room no_such_room banned       yes          no_such_room
archived     yes          yes          yes          yes          yes          banned       yes          yes
announcement yes          yes          yes          yes          yes          banned       yes          yes
nonexistent  yes          yes          yes          yes          yes          yes          yes          yes

# GET download, GET thumb, DELETE file
=            guest        stranger     member       moderator    owner        banned       muted        staff
open         yes          yes          yes          yes          yes          banned       yes          yes
private      no_such_room no_such_room yes          yes          yes          banned       yes          no_such_room
direct       no_such_room no_such_room yes          no_such_room no_such_room banned       yes          no_such_room
archived     yes          yes          yes          yes          yes          banned       yes          yes
announcement yes          yes          yes          yes          yes          banned       yes          yes
nonexistent  no_such_file no_such_file no_such_file no_such_file no_such_file no_such_file no_such_file no_such_file

# rooms, create, GET index, GET search, GET new_room, POST new_room, POST ticket
=            guest     stranger  member    moderator owner     banned    muted     staff
open         yes       yes       yes       yes       yes       yes       yes       yes
private      yes       yes       yes       yes       yes       yes       yes       yes
direct       yes       yes       yes       yes       yes       yes       yes       yes
archived     yes       yes       yes       yes       yes       yes       yes       yes
announcement yes       yes       yes       yes       yes       yes       yes       yes
nonexistent  yes       yes       yes       yes       yes       yes       yes       yes

# name
=            guest        stranger     member       moderator    owner        banned       muted        staff
open         yes          forbidden    forbidden    forbidden    forbidden    banned       forbidden    forbidden
private      no_such_room no_such_room forbidden    forbidden    forbidden    banned       forbidden    no_such_room
direct       no_such_room no_such_room forbidden    no_such_room no_such_room banned       forbidden    no_such_room
archived     yes          forbidden    forbidden    forbidden    forbidden    banned       forbidden    forbidden
announcement yes          forbidden    forbidden    forbidden    forbidden    banned       forbidden    forbidden
nonexistent  yes          forbidden    forbidden    forbidden    forbidden    forbidden    forbidden    forbidden

# configure, settings
=            guest        stranger     member       moderator    owner        banned       muted        staff
open         forbidden    forbidden    forbidden    forbidden    yes          banned       forbidden    yes
private      no_such_room no_such_room forbidden    forbidden    yes          banned       forbidden    no_such_room
direct       no_such_room no_such_room forbidden    no_such_room no_such_room banned       forbidden    no_such_room
archived     forbidden    forbidden    forbidden    forbidden    yes          banned       forbidden    yes
announcement forbidden    forbidden    forbidden    forbidden    yes          banned       forbidden    yes
nonexistent  forbidden    forbidden    forbidden    forbidden    forbidden    forbidden    forbidden    yes

# quit
=            guest        stranger     member       moderator    owner        banned       muted        staff
open         yes          yes          yes          yes          last_owner   banned       yes          yes
private      no_such_room no_such_room yes          yes          last_owner   banned       yes          no_such_room
direct       no_such_room no_such_room direct_room  no_such_room no_such_room banned       direct_room  no_such_room
archived     yes          yes          yes          yes          last_owner   banned       yes          yes
announcement yes          yes          yes          yes          last_owner   banned       yes          yes
nonexistent  no_such_room no_such_room no_such_room no_such_room no_such_room no_such_room no_such_room no_such_room

# invite, add, remove, revoke
=            guest        stranger     member       moderator    owner        banned       muted        staff
open         forbidden    forbidden    forbidden    yes          yes          banned       forbidden    yes
private      no_such_room no_such_room forbidden    yes          yes          banned       forbidden    no_such_room
direct       no_such_room no_such_room forbidden    no_such_room no_such_room banned       forbidden    no_such_room
archived     forbidden    forbidden    forbidden    yes          yes          banned       forbidden    yes
announcement forbidden    forbidden    forbidden    yes          yes          banned       forbidden    yes
nonexistent  no_such_room no_such_room no_such_room no_such_room no_such_room no_such_room no_such_room no_such_room

# invitations
=            guest        stranger     member       moderator    owner        banned       muted        staff
open         forbidden    forbidden    forbidden    yes          yes          banned       forbidden    yes
private      no_such_room no_such_room forbidden    yes          yes          banned       forbidden    no_such_room
direct       no_such_room no_such_room forbidden    no_such_room no_such_room banned       forbidden    no_such_room
archived     forbidden    forbidden    forbidden    yes          yes          banned       forbidden    yes
announcement forbidden    forbidden    forbidden    yes          yes          banned       forbidden    yes
nonexistent  yes          yes          yes          yes          yes          yes          yes          yes

# report
=            guest        stranger     member       moderator    owner        banned       muted        staff
open         yes          yes          yes          yes          yes          banned       yes          yes
private      no_such_room no_such_room yes          yes          yes          banned       yes          no_such_room
direct       no_such_room no_such_room yes          no_such_room no_such_room banned       yes          no_such_room
archived     yes          yes          yes          yes          yes          banned       yes          yes
announcement yes          yes          yes          yes          yes          banned       yes          yes
nonexistent  not_found    not_found    not_found    not_found    not_found    not_found    not_found    not_found

# delete another's
=            guest        stranger     member       moderator    owner        banned       muted        staff
open         forbidden    forbidden    forbidden    yes          yes          banned       forbidden    yes
private      no_such_room no_such_room forbidden    yes          yes          banned       forbidden    no_such_room
direct       no_such_room no_such_room forbidden    no_such_room no_such_room banned       forbidden    no_such_room
archived     archived     archived     archived     archived     archived     banned       archived     archived
announcement forbidden    forbidden    forbidden    yes          yes          banned       forbidden    yes
nonexistent  not_found    not_found    not_found    not_found    not_found    not_found    not_found    not_found

# edit another's
=            guest        stranger     member       moderator    owner        banned       muted        staff
open         forbidden    forbidden    forbidden    forbidden    forbidden    banned       forbidden    forbidden
private      no_such_room no_such_room forbidden    forbidden    forbidden    banned       forbidden    no_such_room
direct       no_such_room no_such_room forbidden    no_such_room no_such_room banned       forbidden    no_such_room
archived     archived     archived     archived     archived     archived     banned       archived     archived
announcement forbidden    forbidden    forbidden    forbidden    forbidden    banned       forbidden    forbidden
nonexistent  not_found    not_found    not_found    not_found    not_found    not_found    not_found    not_found

# ban, mute, sanctions
=            guest        stranger     member       moderator    owner        banned       muted        staff
open         forbidden    forbidden    forbidden    yes          yes          banned       forbidden    yes
private      no_such_room no_such_room forbidden    yes          yes          banned       forbidden    no_such_room
direct       no_such_room no_such_room forbidden    no_such_room no_such_room banned       forbidden    no_such_room
archived     forbidden    forbidden    forbidden    yes          yes          banned       forbidden    yes
announcement forbidden    forbidden    forbidden    yes          yes          banned       forbidden    yes
nonexistent  forbidden    forbidden    forbidden    forbidden    forbidden    forbidden    forbidden    yes

# role
=            guest        stranger     member       moderator    owner        banned       muted        staff
open         forbidden    forbidden    forbidden    forbidden    yes          banned       forbidden    yes
private      no_such_room no_such_room forbidden    forbidden    yes          banned       forbidden    no_such_room
direct       no_such_room no_such_room forbidden    no_such_room no_such_room banned       forbidden    no_such_room
archived     forbidden    forbidden    forbidden    forbidden    yes          banned       forbidden    yes
announcement forbidden    forbidden    forbidden    forbidden    yes          banned       forbidden    yes
nonexistent  no_such_room no_such_room no_such_room no_such_room no_such_room no_such_room no_such_room no_such_room

# direct
=            guest          stranger       member         moderator      owner          banned         muted          staff
open         yes            yes            yes            yes            yes            banned         yes            yes
private      no_such_room   no_such_room   yes            yes            yes            banned         yes            no_such_room
direct       no_such_room   no_such_room   yes            no_such_room   no_such_room   banned         yes            no_such_room
archived     yes            yes            yes            yes            yes            banned         yes            yes
announcement yes            yes            yes            yes            yes            banned         yes            yes
nonexistent  no_such_person no_such_person no_such_person no_such_person no_such_person no_such_person no_such_person no_such_person

# accept
=            guest              stranger           member             moderator          owner              banned             muted              staff
open         yes                yes                yes                yes                yes                yes                yes                yes
private      yes                yes                yes                yes                yes                yes                yes                yes
direct       no_such_invitation no_such_invitation no_such_invitation no_such_invitation no_such_invitation no_such_invitation no_such_invitation no_such_invitation
archived     yes                yes                yes                yes                yes                yes                yes                yes
announcement yes                yes                yes                yes                yes                yes                yes                yes
nonexistent  no_such_invitation no_such_invitation no_such_invitation no_such_invitation no_such_invitation no_such_invitation no_such_invitation no_such_invitation

# GET room
=            guest     stranger  member    moderator owner     banned    muted     staff
open         yes       yes       yes       yes       yes       403       yes       yes
private      404       404       yes       yes       yes       403       yes       404
direct       404       404       yes       404       404       403       yes       404
archived     yes       yes       yes       yes       yes       403       yes       yes
announcement yes       yes       yes       yes       yes       403       yes       yes
nonexistent  yes       yes       yes       yes       yes       yes       yes       yes

# POST room
=            guest     stranger  member    moderator owner     banned    muted     staff
open         yes       yes       yes       yes       yes       403       403       yes
private      404       404       yes       yes       yes       403       403       404
direct       404       404       yes       404       404       403       403       404
archived     403       403       403       403       403       403       403       403
announcement 403       403       403       yes       yes       403       403       yes
nonexistent  yes       yes       yes       yes       yes       yes       yes       yes

# GET invitation, POST invitation
=            guest     stranger  member    moderator owner     banned    muted     staff
open         yes       yes       yes       yes       yes       yes       yes       yes
private      yes       yes       yes       yes       yes       yes       yes       yes
direct       404       404       404       404       404       404       404       404
archived     yes       yes       yes       yes       yes       yes       yes       yes
announcement yes       yes       yes       yes       yes       yes       yes       yes
nonexistent  404       404       404       404       404       404       404       404

# POST hook
=            guest        stranger     member       moderator    owner        banned       muted        staff
open         yes          yes          yes          yes          yes          yes          yes          yes
private      yes          yes          yes          yes          yes          yes          yes          yes
direct       yes          yes          yes          yes          yes          yes          yes          yes
archived     archived     archived     archived     archived     archived     archived     archived     archived
announcement yes          yes          yes          yes          yes          yes          yes          yes
nonexistent  no_such_hook no_such_hook no_such_hook no_such_hook no_such_hook no_such_hook no_such_hook no_such_hook

# react
=            guest        stranger     member       moderator    owner        banned       muted        staff
open         yes          yes          yes          yes          yes          banned       muted        yes
private      no_such_room no_such_room yes          yes          yes          banned       muted        no_such_room
direct       no_such_room no_such_room yes          no_such_room no_such_room banned       muted        no_such_room
archived     archived     archived     archived     archived     archived     banned       archived     archived
announcement yes          yes          yes          yes          yes          banned       muted        yes
nonexistent  not_found    not_found    not_found    not_found    not_found    not_found    not_found    not_found

# pin
=            guest        stranger     member       moderator    owner        banned       muted        staff
open         forbidden    forbidden    forbidden    yes          yes          banned       muted        yes
private      no_such_room no_such_room forbidden    yes          yes          banned       muted        no_such_room
direct       no_such_room no_such_room yes          no_such_room no_such_room banned       muted        no_such_room
archived     archived     archived     archived     archived     archived     banned       archived     archived
announcement forbidden    forbidden    forbidden    yes          yes          banned       muted        yes
nonexistent  not_found    not_found    not_found    not_found    not_found    not_found    not_found    not_found

# pinned, people
=            guest        stranger     member       moderator    owner        banned       muted        staff
open         yes          yes          yes          yes          yes          banned       yes          yes
private      no_such_room no_such_room yes          yes          yes          banned       yes          no_such_room
direct       no_such_room no_such_room yes          no_such_room no_such_room banned       yes          no_such_room
archived     yes          yes          yes          yes          yes          banned       yes          yes
announcement yes          yes          yes          yes          yes          banned       yes          yes
nonexistent  yes          yes          yes          yes          yes          yes          yes          yes

# edits
=            guest        stranger     member       moderator    owner        banned       muted        staff
open         forbidden    forbidden    forbidden    yes          yes          banned       forbidden    yes
private      no_such_room no_such_room forbidden    yes          yes          banned       forbidden    no_such_room
direct       no_such_room no_such_room forbidden    no_such_room no_such_room banned       forbidden    no_such_room
archived     forbidden    forbidden    forbidden    yes          yes          banned       forbidden    yes
announcement forbidden    forbidden    forbidden    yes          yes          banned       forbidden    yes
nonexistent  not_found    not_found    not_found    not_found    not_found    not_found    not_found    not_found
"""


def parsed(table):
    """What is expected, by address or frame, room and role."""
    expected = {}
    for part in re.split(r"\n\n+", table.strip()):
        lines = part.split("\n")
        heads = list(itertools.takewhile(lambda line: line.startswith("#"), lines))
        names = [name.strip() for head in heads for name in head.lstrip("# ").split(",") if name.strip()]
        rows = [line.split() for line in lines[len(heads) :] if not line.startswith("=")]
        for name in names:
            assert name not in expected, f"{name} stands in the table twice"
            expected[name] = {room: dict(zip(ROLES, codes, strict=True)) for room, *codes in rows}
            assert set(expected[name]) == set(ROOMS), f"{name} needs a line for each kind of room"
    return expected


GUEST = {"key": "g:0", "name": "Guest 1"}


class Case:
    """A kind of room, with everybody in it who can be, and a role that asks for something."""

    def __init__(self, kind, role):
        settings = ROOMS[kind]
        self.room = "~x" if settings and "visibility" in settings else "room"
        people = {name: User.objects.create_user(name, is_staff=name == "staff") for name in ROLES[1:]}
        victim = User.objects.create_user("victim")
        self.user = people.get(role)
        self.victim = f"u:{victim.pk}"
        self.other = f"u:{User.objects.create_user('other').pk}"
        self.invitation, self.token, self.hook = 9999, "none", "none"
        self.sent, self.unsent = uuid4(), uuid4()
        if settings is not None:
            self._make(settings, people | {"victim": victim})
        self.browser = Client()
        if self.user is not None:
            self.browser.force_login(self.user)
        else:
            session = self.browser.session
            session[GUEST_SESSION_KEY] = GUEST
            session.save()
            self.browser.cookies["sessionid"] = session.session_key

    def _make(self, settings, people):
        room = Room.objects.create(name=self.room, title="Room", **settings)
        RoomLog.objects.create(room=room, head=3, access_version=1)
        are_two = settings.get("visibility") == "direct"
        for name, user in people.items():
            if name in ("stranger", "staff") or (are_two and name in ("moderator", "owner")):
                continue
            role = name if name in ("moderator", "owner") else "member"
            Membership.objects.create(room=room, key=f"u:{user.pk}", name=name, user=user, role=role)
        Ban.objects.create(room=room, key=f"u:{people['banned'].pk}")
        Mute.objects.create(room=room, key=f"u:{people['muted'].pk}")
        mine = f"u:{self.user.pk}" if self.user else GUEST["key"]
        now = timezone.now()
        # The first is the victim's, the second one's own; the third made its author known here.
        Message.objects.bulk_create(
            Message(
                room=room, seq=seq, rev=seq, author_key=key, author_name=key, client_id=f"old-{seq}",
                fingerprint="x", body="x", created_at=now,
            )
            for seq, key in enumerate((self.victim, mine, self.other), 1)
        )  # fmt: skip
        # One file is the victim's, in the first message; the other one's own, and not sent.
        for id, key, seq in ((self.sent, self.victim, 1), (self.unsent, mine, None)):
            name = storage.save(storage.new_name(), BytesIO(b"x"))
            Attachment.objects.create(
                id=id,
                room=room,
                seq=seq,
                key=key,
                name="x",
                content_type="image/png",
                bytes=1,
                stored=name,
                thumb=name,
            )
        _hook, self.hook = incoming.make_incoming_hook(room.name, "Robot")
        if not are_two:
            made = invitations.invite(room.name)
            self.invitation, self.token = made.id, made.token

    def frame(self, frame):
        return self.post("room_frames", self.room, {"id": "x", **frame})

    def post(self, name, about, content):
        """Send JSON."""
        address = reverse(f"roomchat:{name}", args=[about])
        return self.said(self.browser.post(address, json.dumps(content), "application/json"))

    def submit(self, name, *about, **form):
        """Send a form."""
        return self.said(self.browser.post(reverse(f"roomchat:{name}", args=about), form))

    def get(self, name, *about, **query):
        return self.said(self.browser.get(reverse(f"roomchat:{name}", args=about), query))

    def said(self, response):
        if response.streaming:
            list(response)  # to its end, where the file is closed
        if response.status_code < 400:
            return "yes"
        if response["Content-Type"] == "application/json":
            return response.json()["error"]["code"]
        # The pages have the sentence only.
        return str(response.status_code)


FRAMES = {
    "post": {"body": "hi"},
    "edit": {"seq": 2, "body": "new"},
    "delete": {"seq": 2},
    "typing": {},
    "read": {"seq": 1},
    "notify": {"on": False},
    "rooms": {},
    "name": {"name": "Zoë"},
    "search": {"query": "hello"},
    "create": {"title": "New", "visibility": "private"},
    "configure": {"title": "Newer"},
    "members": {},
    "settings": {},
    "sanctions": {},
    "quit": {},
    "invite": {},
    "invitations": {},
    "report": {"seq": 1},
    "react": {"seq": 1, "emoji": "👍"},
    "pin": {"seq": 1},
    "pinned": {},
    "edits": {"seq": 1},
    "people": {"prefix": "vic"},
    "hello": {},
    "join": {"room": "room"},
    "leave": {},
    "seen": {"heads": {}},
    "ping": {},
}
"""The frames as they are sent; those of which a case must know more stand below."""
ASKS = {
    **{
        kind: (lambda case, kind=kind, more=more: case.frame({"type": kind, **more}))
        for kind, more in FRAMES.items()
    },
    "delete another's": lambda case: case.frame({"type": "delete", "seq": 1}),
    "edit another's": lambda case: case.frame({"type": "edit", "seq": 1, "body": "new"}),
    "ban": lambda case: case.frame({"type": "ban", "key": case.victim}),
    "mute": lambda case: case.frame({"type": "mute", "key": case.victim}),
    "person": lambda case: case.frame({"type": "person", "key": case.victim}),
    "add": lambda case: case.frame({"type": "add", "key": case.other}),
    "remove": lambda case: case.frame({"type": "remove", "key": case.victim}),
    "role": lambda case: case.frame({"type": "role", "key": case.victim, "role": "moderator"}),
    "direct": lambda case: case.frame({"type": "direct", "key": case.victim}),
    "revoke": lambda case: case.frame({"type": "revoke", "invitation": case.invitation}),
    "accept": lambda case: case.frame({"type": "accept", "token": case.token}),
    "GET index": lambda case: case.said(case.browser.get(reverse("roomchat:index"))),
    "GET room": lambda case: case.get("room", case.room),
    "POST room": lambda case: case.submit("room", case.room, body="hi"),
    "GET messages": lambda case: case.get("messages", case.room),
    "POST messages": lambda case: case.post("messages", case.room, {"id": "x", "body": "hi"}),
    "GET search": lambda case: case.get("search", q="hello"),
    "GET new_room": lambda case: case.get("new_room"),
    "POST new_room": lambda case: case.submit("new_room", title="New", visibility="private"),
    "POST ticket": lambda case: case.submit("ticket"),
    "GET invitation": lambda case: case.get("invitation", case.token),
    "POST invitation": lambda case: case.submit("invitation", case.token),
    "POST files": lambda case: case.submit("files", case.room, file=SimpleUploadedFile("x.txt", b"hi")),
    "DELETE file": lambda case: case.said(
        case.browser.delete(reverse("roomchat:file", args=[case.room, case.unsent]))
    ),
    "GET download": lambda case: case.get("download", case.room, case.sent, "x.png"),
    "GET thumb": lambda case: case.get("thumb", case.room, case.sent),
    "POST hook": lambda case: case.post("hook", case.hook, {"text": "hi"}),
}
# The first two take frames, each of which has a row of its own; the last one is heard like a socket, and tested like one.
COVERED = {"frames", "room_frames", "events"}


def outcome(ask, kind, role):
    # Nothing stays of it: neither in the database, nor in what processes remember outside of transactions.
    with transaction.atomic():
        try:
            return ASKS[ask](Case(kind, role))
        finally:
            transaction.set_rollback(True)


def matrix(ask):
    return {kind: {role: outcome(ask, kind, role) for role in ROLES} for kind in ROOMS}


def tags():
    return {frame.__struct_config__.tag for frame in get_args(protocol.ClientFrame)}


def test_every_frame_and_every_address_has_a_row():
    rows = parsed(TABLE).keys()
    addresses = {
        name for row in rows if row.startswith(("GET ", "POST ", "DELETE ")) for name in row.split()[1:]
    }

    assert tags() - rows == set()
    assert {pattern.name for pattern in urlpatterns} - COVERED == addresses


def test_every_row_is_of_something_that_exists():
    assert parsed(TABLE).keys() == ASKS.keys()


@pytest.mark.parametrize("ask", ASKS)
def test_everybody_is_told_what_the_table_says(ask):
    assert matrix(ask) == parsed(TABLE)[ask]


# A room that one may not see ------------------------------------------------------------------------------------------


def answers_about(room, browser):
    """Everything that HTTP says of a room."""
    said = {}
    with transaction.atomic():
        for ask in ("room", "messages", "room_frames"):
            address = reverse(f"roomchat:{ask}", args=[room])
            said[f"GET {ask}"] = browser.get(address)
            said[f"POST {ask}"] = browser.post(address, {"body": "hi", "id": "x"})
            said[f"JSON {ask}"] = browser.post(
                address, json.dumps({"id": "x", "body": "hi"}), "application/json"
            )
        for tag in sorted(tags()):
            said[tag] = browser.post(
                address, json.dumps(ANYTHING | {"type": tag, "room": room}), "application/json"
            )
        transaction.set_rollback(True)
    return {
        ask: (one.status_code, headers_of(one), without_chance(one.content, room))
        for ask, one in said.items()
    }


ANYTHING = {
    "id": "x", "seq": 1, "key": "u:1", "role": "member", "body": "hi", "on": True, "query": "hi", "invitation": 1,
    "title": "x", "name": "Zoë", "heads": {}, "token": "x", "emoji": "👍", "prefix": "a",
}  # fmt: skip
"""What any frame needs."""


def headers_of(response):
    """Without the time of the answer."""
    return {
        name: value for name, value in response.headers.items() if name not in ("Expires", "Last-Modified")
    }


def without_chance(content, room):
    """An answer without the name that was asked for, and without what is another one in each answer anyway."""
    content = re.sub(
        rb'(csrfmiddlewaretoken" value|name="id" value)="[^"]*"', b"", content.replace(room.encode(), b"ROOM")
    )
    return re.sub(rb"\d{4}-\d\d-\d\dT[\d:.]+Z", b"", content)


@pytest.mark.parametrize("visibility", ["private", "direct"])
@pytest.mark.parametrize("role", ["guest", "stranger", "staff"])
def test_over_http_a_room_that_one_may_not_see_is_as_if_it_did_not_exist(visibility, role):
    case = Case(visibility, role)
    case.browser.get(reverse("roomchat:index"))

    there, nowhere = (answers_about(room, case.browser) for room in ("~x", "~y"))

    assert there == nowhere
    assert there["GET room"][0] == there["post"][0] == 404


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("visibility", ["private", "direct"])
async def test_on_a_socket_too(visibility):
    case = await in_thread(Case, visibility, "stranger")

    there, nowhere = [await told_on_a_socket(case.user, room) for room in ("~x", "~y")]

    assert there == nowhere
    assert [frame["type"] for frame in there[0]] == ["welcome", "error", "bye"]
    codes = {frame["frame"]: frame["code"] for frame in there[1]}
    assert codes == dict.fromkeys(codes, "no_such_room") | {"leave": "not_found", "typing": "not_found"}
    assert codes.keys() == {"join", "leave", "post", "edit", "typing", "members", "read"}


async def told_on_a_socket(user, room):
    """What a socket hears that is opened in a room, and one that asks for it by frames."""
    opened = []
    async with ChatClient(ChatConsumer.as_asgi(), room, user=user) as socket:
        with pytest.raises(ConnectionResetError):
            while True:
                opened.append(await socket.receive())
    async with ChatClient(ChatConsumer.as_asgi(), user=user) as socket:
        await socket.receive("welcome")
        frames = [
            {"type": "join"},
            {"type": "leave"},
            {"type": "post", "id": "a", "body": "hi"},
            {"type": "edit", "seq": 1, "body": "hi"},
            {"type": "typing"},
            {"type": "members"},
            {"type": "read", "seq": 1},
        ]
        for frame in frames:
            await socket.send({"room": room, **frame})
        # Some of them are answered together with others', and so later.
        asked = [await socket.receive("error") for _ in frames]
    asked.sort(key=str)
    return [json.loads(json.dumps(said).replace(room, "ROOM")) for said in (opened, asked)]


# On a socket ------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ROOMS)
async def test_a_socket_enters_where_its_person_may_read(kind):
    expected = parsed(TABLE)["GET messages"][kind]
    heard = {}
    case = await in_thread(Case, kind, "owner")
    users = {user.username: user async for user in User.objects.all()}

    for role in ROLES:
        async with ChatClient(ChatConsumer.as_asgi(), user=users.get(role)) as socket:
            await socket.send({"type": "join", "room": case.room})
            frame = await socket.receive("welcome") and await socket.receive()
            heard[role] = "yes" if frame["type"] == "rights" else frame["code"]

    assert heard == expected


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ROOMS)
def test_events_are_streamed_where_their_person_may_read(kind):
    case = Case(kind, "owner")
    heard = {}

    for role in ROLES:
        browser = Client()
        if role != "guest":
            browser.force_login(User.objects.get(username=role))
        address = reverse("roomchat:events", args=[case.room])
        heard[role] = case.said(browser.get(address, {"wait": "1"}))

    assert heard == parsed(TABLE)["GET messages"][kind]
