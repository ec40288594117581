"""Models of the chat, grouped by subject."""

from django_roomchat.models.files import Attachment as Attachment
from django_roomchat.models.messages import Message as Message
from django_roomchat.models.messages import MessageQuerySet as MessageQuerySet
from django_roomchat.models.messages import Reaction as Reaction
from django_roomchat.models.messages import ReadMarker as ReadMarker
from django_roomchat.models.moderation import AuditEntry as AuditEntry
from django_roomchat.models.moderation import Ban as Ban
from django_roomchat.models.moderation import HeldMessage as HeldMessage
from django_roomchat.models.moderation import Mute as Mute
from django_roomchat.models.moderation import Report as Report
from django_roomchat.models.moderation import Sanction as Sanction
from django_roomchat.models.moderation import SanctionQuerySet as SanctionQuerySet
from django_roomchat.models.presence import Presence as Presence
from django_roomchat.models.presence import ServerProcess as ServerProcess
from django_roomchat.models.rooms import Invitation as Invitation
from django_roomchat.models.rooms import Membership as Membership
from django_roomchat.models.rooms import Room as Room
from django_roomchat.models.rooms import RoomLog as RoomLog
from django_roomchat.models.rooms import RoomQuerySet as RoomQuerySet
from django_roomchat.models.tickets import Ticket as Ticket
from django_roomchat.models.webhooks import IncomingHook as IncomingHook
from django_roomchat.models.webhooks import Webhook as Webhook
