"""Policies decide what an identity may do. Sockets, views, template tags and :mod:`~django_roomchat.messages.post` ask the same object."""

from __future__ import annotations

import math
import time
from functools import cache
from typing import Any

from django.core.signals import setting_changed
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_roomchat.conf import config, hook
from django_roomchat.conf.hooks import HookError, described, dotted_path
from django_roomchat.identity import Identity
from django_roomchat.models import Membership, Message, Room
from django_roomchat.policy import roles
from django_roomchat.policy.decisions import ALLOWED, NOT_ALLOWED, Decision, checked, is_checked
from django_roomchat.throttled_logging import error_throttled

SIGN_IN = Decision(False, _("Sign in to use the chat."), code="sign_in")

MEMBERS_ONLY = Decision(False, _("Only members can enter this room."), code="members_only")

_SIGN_IN_TO_WRITE = Decision(False, _("Sign in to send a direct message to this user."), code="sign_in")

_MAKE_IT = Decision(False, _("Only members can post; create this room first."), code="members_only")

NO_PERMISSION = Decision(False, _("You do not have permission to do this."), code="no_permission")

_NOT_YOURS = Decision(False, _("This message is not yours."))

_TOO_LATE = Decision(False, _("It is too late to change this message."), code="too_late")


class Policy:
    """Base class of all policies. Subclass one of the policies below and name it in ``ROOMCHAT["POLICY"]``.

    Every method is called in a thread and may query the database.
    A *room* that does not exist yet has no ``pk``; it is created with its first message.
    The role of an identity in a room is ``roles.of(who.key, room).role``.

    A method returns a :class:`Decision` or a ``bool``. Any other answer, such as a coroutine, and an exception deny
    the action and are logged. ``PermissionDenied`` denies it without a log line, and
    :exc:`~django_roomchat.errors.TryAgain` asks the client to try again.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Check the answers of the methods that the class defines, or inherits from a class that is no policy."""
        super().__init_subclass__(**kwargs)
        _check_answers(cls)

    def forget(self, who: Identity) -> None:
        """Discard cached permissions of *who*, because they may have changed. Policies without a cache need not define it."""

    def can_see(self, who: Identity, room: Room) -> Decision:
        """Return whether *who* may know that the room exists. If not, the room is reported as missing.

        By default everybody sees open rooms, and only members see private and direct rooms.
        """
        return ALLOWED if room.visibility == Room.Visibility.OPEN or _role(who, room) else NOT_ALLOWED

    def can_enter(self, who: Identity, room: Room) -> Decision:
        """Return whether *who* may read the room and receive its messages. Called only if :meth:`can_see` allows."""
        raise NotImplementedError(
            f"{type(self).__name__} does not define can_enter(), which decides who may enter a room."
        )

    def can_post(self, who: Identity, room: Room) -> Decision:
        """Return whether *who* may post in the room. Called only if :meth:`can_enter` allows."""
        raise NotImplementedError(
            f"{type(self).__name__} does not define can_post(), which decides who may post."
        )

    def can_attach(self, who: Identity, room: Room) -> Decision:
        """Return whether *who* may send files to the room. Called only if attachments are enabled and *who* may post.

        By default everybody who may post.
        """
        return ALLOWED

    def can_create(self, who: Identity, room: Room) -> Decision:
        """Return whether *who* may create this room, by posting to it or explicitly.

        *room* is not saved; it has a name and a visibility. The name is empty when the page asks whether to offer the form for
        new rooms. By default everybody.
        """
        return ALLOWED

    def can_edit(self, who: Identity, room: Room, message: Message) -> Decision:
        """Return whether *who* may edit this message. Called only if *who* may post. By default the author, for ``EDIT_SECONDS``."""
        if message.author_key != who.key or message.kind == Message.Kind.SYSTEM:
            return _NOT_YOURS
        seconds = config().EDIT_SECONDS
        age = (timezone.now() - message.created_at).total_seconds()
        return _TOO_LATE if seconds is not None and age > seconds else ALLOWED

    def can_see_edits(self, who: Identity, room: Room, message: Message) -> Decision:
        """Return whether *who* may read the earlier texts of an edited message. By default its author and moderators."""
        return ALLOWED if message.author_key == who.key else self.can_moderate(who, room)

    def can_delete(self, who: Identity, room: Room, message: Message) -> Decision:
        """Return whether *who* may delete this message. By default its author and moderators."""
        return ALLOWED if message.author_key == who.key or self.can_moderate(who, room) else _NOT_YOURS

    def can_react(self, who: Identity, room: Room) -> Decision:
        """Return whether *who* may react to messages with emoji. By default everybody who may enter."""
        return ALLOWED

    def can_pin(self, who: Identity, room: Room) -> Decision:
        """Return whether *who* may pin messages. By default moderators, and both people of a direct room."""
        if room.visibility == Room.Visibility.DIRECT:
            return ALLOWED
        return self.can_moderate(who, room)

    def can_report(self, who: Identity, room: Room) -> Decision:
        """Return whether *who* may report messages to moderators. By default everybody who may enter."""
        return ALLOWED

    def can_invite(self, who: Identity, room: Room) -> Decision:
        """Return whether *who* may invite people and add members. By default owners, moderators and staff; never in direct rooms."""
        if room.visibility == Room.Visibility.DIRECT:
            return NOT_ALLOWED
        return self.can_moderate(who, room)

    def can_write_to(self, who: Identity, other: Identity) -> Decision:
        """Return whether *who* may open a direct room with *other*, a person they met in a room.

        Asked before the room is created, and not again: both people of a direct room may use it. By default everybody may write
        to everybody, except guests to users, who have to write first.
        """
        return _SIGN_IN_TO_WRITE if who.user is None and other.user is not None else ALLOWED

    def can_moderate(self, who: Identity, room: Room) -> Decision:
        """Return whether *who* may delete messages of others, and mute, ban and remove people.

        By default owners, moderators and staff; never in direct rooms.
        """
        if room.visibility == Room.Visibility.DIRECT:
            return NOT_ALLOWED
        is_moderator = _role(who, room) in (Membership.Role.OWNER, Membership.Role.MODERATOR)
        return ALLOWED if is_moderator or _is_staff(who) else NOT_ALLOWED

    def can_manage(self, who: Identity, room: Room) -> Decision:
        """Return whether *who* may rename and archive the room, change its settings and assign roles.

        By default owners and staff; never in direct rooms.
        """
        if room.visibility == Room.Visibility.DIRECT:
            return NOT_ALLOWED
        return ALLOWED if _role(who, room) == Membership.Role.OWNER or _is_staff(who) else NOT_ALLOWED

    def can_list(self, who: Identity, room: Room) -> Decision:
        """Return whether the room is in the room list of *who*.

        Called only for listed open rooms and for rooms in which *who* is a member; no other room is listed. By default
        allowed if the room is listed or *who* is a member, and if *who* may enter it.
        """
        if not room.is_listed and not _role(who, room):
            return NOT_ALLOWED
        return self.can_see(who, room) and self.can_enter(who, room)


QUESTIONS = tuple(name for name in vars(Policy) if name.startswith("can_"))
"""Names of the methods of a policy that decide something."""
_OWN = {name: vars(Policy)[name] for name in QUESTIONS}


def _check_answers(kind: type[Policy]) -> None:
    """Check the answers of all methods of a policy that decide something, except those of :class:`Policy` itself."""
    for name in QUESTIONS:
        method = next(vars(base)[name] for base in kind.__mro__ if name in vars(base))
        if method is not _OWN[name] and not is_checked(method):
            setattr(kind, name, checked(name, method))


def forget(who: Identity) -> None:
    """Discard the policy's cached permissions of *who*. A failure is logged, so that the check that follows is made."""
    try:
        answer: Any = policy().forget(who)  # type: ignore[func-returns-value]  # a project's own may return something
        what = "" if answer is None else f"returned {described(answer)}"
        error = None
    except Exception as raised:
        what, error = f"raised {raised!r}", raised
    if what:
        error_throttled(
            "policy forget",
            "forget() of the policy %s %s; it has to discard what is cached, and to return None.",
            dotted_path(hook("POLICY")),
            what,
            error=error,
        )


def _role(who: Identity, room: Room) -> str:
    return roles.of(who.key, room).role


def _is_staff(who: Identity) -> bool:
    return bool(getattr(who.user, "is_staff", False))


class OpenPolicy(Policy):
    """Everybody, including guests, may enter and post in every room that is not private or direct."""

    def can_enter(self, who: Identity, room: Room) -> Decision:
        return ALLOWED

    def can_post(self, who: Identity, room: Room) -> Decision:
        return ALLOWED


class SignedInPolicy(Policy):
    """Signed-in users may enter and post in every room that is not private or direct; guests may enter none."""

    def can_enter(self, who: Identity, room: Room) -> Decision:
        return _signed_in(who)

    def can_post(self, who: Identity, room: Room) -> Decision:
        return _signed_in(who)

    def can_create(self, who: Identity, room: Room) -> Decision:
        return _signed_in(who)


def _signed_in(who: Identity) -> Decision:
    return ALLOWED if who.user is not None else SIGN_IN


class MembersPolicy(Policy):
    """Only members may enter a room, including open rooms. Signed-in users may create rooms.

    Staff may also enter open rooms, to moderate them.
    A room has to be created explicitly, which makes its creator the owner: a room created by a post would have no members.
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
    """Django permissions decide: those of the user, of their groups, and of backends with per-object permissions.

    ``roomchat.enter_room``, ``roomchat.post_in_room`` and ``roomchat.moderate_room`` are checked in general and for the room;
    ``roomchat.add_room`` allows creating rooms and ``roomchat.change_room`` managing them. Guests have no permissions.
    Private and direct rooms are still visible to their members only. Owners and moderators of a room need no permission for
    their role.
    """

    FRESH_SECONDS = 1.0
    """Time for which a loaded user's permissions are cached, in seconds. Django caches them as long as the user object lives."""
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
        # Django's own backend denies every check for an object; other backends may answer only those.
        is_theirs = user.has_perm(permission) or (room.pk is not None and user.has_perm(permission, room))
        return ALLOWED if is_theirs else NO_PERMISSION

    def _fresh(self, user: Any) -> Any:
        """Return the user as stored now, without the permissions cached on the given object; cached for ``FRESH_SECONDS``."""
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
    """Return the policy in force, an instance of the class in ``ROOMCHAT["POLICY"]``.

    Raises:
        HookError: the setting names something else than a policy.
    """
    chosen = hook("POLICY")()
    if not isinstance(chosen, Policy):
        raise HookError(
            f"ROOMCHAT['POLICY'] ({dotted_path(hook('POLICY'))}) returned {described(chosen)}; "
            "it must be a subclass of django_roomchat.Policy."
        )
    # Again: a class decorator may have replaced methods after the definition of the class.
    _check_answers(type(chosen))
    own = getattr(chosen, "__dict__", {})
    for name in own.keys() & QUESTIONS:
        # The constructor has set this method on the object itself.
        setattr(chosen, name, checked(name, staticmethod(own[name])).__get__(chosen))
    return chosen


def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting == "ROOMCHAT":
        policy.cache_clear()


setting_changed.connect(_forget, dispatch_uid="django_roomchat.policy")
