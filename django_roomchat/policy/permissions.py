"""Permission checks. Each raises a :class:`~django_roomchat.errors.ChatError` if the action is denied.

The restrictions of the room (bans, mutes, blocks, archived rooms) apply whatever the policy allows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, ParamSpec, get_args

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext_lazy as _

from django_roomchat.errors import ChatError, Forbidden, NotFound
from django_roomchat.files import storage
from django_roomchat.identity import Identity, guests
from django_roomchat.models import Message, Room
from django_roomchat.policy import blocks, roles, sanction_errors
from django_roomchat.policy.decisions import Decision, denial
from django_roomchat.policy.policies import policy

P = ParamSpec("P")


def refusal(check: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> ChatError | None:
    """Return the error that *check* raises when it is called with *args*, or ``None`` if it raises none.

    Args:
        check: a function that raises :class:`ChatError` to reject something, such as :func:`require_post`.
        args: its positional arguments.
        kwargs: its keyword arguments.
    """
    try:
        check(*args, **kwargs)
    except ChatError as error:
        return error
    return None


def allows(check: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> bool:
    """Return whether *check* passes: whether :func:`refusal` is ``None`` for it."""
    return refusal(check, *args, **kwargs) is None


def require(decision: Decision) -> None:
    """Raise unless the decision allows the action.

    Raises:
        Forbidden: with the decision's code and sentence.
    """
    if not decision:
        raise _forbidden(decision)


def _forbidden(decision: Decision) -> Forbidden:
    return Forbidden(decision.detail or _("You are not allowed to do this."), code=decision.code)


def denied(error: PermissionDenied) -> Forbidden:
    """Return Django's ``PermissionDenied`` as the error that clients receive."""
    return _forbidden(denial(error))


def require_entry(who: Identity, room: Room) -> None:
    """Raise :class:`NotFound` unless *who* may see *room*, and :class:`Forbidden` unless they may enter it."""
    if room.pk is None and room.is_hidden:
        raise no_such_room()
    if who.is_site:
        return
    if not policy().can_see(who, room):
        raise no_such_room()
    if (ban := roles.of(who.key, room).ban) is not None:
        raise sanction_errors.banned(ban)
    require(policy().can_enter(who, room))
    guests.require_own_name(who, room)


def no_such_room() -> NotFound:
    """Return the error for a room that does not exist. It is identical for a room that the client may not see."""
    return NotFound(_("There is no such room."), code="no_such_room")


def require_post(who: Identity, room: Room) -> None:
    """Raise :class:`ChatError` unless *who* may post in *room*, and create it if it does not exist."""
    require_entry(who, room)
    if who.is_site:
        return
    _require_unarchived(room)
    _require_unmuted(who, room)
    blocks.require_none(roles.of(who.key, room).blocks)
    if room.is_announcement and not policy().can_moderate(who, room):
        raise Forbidden(_("Only moderators can post in this room."), code="announcement")
    require(policy().can_post(who, room))
    if room.pk is None:
        require(policy().can_create(who, room))


def require_attach(who: Identity, room: Room) -> None:
    """Raise :class:`ChatError` unless *who* may post in *room* and send files to it."""
    require_post(who, room)
    _require_files(who, room)


def _require_files(who: Identity, room: Room) -> None:
    if not storage.is_enabled():
        raise Forbidden(_("Files cannot be sent here."), code="no_attachments")
    if not who.is_site:
        require(policy().can_attach(who, room))


def require_edit(who: Identity, room: Room, message: Message) -> None:
    """Raise :class:`ChatError` unless *who* may edit *message* and post in *room*: an edit publishes a text, as a post does."""
    require_post(who, room)
    if not who.is_site:
        require(policy().can_edit(who, room, message))


def require_delete(who: Identity, room: Room, message: Message) -> None:
    """Raise :class:`ChatError` unless *who* may enter *room* and delete *message*. Muted people may delete their own messages."""
    require_entry(who, room)
    if not who.is_site:
        _require_unarchived(room)
        require(policy().can_delete(who, room, message))


def is_slowed(who: Identity, room: Room) -> bool:
    """Return whether the slow mode of *room* applies to *who*: moderators and the site are exempt."""
    return bool(room.slow_seconds) and not (who.is_site or policy().can_moderate(who, room))


def require_may(who: Identity, room: Room, question: Question) -> None:
    """Raise :class:`ChatError` unless *who* may enter *room* and the policy's method *question* allows it."""
    require_entry(who, room)
    if not who.is_site:
        require(getattr(policy(), question)(who, room))


def require_active(who: Identity, room: Room, question: ActiveQuestion) -> None:
    """Raise as :func:`require_may` does, and also if *room* is archived or *who* is muted or blocked. Archived rooms can be moderated."""
    require_entry(who, room)
    if not who.is_site:
        _require_unarchived(room)
        _require_unmuted(who, room)
        blocks.require_none(roles.of(who.key, room).blocks)
        require(getattr(policy(), question)(who, room))


Question = Literal["can_report", "can_invite", "can_moderate", "can_manage"]
ActiveQuestion = Literal["can_react", "can_pin"]


def require_moderation(who: Identity, room: Room) -> None:
    """Raise :class:`ChatError` unless *who* may moderate *room*."""
    require_may(who, room, "can_moderate")


def rights(who: Identity, room: Room) -> list[str]:
    """Return the names of the actions that *who* may do in *room*, such as ``post`` or ``pin``, so that pages show only those."""
    may = ["post"] if allows(require_post, who, room) else []
    if may and allows(_require_files, who, room):
        may.append("attach")
    active: tuple[ActiveQuestion, ...] = get_args(ActiveQuestion)
    others: tuple[Question, ...] = get_args(Question)
    allowed: list[str] = [question for question in active if allows(require_active, who, room, question)]
    allowed += [question for question in others if allows(require_may, who, room, question)]
    return may + [question.removeprefix("can_") for question in allowed]


def _require_unmuted(who: Identity, room: Room) -> None:
    if (mute := roles.of(who.key, room).mute) is not None:
        raise sanction_errors.muted(mute)


def _require_unarchived(room: Room) -> None:
    if room.archived_at is not None:
        raise Forbidden(_("This room is archived and read-only."), code="archived")
