"""Kinds of rooms, with a person of every role in them."""

import json
from io import BytesIO
from typing import get_args
from uuid import uuid4

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from django_roomchat import protocol
from django_roomchat.files import storage
from django_roomchat.identity import GUEST_SESSION_KEY
from django_roomchat.models import Attachment, Ban, Membership, Message, Mute, Room, RoomLog
from django_roomchat.rooms import invitations
from django_roomchat.webhooks import incoming

ROLES = ("guest", "stranger", "member", "moderator", "owner", "banned", "muted", "staff")
ROOMS = {
    "open": {},
    "private": {"visibility": "private"},
    "direct": {"visibility": "direct"},
    "archived": {"archived_at": timezone.now()},
    "announcement": {"is_announcement": True},
    "nonexistent": None,
}
GUEST = {"key": "g:0", "name": "Guest 1"}


class Case:
    """A kind of room with its members, and a person of a role who makes a request."""

    def __init__(self, kind, role="owner"):
        settings = ROOMS[kind]
        self.room = "~x" if settings and "visibility" in settings else "room"
        self.people = {name: User.objects.create_user(name, is_staff=name == "staff") for name in ROLES[1:]}
        victim = User.objects.create_user("victim")
        self.victim = f"u:{victim.pk}"
        self.other = f"u:{User.objects.create_user('other').pk}"
        self.invitation, self.token, self.hook = 9999, "none", "none"
        self.sent, self.unsent = uuid4(), uuid4()
        if settings is not None:
            self._make(settings, self.people | {"victim": victim})
        self.act_as(role)

    def act_as(self, role):
        """Let a person of this role make the next requests. The second message and the file that was not sent are theirs."""
        self.user = self.people.get(role)
        mine = f"u:{self.user.pk}" if self.user else GUEST["key"]
        Message.objects.filter(seq=2).update(author_key=mine, author_name=mine)
        Attachment.objects.filter(pk=self.unsent).update(key=mine)
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
        now = timezone.now()
        # The first is the victim's, the second of the person who acts; the third made its author known here.
        Message.objects.bulk_create(
            Message(
                room=room, seq=seq, rev=seq, author_key=key, author_name=key, client_id=f"old-{seq}",
                fingerprint="x", body="x", created_at=now,
            )
            for seq, key in enumerate((self.victim, "", self.other), 1)
        )  # fmt: skip
        # One file is the victim's, in the first message; the other of the person who acts, and not sent.
        for id, key, seq in ((self.sent, self.victim, 1), (self.unsent, "", None)):
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


def tags():
    return {frame.__struct_config__.tag for frame in get_args(protocol.ClientFrame)}
