"""Announcements after the fact. Receivers cannot refuse anything; that is the policy's part.

They are sent after the COMMIT with ``send_robust``, in the thread that wrote.
A process that dies between the COMMIT and the signal sends none: what must happen for every message reads the log.
"""

from __future__ import annotations

from django.dispatch import Signal

# Sent for every new message, once (not for a repeated post).
#
# Arguments:
#   - sender: the Message class
#   - room: the canonical name of its room
#   - event: django_roomchat.protocol.Event
message_posted = Signal()

# Sent for every report of a message, once for each person and message.
#
# Arguments:
#   - sender: the Report class
#   - room: the canonical name of its room
#   - report: django_roomchat.models.Report
message_reported = Signal()

# Sent for every change of a message's text, and for every deletion.
#
# Arguments: those of message_posted; the event is the message as it is now.
message_edited = Signal()
message_deleted = Signal()

# Sent by notify_unread() for every user who has left something unread for a while, once for each stretch.
#
# Arguments:
#   - sender: the ReadMarker class
#   - user: of the project
#   - rooms: a list of (Room, unread messages, mentions among them), the latest change first
unread_for_a_while = Signal()

# Sent after message_posted, and after message_edited for those whom the text did not call before.
#
# Arguments: those of message_posted, and
#   - mentions: a list of django_roomchat.protocol.Mention
mentioned = Signal()

# Sent for every reaction that is given or taken back.
#
# Arguments: those of message_posted, and
#   - emoji: as it is counted
#   - by: django_roomchat.identity.Identity
#   - on: whether it was given
reaction_changed = Signal()

# Sent for every message that is pinned, or is no longer.
#
# Arguments: those of message_posted, and
#   - by: django_roomchat.identity.Identity
#   - on: whether it was pinned
pin_changed = Signal()
