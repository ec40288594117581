"""Reports of messages, and the decisions about them.

In the admin, the permissions of the admin decide who may act. Elsewhere the acting person must be a moderator of the room.
Each report is decided once; later decisions change nothing.
"""

from __future__ import annotations

from dataclasses import replace

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from django_roomchat import identity, log, policy, signals
from django_roomchat.database import database, twin
from django_roomchat.errors import NotFound
from django_roomchat.files import records
from django_roomchat.identity import Actor, Identity
from django_roomchat.messages.edit import delete_message
from django_roomchat.models import Message, Report, Room
from django_roomchat.policy import audit_trail, rate_limits
from django_roomchat.rooms import lookup
from django_roomchat.text import validation, values


def report_message(room: str | Room, seq: int, reason: str = "", *, by: Actor | None = None) -> Report:
    """Report a message to the moderators. The report keeps a copy of the message as it is now.

    Args:
        room: the room's name in any spelling, or a :class:`~django_roomchat.models.Room`.
        seq: sequence number of the message.
        reason: description of the problem; up to 300 characters.
        by: the reporting user or :class:`~django_roomchat.identity.Identity`, which must be allowed to report. Without one the
            site reports.

    Returns:
        The report; the existing one if *by* has reported this message before.

    Raises:
        ChatError: the report is rejected.
            Codes: ``bad_room_name``, ``bad_text``, ``bad_value``, ``banned``, ``forbidden``,
            ``members_only``, ``name_taken``, ``no_permission``, ``no_such_room``, ``not_found``,
            ``rate_limited``, ``sign_in``.
    """
    values.sequence_number(seq)
    described = validation.reason(reason)
    who = identity.identity_of(by)
    found = lookup.room_of(lookup.name_of(room))
    policy.require_may(who, found, "can_report")
    rate_limits.spend("REPORTS", who, rate_limits.address_here())
    message = Message.objects.using(database()).filter(room=found, seq=seq) if found.pk is not None else None
    reported = message.first() if message is not None else None
    if reported is None or reported.deleted_at is not None:
        raise NotFound(_("There is no message %(seq)d in this room."), seq=seq)
    copied = {
        "body": records.summary(reported.body, reported.data.get("files")),
        "author_key": reported.author_key,
        "author_name": reported.author_name,
        "by_name": who.name,
        "reason": described,
        "mentions": reported.data.get("mentions") or [],
    }
    with transaction.atomic(using=database()):
        report, is_new = Report.objects.using(database()).get_or_create(
            copied, room=found, seq=seq, by_key=who.key
        )
        if is_new:
            log.on_commit(_send_report_signal, report)
    return report


areport_message = twin(report_message)


def _send_report_signal(report: Report) -> None:
    signals.message_reported.send_robust(Report, room=report.room.name, report=report)


def uphold(report: Report, *, by: Actor | None = None) -> None:
    """Delete a reported message and close all open reports of it.

    Args:
        report: a report of the message.
        by: the user or identity that decides: staff, or a moderator of the room. Without one the site decides.

    Raises:
        ChatError: *by* may not decide.
            Codes: ``archived``, ``bad_room_name``, ``bad_value``, ``banned``, ``busy``, ``forbidden``,
            ``members_only``, ``name_taken``, ``no_permission``, ``no_such_room``, ``not_found``, ``sign_in``.
    """
    moderator = reviewer(by, values.of_type(report, Report, "“report”").room)
    with transaction.atomic(using=database()):
        if not _decide(report, Report.State.UPHELD, "uphold", moderator):
            return
        if Message.objects.using(database()).filter(room=report.room, seq=report.seq).exists():
            delete_message(report.room, report.seq, by=moderator)


auphold = twin(uphold)


def dismiss(report: Report, *, by: Actor | None = None) -> None:
    """Keep a reported message and close all open reports of it.

    Args:
        report: a report of the message.
        by: the user or identity that decides: staff, or a moderator of the room. Without one the site decides.

    Raises:
        ChatError: *by* may not decide.
            Codes: ``bad_value``, ``banned``, ``forbidden``, ``members_only``, ``name_taken``,
            ``no_permission``, ``no_such_room``, ``sign_in``.
    """
    moderator = reviewer(by, values.of_type(report, Report, "“report”").room)
    with transaction.atomic(using=database()):
        _decide(report, Report.State.DISMISSED, "dismiss", moderator)


adismiss = twin(dismiss)


def _decide(report: Report, state: Report.State, verb: str, moderator: Identity) -> bool:
    """Close the open reports of the same message and return whether there were any."""
    same = Report.objects.using(database()).filter(room=report.room, seq=report.seq)
    still_open = same.filter(state=Report.State.OPEN)
    if not still_open.update(state=state, decided_at=timezone.now(), decided_by=moderator.user):
        return False
    target = Identity(report.author_key, report.author_name)
    audit_trail.record(
        verb, moderator, room=report.room.name, target=target, seq=report.seq, reason=report.reason
    )
    return True


def reviewer(by: Actor | None, room: Room) -> Identity:
    """Return the identity that decides, under its own name and with the authority of the site. Raise if it may not decide."""
    who = identity.identity_of(by)
    if not getattr(who.user, "is_staff", False):
        policy.require_moderation(who, room)
    return replace(who, is_site=True)
