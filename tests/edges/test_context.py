from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.test import RequestFactory

from django_roomchat.errors import BadRoomName, Forbidden
from django_roomchat.identity import Identity, identify
from django_roomchat.log import iso
from django_roomchat.messages.attachments import accepted_by_chooser, accepted_words, offered_types
from django_roomchat.messages.edit import edit_message
from django_roomchat.messages.post import post_message
from django_roomchat.messages.read_markers import mark_read
from django_roomchat.models import Message, Room
from django_roomchat.policy import Decision, OpenPolicy
from django_roomchat.protocol import LastMessage, Quote
from django_roomchat.rooms.direct import direct_room
from django_roomchat.rooms.members import add_member
from django_roomchat.rooms.settings import configure_room
from django_roomchat.views.context import (
    NewRoom,
    ShownMessage,
    ShownRoom,
    ShownRooms,
    history_json,
    index_page,
    read_history,
    room_page,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def request_():
    request = RequestFactory().get("/")
    request.user, request.session = AnonymousUser(), SessionStore()
    return request


def test_a_room_is_shown_with_all_that_its_template_needs(request_):
    me = identify(request_)
    post_message("My Room", "hi", author=me, id="a")
    post_message("My Room", "hello", name="Bot", id="b", reply_to=1)
    edit_message("My Room", 1, "hi there")
    moment = datetime(2026, 11, 21, 10, 0, 0, 123_000, tzinfo=UTC)
    Message.objects.update(created_at=moment)
    Message.objects.filter(seq=1).update(edited_at=moment)
    log = Room.objects.get().log
    bot = Message.objects.get(seq=2)

    context = room_page(request_, " MY ROOM ")

    assert context.pop("post_id") != room_page(request_, "my room")["post_id"]
    assert context.pop("room") == log.room
    assert [room.name for room in context.pop("rooms").lately] == ["my room"]
    assert context.pop("new_room") == NewRoom(["open", "private"])
    assert context.pop("messages") == [
        ShownMessage(
            1, 3, "a", "user", me.key, me.name, "hi there", moment, None, moment, None, True, guest=True
        ),
        ShownMessage(
            2,
            2,
            "b",
            "bot",
            bot.author_key,
            "Bot",
            "hello",
            moment,
            1,
            None,
            None,
            False,
            quote=Quote(1, me.name, "hi there", guest=True),
        ),  # fmt: skip
    ]
    assert context == {
        "room_name": "my room",
        "room_title": "My Room",
        "epoch": str(log.epoch),
        "head": 3,
        "is_newest": True,
        "older_before": None,
        "newer_after": None,
        "at": None,
        "me": me,
        "room_url": "/chat/my%20room/",
        "messages_url": "/chat/my%20room/messages/",
        "events_url": "/chat/my%20room/events/",
        "frames_url": "/chat/my%20room/frames/",
        "files_url": "",
        "file_max_bytes": 10 * 1024 * 1024,
        "files_max": 10,
        "attachment_types": offered_types(),
        "attachment_words": accepted_words(),
        "attachment_accept": accepted_by_chooser(),
        "index_url": "/chat/",
        "search_url": "/chat/~/search/?room=my+room",
        "socket_path": "/ws/chat/my%20room/",
        "body_max_length": 4000,
        "draft": "",
        "error": None,
        "can": ["post", "react", "report"],
        "read_seq": 0,
        "is_muted": False,
        "keeps_edits": False,
        "may_post": True,
        "may_post_detail": "",
    }


def test_a_direct_room_is_called_by_the_other_person(request_):
    me = identify(request_)
    room = direct_room(me, Identity("g:ben", "Ben", is_guest=True))

    assert room_page(request_, room.name)["room_title"] == "Ben"
    assert room_page(request_, "lobby")["room_title"] == "lobby"


def test_an_older_page_is_not_the_newest(request_):
    post_message("lobby", "hi")
    post_message("lobby", "hello")

    context = room_page(request_, "lobby", before=2, draft="not yet", error="No.")

    assert [message.seq for message in context["messages"]] == [1]
    assert (context["is_newest"], context["draft"], context["error"]) == (False, "not yet", "No.")


@pytest.mark.parametrize(
    ("path", "name", "address"),
    [("/ws/chat/", "a?b", "/ws/chat/a%3Fb/"), ("/live/", "방", "/live/%EB%B0%A9/")],
)
def test_the_page_knows_where_its_socket_is(request_, settings, path, name, address):
    settings.ROOMCHAT = {"SOCKET_PATH": path}

    assert room_page(request_, name)["socket_path"] == address


def test_a_room_that_cannot_be_or_may_not_be_entered_is_not_shown(request_, settings):
    with pytest.raises(BadRoomName):
        room_page(request_, "a/b")
    settings.ROOMCHAT = {"POLICY": "django_roomchat.policy.SignedInPolicy"}

    with pytest.raises(Forbidden):
        room_page(request_, "lobby")


def test_the_index_is_shown_with_all_that_its_template_needs(request_):
    post_message("My Room", "hi")
    last = Message.objects.get()

    context = index_page(request_, typed="a/b", error="No.")

    assert context == {
        "me": identify(request_),
        "rooms": ShownRooms(
            yours=[],
            lately=[
                ShownRoom(
                    name="my room",
                    title="My Room",
                    url="/chat/my%20room/",
                    visibility="open",
                    at=datetime.fromisoformat(iso(last.created_at)),
                    last=LastMessage(1, iso(last.created_at), last.author_key, "System", "hi"),
                )
            ],
            limit=500,
        ),
        "new_room": NewRoom(["open", "private"]),
        "typed": "a/b",
        "error": "No.",
        "index_url": "/chat/",
        "search_url": "/chat/~/search/",
        "name_max_length": 100,
    }


def test_the_list_is_of_ones_own_rooms_and_of_those_where_others_talk(request_):
    me = identify(request_)
    for room in ("theirs", "read", "member"):
        post_message(room, "hi")
    mark_read("read", 1, by=me)
    add_member("member", me)

    rooms = index_page(request_)["rooms"]

    assert [[room.name for room in part] for part in (rooms.yours, rooms.lately)] == [
        ["member", "read"],
        ["theirs"],
    ]


@pytest.mark.parametrize("name", ["new", "unlisted"])
def test_the_room_that_one_is_in_stands_in_the_list_beside_it_whatever_it_is(request_, name):
    post_message("unlisted", "hi")
    configure_room("unlisted", is_listed=False)
    post_message("other", "hi")

    rooms = room_page(request_, name)["rooms"]

    assert [(room.name, room.url) for room in rooms.yours] == [(name, f"/chat/{name}/")]
    assert [room.name for room in rooms.lately] == ["other"]


def test_the_list_beside_a_room_costs_nothing_where_no_template_shows_it(request_, django_assert_num_queries):
    post_message("lobby", "hi")
    context = room_page(request_, "lobby")

    with django_assert_num_queries(3):
        assert len(context["rooms"].lately) == 1


def test_a_form_that_makes_rooms_is_offered_as_far_as_the_policy_goes(request_, settings):
    assert index_page(request_)["new_room"].kinds == ["open", "private"]
    settings.ROOMCHAT = {"POLICY": OnlyPrivate}
    assert index_page(request_)["new_room"].kinds == ["private"]
    settings.ROOMCHAT = {"POLICY": "django_roomchat.policy.SignedInPolicy"}
    assert index_page(request_)["new_room"].kinds == []


class OnlyPrivate(OpenPolicy):
    def can_create(self, who, room):
        return Decision(room.visibility == "private")


def test_an_empty_history_is_answered_as_one(request_):
    assert history_json(read_history("Lobby", by=identify(request_))) == {
        "room": "lobby",
        "title": "Lobby",
        "epoch": "",
        "floor": 0,
        "head": 0,
        "messages": [],
        "before": None,
        "after": None,
    }
