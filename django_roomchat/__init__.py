"""Reusable chat rooms for Django.

The names below are the public Python API.
They are imported on first use, so this package can be imported before Django's app registry is ready.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django_roomchat.actions import adelete_message as adelete_message
    from django_roomchat.actions import aedit_message as aedit_message
    from django_roomchat.actions import apost_message as apost_message
    from django_roomchat.actions import aread_history as aread_history
    from django_roomchat.actions import delete_message as delete_message
    from django_roomchat.actions import edit_message as edit_message
    from django_roomchat.actions import post_message as post_message
    from django_roomchat.actions import prune_history as prune_history
    from django_roomchat.actions import read_history as read_history
    from django_roomchat.attachments import aattach_file as aattach_file
    from django_roomchat.attachments import atake_down_file as atake_down_file
    from django_roomchat.attachments import attach_file as attach_file
    from django_roomchat.attachments import take_down_file as take_down_file
    from django_roomchat.consumers import ChatConsumer as ChatConsumer
    from django_roomchat.edits import aearlier_texts as aearlier_texts
    from django_roomchat.edits import earlier_texts as earlier_texts
    from django_roomchat.errors import ChatError as ChatError
    from django_roomchat.identity import Identity as Identity
    from django_roomchat.incoming import amake_incoming_hook as amake_incoming_hook
    from django_roomchat.incoming import arevoke_incoming_hook as arevoke_incoming_hook
    from django_roomchat.incoming import make_incoming_hook as make_incoming_hook
    from django_roomchat.incoming import revoke_incoming_hook as revoke_incoming_hook
    from django_roomchat.invitations import aaccept_invitation as aaccept_invitation
    from django_roomchat.invitations import accept_invitation as accept_invitation
    from django_roomchat.invitations import ainvite as ainvite
    from django_roomchat.invitations import alist_invitations as alist_invitations
    from django_roomchat.invitations import arevoke_invitation as arevoke_invitation
    from django_roomchat.invitations import invite as invite
    from django_roomchat.invitations import list_invitations as list_invitations
    from django_roomchat.invitations import revoke_invitation as revoke_invitation
    from django_roomchat.marks import amark_read as amark_read
    from django_roomchat.marks import amute_notifications as amute_notifications
    from django_roomchat.marks import anotify_unread as anotify_unread
    from django_roomchat.marks import aunread as aunread
    from django_roomchat.marks import mark_read as mark_read
    from django_roomchat.marks import mute_notifications as mute_notifications
    from django_roomchat.marks import notify_unread as notify_unread
    from django_roomchat.marks import unread as unread
    from django_roomchat.members import aadd_member as aadd_member
    from django_roomchat.members import add_member as add_member
    from django_roomchat.members import aleave_room as aleave_room
    from django_roomchat.members import alist_members as alist_members
    from django_roomchat.members import aremove_member as aremove_member
    from django_roomchat.members import aset_role as aset_role
    from django_roomchat.members import leave_room as leave_room
    from django_roomchat.members import list_members as list_members
    from django_roomchat.members import remove_member as remove_member
    from django_roomchat.members import set_role as set_role
    from django_roomchat.moderation import aban as aban
    from django_roomchat.moderation import alist_sanctions as alist_sanctions
    from django_roomchat.moderation import amute as amute
    from django_roomchat.moderation import aunban as aunban
    from django_roomchat.moderation import aunmute as aunmute
    from django_roomchat.moderation import ban as ban
    from django_roomchat.moderation import list_sanctions as list_sanctions
    from django_roomchat.moderation import mute as mute
    from django_roomchat.moderation import unban as unban
    from django_roomchat.moderation import unmute as unmute
    from django_roomchat.people import apeople_of as apeople_of
    from django_roomchat.people import people_of as people_of
    from django_roomchat.pins import apin_message as apin_message
    from django_roomchat.pins import apinned_messages as apinned_messages
    from django_roomchat.pins import pin_message as pin_message
    from django_roomchat.pins import pinned_messages as pinned_messages
    from django_roomchat.policy import ALLOWED as ALLOWED
    from django_roomchat.policy import Decision as Decision
    from django_roomchat.policy import DjangoPermissionsPolicy as DjangoPermissionsPolicy
    from django_roomchat.policy import MembersPolicy as MembersPolicy
    from django_roomchat.policy import OpenPolicy as OpenPolicy
    from django_roomchat.policy import SignedInPolicy as SignedInPolicy
    from django_roomchat.privacy import aerase_user as aerase_user
    from django_roomchat.privacy import aexport_user as aexport_user
    from django_roomchat.privacy import erase_user as erase_user
    from django_roomchat.privacy import export_user as export_user
    from django_roomchat.privacy import stream_export as stream_export
    from django_roomchat.reactions import areact as areact
    from django_roomchat.reactions import react as react
    from django_roomchat.review import areport_message as areport_message
    from django_roomchat.review import report_message as report_message
    from django_roomchat.roll import awho_is_here as awho_is_here
    from django_roomchat.roll import who_is_here as who_is_here
    from django_roomchat.rooms import aconfigure_room as aconfigure_room
    from django_roomchat.rooms import acreate_room as acreate_room
    from django_roomchat.rooms import adirect_room as adirect_room
    from django_roomchat.rooms import awrite_to as awrite_to
    from django_roomchat.rooms import configure_room as configure_room
    from django_roomchat.rooms import create_room as create_room
    from django_roomchat.rooms import direct_room as direct_room
    from django_roomchat.rooms import write_to as write_to
    from django_roomchat.routing import websocket_urlpatterns as websocket_urlpatterns
    from django_roomchat.search import asearch_messages as asearch_messages
    from django_roomchat.search import search_messages as search_messages
    from django_roomchat.sessions import arecheck as arecheck
    from django_roomchat.sessions import recheck as recheck
    from django_roomchat.signatures import verify_signature as verify_signature
    from django_roomchat.tickets import make_ticket as make_ticket
    from django_roomchat.webhooks import amake_webhook as amake_webhook
    from django_roomchat.webhooks import aremove_webhook as aremove_webhook
    from django_roomchat.webhooks import make_webhook as make_webhook
    from django_roomchat.webhooks import remove_webhook as remove_webhook

__version__ = "0.1.0"

_HOME = {
    "aattach_file": "attachments",
    "atake_down_file": "attachments",
    "attach_file": "attachments",
    "take_down_file": "attachments",
    "aban": "moderation",
    "adelete_message": "actions",
    "aedit_message": "actions",
    "aerase_user": "privacy",
    "aexport_user": "privacy",
    "erase_user": "privacy",
    "export_user": "privacy",
    "stream_export": "privacy",
    "ALLOWED": "policy",
    "amake_incoming_hook": "incoming",
    "amake_webhook": "webhooks",
    "amark_read": "marks",
    "alist_sanctions": "moderation",
    "amute": "moderation",
    "amute_notifications": "marks",
    "anotify_unread": "marks",
    "aearlier_texts": "edits",
    "apeople_of": "people",
    "apin_message": "pins",
    "apinned_messages": "pins",
    "apost_message": "actions",
    "areact": "reactions",
    "aread_history": "actions",
    "arecheck": "sessions",
    "aremove_webhook": "webhooks",
    "arevoke_incoming_hook": "incoming",
    "areport_message": "review",
    "asearch_messages": "search",
    "aunban": "moderation",
    "aunmute": "moderation",
    "aunread": "marks",
    "awho_is_here": "roll",
    "ban": "moderation",
    "ChatConsumer": "consumers",
    "ChatError": "errors",
    "Decision": "policy",
    "delete_message": "actions",
    "DjangoPermissionsPolicy": "policy",
    "earlier_texts": "edits",
    "edit_message": "actions",
    "Identity": "identity",
    "make_ticket": "tickets",
    "make_incoming_hook": "incoming",
    "make_webhook": "webhooks",
    "mark_read": "marks",
    "MembersPolicy": "policy",
    "list_sanctions": "moderation",
    "mute": "moderation",
    "mute_notifications": "marks",
    "notify_unread": "marks",
    "OpenPolicy": "policy",
    "people_of": "people",
    "pin_message": "pins",
    "pinned_messages": "pins",
    "post_message": "actions",
    "react": "reactions",
    "prune_history": "actions",
    "read_history": "actions",
    "recheck": "sessions",
    "remove_webhook": "webhooks",
    "revoke_incoming_hook": "incoming",
    "report_message": "review",
    "search_messages": "search",
    "SignedInPolicy": "policy",
    "unban": "moderation",
    "unmute": "moderation",
    "unread": "marks",
    "aaccept_invitation": "invitations",
    "accept_invitation": "invitations",
    "ainvite": "invitations",
    "alist_invitations": "invitations",
    "arevoke_invitation": "invitations",
    "invite": "invitations",
    "list_invitations": "invitations",
    "revoke_invitation": "invitations",
    "aadd_member": "members",
    "add_member": "members",
    "aleave_room": "members",
    "alist_members": "members",
    "aremove_member": "members",
    "aset_role": "members",
    "leave_room": "members",
    "list_members": "members",
    "remove_member": "members",
    "set_role": "members",
    "aconfigure_room": "rooms",
    "acreate_room": "rooms",
    "adirect_room": "rooms",
    "awrite_to": "rooms",
    "configure_room": "rooms",
    "create_room": "rooms",
    "direct_room": "rooms",
    "write_to": "rooms",
    "verify_signature": "signatures",
    "websocket_urlpatterns": "routing",
    "who_is_here": "roll",
}

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
