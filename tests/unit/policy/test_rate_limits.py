"""Rate limits: rates, token buckets, the shared cache, and the errors that clients receive."""

import json
import timeit

import pytest
from django.contrib.auth.models import User
from django.core.cache import caches
from django.test import Client
from django.urls import reverse

from django_roomchat.conf import RATES, Config, Rate, parse_rate, problems
from django_roomchat.consumers import ChatConsumer
from django_roomchat.errors import RateLimited, TryAgain
from django_roomchat.identity import Identity, site
from django_roomchat.messages.post import post_message, post_messages
from django_roomchat.messages.types import NewPost
from django_roomchat.models import Message, Room
from django_roomchat.moderation import reports
from django_roomchat.policy import rate_limits
from django_roomchat.rooms.direct import write_to
from django_roomchat.testing import ChatClient
from tests.support.caches import clear_caches
from tests.support.fakes import Clock
from tests.support.pages import text_of

pytestmark = pytest.mark.django_db(transaction=True)
ANA, BOB = Identity("u:ana", "Ana"), Identity("g:bob", "Bob", is_guest=True)
OFF = dict.fromkeys(RATES)
HERE = "8.8.8.8"


@pytest.fixture(autouse=True)
def _forgetful(settings):
    settings.ROOMCHAT = OFF


@pytest.fixture
def clock(monkeypatch):
    clock = Clock(monkeypatch)
    monkeypatch.setattr(rate_limits, "time", clock)
    return clock


@pytest.fixture
def limit(settings):
    def limit(**rates):
        settings.ROOMCHAT = OFF | rates

    return limit


def wait(what, who=ANA, address=HERE, room=""):
    """How long one has to wait; ``None`` if it passes."""
    try:
        rate_limits.spend(what, who, address, room)
    except RateLimited as error:
        return error.retry_after
    return None


# Rates ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "rate"),
    [
        ("20/10s", Rate(20, 10)),
        ("5/s", Rate(5, 1)),
        ("100/m", Rate(100, 60)),
        ("1/2h", Rate(1, 7200)),
        ("7/d", Rate(7, 86_400)),
    ],
)
def test_a_rate_is_written_as_people_say_it(written, rate):
    assert parse_rate(written) == rate


@pytest.mark.parametrize(
    "written", ["", "5", "0/s", "5/", "5/0s", "5/10", "5/10x", "-5/s", "5 / s", 5, "5/s\n"]
)
def test_what_is_no_rate_is_told_what_would_be(written):
    assert problems({"POSTS_PER_USER": written}) == [
        'ROOMCHAT[\'POSTS_PER_USER\'] must be a rate such as "20/10s" or "100/m" (s, m, h, d), or None, '
        f"not {written!r}."
    ]


def test_a_text_that_is_no_rate_is_not_read():
    with pytest.raises(ValueError, match="'often' is not a rate"):
        parse_rate("often")


def test_every_default_is_a_rate_and_can_be_switched_off():
    assert problems({key: getattr(Config(), key) for key in RATES}) == []
    assert problems(dict.fromkeys(RATES)) == []


@pytest.mark.parametrize(
    ("key", "value", "sort"),
    [("RATE_CACHE", "nowhere", "an alias of CACHES, or None"), ("PROXIES", -1, "a whole number, 0 or more")],
)
def test_other_settings_are_checked_too(key, value, sort):
    assert problems({key: value}) == [f"ROOMCHAT[{key!r}] must be {sort}, not {value!r}."]
    assert problems({"RATE_CACHE": "default", "PROXIES": 0}) == []


# Buckets --------------------------------------------------------------------------------------------------------


def test_so_many_at_once_and_then_as_fast_as_that(limit, clock):
    limit(POSTS_PER_USER="3/30s")

    at_once = [wait("POSTS") for _ in range(4)]
    clock.now += 9
    early = wait("POSTS")
    clock.now += 1
    then = [wait("POSTS"), wait("POSTS")]

    assert (at_once, early, then) == ([None, None, None, 10.0], 1.0, [None, 10.0])


def test_each_person_has_a_bucket_and_guests_have_their_own_rate(limit, clock):
    limit(POSTS_PER_USER="2/m", POSTS_PER_GUEST="1/m")
    other = Identity("u:other", "Other")

    passed = [[wait("POSTS", who) is None for _ in range(3)] for who in (ANA, other, BOB)]

    assert passed == [[True, True, False], [True, True, False], [True, False, False]]


def test_an_address_and_a_room_have_one_too(limit, clock):
    limit(POSTS_PER_ADDRESS="1/m", POSTS_PER_ROOM="2/m")

    answers = [
        wait("POSTS", address=address, room=room) is None
        for address, room in ((HERE, "a"), (HERE, "b"), ("", "a"), ("", "a"), ("", "b"))
    ]

    assert answers == [True, False, True, False, True]


def test_who_is_refused_has_spent_nothing(limit, clock):
    limit(POSTS_PER_USER="2/m", POSTS_PER_ADDRESS="1/m")
    wait("POSTS")
    refused = [wait("POSTS") for _ in range(5)]

    assert (refused, wait("POSTS", address="8.8.4.4")) == ([60.0] * 5, None)


def test_the_site_and_the_projects_own_code_are_not_counted(limit):
    limit(POSTS_PER_USER="1/h")

    assert [wait("POSTS", site()), wait("POSTS", site())] == [None, None]
    assert [wait("POSTS", address=None), wait("POSTS", address=None)] == [None, None]
    assert [post_message("lobby", "hi", author=ANA).seq for _ in range(3)] == [1, 2, 3]


def test_a_process_remembers_only_so_many_buckets(limit, clock, monkeypatch):
    limit(POSTS_PER_USER="1/h")
    monkeypatch.setattr(rate_limits, "BUCKETS_MAX", 2)
    for name in ("a", "b", "a", "c", "d"):
        wait("POSTS", Identity(f"u:{name}", name))

    assert [whose for _, whose in rate_limits._full_at] == ["u:c", "u:d"]


def test_a_refusal_keeps_its_bucket(limit, clock):
    limit(POSTS_PER_USER="1/m")

    assert [wait("POSTS"), wait("POSTS"), wait("POSTS")] == [None, 60.0, 60.0]


def test_two_clients_whose_address_cannot_be_parsed_share_a_bucket(limit):
    limit(POSTS_PER_ADDRESS="1/h", PROXIES=1)
    scopes = [
        {"client": ("127.0.0.1", 1), "headers": [(b"x-forwarded-for", entry)]} for entry in (b"one", b"two")
    ]

    waits = [wait("POSTS", address=rate_limits.address_of(scope)) for scope in scopes]

    assert waits == [None, 3600.0]


# The cache ------------------------------------------------------------------------------------------------------


def another_process():
    clear_caches()


def test_processes_count_together_in_a_cache(limit):
    caches["default"].clear()
    limit(POSTS_PER_USER="2/h", RATE_CACHE="default")
    answers = []
    for _ in range(4):
        answers.append(wait("POSTS"))
        another_process()

    assert [answer is None for answer in answers] == [True, True, False, False]
    assert all(0 < answer <= 3600 for answer in answers[2:])


def test_in_a_cache_what_is_over_counts_less_and_less(limit, monkeypatch):
    caches["default"].clear()
    limit(POSTS_PER_USER="10/100s", RATE_CACHE="default")
    now = 1_000_000.0
    monkeypatch.setattr(rate_limits.time, "time", lambda: now)
    first = [wait("POSTS") for _ in range(10)]
    another_process()
    now += 150

    later = [wait("POSTS") for _ in range(6)]

    assert first == [None] * 10
    assert [answer is None for answer in later] == [True] * 5 + [False]


def test_a_cache_that_is_down_is_not_asked_for_a_while_and_the_own_buckets_hold(limit, monkeypatch, caplog):
    limit(POSTS_PER_USER="2/h", RATE_CACHE="default")
    asked = []

    class Down:
        def __getitem__(self, alias):
            asked.append(alias)
            raise ConnectionError("no cache")

    monkeypatch.setattr(rate_limits, "caches", Down())

    answers = [wait("POSTS") is None for _ in range(3)]

    assert (answers, asked) == ([True, True, False], ["default"])
    assert caplog.text.count("The rate limit cache fails; each process counts separately") == 1


def test_posts_are_counted_together_in_the_thread_that_stores_them(limit):
    caches["default"].clear()
    limit(POSTS_PER_USER="2/h", RATE_CACHE="default")
    posts = [NewPost(ANA, "lobby", "hi", f"{number}", address=HERE) for number in range(3)]

    results = [getattr(result, "code", "stored") for result in post_messages(posts)]

    assert results == ["stored", "stored", "rate_limited"]


# Over HTTP ------------------------------------------------------------------------------------------------------


def send(client, name, content, room="lobby"):
    response = client.post(
        reverse(f"roomchat:{name}", args=[room]), json.dumps(content), content_type="application/json"
    )
    return response.status_code, response.headers.get("Retry-After"), response.json()


def test_an_edit_is_counted_like_a_post(limit):
    limit(POSTS_PER_GUEST="2/m", FRAMES_PER_GUEST="1/m")
    client = Client()
    send(client, "messages", {"id": "a", "body": "one"})

    answers = [send(client, "room_frames", {"type": "edit", "seq": 1, "body": body}) for body in "ab"]
    reaction = send(client, "room_frames", {"type": "react", "seq": 1, "emoji": "👍"})

    assert [status for status, _, _ in (*answers, reaction)] == [200, 429, 200]


def test_over_http_too_many_are_429_and_say_when_to_come_again(limit):
    limit(POSTS_PER_GUEST="1/m", FRAMES_PER_GUEST="1/m")
    client = Client()
    posted = send(client, "messages", {"id": "a", "body": "hi"})
    answers = [
        send(client, "messages", {"id": "b", "body": "hi"}),
        send(client, "room_frames", {"type": "post", "id": "c", "body": "hi"}),
    ]
    form = client.post(reverse("roomchat:room", args=["lobby"]), {"body": "my words"})
    frames = [send(client, "room_frames", {"type": "delete", "seq": 1}) for _ in range(2)]

    assert posted[0] == 201
    assert [(status, after, said["error"]["code"]) for status, after, said in answers] == [
        (429, "60", "rate_limited")
    ] * 2
    assert (form.status_code, b"my words" in form.content) == (429, True)
    assert [status for status, _, _ in frames] == [200, 429]


def test_tickets_are_limited_over_http(limit):
    limit(TICKETS_PER_GUEST="2/m")
    client = Client()

    answers = [client.post(reverse("roomchat:ticket")) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["error"]["code"] == "rate_limited"
    # One ticket every 30 seconds, less the time that a busy machine has taken for the three.
    assert 20 < int(answers[2].headers["Retry-After"]) <= 30


def test_rooms_that_one_makes_are_counted_and_those_that_are_there_are_not(limit):
    limit(ROOMS_PER_GUEST="1/h")
    post_message("there", "hi")
    client = Client()

    answers = [
        send(client, "messages", {"id": "a", "body": "hi"}, room)[0]
        for room in ("new", "newer", "there", "new")
    ]

    assert answers == [201, 429, 201, 201]
    assert Room.objects.count() == 2


def test_only_new_direct_rooms_count_under_the_rate_limit_of_rooms(limit):
    limit(ROOMS_PER_USER="1/h")
    people = [Identity(f"g:{name}", name, is_guest=True) for name in ("Cyd", "Dan")]
    for person in people:
        post_message("lobby", "hi", author=person)

    with rate_limits.coming_from(HERE):
        room = write_to("lobby", "g:Cyd", by=ANA)
        assert write_to("lobby", "g:Cyd", by=ANA) == room
        with pytest.raises(RateLimited):
            write_to("lobby", "g:Dan", by=ANA)
    assert write_to("lobby", "g:Dan", by=ANA)


def test_reports_are_counted(limit):
    limit(REPORTS_PER_USER="1/h")
    for number in range(2):
        post_message("lobby", f"message {number}")

    with rate_limits.coming_from(HERE):
        reports.report_message("lobby", 1, by=ANA)
        with pytest.raises(RateLimited):
            reports.report_message("lobby", 2, by=ANA)


# On a socket ----------------------------------------------------------------------------------------------------

APPLICATION = ChatConsumer.as_asgi()


def test_searches_are_counted_together_in_frames_and_on_the_page(limit):
    limit(SEARCHES_PER_USER="2/h")
    client = Client(REMOTE_ADDR=HERE)
    client.force_login(User.objects.create_user("cy"))
    page, frame = reverse("roomchat:search"), json.dumps({"type": "search", "id": "a", "query": "x"})

    first = client.get(page, {"q": "x"})
    second = client.post(reverse("roomchat:frames"), frame, content_type="application/json")
    third = client.get(page, {"q": "x"})
    fourth = client.post(reverse("roomchat:frames"), frame, content_type="application/json")
    form = client.get(page)

    assert [answer.status_code for answer in (first, second, third, fourth, form)] == [
        200,
        200,
        429,
        429,
        200,
    ]
    assert "Too many requests; wait a moment" in text_of(third)
    assert fourth.json()["error"]["code"] == "rate_limited"
    # One search every 1,800 seconds, less the time that a busy machine has taken for the five.
    assert 1700 < int(third["Retry-After"]) <= 1800
    assert 1700 < int(fourth["Retry-After"]) <= 1800


async def test_searches_of_a_socket_are_limited(limit):
    limit(SEARCHES_PER_GUEST="1/h")
    async with ChatClient(APPLICATION, "lobby") as client:
        for number in range(2):
            await client.send({"type": "search", "id": str(number), "query": "x"})
        found, refused = await client.receive("found"), await client.receive("error")

    assert (found["id"], refused["id"], refused["code"]) == ("0", "1", "rate_limited")


async def test_posts_of_a_socket_are_limited_and_the_socket_goes_on(limit):
    limit(POSTS_PER_GUEST="2/m")
    async with ChatClient(APPLICATION, "lobby") as client:
        await client.receive("joined")
        answers = [await client.post("hi", id=id) for id in ("a", "b", "c")]
        await client.send({"type": "ping"})
        await client.receive("ping")

    assert [answer["type"] for answer in answers] == ["ack", "ack", "error"]
    assert (answers[2]["code"], answers[2]["id"]) == ("rate_limited", "c")
    assert 29 <= answers[2]["retry_after"] <= 30.1


async def test_the_tutorials_page_is_told_as_well(limit):
    limit(POSTS_PER_GUEST="1/m")
    async with ChatClient(APPLICATION, "lobby", tutorial=True) as client:
        await client.send({"message": "hi"})
        await client.receive()
        await client.send({"message": "hi"})
        refused = await client.receive()

    assert (refused["type"], refused["code"]) == ("error", "rate_limited")
    assert 59 <= refused["retry_after"] <= 60.1


async def test_frames_of_a_socket_are_limited_whatever_they_are(limit):
    limit(FRAMES_PER_SOCKET="2/h")
    async with ChatClient(APPLICATION) as client:
        await client.receive("welcome")
        for _ in range(3):
            await client.send({"type": "ping"})
        answers = [await client.receive() for _ in range(3)]

    assert [answer["type"] for answer in answers] == ["ping", "ping", "error"]
    assert answers[2]["code"] == "rate_limited"
    assert 1700 <= answers[2]["retry_after"] <= 1800.1


@pytest.mark.parametrize("text", ["no json", '{"type": "dance"}', '{"type": "post", "id": "a"}'])
async def test_who_goes_on_to_send_what_is_no_frame_is_shown_out(limit, text):
    limit(REFUSALS_PER_SOCKET="2/m")
    async with ChatClient(APPLICATION) as client:
        await client.receive("welcome")
        for _ in range(3):
            await client.send_text(text)
        answers = [await client.receive() for _ in range(4)]
        with pytest.raises(ConnectionResetError) as closed:
            await client.receive()

    assert [answer["type"] for answer in answers] == ["error"] * 3 + ["bye"]
    assert (answers[3]["code"], closed.value.args[-1]) == (4029, 4029)
    assert 0 < answers[3]["retry_after"] <= 30.1


async def test_who_goes_on_after_a_limit_is_shown_out(limit):
    limit(FRAMES_PER_SOCKET="1/h", REFUSALS_PER_SOCKET="1/h")
    async with ChatClient(APPLICATION) as client:
        await client.receive("welcome")
        for _ in range(3):
            await client.send({"type": "ping"})
        bye = await client.receive("bye")

    assert bye["code"] == 4029


async def test_joins_and_other_frames_are_limited(limit):
    limit(JOINS_PER_GUEST="1/h", FRAMES_PER_GUEST="1/h")
    async with ChatClient(APPLICATION) as client:
        for room in ("one", "two"):
            await client.send({"type": "join", "room": room})
        joined = await client.receive("joined")
        refused = await client.receive("error")
        for seq in (1, 2):
            await client.send({"type": "delete", "room": "one", "seq": seq, "id": str(seq)})
        codes = [(await client.receive("error"))["code"] for _ in range(2)]

    assert (joined["room"], refused["code"], refused["room"]) == ("one", "rate_limited", "two")
    assert codes == ["not_found", "rate_limited"]


async def test_sockets_are_limited_and_told_on_the_open_socket(limit):
    limit(SOCKETS_PER_ADDRESS="1/h")
    first, second = (ChatClient(APPLICATION, "lobby") for _ in range(2))
    for client in (first, second):
        client.scope["client"] = (HERE, 1)

    async with first:
        await first.receive("joined")
        async with second:
            error = await second.receive("error")
            bye = await second.receive("bye")

    assert (error["code"], bye["code"]) == ("rate_limited", 4029)
    assert 0 < bye["retry_after"] <= 3600.1


async def test_normal_people_never_meet_the_defaults(settings):
    settings.ROOMCHAT = {}
    async with ChatClient(APPLICATION, "lobby") as client:
        await client.receive("joined")
        answers = [await client.post(f"message {number}", id=f"id{number}") for number in range(15)]

    assert [answer["type"] for answer in answers] == ["ack"] * 15


def test_counting_a_frame_costs_little(limit):
    limit(FRAMES_PER_SOCKET="1000000/s", POSTS_PER_USER="1000000/s", POSTS_PER_ADDRESS="1000000/s")
    taken = (
        min(timeit.repeat(lambda: rate_limits.spend_local("POSTS", ANA, HERE), number=1000, repeat=5)) / 1000
    )

    # Some microseconds for a post, on a machine that does other things as well; frames need no dictionary at all.
    assert taken < 50e-6


def test_the_error_says_that_it_may_succeed_later():
    assert issubclass(RateLimited, TryAgain)
    assert (RateLimited.code, RateLimited.status) == ("rate_limited", 429)
    assert not Message.objects.exists()
