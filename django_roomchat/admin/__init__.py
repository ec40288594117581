"""Django admin of the chat. Changes call the functions of the package, so they take effect at once and are in the audit trail."""

from django_roomchat.admin import files as files
from django_roomchat.admin import messages as messages
from django_roomchat.admin import moderation as moderation
from django_roomchat.admin import rooms as rooms
from django_roomchat.admin import webhooks as webhooks
