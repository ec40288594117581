"""Rooms with members for tests."""

from django_roomchat.errors import ChatError
from django_roomchat.identity import Identity
from django_roomchat.models import Membership, Message

OWNER, MODERATOR, MEMBER, STRANGER = (
    Identity(f"u:{name.lower()}", name) for name in ("Owner", "Moderator", "Member", "Stranger")
)
ROLES = {MEMBER: "member", MODERATOR: "moderator", OWNER: "owner"}


def roles(room):
    return dict(Membership.objects.filter(room=room).values_list("name", "role"))


def said(room):
    return list(Message.objects.filter(room=room).order_by("seq").values_list("body", flat=True))


def code(act, *about, **options):
    try:
        act(*about, **options)
    except ChatError as error:
        return error.code
    return None
