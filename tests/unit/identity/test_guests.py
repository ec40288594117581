"""Guests choose names that cannot be mistaken for those of others."""

import json

import pytest
from channels.db import database_sync_to_async as in_database
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from django.urls import reverse

from django_roomchat import make_incoming_hook, post_message
from django_roomchat.errors import BadValue, Forbidden
from django_roomchat.identity import GUEST_SESSION_KEY, Identity, guests, identify, new_guest, of_user
from django_roomchat.models import Membership, Message, Presence, Room, RoomLog, ServerProcess
from django_roomchat.rooms import lookup
from django_roomchat.testing import ChatClient
from tests.asgi import application

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_hub")]


def visit(room="lobby"):
    browser = Client()
    browser.get(reverse("roomchat:room", args=[room]))
    return browser


def socket_of(browser, room="lobby", **options):
    cookie = f"sessionid={browser.cookies['sessionid'].value}".encode()
    return ChatClient(application, room, headers=[(b"cookie", cookie)], **options)


def choose(browser, name, room=""):
    address = reverse("roomchat:room_frames", args=[room]) if room else reverse("roomchat:frames")
    frame = {"type": "name", "id": "n", "name": name}
    response = browser.post(address, json.dumps(frame), content_type="application/json")
    return response.status_code, response.json()


def refusal(answer):
    status, body = answer
    return status, body["error"]["code"]


DONE = (200, {"type": "done", "id": "n"})


def test_a_guest_chooses_a_name_over_http_and_keeps_it_for_the_session():
    browser = visit()

    answer = choose(browser, "  Zoë   Q ")
    browser.post(reverse("roomchat:room", args=["lobby"]), {"body": "hi"})

    assert answer == DONE
    assert Message.objects.get().author_name == "Zoë Q"


async def test_all_sockets_of_a_guest_receive_a_name_that_is_chosen_on_one():
    browser = await in_database(visit)()
    async with (
        socket_of(browser) as one,
        socket_of(browser) as other,
        socket_of(browser, tutorial=True) as old,
    ):
        await one.receive("joined")
        await other.receive("joined")
        await one.send({"type": "name", "name": "Zoë", "id": "n"})

        heard = [await one.receive("named"), await other.receive("named")]
        await one.post("hi", id="a")
        said = await old.receive()
    async with socket_of(browser) as later:
        you = (await later.receive("welcome"))["you"]

    assert heard == [{"type": "named", "name": "Zoë"}] * 2
    assert (said["name"], you["name"]) == ("Zoë", "Zoë")


async def test_it_is_answered_and_refused_like_any_frame():
    async with ChatClient(application, "lobby") as socket:
        await socket.receive("joined")
        await socket.send({"type": "name", "name": "Zoë", "id": "a"})
        done = await socket.receive("done")
        await socket.send({"type": "name", "name": "Admin", "id": "b"})
        error = await socket.receive("error")

    assert done == {"type": "done", "id": "a"}
    assert (error["code"], error["frame"], error["id"]) == ("name_taken", "name", "b")


async def test_a_guest_without_a_session_has_the_name_as_long_as_the_socket():
    async with ChatClient(application, "lobby") as socket:
        await socket.receive("joined")
        await socket.send({"type": "name", "name": "Zoë"})
        await socket.receive("named")
        await socket.post("hi", id="a")

    assert (await in_database(Message.objects.get)()).author_name == "Zoë"


def test_who_has_an_account_has_its_name():
    browser = Client()
    browser.force_login(User.objects.create_user("ana"))

    assert refusal(choose(browser, "Zoë")) == (403, "forbidden")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "x" * 41,
        "x" * 200,
        "a\u200bb",
        "a\u202eb",
        "a\x00b",
        "✨✨",
        "...",
        "a" + "\u0301" * 10,
        "a\ue000b",
    ],
)
def test_what_is_no_name_is_refused_with_a_sentence(name):
    assert refusal(choose(visit(), name)) == (400, "bad_name")


def test_a_name_is_a_text():
    with pytest.raises(BadValue, match="1 to 40"):
        guests.choose_name(new_guest(), 7, None, [])


@pytest.mark.parametrize("name", ["Zoë", "한국 사람", "Ana ✨", "R2-D2", "नमस्ते", "محمد", "x" * 40])
def test_names_of_all_scripts_are_welcome(name):
    assert choose(visit(), name) == DONE


@pytest.mark.parametrize(
    "name", ["admin", "ΑDMIN", "Аdmin", "a d m i n", "STAFF!", "System", "𝓼𝓽𝓪𝓯𝓯", "mоderаtоr", "시스템"]
)
def test_the_names_of_the_site_itself_are_not_for_guests(name):
    assert refusal(choose(visit(), name)) == (403, "name_taken")


@pytest.mark.parametrize(
    "name",
    [
        "Deleted user",
        "Delеted  user",
        "Gelöschtes Konto",
        "gelosсhtes konto",
        "已删除的用户",
        "Besitzerin",
        "Administratrice",
        "moderadora",
        "管理者",
        "운영자",
        "版主",
        "مشرف",
        "Bot",
        "0wner",
    ],
)
def test_the_names_of_roles_and_of_erased_users_are_reserved_in_every_language(name, settings):
    settings.LANGUAGES = [("en", "English")]
    settings.ROOMCHAT = {"RESERVED_NAMES": ()}

    assert refusal(choose(visit(), name)) == (403, "name_taken")


def test_a_guest_cannot_take_the_name_of_a_person_who_is_present():
    process = ServerProcess.objects.create()
    who = Identity("g:7", "Guest 7", is_guest=True)
    for key, name in (("g:8", "Zoë"), ("g:7", "Robin")):
        Presence.objects.create(process=process, room="elsewhere", key=key, name=name)

    with pytest.raises(Forbidden) as taken:
        guests.choose_name(who, "Ｚoе", None, [])
    assert taken.value.code == "name_taken"
    assert guests.choose_name(who, "robin", None, []).name == "robin"


def test_a_guest_cannot_take_the_name_of_an_incoming_webhook_of_the_room(room):
    make_incoming_hook("lobby", "Deploy bot")

    assert refusal(choose(visit(), "deploybot", room="lobby")) == (403, "name_taken")


def test_a_site_reserves_its_own_name(settings):
    settings.ROOMCHAT = {"RESERVED_NAMES": ["Example"]}

    assert (refusal(choose(visit(), "Ехаmple")), choose(visit(), "Exam")) == ((403, "name_taken"), DONE)


@pytest.fixture
def room():
    made = lookup.ensure_room(Room(name="lobby", title="Lobby"))
    Membership.objects.create(room=made, key="u:1", name="Ana Ng")
    RoomLog.objects.filter(pk=made.pk).update(access_version=1)
    post_message("lobby", "hello", author=of_user(User.objects.create_user("paul")))
    post_message("lobby", "sunny", name="Weather")
    post_message("lobby", "hi", author=Identity("g:1", "Guest of yore", is_guest=True))
    return made


@pytest.mark.parametrize("name", ["ana ng", "Аna Nɡ", "Ana-Ng ✓", "PauI", "раul", "WEATHER", "Ａｎａ Ｎｇ"])
def test_a_name_confusable_with_another_in_the_room_is_refused_there(room, name):
    browser = visit()

    assert refusal(choose(browser, name, room="lobby")) == (403, "name_taken")


def test_guests_of_yore_keep_no_name(room):
    assert choose(visit(), "Guest of yore", room="lobby") == DONE


def test_who_chose_the_name_elsewhere_does_not_bring_it_into_the_room(room):
    browser = visit("elsewhere")
    assert choose(browser, "Ana NG", room="elsewhere") == DONE

    page = browser.get(reverse("roomchat:room", args=["lobby"]))
    posted = browser.post(
        reverse("roomchat:messages", args=["lobby"]),
        json.dumps({"id": "a", "body": "it is me"}),
        content_type="application/json",
    )

    assert (page.status_code, refusal((posted.status_code, posted.json()))) == (403, (403, "name_taken"))
    assert choose(browser, "Zoë", room="") == DONE
    assert browser.get(reverse("roomchat:room", args=["lobby"])).status_code == 200


def test_a_member_who_is_a_guest_keeps_the_name(room):
    who = Identity("g:7", "Zoë", is_guest=True, chose_name=True)
    Membership.objects.create(room=room, key="g:7", name="Zoë")
    RoomLog.objects.filter(pk=room.pk).update(access_version=2)
    found = lookup.room_of("lobby")

    guests.require_own_name(who, found)
    with pytest.raises(Forbidden):
        guests.require_own_name(Identity("g:8", "zoë", is_guest=True, chose_name=True), found)


def test_a_taken_name_discloses_nothing_of_a_hidden_room(room):
    private = lookup.ensure_room(Room(name="~secret", title="Secret"))
    Room.objects.filter(pk=private.pk).update(visibility="private")
    Membership.objects.create(room=private, key="u:9", name="Mallory")

    answers = [choose(visit(), "Mallory", room=name) for name in ("~secret", "~nothing")]

    assert answers[0] == answers[1] == (404, answers[0][1])


def test_names_are_looked_up_once_for_a_while(room, django_assert_num_queries):
    who = Identity("g:7", "Zoë", is_guest=True, chose_name=True)
    found = lookup.room_of("lobby")
    guests.require_own_name(who, found)

    with django_assert_num_queries(0):
        guests.require_own_name(who, found)


def test_only_so_many_rooms_are_remembered(room, monkeypatch):
    monkeypatch.setattr(guests, "ROOMS_MAX", 1)
    guests._names[(0, 0)] = (0.0, {})

    guests.require_own_name(Identity("g:7", "Zoë", is_guest=True, chose_name=True), lookup.room_of("lobby"))

    assert list(guests._names) == [(room.pk, 1)]


# Confusable names ---------------------------------------------------------------------------------------------------


def test_the_key_that_all_can_see_lets_nobody_act_as_the_guest():
    ana = visit()
    ana.post(reverse("roomchat:room", args=["lobby"]), {"body": "mine"})
    said = Message.objects.get()
    thief = visit()
    thief.cookies["sessionid"] = said.author_key

    answer = thief.post(
        reverse("roomchat:room_frames", args=["lobby"]),
        json.dumps(
            {
                "type": "delete",
                "id": "x",
                "seq": said.seq,
                "author_key": said.author_key,
                "key": said.author_key,
            }
        ),
        content_type="application/json",
    )

    assert answer.status_code == 403
    assert Message.objects.get().body == "mine"


def test_a_name_is_kept_in_the_session_that_the_guest_is_in_only():
    browser, other = visit(), visit()
    sessions = [SessionStore(one.cookies["sessionid"].value) for one in (browser, other)]
    before = sessions[1][GUEST_SESSION_KEY]

    guests.choose_name(identify({"session": sessions[0]}), "Zoë", sessions[1], [])
    guests.choose_name(identify({"session": sessions[0]}), "Zoë", sessions[0], [])

    kept = [SessionStore(one.cookies["sessionid"].value)[GUEST_SESSION_KEY] for one in (browser, other)]
    assert (kept[0]["name"], kept[0]["chose_name"], kept[1]) == ("Zoë", True, before)


def test_a_session_that_was_deleted_meanwhile_is_not_created_again():
    browser = visit()
    session = SessionStore(browser.cookies["sessionid"].value)
    who = identify({"session": session})
    SessionStore(browser.cookies["sessionid"].value).delete()

    named = guests.choose_name(who, "Zoë", session, [])

    assert (named.name, SessionStore().exists(browser.cookies["sessionid"].value)) == ("Zoë", False)
