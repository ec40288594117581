"""The admin of the chat, by subject. Django imports this package, which registers the model admins of its modules."""

from django_roomchat.admin import files as files
from django_roomchat.admin import messages as messages
from django_roomchat.admin import moderation as moderation
from django_roomchat.admin import rooms as rooms
from django_roomchat.admin import webhooks as webhooks
