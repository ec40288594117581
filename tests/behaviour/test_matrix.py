"""Permissions: every URL and every frame, for every role, in every kind of room.

Each part of the table begins with URLs and frames. The lines below it give the result for each kind of room and role:
``yes``, or the code of the error. A URL or frame that is not in the table fails a test.
"""

import itertools
import re
from contextlib import contextmanager

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import reverse

from django_roomchat.consumers import ChatConsumer
from django_roomchat.realtime.threads import in_thread
from django_roomchat.testing import ChatClient
from django_roomchat.urls import urlpatterns
from tests.support.matrix import ROLES, ROOMS, Case, tags

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("media_folder")]
TABLE = """
# post, POST messages, POST files
=            guest        stranger     member       moderator    owner        banned       muted        staff
open         yes          yes          yes          yes          yes          banned       muted        yes
private      no_such_room no_such_room yes          yes          yes          banned       muted        no_such_room
direct       no_such_room no_such_room yes          no_such_room no_such_room banned       muted        no_such_room
archived     archived     archived     archived     archived     archived     banned       archived     archived
announcement announcement announcement announcement yes          yes          banned       muted        yes
nonexistent  yes          yes          yes          yes          yes          yes          yes          yes

# edit
=            guest        stranger     member       moderator    owner        banned       muted        staff
open         yes          yes          yes          yes          yes          banned       muted        yes
private      no_such_room no_such_room yes          yes          yes          banned       muted        no_such_room
direct       no_such_room no_such_room yes          no_such_room no_such_room banned       muted        no_such_room
archived     archived     archived     archived     archived     archived     banned       archived     archived
announcement announcement announcement announcement yes          yes          banned       muted        yes
nonexistent  not_found    not_found    not_found    not_found    not_found    not_found    not_found    not_found

# delete
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

# rooms, blocked, create, GET index, GET search, GET new_room, POST new_room, POST ticket
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
direct       no_such_room no_such_room yes          no_such_room no_such_room banned       yes          no_such_room
archived     yes          yes          yes          yes          last_owner   banned       yes          yes
announcement yes          yes          yes          yes          last_owner   banned       yes          yes
nonexistent  no_such_room no_such_room no_such_room no_such_room no_such_room no_such_room no_such_room no_such_room

# invite, add, remove, revoke, revoke_all
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
open         forbidden    forbidden    forbidden    forbidden    forbidden    banned       muted        forbidden
private      no_such_room no_such_room forbidden    forbidden    forbidden    banned       muted        no_such_room
direct       no_such_room no_such_room forbidden    no_such_room no_such_room banned       muted        no_such_room
archived     archived     archived     archived     archived     archived     banned       archived     archived
announcement announcement announcement announcement forbidden    forbidden    banned       muted        forbidden
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
open         sign_in        yes            yes            yes            yes            banned         yes            yes
private      no_such_room   no_such_room   yes            yes            yes            banned         yes            no_such_room
direct       no_such_room   no_such_room   yes            no_such_room   no_such_room   banned         yes            no_such_room
archived     sign_in        yes            yes            yes            yes            banned         yes            yes
announcement sign_in        yes            yes            yes            yes            banned         yes            yes
nonexistent  no_such_person no_such_person no_such_person no_such_person no_such_person no_such_person no_such_person no_such_person

# block
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
    """Parse the table: expected results by URL or frame, room and role."""
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


FRAMES = {
    "post": {"body": "hi"},
    "edit": {"seq": 2, "body": "new"},
    "delete": {"seq": 2},
    "typing": {},
    "read": {"seq": 1},
    "notify": {"on": False},
    "rooms": {},
    "blocked": {},
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
    "revoke_all": {},
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
    "block": lambda case: case.frame({"type": "block", "key": case.victim}),
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
# The first two accept frames, which have rows of their own. The last one is a stream and is tested with the sockets.
COVERED = {"frames", "room_frames", "events"}


@contextmanager
def rolled_back():
    """Nothing stays of what happens inside: neither in the database, nor in what processes remember outside of transactions."""
    with transaction.atomic():
        try:
            yield
        finally:
            transaction.set_rollback(True)


def matrix(ask):
    told = {}
    for kind in ROOMS:
        with rolled_back():
            case = Case(kind)
            told[kind] = {role: outcome(ask, case, role) for role in ROLES}
    return told


def outcome(ask, case, role):
    with rolled_back():
        case.act_as(role)
        return ASKS[ask](case)


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
