"""The example site runs as its README describes, under every server, with and without PostgreSQL and Redis."""

import json
import re
from collections.abc import Callable, Iterator
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener, urlopen

import pytest
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.services.server import Kind, Server
from tests.support.demo import Demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    demo = Demo(tmp_path_factory.mktemp("demo"))
    demo.start()
    yield demo
    demo.stop()


def test_the_demo_makes_its_database_and_puts_messages_into_the_lobby(demo: Demo) -> None:
    assert any("안녕하세요" in body for body in demo.bodies())


def test_the_demo_prints_addresses_of_pages_that_are_there(demo: Demo) -> None:
    assert f"Open {demo.url}/chat/lobby/ " in demo.log
    assert f"in three designs: {demo.url}/\n" in demo.log

    assert "You are" in demo.page("/chat/lobby/")
    assert "Three designs" in demo.page("/")


def test_the_demo_s_rooms_are_lively(demo: Demo) -> None:
    lobby = demo.said()

    assert len({message["author"]["name"] for message in lobby}) >= 5
    assert [
        bool([m for m in lobby if m.get(what)]) for what in ("reactions", "quote", "edited_at", "pinned_at")
    ] == [True] * 4
    assert len({message["at"][:10] for message in lobby}) == 2


def test_the_pages_that_the_home_page_leads_to_are_there(demo: Demo) -> None:
    links = re.findall(r'href="(/[^"]*)"', demo.page("/"))

    answers = {}
    for link in links:
        with urlopen(demo.url + link) as response:
            answers[link] = response.status

    assert set(answers.values()) == {200}
    assert {"/chat/lobby/", "/embedded/", "/chat/book%20club/"} <= set(answers)


def test_who_signs_in_as_the_demo_s_person_sees_private_rooms_and_the_admin(demo: Demo) -> None:
    password = re.search(r"Sign in as ana, password (\w+)\.", demo.log)
    assert password is not None
    as_guest = demo.page("/chat/")
    browser = build_opener(HTTPCookieProcessor())
    with browser.open(f"{demo.url}/accounts/login/") as form:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form.read().decode())
    assert token is not None

    asked = {"username": "ana", "password": password[1], "csrfmiddlewaretoken": token[1]}
    browser.open(f"{demo.url}/accounts/login/", urlencode(asked).encode()).close()

    with browser.open(f"{demo.url}/chat/") as rooms, browser.open(f"{demo.url}/admin/") as admin:
        assert "Trip to Busan" in rooms.read().decode()
        assert admin.url == f"{demo.url}/admin/"
    assert "Trip to Busan" not in as_guest


def test_the_demo_started_again_repeats_nothing(demo: Demo) -> None:
    before = demo.bodies()
    assert len(before) > 20

    demo.restart()

    assert demo.bodies() == before


@pytest.mark.parametrize("kind", ["runserver", "daphne", "uvicorn"])
def test_the_example_site_serves_pages_files_and_sockets(server: Callable[..., Server], kind: Kind) -> None:
    site = server(kind=kind, project="example_project")

    for path in [
        "/",
        "/chat/",
        "/chat/lobby/",
        "/embedded/",
        "/chat/book%20club/",
        "/accounts/login/",
        "/admin/login/",
    ]:
        with urlopen(site.url + path) as response:
            assert response.status == 200
    for path in ["/static/example_project/site.css", "/static/django_roomchat/roomchat.js"]:
        with urlopen(site.url + path) as response:
            assert response.status == 200
    with joined(site) as socket:
        assert json.loads(socket.recv())["type"] == "welcome"


@pytest.mark.postgres
@pytest.mark.redis
def test_two_processes_on_postgresql_and_redis_are_one_chat(
    server: Callable[..., Server], postgres_url: str, redis_url: str
) -> None:
    services = {"project": "example_project", "database_url": postgres_url, "redis_url": redis_url}
    here, there = server(**services), server(**services)

    with joined(here) as speaker, joined(there) as listener:
        received = iter(lambda: json.loads(listener.recv(timeout=10)), None)
        next(frame for frame in received if frame["type"] == "joined")
        speaker.send(json.dumps({"type": "post", "room": "lobby", "id": "one", "body": "hello over there"}))
        events = next(frame for frame in received if frame["type"] == "events")

    assert [event["body"] for event in events["events"]] == ["hello over there"]


def joined(site: Server):
    """A socket in the lobby, opened as a page of the site opens it."""
    url = f"{site.ws_url}/ws/chat/lobby/"
    return connect(url, origin=site.url, subprotocols=[Subprotocol("roomchat.v1")])
