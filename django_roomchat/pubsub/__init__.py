"""Publishing over the channel layer: messages, group names, and the connection of this process."""

from django_roomchat.pubsub.groups import default_group_name as default_group_name
from django_roomchat.pubsub.groups import group_name as group_name
from django_roomchat.pubsub.groups import import_layers as import_layers
from django_roomchat.pubsub.groups import layer_alias as layer_alias
from django_roomchat.pubsub.messages import BROADCAST as BROADCAST
from django_roomchat.pubsub.messages import EVENTS_MAX_BYTES as EVENTS_MAX_BYTES
from django_roomchat.pubsub.messages import Access as Access
from django_roomchat.pubsub.messages import Batch as Batch
from django_roomchat.pubsub.messages import News as News
from django_roomchat.pubsub.messages import Notice as Notice
from django_roomchat.pubsub.messages import from_message as from_message
from django_roomchat.pubsub.messages import to_message as to_message
from django_roomchat.pubsub.publishing import publish as publish
from django_roomchat.pubsub.publishing import subscribe as subscribe
from django_roomchat.pubsub.publishing import unsubscribe as unsubscribe
