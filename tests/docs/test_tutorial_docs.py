"""Every step of `docs/tutorial.md`, walked as a reader walks it: the files and the commands are those on the page."""

import ast
import json
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote
from urllib.request import ProxyHandler, build_opener

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.services.server import ROOT, Server

PAGE = ROOT / "docs" / "tutorial.md"
PAGES = ROOT / "tests" / "tutorial" / "templates" / "django_roomchat"
HEAR_SECONDS = 20

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


# The page -------------------------------------------------------------------------------------------------------


@dataclass
class Step:
    title: str
    files: list[tuple[str, str]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)


def steps_of(page: str) -> dict[str, Step]:
    """The steps of the tutorial by their titles, with the files and commands of each."""
    steps = {}
    for section in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        step = Step(section.partition("\n")[0])
        for code in re.findall(r"^```\{code-block\} python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL):
            options, _, content = code.partition("\n\n")
            step.files.append((re.search(r":caption: (\S+)", options)[1], content))
        for code in re.findall(r"^```console\n(.*?)^```$", section, re.MULTILINE | re.DOTALL):
            step.commands += re.findall(r"^\$ (.*)$", code, re.MULTILINE)
        steps[step.title] = step
    return steps


STEPS = steps_of(PAGE.read_text())
BEGINNING = STEPS["The starting project"]
INSTALL, SWAP, NAMES, SPEAK, TAKE, GROW = (step for title, step in STEPS.items() if title.startswith("Step "))


# The reader -----------------------------------------------------------------------------------------------------


class Reader:
    """A reader who follows the page, in an empty folder."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.env: Mapping[str, str] = {
            **{name: value for name, value in os.environ.items() if name != "DATABASE_URL"},
            "DJANGO_SETTINGS_MODULE": "mysite.settings",
            "PYTHONPATH": os.pathsep.join([str(home), str(ROOT)]),
        }

    def begin(self) -> None:
        for path, content in BEGINNING.files:
            self.write(path, content)
        for folder in ("mysite", "chat"):
            self.write(f"{folder}/__init__.py", "")
        shutil.copytree(PAGES, self.home / "chat" / "templates" / "chat")
        self.run("python manage.py migrate")

    def follow(self, step: Step) -> None:
        for path, content in step.files:
            if path.endswith("settings.py"):
                content = with_assignments((self.home / path).read_text(), content)
            self.write(path, content)
        for command in step.commands:
            self.run(command)

    def write(self, path: str, content: str) -> None:
        (self.home / path).parent.mkdir(exist_ok=True)
        (self.home / path).write_text(content)

    def run(self, command: str) -> None:
        """Run a command of the page; what the tests do in another way is left out."""
        words = shlex.split(command)
        if words[:4] == ["python", "-m", "pip", "install"] or words[-1] == "runserver":
            return
        if words[0] == "python":
            words[0] = sys.executable
        done = subprocess.run(words, cwd=self.home, env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def with_assignments(settings: str, changes: str) -> str:
    """Settings in which the assignments on the page take the place of those of the same name."""
    tree = ast.parse(changes)
    names = {ast.unparse(node.targets[0]) for node in tree.body if isinstance(node, ast.Assign)}
    kept = [
        node
        for node in ast.parse(settings).body
        if not (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in names)
    ]
    return "\n".join(map(ast.unparse, [*kept, *tree.body])) + "\n"


class ReadersServer(Server):
    """`manage.py runserver` in the reader's project."""

    def __init__(self, reader: Reader, number: int, **options: object) -> None:
        super().__init__(
            reader.home / f"server{number}.log", database_url="", settings="mysite.settings", **options
        )
        self.reader = reader
        self.application = "mysite.asgi:application"

    def folder(self) -> Path:
        return self.reader.home

    def environment(self) -> Mapping[str, str]:
        return {**super().environment(), **self.reader.env}


@pytest.fixture(scope="module")
def after(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Reader]:
    """A copy of the project after a step, or, without one, before the first. Every step is walked once."""
    walked: dict[str, Path] = {}

    def copy_of(*steps: Step) -> Reader:
        key = " ".join(step.title for step in steps)
        if key not in walked:
            home = tmp_path_factory.mktemp("walked")
            if steps:
                shutil.copytree(copy_of(*steps[:-1]).home, home, dirs_exist_ok=True)
                Reader(home).follow(steps[-1])
            else:
                Reader(home).begin()
            walked[key] = home
        home = tmp_path_factory.mktemp("project")
        return Reader(shutil.copytree(walked[key], home, dirs_exist_ok=True))

    return copy_of


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[..., ReadersServer]]:
    started: list[ReadersServer] = []

    def start(reader: Reader, kind: str = "runserver") -> ReadersServer:
        server = ReadersServer(reader, len(started), kind=kind)
        started.append(server)
        server.start()
        return server

    yield start

    for server in started:
        server.stop()


@pytest.fixture(scope="module")
def before(after: Callable[..., Reader], serve: Callable[..., ReadersServer]) -> ReadersServer:
    return serve(after())


@pytest.fixture(scope="module")
def step_1(after: Callable[..., Reader], serve: Callable[..., ReadersServer]) -> ReadersServer:
    return serve(after(INSTALL))


@pytest.fixture(scope="module")
def step_2(after: Callable[..., Reader], serve: Callable[..., ReadersServer]) -> ReadersServer:
    return serve(after(INSTALL, SWAP))


@pytest.fixture(scope="module")
def step_3(after: Callable[..., Reader], serve: Callable[..., ReadersServer]) -> ReadersServer:
    return serve(after(INSTALL, SWAP, NAMES))


@pytest.fixture(scope="module")
def step_5(after: Callable[..., Reader], serve: Callable[..., ReadersServer]) -> ReadersServer:
    return serve(after(INSTALL, SWAP, NAMES, SPEAK, TAKE))


# What the reader's pages do -------------------------------------------------------------------------------------


def open_page(server: ReadersServer, room: str) -> ClientConnection:
    """The requests of the tutorial's page when it is opened, from a page of the same site."""
    address = f"{server.ws_url}/ws/chat/{quote(room)}/"
    return connect(address, origin=server.url, proxy=None, open_timeout=HEAR_SECONDS)


def say(page: ClientConnection, message: str) -> None:
    page.send(json.dumps({"message": message}))


def hear(page: ClientConnection) -> str:
    return json.loads(page.recv(HEAR_SECONDS))["message"]


def get(server: ReadersServer, path: str) -> str:
    with build_opener(ProxyHandler({})).open(f"{server.url}{quote(path)}", timeout=HEAR_SECONDS) as answer:
        return answer.read().decode()


def assert_two_people_can_talk(server: ReadersServer, room: str) -> None:
    with open_page(server, room) as ana, open_page(server, room) as ben:
        say(ana, "hello")

        assert hear(ana) == hear(ben) == "hello"


# The steps ------------------------------------------------------------------------------------------------------


def test_the_project_that_the_page_starts_from_is_a_chat(before: ReadersServer) -> None:
    assert 'id="chat-message-input"' in get(before, "/chat/lobby/")
    assert_two_people_can_talk(before, "lobby")


def test_step_1_changes_nothing(step_1: ReadersServer) -> None:
    assert 'id="chat-message-input"' in get(step_1, "/chat/lobby/")
    assert_two_people_can_talk(step_1, "lobby")


def test_step_2_lets_the_consumer_go_and_keeps_the_page(step_2: ReadersServer) -> None:
    assert not (step_2.reader.home / "chat" / "consumers.py").exists()
    assert 'id="chat-message-input"' in get(step_2, "/chat/lobby/")
    assert_two_people_can_talk(step_2, "lobby")


def test_step_2_stores_what_is_said(step_2: ReadersServer) -> None:
    with open_page(step_2, "kitchen") as page:
        say(page, "hello")
        hear(page)

    with sqlite3.connect(step_2.reader.home / "db.sqlite3") as database:
        said = database.execute(
            "SELECT seq, body FROM roomchat_message JOIN roomchat_room r ON r.id = room_id WHERE r.name = 'kitchen'"
        ).fetchall()
    database.close()
    assert said == [(1, "hello")]


def test_step_2_makes_bad_frames_harmless(step_2: ReadersServer) -> None:
    with open_page(step_2, "garden") as page:
        page.send("{")
        assert json.loads(page.recv(HEAR_SECONDS))["type"] == "error"
        say(page, "still here")

        assert hear(page) == "still here"


@pytest.mark.parametrize("room", ["my room", "한국어", "🎉"])
def test_step_3_takes_any_name(step_3: ReadersServer, room: str) -> None:
    assert 'id="chat-message-input"' in get(step_3, f"/chat/{room}/")
    assert_two_people_can_talk(step_3, room)


def test_step_3_makes_one_room_of_names_that_differ_in_case(step_3: ReadersServer) -> None:
    with open_page(step_3, "garden") as ana, open_page(step_3, "Garden") as ben:
        say(ben, "hello")

        assert hear(ana) == "hello"


def test_step_4_speaks_to_an_open_page(step_3: ReadersServer) -> None:
    with open_page(step_3, "lobby") as page:
        step_3.reader.follow(SPEAK)

        assert hear(page) == "We open at nine."


def test_step_5_greets_with_what_was_said_before(step_5: ReadersServer) -> None:
    assert not (step_5.reader.home / "chat").exists()
    assert "We open at nine." in get(step_5, "/chat/lobby/")
    assert "lobby" in get(step_5, "/chat/")
    assert_two_people_can_talk(step_5, "lobby")


def test_step_5_leaves_ones_own_templates_a_place(
    after: Callable[..., Reader], serve: Callable[..., ReadersServer]
) -> None:
    reader = after(INSTALL, SWAP, NAMES, SPEAK, TAKE)
    shutil.copytree(PAGES, reader.home / "templates" / "django_roomchat")
    server = serve(reader)

    assert 'id="chat-message-input"' in get(server, "/chat/lobby/")
    assert 'id="room-name-input"' in get(server, "/chat/")


@pytest.mark.redis
def test_step_6_brings_two_processes_together(
    after: Callable[..., Reader], serve: Callable[..., ReadersServer], redis_url: str
) -> None:
    files = [(path, content.replace("redis://127.0.0.1:6379", redis_url)) for path, content in GROW.files]
    assert files != GROW.files
    reader = after(INSTALL, SWAP, NAMES, SPEAK, TAKE)
    reader.follow(Step(GROW.title, files, GROW.commands))
    one, other = serve(reader, "daphne"), serve(reader, "uvicorn")

    with open_page(one, "lobby") as ana, open_page(other, "lobby") as ben:
        say(ana, "hello")

        assert hear(ana) == hear(ben) == "hello"


# The page itself ------------------------------------------------------------------------------------------------


def test_the_page_installs_what_there_is_to_install() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    asked = [
        re.fullmatch(r'python -m pip install "([\w-]+)\[([\w,]+)\]"', command)
        for step in STEPS.values()
        for command in step.commands
        if " pip " in command
    ]

    assert {match[1] for match in asked} == {project["name"]}
    assert {extra for match in asked for extra in match[2].split(",")} <= set(
        project["optional-dependencies"]
    )


def test_the_page_has_as_many_steps_as_it_says() -> None:
    numbers = [title.split(":")[0] for title in STEPS if title.startswith("Step ")]

    assert numbers == [f"Step {number}" for number in range(1, 7)]
    assert "Six steps replace it with rooms" in PAGE.read_text()
