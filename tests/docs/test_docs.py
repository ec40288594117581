"""Names, numbers and samples of the documentation, compared with the package."""

import ast
import importlib.util
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from django.core.management import load_command_class
from django.dispatch import Signal
from django.template.loader import get_template
from django.test import RequestFactory

import django_roomchat
from django_roomchat import checks, conf, protocol, pubsub, signals
from django_roomchat.conf import keys
from django_roomchat.identity import Identity, of_user
from django_roomchat.models import Room
from django_roomchat.views.context import ShownMessage, index_page, room_page, search_page
from tests.support.docs import DOCS, section, text

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGE = Path(django_roomchat.__file__).parent
PAGES = sorted(path for path in DOCS.rglob("*.md"))
PROSE = [*PAGES, ROOT / "README.md"]


def code_blocks(path: Path, language: str) -> Iterator[tuple[str, str]]:
    """The samples of a page in a language: the `% …` line before each, if there is one, and the sample."""
    pattern = (
        rf"(?:^% ([^\n]+)\n)?^ *```(?:\{{code-block\}} )?{language}\n((?: *:[\w-]+:[^\n]*\n)*)(.*?)^ *```$"
    )
    for mark, _, code in re.findall(pattern, path.read_text(), re.MULTILINE | re.DOTALL):
        lines = [line for line in code.split("\n") if line.strip()]
        indent = min((len(line) - len(line.lstrip()) for line in lines), default=0)
        yield mark, "\n".join(line[indent:] for line in code.split("\n")).strip() + "\n"


SAMPLES = [
    pytest.param(mark, code, id=f"{path.relative_to(ROOT)}-{number}")
    for path in PROSE
    for number, (mark, code) in enumerate(code_blocks(path, "python"), 1)
]


# Names ----------------------------------------------------------------------------------------------------------


def test_the_reference_of_settings_is_made_from_every_key() -> None:
    source = package_source()

    _, fields = source.fields_of(keys, "Config")

    assert tuple(field.name for field in fields) == conf.KEYS
    assert "roomchat-settings" in text("reference/settings.md")


def test_a_setting_without_a_docstring_fails_the_build(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = package_source()
    (tmp_path / "keys.py").write_text('class Config:\n    GOOD: int = 1\n    """Said."""\n    BAD: int = 2\n')
    monkeypatch.setattr(keys, "__file__", str(tmp_path / "keys.py"))

    with pytest.raises(source.Undocumented, match="below BAD;"):
        source.fields_of(keys, "Config")


def test_the_reference_of_the_wire_has_every_frame() -> None:
    source = package_source()

    shown = {name for names in source.WIRE.values() for name in names}

    structs = {
        name
        for name, value in vars(protocol).items()
        if isinstance(value, type)
        and issubclass(value, msgspec.Struct)
        # Neither is on the wire itself: the base of the frames, and what Event has from its message's data.
        and name not in ("Frame", "EventData")
    }
    assert shown == structs
    assert all(f"roomchat-wire:: {kind}" in text("reference/wire.md") for kind in source.WIRE)


def test_every_check_is_documented() -> None:
    source = Path(checks.__file__).read_text()

    documented = re.findall(r"^## roomchat\.([EW]\d{3}): ", text("reference/checks.md"), re.MULTILINE)

    assert sorted(documented) == sorted(set(re.findall(r'id="roomchat\.([EW]\d{3})"', source)))


def test_an_error_is_an_e_and_a_warning_a_w() -> None:
    source = Path(checks.__file__).read_text()

    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
            for keyword in call.keywords:
                if keyword.arg == "id":
                    assert ast.literal_eval(keyword.value)[9] == call.func.id[0]


def test_every_public_name_is_documented() -> None:
    reference = text("reference/python-api.md")

    missing = {name for name in django_roomchat.__all__ if f"django_roomchat.{name}\n" not in reference}

    # The errors are documented as a tree, with their module.
    assert missing == {"__version__", "ChatError"}
    assert "automodule:: django_roomchat.errors\n" in reference


def test_every_signal_is_documented() -> None:
    names = {name for name, value in vars(signals).items() if isinstance(value, Signal)}

    assert set(re.findall(r"`django_roomchat\.signals\.(\w+)`", text("reference/signals.md"))) == names


def test_every_command_is_documented_with_its_options() -> None:
    for path in (PACKAGE / "management" / "commands").glob("roomchat_*.py"):
        parser = load_command_class("django_roomchat", path.stem).create_parser("manage.py", path.stem)
        own = {
            option
            for action in parser._actions
            for option in action.option_strings or [action.dest.upper()]
            if option not in DJANGOS_OPTIONS
        }

        documented = set(
            re.findall(r"^\| `([\w-]+)` \|", section("reference/commands.md", f"`{path.stem}`"), re.MULTILINE)
        )

        assert documented == own, path.stem


DJANGOS_OPTIONS = {
    "-h", "--help", "--version", "-v", "--verbosity", "--settings", "--pythonpath", "--traceback",
    "--no-color", "--force-color", "--skip-checks",
}  # fmt: skip


def test_every_setting_that_a_page_names_exists() -> None:
    named = {key for path in PROSE for key in re.findall(r"\{confval\}`(\w+)`", path.read_text())}
    for path in PROSE:
        for _, code in code_blocks(path, "python"):
            for node in ast.walk(ast.parse(code)):
                if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "ROOMCHAT":
                    named |= {ast.literal_eval(key) for key in node.value.keys}

    assert named <= set(conf.KEYS)
    assert {"POLICY", "GROUP_NAME"} <= named


# Templates ------------------------------------------------------------------------------------------------------

TEMPLATES = PACKAGE / "templates" / "django_roomchat"


def test_every_template_is_documented_with_its_blocks() -> None:
    rows = re.findall(
        r"^\| `(\w+\.html)` \|[^|]*\|([^|]*)\|", section("reference/templates.md", "Files"), re.MULTILINE
    )
    documented = {name: set(re.findall(r"`(\w+)`", blocks)) for name, blocks in rows}

    own = {
        path.name: set(re.findall(r"{% block (\w+) %}", path.read_text()))
        for path in TEMPLATES.glob("*.html")
    }
    frame = own["base.html"]
    assert documented == {
        name: blocks if name == "base.html" else blocks - frame for name, blocks in own.items()
    }


@pytest.mark.django_db
def test_the_context_of_a_room_is_documented(rf: RequestFactory) -> None:
    documented = first_column(section("reference/templates.md", "Context of a room"))

    assert documented == set(room_page(rf.get("/"), "lobby"))


@pytest.mark.django_db
def test_the_context_of_the_list_is_documented(rf: RequestFactory) -> None:
    documented = first_column(section("reference/templates.md", "Context of the list"))

    assert documented == set(index_page(rf.get("/")))


@pytest.mark.django_db
def test_the_context_of_the_search_is_documented(rf: RequestFactory) -> None:
    [documented] = [first_column(section("reference/templates.md", "Context of the search"))]

    assert documented == set(search_page(rf.get("/"))[0])


def test_what_a_message_has_in_a_template_is_documented() -> None:
    [line] = re.findall(
        r"^A message has (.*)\.$", section("reference/templates.md", "Context of a room"), re.MULTILINE
    )

    assert set(re.findall(r"`(\w+)`", line)) - {"datetime"} == set(ShownMessage.__dataclass_fields__)


def test_every_custom_property_is_documented() -> None:
    style = (PACKAGE / "static" / "django_roomchat" / "roomchat.css").read_text()

    documented = set(
        re.findall(r"`(--roomchat-[\w-]+)`", section("reference/templates.md", "CSS custom properties"))
    )

    assert documented == set(re.findall(r"var\((--roomchat-[\w-]+)", style))


def test_the_events_of_the_element_are_documented() -> None:
    scripts = "".join(path.read_text() for path in sorted((ROOT / "js" / "src").rglob("*.js")))

    documented = set(
        re.findall(r"event `roomchat:([\w-]+)`", section("reference/templates.md", "The element"))
    )

    assert documented == set(re.findall(r'\.dispatch\("([\w-]+)"', scripts))


def first_column(tables: str) -> set[str]:
    cells = re.findall(r"^\| ([^|]*) \|", tables, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


# The wire -------------------------------------------------------------------------------------------------------


def test_the_frames_that_the_page_shows_are_frames() -> None:
    shown = [json.loads(code) for _, code in code_blocks(DOCS / "reference" / "wire.md", "json")]

    assert {frame["type"] for frame in shown} == {"welcome", "joined", "post", "ack", "error"}
    for frame in shown:
        direction = protocol.ClientFrame if frame["type"] == "post" else protocol.ServerFrame
        decoded = msgspec.json.decode(json.dumps(frame), type=direction)
        assert json.loads(protocol.encode(decoded)) == frame
        for event in frame.get("events", ()):
            assert json.loads(protocol.encode(msgspec.convert(event, protocol.Event))) == event


def test_the_schema_knows_every_frame_and_what_events_hold() -> None:
    schema = package_source().json_schema()["$defs"]

    frames = {frame.__name__ for frame in get_args(protocol.ClientFrame) + get_args(protocol.ServerFrame)}
    assert frames <= set(schema)
    assert schema["Joined"]["properties"]["events"]["items"] == {"$ref": "#/$defs/Event"}


def test_the_page_and_our_client_stay_away_after_the_same_codes() -> None:
    [line] = re.findall(
        r"^After ([\d, and]*) a client must not reconnect by itself", text("reference/wire.md"), re.MULTILINE
    )
    script = (ROOT / "js" / "src" / "core" / "codes.js").read_text()
    sent = package_source().sent_close_codes()

    documented = {int(code) for code in re.findall(r"\d{4}", line)}

    [names] = re.findall(r"TERMINAL_CLOSE_CODES = new Set\(\[(.*)\]\);", script)
    terminal = {int(re.findall(rf"const {name} = (\d+)", script)[0]) for name in names.split(", ")}
    assert documented == terminal & sent
    assert documented <= set(protocol.CLOSE_CODES)


# Numbers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", [DOCS / "index.md", DOCS / "installation.md", ROOT / "README.md"], ids=lambda p: p.name
)
def test_the_versions_are_those_of_the_package(path: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pythons = sorted(
        (c.rsplit(" ", 1)[1] for c in project["classifiers"] if re.search(r":: 3\.\d+$", c)),
        key=lambda version: int(version[2:]),
    )
    djangos = sorted(c.rsplit(" ", 1)[1] for c in project["classifiers"] if re.search(r"Django :: \d", c))
    [channels] = (d.removeprefix("channels>=") for d in project["dependencies"] if d.startswith("channels"))

    line = (
        f"Python {pythons[0]} to {pythons[-1]} · Django {', '.join(djangos[:-1])} and {djangos[-1]} · "
        f"Channels {channels} or newer"
    )

    assert line in path.read_text()


def test_the_extras_are_those_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert first_column(section("installation.md", "1. Install the package")) == set(
        project["optional-dependencies"]
    )


@pytest.mark.parametrize("page", ["index.md", "installation.md"])
def test_the_pages_of_the_documentation_start_as_the_readme_does(page: str) -> None:
    readme = [code for _, code in code_blocks(ROOT / "README.md", "python")]

    assert [code for _, code in code_blocks(DOCS / page, "python")][: len(readme)] == readme


# The places of the settings, the URLs and the ASGI application among the samples of a page.
@pytest.mark.slow
@pytest.mark.parametrize(("page", "places"), [("README.md", (0, 1, 2)), ("docs/installation.md", (0, 1, 3))])
def test_the_quick_start_works_in_a_new_project(tmp_path: Path, page: str, places: list[int]) -> None:
    blocks = [code for _, code in code_blocks(ROOT / page, "python")]
    settings, urls, asgi = (blocks[place] for place in places)
    environment = {
        **{name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"},
        "PYTHONPATH": str(ROOT),
    }

    def run(*words: str) -> None:
        subprocess.run(
            [sys.executable, *words], cwd=tmp_path, env=environment, check=True, capture_output=True
        )

    run("-m", "django", "startproject", "mysite", ".")
    with (tmp_path / "mysite" / "settings.py").open("a") as file:
        file.write(f"\n{settings}")
    (tmp_path / "mysite" / "urls.py").write_text(urls)
    (tmp_path / "mysite" / "asgi.py").write_text(asgi)

    run("manage.py", "migrate")
    run("manage.py", "check", "--fail-level", "ERROR")
    run(
        "-c",
        "from mysite.asgi import application; from django.urls import reverse; reverse('roomchat:index')",
    )


def test_the_chapters_on_the_way_of_a_message_are_modules() -> None:
    table = section("topics/message-way.md", "The path of a message")
    cells = re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE)
    chapters = {name for cell in cells for name in re.findall(r"`([\w.]+)`", cell)}

    modules = {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
        for path in PACKAGE.rglob("*.py")
    }
    assert chapters <= modules
    assert {"consumers", "realtime.hub", "log"} <= chapters


# Samples --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mark", "code"), SAMPLES)
def test_a_sample_is_python(mark: str, code: str) -> None:
    ast.parse(code)


@pytest.mark.parametrize(("mark", "code"), [s for s in SAMPLES if s.values[0] == "runs"])
def test_a_sample_that_is_whole_runs(mark: str, code: str) -> None:
    exec(compile(code, "sample", "exec"), {"__name__": "sample"})


@pytest.mark.slow
def test_the_samples_of_tests_pass(tmp_path: Path) -> None:
    samples = [code for s in SAMPLES for mark, code in [s.values] if mark == "runs with pytest"]
    for number, code in enumerate(samples):
        (tmp_path / f"test_sample_{number}.py").write_text(code.replace("mysite", "tests"))

    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-c",
            "pyproject.toml",
            str(tmp_path),
        ],
        cwd=ROOT,
        # A database of their own: the one of this run is in use.
        env={name: value for name, value in os.environ.items() if name != "DATABASE_URL"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout
    assert f"{sum(code.count('def test_') for code in samples)} passed" in done.stdout


def sample(name: str, containing: str) -> dict[str, Any]:
    """The names that a sample of a page defines."""
    [code] = [
        code for mark, code in code_blocks(DOCS / name, "python") if mark == "runs" and containing in code
    ]
    names: dict[str, Any] = {"__name__": "sample"}
    exec(compile(code, name, "exec"), names)
    return names


@pytest.mark.parametrize("containing", ["shop.", "SHARDS"])
def test_the_group_names_of_the_samples_are_group_names(settings: Any, containing: str) -> None:
    settings.ROOMCHAT = {"GROUP_NAME": sample("howto/group-names.md", containing)["group_name"]}

    assert {pubsub.group_name(room) for room in ("lobby", "한국어", "my room", "x" * 100)}


def test_the_policy_of_the_sample_keeps_the_staff_room_for_the_staff(django_user_model: Any) -> None:
    policy = sample("howto/policies.md", "HousePolicy")["HousePolicy"]()
    staff = of_user(django_user_model(pk=1, username="ana", is_staff=True))
    other = of_user(django_user_model(pk=2, username="ben"))
    guest = Identity("g:1", "Guest", is_guest=True)

    answers = {
        who.key: bool(policy.can_enter(who, Room(name="staff lounge"))) for who in (staff, other, guest)
    }

    assert answers == {"u:1": True, "u:2": False, "g:1": False}


def test_the_table_of_group_names_is_right() -> None:
    assert pubsub.default_group_name("lobby") == "chat_lobby"
    assert re.fullmatch(r"chat\.[0-9a-f]{40}", pubsub.default_group_name("my room"))


def test_the_templates_that_a_page_overrides_exist() -> None:
    for path in PAGES:
        for name in re.findall(r":caption: templates/(django_roomchat/\w+\.html)", path.read_text()):
            assert get_template(name)


# Words ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(DOCS)))
def test_a_line_has_one_sentence(path: Path) -> None:
    # The numbers of headings and lists are no ends of sentences.
    prose = re.sub(r"^(#* *)\d+\. ", r"\1", path.read_text(), flags=re.MULTILINE)
    prose = re.sub(r"^( *)```.*?^\1```$", "", prose, flags=re.MULTILINE | re.DOTALL)
    lines = [line for line in prose.split("\n") if not line.startswith("|")]

    assert [line for line in lines if re.search(r"[\w`)”][.!?] [A-Z`{]", line)] == []


def package_source() -> Any:
    """Return the module from which the Sphinx extension generates the reference."""
    spec = importlib.util.spec_from_file_location("package_source", DOCS / "_ext" / "package_source.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["package_source"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module
