"""Models of the chat, grouped by subject.

:mod:`~django_roomchat.models.rooms` comes first, because most others refer to its rooms.
"""

from django_roomchat.models.fields import KeyField
from django_roomchat.models.files import Attachment
from django_roomchat.models.installation import Installation
from django_roomchat.models.jobs import JobRun
from django_roomchat.models.messages import Message, MessageQuerySet, Reaction, ReadMarker
from django_roomchat.models.moderation import (
    AbstractSanction,
    AuditEntry,
    Ban,
    Block,
    Decision,
    HeldMessage,
    Mute,
    Report,
    SanctionQuerySet,
)
from django_roomchat.models.presence import Presence, ServerProcess
from django_roomchat.models.rooms import Invitation, Membership, Room, RoomLog, RoomQuerySet
from django_roomchat.models.tickets import Ticket
from django_roomchat.models.webhooks import IncomingHook, Webhook

__all__ = [
    "KeyField",
    # rooms
    "Room",
    "RoomQuerySet",
    "RoomLog",
    "Membership",
    "Invitation",
    # messages
    "Message",
    "MessageQuerySet",
    "Reaction",
    "ReadMarker",
    "Attachment",
    # moderation
    "AbstractSanction",
    "SanctionQuerySet",
    "Ban",
    "Mute",
    "Block",
    "Decision",
    "Report",
    "HeldMessage",
    "AuditEntry",
    # jobs
    "JobRun",
    # sockets
    "Installation",
    "Ticket",
    "ServerProcess",
    "Presence",
    # webhooks
    "Webhook",
    "IncomingHook",
]
