"""Chat rooms for any Django project.

The names below are the public Python API.
They are loaded when they are first used, so that this package can be imported before Django's apps are ready.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django_roomchat.actions import aban as aban
    from django_roomchat.actions import adelete_message as adelete_message
    from django_roomchat.actions import aedit_message as aedit_message
    from django_roomchat.actions import apost_message as apost_message
    from django_roomchat.actions import aread_history as aread_history
    from django_roomchat.actions import aunban as aunban
    from django_roomchat.actions import ban as ban
    from django_roomchat.actions import delete_message as delete_message
    from django_roomchat.actions import edit_message as edit_message
    from django_roomchat.actions import post_message as post_message
    from django_roomchat.actions import prune_history as prune_history
    from django_roomchat.actions import read_history as read_history
    from django_roomchat.actions import unban as unban
    from django_roomchat.consumers import ChatConsumer as ChatConsumer
    from django_roomchat.errors import ChatError as ChatError
    from django_roomchat.identity import Identity as Identity
    from django_roomchat.policy import ALLOWED as ALLOWED
    from django_roomchat.policy import Decision as Decision
    from django_roomchat.policy import OpenPolicy as OpenPolicy
    from django_roomchat.policy import SignedInPolicy as SignedInPolicy
    from django_roomchat.routing import websocket_urlpatterns as websocket_urlpatterns

__version__ = "0.1.0"

_HOME = {
    "aban": "actions",
    "adelete_message": "actions",
    "aedit_message": "actions",
    "ALLOWED": "policy",
    "apost_message": "actions",
    "aread_history": "actions",
    "aunban": "actions",
    "ban": "actions",
    "ChatConsumer": "consumers",
    "ChatError": "errors",
    "Decision": "policy",
    "delete_message": "actions",
    "edit_message": "actions",
    "Identity": "identity",
    "OpenPolicy": "policy",
    "post_message": "actions",
    "prune_history": "actions",
    "read_history": "actions",
    "SignedInPolicy": "policy",
    "unban": "actions",
    "websocket_urlpatterns": "routing",
}

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
