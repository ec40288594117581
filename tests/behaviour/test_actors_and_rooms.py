"""Every function accepts a user or an identity as the actor, and a room by its name or as an object."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.utils import timezone

import django_roomchat as chat
from django_roomchat import moderation
from django_roomchat.errors import BadValue
from django_roomchat.identity import Identity, of_user
from django_roomchat.models import HeldMessage, Room

pytestmark = pytest.mark.django_db(transaction=True)


def held(room: Any) -> HeldMessage:
    stored = Room.objects.get(name="lobby")
    return HeldMessage.objects.create(
        room=stored, author_key="g:1", author_name="Gus", client_id="h", body="held"
    )


# Each is called with a room that has one message, an owner of it, and another person.
CALLS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "post_message": lambda room, by, _: chat.post_message(room, "x", author=by),
    "edit_message": lambda room, by, _: chat.edit_message(room, 1, "new", by=by),
    "delete_message": lambda room, by, _: chat.delete_message(room, 1, by=by),
    "earlier_texts": lambda room, by, _: chat.earlier_texts(room, 1, by=by),
    "react": lambda room, by, _: chat.react(room, 1, "🎉", by=by),
    "pin_message": lambda room, by, _: chat.pin_message(room, 1, by=by),
    "pinned_messages": lambda room, by, _: chat.pinned_messages(room, by=by),
    "mention_candidates": lambda room, by, _: chat.mention_candidates(room, by=by),
    "attach_file": lambda room, by, _: chat.attach_file(room, b"text", "notes.txt", by=by),
    "remove_file": lambda room, by, _: chat.remove_file(
        chat.attach_file(room, b"text", "notes.txt", by=by), by=by
    ),
    "read_history": lambda room, by, _: chat.read_history(room, by=by),
    "search_messages": lambda room, by, _: chat.search_messages("hello", room=room, by=by),
    "prune_history": lambda room, by, _: chat.prune_history(rooms=[room], keep=0),
    "mark_read": lambda room, by, _: chat.mark_read(room, 1, by=by),
    "set_notifications": lambda room, by, _: chat.set_notifications(room, by=by, enabled=False),
    "unread": lambda room, by, _: chat.unread(by),
    "who_is_here": lambda room, by, _: chat.who_is_here(room),
    "create_room": lambda room, by, _: chat.create_room("Other", by=by),
    "configure_room": lambda room, by, _: chat.configure_room(room, by=by, title="New"),
    "delete_room": lambda room, by, _: chat.delete_room(room, by=by),
    "direct_room": lambda room, by, other: chat.direct_room(by, other),
    "write_to": lambda room, by, other: chat.write_to(room, "g:1", by=by),
    "add_member": lambda room, by, other: chat.add_member(room, other, by=by),
    "remove_member": lambda room, by, other: chat.remove_member(room, other, by=by),
    "leave_room": lambda room, by, other: chat.add_member(room, other) and chat.leave_room(room, by=other),
    "set_role": lambda room, by, _: chat.set_role(room, "g:1", "moderator", by=by),
    "list_members": lambda room, by, _: chat.list_members(room, by=by),
    "invite": lambda room, by, _: chat.invite(room, by=by),
    "accept_invitation": lambda room, by, other: chat.accept_invitation(chat.invite(room).token, by=other),
    "list_invitations": lambda room, by, _: chat.list_invitations(room, by=by),
    "revoke_invitation": lambda room, by, _: chat.revoke_invitation(room, chat.invite(room, by=by).id, by=by),
    "revoke_invitations": lambda room, by, _: chat.revoke_invitations(room, by=by),
    "ban": lambda room, by, other: chat.ban(room, other, by=by),
    "unban": lambda room, by, other: chat.unban(room, other, by=by),
    "mute": lambda room, by, other: chat.mute(room, other, by=by),
    "unmute": lambda room, by, other: chat.unmute(room, other, by=by),
    "block": lambda room, by, other: chat.block(other, by=by),
    "unblock": lambda room, by, other: chat.unblock(other, by=by),
    "list_blocked": lambda room, by, _: chat.list_blocked(by=by),
    "list_sanctions": lambda room, by, _: chat.list_sanctions(room, by=by),
    "report_message": lambda room, by, _: chat.report_message(room, 1, by=by),
    "uphold": lambda room, by, _: moderation.uphold(chat.report_message(room, 1), by=by),
    "dismiss": lambda room, by, _: moderation.dismiss(chat.report_message(room, 1), by=by),
    "release": lambda room, by, _: moderation.release(held(room), by=by),
    "refuse": lambda room, by, _: moderation.refuse(held(room), by=by),
    "make_webhook": lambda room, by, _: chat.make_webhook(room, "https://example.com/", by=by),
    "remove_webhook": lambda room, by, _: chat.remove_webhook(
        chat.make_webhook(room, "https://example.com/"), by=by
    ),
    "make_incoming_hook": lambda room, by, _: chat.make_incoming_hook(room, "CI", by=by),
    "revoke_incoming_hook": lambda room, by, _: chat.revoke_incoming_hook(
        chat.make_incoming_hook(room, "CI")[0], by=by
    ),
    "recheck": lambda room, by, _: chat.recheck(by, room=room),
    "export_user": lambda room, by, _: chat.export_user(by),
    "stream_export": lambda room, by, _: list(chat.stream_export(by)),
    "erase_user": lambda room, by, other: chat.erase_user(other, by=by),
}
WITHOUT_ACTOR = {"make_ticket", "notify_unread", "verify_signature"}


@pytest.fixture(autouse=True)
def _attachments(tmp_path: Any, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def ana() -> User:
    return User.objects.create_user("ana")


@pytest.fixture
def bob() -> User:
    return User.objects.create_user("bob")


@pytest.fixture
def room(ana: User) -> Room:
    made = chat.create_room("Lobby", by=ana)
    chat.post_message(made, "hello", author=ana)
    chat.add_member(made, Identity("g:1", "Gus", is_guest=True))
    return made


def test_every_function_is_called() -> None:
    names = {name for name in chat.__all__ if f"a{name}" in chat.__all__} | {"stream_export"}

    assert names | {"uphold", "dismiss", "release", "refuse"} == CALLS.keys() | WITHOUT_ACTOR - {
        "verify_signature"
    }


@pytest.mark.parametrize("by_name", [True, False], ids=["name", "object"])
@pytest.mark.parametrize("as_user", [True, False], ids=["user", "identity"])
@pytest.mark.parametrize("name", CALLS)
def test_it_accepts_users_and_identities_and_names_and_rooms(
    name: str, as_user: bool, by_name: bool, room: Room, ana: User, bob: User
) -> None:
    people = (ana, bob) if as_user else (of_user(ana), of_user(bob))

    CALLS[name](" LOBBY " if by_name else room, *people)


@pytest.mark.parametrize("name", ["post_message", "read_history", "search_messages", "ban", "mark_read"])
def test_an_anonymous_user_is_not_an_actor(name: str, room: Room, bob: User) -> None:
    with pytest.raises(TypeError, match="anonymous"):
        CALLS[name](room, AnonymousUser(), bob)


# Without a query result, such as User.objects.filter(…).first(), nothing of the site is erased, banned or read.
NOBODY: dict[str, Callable[[Any], Any]] = {
    "erase_user": lambda room: chat.erase_user(None),  # type: ignore[arg-type]
    "export_user": lambda room: chat.export_user(None),  # type: ignore[arg-type]
    "stream_export": lambda room: list(chat.stream_export(None)),  # type: ignore[arg-type]
    "ban": lambda room: chat.ban(room, None),  # type: ignore[arg-type]
    "unmute": lambda room: chat.unmute(room, None),  # type: ignore[arg-type]
    "leave_room": lambda room: chat.leave_room(room, by=None),  # type: ignore[arg-type]
    "unread": lambda room: chat.unread(None),  # type: ignore[arg-type]
    "mark_read": lambda room: chat.mark_read(room, 1, by=None),  # type: ignore[arg-type]
    "set_notifications": lambda room: chat.set_notifications(room, by=None, enabled=False),  # type: ignore[arg-type]
    "write_to": lambda room: chat.write_to(room, "g:1", by=None),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("name", NOBODY)
def test_none_is_not_a_person(name: str, room: Room) -> None:
    with pytest.raises(TypeError, match="not a person"):
        NOBODY[name](room)


def test_an_unsaved_user_has_no_identity(room: Room) -> None:
    with pytest.raises(BadValue, match="primary key"):
        chat.post_message(room, "x", author=User(username="new"))


def test_a_direct_room_is_found_by_user_or_identity(room: Room, ana: User, bob: User) -> None:
    chat.post_message(room, "hello", author=bob)

    assert chat.write_to(room, bob, by=ana) == chat.write_to(room, of_user(bob), by=ana)


def test_an_unknown_kind_is_rejected(room: Room) -> None:
    with pytest.raises(BadValue, match="kind"):
        chat.post_message(room, "x", kind="robot")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "limits", [{"keep": -1}, {"older_than": timedelta(days=-1)}, {"rooms": "lobby", "keep": 0}]
)
def test_pruning_rejects_invalid_limits_and_deletes_nothing(room: Room, limits: dict[str, Any]) -> None:
    with pytest.raises(BadValue):
        chat.prune_history(**limits)
    assert len(chat.read_history(room).messages) == 1


def test_a_webhook_can_be_removed_twice(room: Room) -> None:
    webhook = chat.make_webhook(room, "https://example.com/")
    chat.remove_webhook(webhook)
    chat.remove_webhook(webhook)

    assert not room.webhooks.exists()


@pytest.mark.parametrize("sanction", [chat.ban, chat.mute])
def test_an_expiry_that_is_a_date_or_a_duration_is_rejected(
    sanction: Callable[..., int], room: Room, bob: User
) -> None:
    for until in (timezone.now().date() + timedelta(days=1), timedelta(hours=1)):
        with pytest.raises(TypeError, match="datetime"):
            sanction(room, bob, until=until)


@pytest.mark.parametrize("sanction", [chat.ban, chat.mute])
def test_a_naive_expiry_is_rejected(sanction: Callable[..., int], room: Room, bob: User) -> None:
    with pytest.raises(BadValue, match="aware"):
        sanction(room, bob, until=datetime.now() + timedelta(hours=1))
    assert sanction(room, bob, until=timezone.now() + timedelta(hours=1)) == 1


def test_users_find_what_they_may_read_under_signed_in_policy(room: Room, bob: User, settings: Any) -> None:
    settings.ROOMCHAT = {"POLICY": "django_roomchat.policy.SignedInPolicy"}

    assert [hit.seq for hit in chat.search_messages("hello", by=bob).hits] == [1]
    assert [event.body for event in chat.read_history("lobby", by=bob).messages] == ["hello"]


def test_the_site_finds_messages_of_private_rooms(ana: User, bob: User) -> None:
    private = chat.create_room("Board", by=ana, visibility="private")
    chat.post_message(private, "hello", author=ana)

    assert [hit.room for hit in chat.search_messages("hello").hits] == [private.name]
    assert chat.search_messages("hello", by=bob).hits == []
