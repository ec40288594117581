"""Rooms with members for tests."""

from django_roomchat.identity import Identity
from django_roomchat.models import Membership

OWNER, MODERATOR, MEMBER, STRANGER = (
    Identity(f"u:{name.lower()}", name) for name in ("Owner", "Moderator", "Member", "Stranger")
)
ROLES = {MEMBER: "member", MODERATOR: "moderator", OWNER: "owner"}


def roles(room):
    return dict(Membership.objects.filter(room=room).values_list("name", "role"))
