"""Django admin of the chat."""

from django_roomchat.admin import files as files
from django_roomchat.admin import messages as messages
from django_roomchat.admin import moderation as moderation
from django_roomchat.admin import rooms as rooms
from django_roomchat.admin import webhooks as webhooks
