"""Who may do what. One object is asked everywhere: by the socket, the views, the template tag and :mod:`~django_roomchat.actions`."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args

from django.core.signals import setting_changed
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_roomchat import guests, standing, storage
from django_roomchat.conf import config, hook
from django_roomchat.errors import ChatError, Forbidden, NotFound
from django_roomchat.identity import Identity
from django_roomchat.models import Membership, Message, Room


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
NOT_ALLOWED = Decision(False)
SIGN_IN = Decision(False, _("Sign in to use the chat."), code="sign_in")
MEMBERS_ONLY = Decision(False, _("Only members enter this room."), code="members_only")
_MAKE_IT = Decision(False, _("Only members post: make this room first."), code="members_only")
NO_PERMISSION = Decision(False, _("You do not have the permission to do this."), code="no_permission")
_NOT_YOURS = Decision(False, _("This message is not yours."))
_TOO_LATE = Decision(False, _("It is too late to change this message."), code="too_late")


class Policy:
    """The questions. Subclass one of the policies below and name it in ``ROOMCHAT["POLICY"]``.

    Every question is asked in a thread and may use the database.
    A *room* that does not exist yet has no ``pk``: it comes into being with its first message.
    How somebody stands in a room (their role) is ``standing.of(who.key, room)``.
    """

    def forget(self, who: Identity) -> None:
        """Their rights may have changed: what this policy remembers of them is not true any more. It need not remember anything."""

    def can_see(self, who: Identity, room: Room) -> Decision:
        """May they know that there is such a room? If not, it is for them as if it did not exist.

        By default open rooms are for everybody, and private and direct ones for their members.
        """
        return ALLOWED if room.visibility == Room.Visibility.OPEN or _role(who, room) else NOT_ALLOWED

    def can_enter(self, who: Identity, room: Room) -> Decision:
        """May they read the room and hear what is said? Asked of those who may see it."""
        raise NotImplementedError(
            f"{type(self).__name__} does not say who may enter a room: define can_enter()."
        )

    def can_post(self, who: Identity, room: Room) -> Decision:
        """May they say something in the room? Asked of those who may enter it."""
        raise NotImplementedError(f"{type(self).__name__} does not say who may post: define can_post().")

    def can_attach(self, who: Identity, room: Room) -> Decision:
        """May they send files to the room? Asked of those who may post, where there are attachments at all. By default they all may."""
        return ALLOWED

    def can_create(self, who: Identity, room: Room) -> Decision:
        """May they make this room, by posting to it or on purpose? *room* is not saved; it has a name and a visibility.

        The name is empty where nothing is typed yet, and it is asked whether to offer the form that makes a room.
        """
        return ALLOWED

    def can_edit(self, who: Identity, room: Room, message: Message) -> Decision:
        """May they change the text of this message? By default their own, for ``EDIT_SECONDS``."""
        if message.author_key != who.key or message.kind == Message.Kind.SYSTEM:
            return _NOT_YOURS
        seconds = config().EDIT_SECONDS
        age = (timezone.now() - message.created_at).total_seconds()
        return _TOO_LATE if seconds is not None and age > seconds else ALLOWED

    def can_see_edits(self, who: Identity, room: Room, message: Message) -> Decision:
        """May they see what an edited message said before? By default its author and moderators."""
        return ALLOWED if message.author_key == who.key else self.can_moderate(who, room)

    def can_delete(self, who: Identity, room: Room, message: Message) -> Decision:
        """May they delete this message? By default their own, and moderators any."""
        return ALLOWED if message.author_key == who.key or self.can_moderate(who, room) else _NOT_YOURS

    def can_react(self, who: Identity, room: Room) -> Decision:
        """May they answer messages with emoji? By default whoever may enter."""
        return ALLOWED

    def can_pin(self, who: Identity, room: Room) -> Decision:
        """May they pin messages? By default moderators, and both people of a direct room."""
        if room.visibility == Room.Visibility.DIRECT:
            return ALLOWED
        return self.can_moderate(who, room)

    def can_report(self, who: Identity, room: Room) -> Decision:
        """May they ask moderators to look at a message? By default whoever may enter."""
        return ALLOWED

    def can_invite(self, who: Identity, room: Room) -> Decision:
        """May they invite people and make them members? By default owners and moderators; nobody into a direct room."""
        if room.visibility == Room.Visibility.DIRECT:
            return NOT_ALLOWED
        return self.can_moderate(who, room)

    def can_write_to(self, who: Identity, other: Identity) -> Decision:
        """May they have a direct room with *other*, whom they have met in a room? By default everybody may."""
        return ALLOWED

    def can_moderate(self, who: Identity, room: Room) -> Decision:
        """May they delete what others say, mute, ban and remove them? By default owners, moderators and staff."""
        if room.visibility == Room.Visibility.DIRECT:
            return NOT_ALLOWED
        is_moderator = _role(who, room) in (Membership.Role.OWNER, Membership.Role.MODERATOR)
        return ALLOWED if is_moderator or _is_staff(who) else NOT_ALLOWED

    def can_manage(self, who: Identity, room: Room) -> Decision:
        """May they rename and archive the room, change its settings and give roles? By default owners and staff."""
        if room.visibility == Room.Visibility.DIRECT:
            return NOT_ALLOWED
        return ALLOWED if _role(who, room) == Membership.Role.OWNER or _is_staff(who) else NOT_ALLOWED

    def can_list(self, who: Identity, room: Room) -> Decision:
        """May they see the room in the list of rooms? By default if it is listed, or they are members, and may enter.

        Asked of listed open rooms, and of those that they are members of; no other is in anybody's list.
        """
        if not room.is_listed and not _role(who, room):
            return NOT_ALLOWED
        return self.can_see(who, room) and self.can_enter(who, room)


def _role(who: Identity, room: Room) -> str:
    return standing.of(who.key, room).role


def _is_staff(who: Identity) -> bool:
    return bool(getattr(who.user, "is_staff", False))


class OpenPolicy(Policy):
    """Everybody may enter every room that is not private, guests too."""

    def can_enter(self, who: Identity, room: Room) -> Decision:
        return ALLOWED

    def can_post(self, who: Identity, room: Room) -> Decision:
        return ALLOWED


class SignedInPolicy(Policy):
    """Who has signed in may enter every room that is not private; guests none."""

    def can_enter(self, who: Identity, room: Room) -> Decision:
        return _signed_in(who)

    def can_post(self, who: Identity, room: Room) -> Decision:
        return _signed_in(who)

    def can_create(self, who: Identity, room: Room) -> Decision:
        return _signed_in(who)


def _signed_in(who: Identity) -> Decision:
    return ALLOWED if who.user is not None else SIGN_IN


class MembersPolicy(Policy):
    """Only members enter a room, an open one too; whoever has signed in may make rooms.

    Staff may enter rooms that are not private, as they have to look after them.
    A room is made on purpose, and its maker owns it: one that came into being by a post would have no member to enter it.
    """

    def can_enter(self, who: Identity, room: Room) -> Decision:
        if who.user is None and not _role(who, room):
            return SIGN_IN
        return ALLOWED if room.pk is None or _role(who, room) or _is_staff(who) else MEMBERS_ONLY

    def can_post(self, who: Identity, room: Room) -> Decision:
        return _MAKE_IT if room.pk is None and who.user is not None else self.can_enter(who, room)

    def can_create(self, who: Identity, room: Room) -> Decision:
        return _signed_in(who)


class DjangoPermissionsPolicy(Policy):
    """Django's permissions decide: those of the user, their groups, and backends that know permissions of single rooms.

    ``roomchat.enter_room``, ``roomchat.post_in_room`` and ``roomchat.moderate_room`` are asked for in general and for the room;
    ``roomchat.add_room`` makes rooms and ``roomchat.change_room`` manages them. Guests have none.
    Private and direct rooms are for their members, as ever; and owners and moderators of a room need no permission to be that.
    """

    FRESH_SECONDS = 1.0
    """For so long a user's permissions are believed; Django itself remembers them as long as the user object lives."""
    KNOWN_MAX = 10_000

    def __init__(self) -> None:
        self._known: dict[Any, tuple[float, Any]] = {}

    def forget(self, who: Identity) -> None:
        if who.user is not None:
            self._known.pop(who.user.pk, None)

    def can_enter(self, who: Identity, room: Room) -> Decision:
        return self._has(who, "roomchat.enter_room", room)

    def can_post(self, who: Identity, room: Room) -> Decision:
        return self._has(who, "roomchat.post_in_room", room)

    def can_create(self, who: Identity, room: Room) -> Decision:
        return self._has(who, "roomchat.add_room", room)

    def can_moderate(self, who: Identity, room: Room) -> Decision:
        if room.visibility == Room.Visibility.DIRECT:
            return NOT_ALLOWED
        if _role(who, room) in (Membership.Role.OWNER, Membership.Role.MODERATOR):
            return ALLOWED
        return self._has(who, "roomchat.moderate_room", room)

    def can_manage(self, who: Identity, room: Room) -> Decision:
        if room.visibility == Room.Visibility.DIRECT:
            return NOT_ALLOWED
        if _role(who, room) == Membership.Role.OWNER:
            return ALLOWED
        return self._has(who, "roomchat.change_room", room)

    def _has(self, who: Identity, permission: str, room: Room) -> Decision:
        if who.user is None:
            return SIGN_IN
        user = self._fresh(who.user)
        if user is None:
            return NO_PERMISSION
        # Django's own backend knows no objects and says no to all; others may know nothing else.
        is_theirs = user.has_perm(permission) or (room.pk is not None and user.has_perm(permission, room))
        return ALLOWED if is_theirs else NO_PERMISSION

    def _fresh(self, user: Any) -> Any:
        """The user as the database has them, without the permissions that an old object remembers."""
        now = time.monotonic()
        at, known = self._known.get(user.pk, (-math.inf, None))
        if now - at >= self.FRESH_SECONDS:
            if len(self._known) >= self.KNOWN_MAX:
                self._known.clear()
            known = type(user)._default_manager.filter(pk=user.pk).first()
            self._known[user.pk] = now, known
        return known


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
    """Raise :class:`NotFound` unless *who* may know of *room*, :class:`Forbidden` unless they may enter it."""
    if room.pk is None and room.is_hidden:
        raise no_such_room()
    if who.is_site:
        return
    if not policy().can_see(who, room):
        raise no_such_room()
    if (ban := standing.of(who.key, room).ban) is not None:
        raise Forbidden(ban.reason or _("You are banned from this room."), code="banned")
    require(policy().can_enter(who, room))
    guests.require_own_name(who, room)


def no_such_room() -> NotFound:
    """The answer for a room that does not exist and for one that *who* may not see: the same, to the letter."""
    return NotFound(_("There is no such room."), code="no_such_room")


def require_post(who: Identity, room: Room) -> None:
    """Raise :class:`ChatError` unless *who* may post to *room*, and make it where it does not exist."""
    require_entry(who, room)
    if who.is_site:
        return
    _require_open_doors(room)
    _require_voice(who, room)
    if room.is_announcement and not policy().can_moderate(who, room):
        raise Forbidden(_("Only moderators post in this room."), code="announcement")
    require(policy().can_post(who, room))
    if room.pk is None:
        require(policy().can_create(who, room))


def silence(who: Identity, room: Room) -> ChatError | None:
    """Why *who* may not post to *room*, or ``None`` if they may."""
    try:
        require_post(who, room)
    except ChatError as error:
        return error
    return None


def require_attach(who: Identity, room: Room) -> None:
    """Raise :class:`ChatError` unless *who* may post to *room*, and send files to it."""
    require_post(who, room)
    _require_files(who, room)


def _require_files(who: Identity, room: Room) -> None:
    if not storage.is_on():
        raise Forbidden(_("No files can be sent here."), code="no_attachments")
    if not who.is_site:
        require(policy().can_attach(who, room))


def require_change(
    who: Identity, room: Room, message: Message, question: Literal["can_edit", "can_delete"]
) -> None:
    """Raise :class:`ChatError` unless *who* may enter *room* and change *message*."""
    require_entry(who, room)
    if not who.is_site:
        _require_open_doors(room)
        require(getattr(policy(), question)(who, room, message))


def require_may(who: Identity, room: Room, question: Question) -> None:
    """Raise :class:`ChatError` unless *who* may enter *room* and the policy's *question* is answered with yes."""
    require_entry(who, room)
    if not who.is_site:
        if question in _CHANGING:
            _require_open_doors(room)
            _require_voice(who, room)
        require(getattr(policy(), question)(who, room))


Question = Literal["can_react", "can_pin", "can_report", "can_invite", "can_moderate", "can_manage"]
_CHANGING = ("can_react", "can_pin")
"""What an archived room takes no more, and nobody who is muted does. Both can still be moderated."""


def require_moderation(who: Identity, room: Room) -> None:
    """Raise :class:`ChatError` unless *who* may moderate *room*."""
    require_may(who, room, "can_moderate")


def rights(who: Identity, room: Room) -> list[str]:
    """What *who* may do in *room*, by the names of the verbs, for pages that show only what is possible."""
    may = ["post"] if _is_allowed(require_post, who, room) else []
    if may and _is_allowed(_require_files, who, room):
        may.append("attach")
    questions: tuple[Question, ...] = get_args(Question)
    return may + [
        question.removeprefix("can_")
        for question in questions
        if _is_allowed(require_may, who, room, question)
    ]


def _is_allowed(ask: Callable[..., None], *about: Any) -> bool:
    try:
        ask(*about)
    except ChatError:
        return False
    return True


def _require_voice(who: Identity, room: Room) -> None:
    if (mute := standing.of(who.key, room).mute) is not None:
        raise Forbidden(
            mute.reason or _("You are muted in this room."), code="muted", retry_after=mute.seconds_left
        )


def _require_open_doors(room: Room) -> None:
    if room.archived_at is not None:
        raise Forbidden(_("This room is archived: it can be read only."), code="archived")


def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting == "ROOMCHAT":
        policy.cache_clear()


setting_changed.connect(_forget, dispatch_uid="django_roomchat.policy")
