"""Handlers of the client frames, shared by sockets and HTTP: each calls a function of the package and
converts its result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone, translation

import django_roomchat
from django_roomchat import log, policy, protocol
from django_roomchat.conf import config, reverse_or_empty
from django_roomchat.errors import ChatError, UnknownType
from django_roomchat.identity import Identity, guests
from django_roomchat.messages import mentions, pins, reactions, read_markers, room_list, search
from django_roomchat.messages.edit import delete_message, earlier_texts, edit_message
from django_roomchat.messages.post import post_message
from django_roomchat.messages.types import Posted
from django_roomchat.models import Room
from django_roomchat.moderation import available_actions, blocks, reports, sanctions
from django_roomchat.policy import rate_limits, roles
from django_roomchat.protocol import RoomName
from django_roomchat.realtime import threads
from django_roomchat.rooms import invitations, lookup, members
from django_roomchat.rooms.create import create_room
from django_roomchat.rooms.direct import write_to
from django_roomchat.rooms.settings import configure_room, settings_of


@dataclass(frozen=True, slots=True)
class Caller:
    """The sender of a frame: a socket or an HTTP request."""

    who: Identity
    """Identity that acts."""
    address: str | None = None
    """IP address for the rate limits; empty if unknown. With ``None`` the project's own code acts, which is not limited."""
    session: Callable[[], Any] = lambda: None
    """Loads the session that the identity depends on; it returns ``None`` if there is none."""
    rooms: Callable[[], Iterable[Room]] = tuple
    """Loads the rooms that the sender is in."""


Handler = Callable[[Caller, RoomName, Any], protocol.ServerFrame]
"""Called in a thread with the sender, the room that the frame concerns and the frame. A handler of a frame without a room
does not use the second argument.
"""


def welcome(who: Identity) -> protocol.Welcome:
    """Return the first frame of a connection."""
    settings = config()
    return protocol.Welcome(
        version=django_roomchat.__version__,
        you=protocol.You(who.key, who.name, who.is_guest),
        limits=protocol.Limits(settings.FRAME_MAX_BYTES, settings.BODY_MAX_LENGTH),
        ping_seconds=settings.PING_SECONDS,
    )


def enter_room(who: Identity, name: str, language: str | None = None) -> tuple[Room, protocol.Rights]:
    """Enter a room: return it with the rights that the identity has in it.

    Args:
        who: the identity.
        name: name of the room, in any spelling.
        language: language of the reason why the identity may not post; the active language if omitted.

    Raises:
        ChatError: the name is invalid, or the identity may not enter the room.
    """
    room = lookup.enter_room(who, name)
    other, other_name = lookup.other_in(who, room)
    held = roles.of(who.key, room)
    can = policy.rights(who, room)
    refusal = None if "post" in can else policy.refusal(policy.require_post, who, room)
    with translation.override(language or translation.get_language()):
        why = refusal.detail if refusal else ""
    rights = protocol.Rights(
        room=room.name,
        can=can,
        role=held.role,
        visibility=room.visibility,
        title=other_name or room.title,
        slow_seconds=room.slow_seconds,
        archived=room.archived_at is not None,
        why=why,
        retry_after=refusal.retry_after if refusal else None,
        other=other,
        blocked=held.blocks.has_blocked,
        code=refusal.code if refusal else "",
        until=_iso(refusal.until) if refusal else None,
        reason=refusal.reason if refusal else "",
    )
    return room, rights


def error_frame(
    error: ChatError,
    language: str | None,
    *,
    frame: str | None = None,
    id: str | None = None,
    room: str | None = None,
) -> protocol.Error:
    """Return the frame for an error.

    Args:
        error: the error.
        language: language of the client; ``None`` for no translation.
        frame: the ``type`` of the frame that was rejected.
        id: its ``id``.
        room: the room that it concerns, as the client spelled it.
    """
    with translation.override(language):
        detail = error.detail
    return protocol.Error(
        error.code, detail, frame, id, room, error.retry_after, _iso(error.until), error.reason
    )


def _iso(at: datetime | None) -> str | None:
    return None if at is None else log.iso(at)


def perform(caller: Caller, room: RoomName | None, frame: protocol.ClientFrame) -> protocol.ServerFrame:
    """Perform the action that a frame requests, within the rate limits of its sender. Call it in a thread.

    Args:
        caller: the sender.
        room: the room that the frame concerns, as :func:`django_roomchat.protocol.room_of` returned it.
        frame: the frame.

    Returns:
        The frame to answer with.

    Raises:
        ChatError: the action is rejected.
    """
    if isinstance(frame, protocol.Post):
        # The limit shared by all processes is checked with the post itself.
        rate_limits.spend_local("POSTS", caller.who, caller.address, "" if room is None else str(room))
    else:
        # An edit publishes a text to the whole room, as a post does.
        what: rate_limits.What = "POSTS" if isinstance(frame, protocol.Edit) else "FRAMES"
        rate_limits.spend(what, caller.who, caller.address, "" if room is None else str(room))
    handler = HANDLERS.get(type(frame))
    if handler is None:
        kind = type(frame).__struct_config__.tag
        raise UnknownType(f"Frames of type “{kind}” can be sent on a socket only.")
    with rate_limits.coming_from(caller.address):
        return handler(caller, room, frame)  # type: ignore[arg-type]  # only frames without a room have none


def _acked(id: str, done: Posted) -> protocol.Ack:
    return protocol.Ack(id, done.room, done.seq, done.duplicate)


def _post(caller: Caller, room: RoomName, frame: protocol.Post) -> protocol.Ack:
    done = post_message(
        room, frame.body, author=caller.who, id=frame.id, reply_to=frame.reply_to, files=frame.files
    )
    return _acked(frame.id, done)


def _edit(caller: Caller, room: RoomName, frame: protocol.Edit) -> protocol.Ack:
    with log.limited_wait(config().LOCK_TIMEOUT_SECONDS):
        return _acked(frame.id, edit_message(room, frame.seq, frame.body, by=caller.who))


def _delete(caller: Caller, room: RoomName, frame: protocol.Delete) -> protocol.Ack:
    with log.limited_wait(config().LOCK_TIMEOUT_SECONDS):
        return _acked(frame.id, delete_message(room, frame.seq, by=caller.who))


def _react(caller: Caller, room: RoomName, frame: protocol.React) -> protocol.Ack:
    with log.limited_wait(config().LOCK_TIMEOUT_SECONDS):
        return _acked(frame.id, reactions.react(room, frame.seq, frame.emoji, frame.on, by=caller.who))


def _pin(caller: Caller, room: RoomName, frame: protocol.Pin) -> protocol.Ack:
    with log.limited_wait(config().LOCK_TIMEOUT_SECONDS):
        return _acked(frame.id, pins.pin_message(room, frame.seq, frame.on, by=caller.who))


def _pinned(caller: Caller, room: RoomName, frame: protocol.Pinned) -> protocol.PinnedList:
    events = pins.pinned_messages(room, by=caller.who)
    return protocol.PinnedList(frame.id, str(room), events)


def _edits(caller: Caller, room: RoomName, frame: protocol.Edits) -> protocol.EditList:
    texts = earlier_texts(room, frame.seq, by=caller.who)
    return protocol.EditList(frame.id, str(room), frame.seq, texts)


def _people(caller: Caller, room: RoomName, frame: protocol.People) -> protocol.PeopleFound:
    found = mentions.mention_candidates(room, frame.prefix, by=caller.who)
    return protocol.PeopleFound(frame.id, str(room), found)


def _ban(caller: Caller, room: RoomName, frame: protocol.Ban) -> protocol.Done:
    if frame.on:
        sanctions.ban(room, frame.key, by=caller.who, reason=frame.reason, until=_in(frame.seconds))
    else:
        sanctions.unban(room, frame.key, by=caller.who)
    return protocol.Done(frame.id, str(room))


def _mute(caller: Caller, room: RoomName, frame: protocol.Mute) -> protocol.Done:
    if frame.on:
        sanctions.mute(room, frame.key, by=caller.who, reason=frame.reason, until=_in(frame.seconds))
    else:
        sanctions.unmute(room, frame.key, by=caller.who)
    return protocol.Done(frame.id, str(room))


def _sanctions(caller: Caller, room: RoomName, frame: protocol.Sanctions) -> protocol.SanctionList:
    listed = [
        protocol.SanctionedUser(
            one.key, one.name, _sanction(one.ban), _sanction(one.mute), protocol.is_guest(one.key)
        )
        for one in sanctions.list_sanctions(room, by=caller.who, after=frame.after)
    ]
    return protocol.SanctionList(frame.id, str(room), listed)


def _block(caller: Caller, room: RoomName, frame: protocol.Block) -> protocol.Done:
    if frame.on:
        blocks.block_in(room, frame.key, by=caller.who)
    else:
        blocks.unblock(frame.key, by=caller.who)
    return protocol.Done(frame.id, str(room))


def _blocked(caller: Caller, room: RoomName, frame: protocol.BlockedUsers) -> protocol.BlockedList:
    listed = blocks.list_blocked(by=caller.who, after=frame.after)
    return protocol.BlockedList(frame.id, [protocol.Person(one.key, one.name) for one in listed])


def _look_at(caller: Caller, room: RoomName, frame: protocol.LookAt) -> protocol.PersonShown:
    seen = available_actions.look_at(room, frame.key, by=caller.who)
    return protocol.PersonShown(
        id=frame.id,
        room=str(room),
        key=seen.key,
        may=seen.may,
        name=seen.name,
        role=seen.role,
        banned=_sanction(seen.ban),
        muted=_sanction(seen.mute),
        blocked=seen.is_blocked,
        guest=protocol.is_guest(seen.key),
    )


def _sanction(held: roles.Sanction | None) -> protocol.SanctionInForce | None:
    if held is None:
        return None
    return protocol.SanctionInForce(held.reason, _iso(held.until))


def _in(seconds: int | None) -> datetime | None:
    return None if seconds is None else timezone.now() + timedelta(seconds=seconds)


def _choose_name(caller: Caller, room: RoomName, frame: protocol.ChooseName) -> protocol.Done:
    guests.choose_name(caller.who, frame.name, caller.session(), caller.rooms())
    return protocol.Done(frame.id)


def _report(caller: Caller, room: RoomName, frame: protocol.Report) -> protocol.Done:
    report = reports.report_message(room, frame.seq, frame.reason, by=caller.who)
    return protocol.Done(frame.id, report.room.name)


def _search(caller: Caller, room: RoomName, frame: protocol.Search) -> protocol.Found:
    rate_limits.spend("SEARCHES", caller.who, caller.address)
    with threads.searches().turn_in_thread():
        return found_frame(frame, search.result_of(search_steps(caller, room, frame), rests=True))


def spend_search(caller: Caller) -> None:
    """Count a search that :func:`search_steps` performs against the rate limits."""
    rate_limits.spend("FRAMES", caller.who, caller.address)
    rate_limits.spend("SEARCHES", caller.who, caller.address)


def search_steps(caller: Caller, room: RoomName | None, frame: protocol.Search) -> search.Steps:
    """Return the steps of the search that a frame requests, each of which may run in another thread."""
    where = None if frame.everywhere else room or None
    return search.search_steps(frame.query, room=where, by=caller.who, before=frame.before)


def found_frame(frame: protocol.Search, found: search.SearchResults) -> protocol.Found:
    """Return the frame that answers a search."""
    return protocol.Found(frame.id, found.hits, bool(found.before), found.before)


def _read(caller: Caller, room: RoomName, frame: protocol.Read) -> protocol.Marked:
    return read_markers.mark_read(room, frame.seq, by=caller.who)


def _notify(caller: Caller, room: RoomName, frame: protocol.Notify) -> protocol.Done:
    found = read_markers.set_notifications(room, by=caller.who, enabled=frame.on)
    return protocol.Done(frame.id, found.name)


def _rooms(caller: Caller, room: RoomName, frame: protocol.Rooms) -> protocol.RoomList:
    return protocol.RoomList(frame.id, room_list.unread(caller.who, limit=frame.limit))


def _create(caller: Caller, room: RoomName, frame: protocol.Create) -> protocol.RoomAnswer:
    made = create_room(
        frame.title,
        by=caller.who,
        visibility=frame.visibility,
        is_listed=frame.listed,
        is_announcement=frame.announcement,
        tells_changes=frame.tells_changes,
        slow_seconds=frame.slow_seconds,
        retention_days=frame.retention_days,
    )
    return _room(frame.id, made)


def _direct(caller: Caller, room: RoomName, frame: protocol.Direct) -> protocol.RoomAnswer:
    return _room(frame.id, write_to(room, frame.key, by=caller.who))


def _configure(caller: Caller, room: RoomName, frame: protocol.Configure) -> protocol.Done:
    configured = configure_room(
        room,
        by=caller.who,
        title=frame.title,
        is_archived=frame.archived,
        is_listed=frame.listed,
        is_announcement=frame.announcement,
        tells_changes=frame.tells_changes,
        slow_seconds=frame.slow_seconds,
        retention_days=frame.retention_days,
    )
    return protocol.Done(frame.id, configured.name)


def _settings(caller: Caller, room: RoomName, frame: protocol.Settings) -> protocol.RoomSettings:
    found = settings_of(room, by=caller.who)
    return protocol.RoomSettings(
        id=frame.id,
        room=found.name,
        title=found.title,
        visibility=found.visibility,
        archived=found.archived_at is not None,
        listed=found.is_listed,
        announcement=found.is_announcement,
        tells_changes=found.tells_changes,
        slow_seconds=found.slow_seconds,
        retention_days=found.retention_days or 0,
    )


def _members(caller: Caller, room: RoomName, frame: protocol.Members) -> protocol.MemberList:
    listed = [
        protocol.ListedMember(
            member.key, member.name, member.role, log.iso(member.since), protocol.is_guest(member.key)
        )
        for member in members.list_members(room, by=caller.who, after=frame.after, prefix=frame.prefix)
    ]
    return protocol.MemberList(frame.id, str(room), listed)


def _add(caller: Caller, room: RoomName, frame: protocol.AddMember) -> protocol.Done:
    whom = caller.who if frame.key == caller.who.key else frame.key
    members.add_member(room, whom, by=caller.who, role=frame.role)
    return protocol.Done(frame.id, str(room))


def _remove(caller: Caller, room: RoomName, frame: protocol.RemoveMember) -> protocol.Done:
    members.remove_member(room, frame.key, by=caller.who)
    return protocol.Done(frame.id, str(room))


def _role(caller: Caller, room: RoomName, frame: protocol.SetRole) -> protocol.Done:
    members.set_role(room, frame.key, frame.role, by=caller.who)
    return protocol.Done(frame.id, str(room))


def _quit(caller: Caller, room: RoomName, frame: protocol.Quit) -> protocol.Done:
    members.leave_room(room, by=caller.who)
    return protocol.Done(frame.id, str(room))


def _invite(caller: Caller, room: RoomName, frame: protocol.Invite) -> protocol.InvitationMade:
    lasts = None if frame.seconds is None else timedelta(seconds=frame.seconds)
    made = invitations.invite(room, by=caller.who, role=frame.role, expires_in=lasts, uses=frame.uses)
    ends = None if made.expires_at is None else log.iso(made.expires_at)
    link = reverse_or_empty("invitation", made.token)
    return protocol.InvitationMade(frame.id, made.room, made.id, made.token, link, ends)


def _invitations(caller: Caller, room: RoomName, frame: protocol.Invitations) -> protocol.InvitationList:
    listed = [
        protocol.ListedInvitation(
            invitation=one.pk,
            role=one.role,
            by=one.by_key,
            expires_at=None if one.expires_at is None else log.iso(one.expires_at),
            uses=one.uses_left,
        )
        for one in invitations.list_invitations(room, by=caller.who, before=frame.before)
    ]
    is_full = len(listed) == invitations.PAGE_INVITATIONS
    return protocol.InvitationList(frame.id, str(room), listed, more=is_full)


def _revoke(caller: Caller, room: RoomName, frame: protocol.Revoke) -> protocol.Done:
    invitations.revoke_invitation(room, frame.invitation, by=caller.who)
    return protocol.Done(frame.id, str(room))


def _revoke_all(caller: Caller, room: RoomName, frame: protocol.RevokeAll) -> protocol.Done:
    invitations.revoke_invitations(room, by=caller.who)
    return protocol.Done(frame.id, str(room))


def _accept(caller: Caller, room: RoomName, frame: protocol.Accept) -> protocol.RoomAnswer:
    return _room(frame.id, invitations.accept_invitation(frame.token, by=caller.who))


def _room(id: str, room: Room) -> protocol.RoomAnswer:
    return protocol.RoomAnswer(
        id, room.name, room.title, room.visibility, reverse_or_empty("room", room.name)
    )


HANDLERS: dict[type, Handler] = {
    protocol.Post: _post,
    protocol.Edit: _edit,
    protocol.Delete: _delete,
    protocol.React: _react,
    protocol.Pin: _pin,
    protocol.Pinned: _pinned,
    protocol.Edits: _edits,
    protocol.People: _people,
    protocol.Read: _read,
    protocol.Notify: _notify,
    protocol.Rooms: _rooms,
    protocol.Ban: _ban,
    protocol.Mute: _mute,
    protocol.Sanctions: _sanctions,
    protocol.Block: _block,
    protocol.BlockedUsers: _blocked,
    protocol.LookAt: _look_at,
    protocol.Report: _report,
    protocol.Search: _search,
    protocol.ChooseName: _choose_name,
    protocol.Create: _create,
    protocol.Direct: _direct,
    protocol.Configure: _configure,
    protocol.Settings: _settings,
    protocol.Members: _members,
    protocol.Quit: _quit,
    protocol.Invite: _invite,
    protocol.Invitations: _invitations,
    protocol.Revoke: _revoke,
    protocol.RevokeAll: _revoke_all,
    protocol.Accept: _accept,
    protocol.AddMember: _add,
    protocol.RemoveMember: _remove,
    protocol.SetRole: _role,
}
