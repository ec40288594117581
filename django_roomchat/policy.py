"""Who may do what. One object is asked everywhere: by the socket, the views, the template tag and :mod:`~django_roomchat.actions`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from django.core.signals import setting_changed
from django.utils.translation import gettext_lazy as _

from django_roomchat.conf import hook
from django_roomchat.counter import database
from django_roomchat.errors import Forbidden
from django_roomchat.identity import Identity
from django_roomchat.models import Ban, Message, Room


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer of the policy. It is true where it allows."""

    allowed: bool
    detail: Any = ""
    """Why not: a sentence for people, or a lazy translation of one."""
    code: str = "forbidden"
    """Why not, for programs."""

    def __bool__(self) -> bool:
        return self.allowed


ALLOWED = Decision(True)
_NOT_YOURS = Decision(False, _("This message is not yours."))


class Policy:
    """The questions. Subclass one of the policies below and name it in ``ROOMCHAT["POLICY"]``.

    Every question is asked in a thread and may use the database.
    A *room* that does not exist yet has no ``pk``: it comes into being with its first message.
    """

    def can_enter(self, who: Identity, room: Room) -> Decision:
        """May they read the room and hear what is said?"""
        raise NotImplementedError(
            f"{type(self).__name__} does not say who may enter a room: define can_enter()."
        )

    def can_post(self, who: Identity, room: Room) -> Decision:
        """May they say something in the room? Asked of those who may enter it."""
        raise NotImplementedError(f"{type(self).__name__} does not say who may post: define can_post().")

    def can_create(self, who: Identity, room: Room) -> Decision:
        """May they make this room by posting to it?"""
        return ALLOWED

    def can_edit(self, who: Identity, room: Room, message: Message) -> Decision:
        """May they change the text of this message? By default their own."""
        return ALLOWED if message.author_key == who.key else _NOT_YOURS

    def can_delete(self, who: Identity, room: Room, message: Message) -> Decision:
        """May they delete this message? By default their own, and moderators any."""
        return ALLOWED if message.author_key == who.key or self.can_moderate(who, room) else _NOT_YOURS

    def can_moderate(self, who: Identity, room: Room) -> Decision:
        """May they delete what others say, and ban them? By default staff."""
        return ALLOWED if getattr(who.user, "is_staff", False) else Decision(False)

    def can_list(self, who: Identity, room: Room) -> Decision:
        """May they see the room in the list of rooms?"""
        return self.can_enter(who, room)


class OpenPolicy(Policy):
    """Everybody may do everything, guests too."""

    def can_enter(self, who: Identity, room: Room) -> Decision:
        return ALLOWED

    def can_post(self, who: Identity, room: Room) -> Decision:
        return ALLOWED


class SignedInPolicy(Policy):
    """Who has signed in may do everything; guests nothing."""

    def can_enter(self, who: Identity, room: Room) -> Decision:
        return self._signed_in(who)

    def can_post(self, who: Identity, room: Room) -> Decision:
        return self._signed_in(who)

    def _signed_in(self, who: Identity) -> Decision:
        if who.user is not None:
            return ALLOWED
        return Decision(False, _("Sign in to use the chat."), code="sign_in")


@cache
def policy() -> Policy:
    """The policy in force."""
    chosen: Policy = hook("POLICY")()
    return chosen


def require(decision: Decision) -> None:
    """Go on only if the policy allows it.

    Raises:
        Forbidden: with the policy's code and sentence.
    """
    if not decision:
        raise Forbidden(decision.detail or _("You may not do this."), code=decision.code)


def require_entry(who: Identity, room: Room) -> None:
    """Raise :class:`Forbidden` unless *who* may enter *room*."""
    if not who.is_site:
        _require_no_ban(who, room)
        require(policy().can_enter(who, room))


def require_post(who: Identity, room: Room) -> None:
    """Raise :class:`Forbidden` unless *who* may post to *room*, and make it where it does not exist."""
    require_entry(who, room)
    if not who.is_site:
        require(policy().can_post(who, room))
        if room.pk is None:
            require(policy().can_create(who, room))


def require_change(
    who: Identity, room: Room, message: Message, question: Literal["can_edit", "can_delete"]
) -> None:
    """Raise :class:`Forbidden` unless *who* may enter *room* and change *message*."""
    require_entry(who, room)
    if not who.is_site:
        require(getattr(policy(), question)(who, room, message))


def require_moderation(who: Identity, room: Room) -> None:
    """Raise :class:`Forbidden` unless *who* may moderate *room*."""
    if not who.is_site:
        require(policy().can_moderate(who, room))


def _require_no_ban(who: Identity, room: Room) -> None:
    # The access version grows with every ban, so a room that never had one costs no query.
    if room.pk is None or not room.log.access_version:
        return
    ban = Ban.objects.using(database()).in_force().filter(room_id=room.pk, key=who.key).first()
    if ban is not None:
        raise Forbidden(_("You are banned from this room.") if not ban.reason else ban.reason, code="banned")


def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting == "ROOMCHAT":
        policy.cache_clear()


setting_changed.connect(_forget, dispatch_uid="django_roomchat.policy")
