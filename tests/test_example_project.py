"""The example site runs as its README says, under every server, on small and on grown-up services."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from urllib.request import urlopen

import pytest
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.services.process import ListeningProcess
from tests.services.server import ROOT, Kind, Server


class Demo(ListeningProcess):
    """`manage.py demo`, as the README's first command runs it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "demo.log")
        self.database_url = f"sqlite:///{folder / 'demo.sqlite3'}"

    def command(self) -> Sequence[str]:
        return [sys.executable, str(ROOT / "example_project" / "manage.py"), "demo"]

    def environment(self) -> Mapping[str, str]:
        mine = {"DATABASE_URL": self.database_url, "PORT": str(self.port), "PYTHONPATH": str(ROOT)}
        return {
            k: v for k, v in os.environ.items() if k not in {"DJANGO_SETTINGS_MODULE", "REDIS_URL"}
        } | mine

    def lobby(self) -> list[str]:
        with urlopen(f"http://127.0.0.1:{self.port}/chat/lobby/messages/") as response:
            return [message["body"] for message in json.load(response)["messages"]]


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    demo = Demo(tmp_path)
    demo.start()
    yield demo
    demo.stop()


def test_the_demo_makes_its_database_and_puts_messages_into_the_lobby(demo: Demo) -> None:
    assert any("안녕하세요" in body for body in demo.lobby())


def test_the_demo_prints_the_address_of_a_page_that_is_there(demo: Demo) -> None:
    address = f"http://127.0.0.1:{demo.port}/chat/lobby/"

    assert f"Open {address} " in demo.log
    with urlopen(address) as response:
        assert response.status == 200


def test_the_demo_started_again_repeats_nothing(demo: Demo) -> None:
    before = demo.lobby()

    demo.restart()

    assert demo.lobby() == before


@pytest.mark.parametrize("kind", ["runserver", "daphne", "uvicorn"])
def test_the_example_site_serves_pages_files_and_sockets(server: Callable[..., Server], kind: Kind) -> None:
    site = server(kind=kind, project="example_project")

    for path in ["/", "/chat/", "/chat/lobby/", "/embedded/", "/accounts/login/", "/admin/login/"]:
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
