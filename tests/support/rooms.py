"""People and rooms for tests."""

from django_roomchat.identity import Identity
from django_roomchat.models import Membership, Message

ANA = Identity("u:ana", "Ana")
BOB = Identity("u:bob", "Bob")
CYD = Identity("g:cyd", "Cyd", is_guest=True)


def members(room):
    return list(Membership.objects.filter(room=room).order_by("key").values_list("key", "role"))


def said(room):
    return list(Message.objects.filter(room=room).order_by("seq").values_list("body", flat=True))
