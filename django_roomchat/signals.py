"""Signals sent after commit. Receivers cannot veto a change; use a policy for that.

They are sent with ``send_robust`` in the thread that wrote the change.
If a process dies between the COMMIT and the signal, the signal is lost. Work that must happen for every message
must read the log.
"""

from __future__ import annotations

from django.dispatch import Signal

# Sent once for every new message (not for a retried post).
#
# Arguments:
#   - sender: the Message class
#   - room: the canonical name of its room
#   - event: django_roomchat.protocol.Event
message_posted = Signal()

# Sent for every report of a message; a user can report a message once.
#
# Arguments:
#   - sender: the Report class
#   - room: the canonical name of its room
#   - report: django_roomchat.models.Report
message_reported = Signal()

# message_edited is sent for every edit of a message's text, message_deleted for every deletion.
#
# Arguments: as for message_posted; the event is the message after the change.
message_edited = Signal()
message_deleted = Signal()

# Sent by notify_unread() for every user with messages that have been unread for a while, once for each series of unread messages.
#
# Arguments:
#   - sender: the ReadMarker class
#   - user: the user object (AUTH_USER_MODEL)
#   - rooms: a list of (Room, unread count, number of unread mentions), the latest change first
unread_for_a_while = Signal()

# Sent after message_posted for all mentions, and after message_edited for mentions that the text did not have before.
#
# Arguments: as for message_posted, and
#   - mentions: a list of django_roomchat.protocol.Mention
mentioned = Signal()

# Sent for every reaction that is added or removed.
#
# Arguments: as for message_posted, and
#   - emoji: the emoji in the spelling under which it is counted
#   - by: django_roomchat.identity.Identity
#   - on: True if it was added, False if it was removed
reaction_changed = Signal()

# Sent for every message that is pinned or unpinned.
#
# Arguments: as for message_posted, and
#   - by: django_roomchat.identity.Identity
#   - on: True if it was pinned, False if it was unpinned
pin_changed = Signal()
