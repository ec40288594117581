"""Text that cannot be stored or compared is rejected with an error code, in every field that takes text and on every database."""

import json
import re
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints
from urllib.parse import quote, urlencode

import msgspec
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import Client
from django.urls import get_resolver, reverse

import django_roomchat
from django_roomchat import (
    create_room,
    make_incoming_hook,
    post_message,
    protocol,
)
from django_roomchat.identity import of_user
from django_roomchat.testing import ChatClient
from tests.support.bad_inputs import APPLICATION

pytestmark = pytest.mark.usefixtures("no_traceback")

BAD = {
    "nul": "a\x00b",
    "escape": "a\x1bb",
    "c1": "a\x85b",
    "newline at the end": "a\x00\n",
    "surrogate": "a\ud800b",
    "too long": "x" * 5_000,
}
MESSAGES = {"body", "text"}
"""Fields with the text of a message, from which escape sequences and C1 controls are removed (`test_bad_inputs.py`)."""


def bad_texts(field: str) -> dict[str, str]:
    """Return the texts that the field must reject."""
    return {what: text for what, text in BAD.items() if field not in MESSAGES or what not in ("escape", "c1")}


CODES = {"bad_value", "bad_text", "bad_name", "bad_room_name", "bad_emoji", "bad_file"}
VALID: dict[str, Any] = {
    "body": "hi",
    "emoji": "👍",
    "heads": {"lobby": 1},
    "id": "one",
    "invitation": 1,
    "name": "Zoë",
    "on": True,
    "query": "hi",
    "role": "member",
    "room": "lobby",
    "seq": 1,
    "title": "Garden",
    "token": "none",
}
"""A value for each required field of a frame."""


def text_fields(frame: type) -> list[str]:
    """Return the fields of a frame that take text: ``name``, ``name{}`` for keys of an object, ``name[].part`` in a list."""
    found: list[str] = []
    for name, hint in get_type_hints(frame, include_extras=True).items():
        found += [f"{name}{suffix}" for suffix in _suffixes(hint)]
    return sorted(found)


def _suffixes(hint: Any) -> list[str]:
    if hint is str:
        return [""]
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _suffixes(args[0])
    if origin is Literal:
        return [""]
    if origin is dict:
        return ["{}"] if _suffixes(args[0]) else []
    if origin is list:
        return [f"[].{field}" for field in text_fields(args[0])]
    return [suffix for arg in args for suffix in _suffixes(arg)]


def bad_frame(frame: type, field: str, text: str, key: str) -> dict[str, Any]:
    required = {one.name for one in msgspec.structs.fields(frame) if one.required}
    content = {name: value for name, value in {**VALID, "key": key}.items() if name in required}
    content["type"] = frame.__struct_config__.tag
    if field.endswith("{}"):
        content[field.removesuffix("{}")] = {text: 1}
    elif "[]." in field:
        name, part = field.split("[].")
        content[name] = [{"id": "0" * 32, part: text}]
    else:
        content[field] = text
    return content


FRAMES = [(frame, field) for frame in get_args(protocol.ClientFrame) for field in text_fields(frame)]


async def codes_of(socket: ChatClient, sent: dict[str, Any]) -> list[str]:
    """Send a frame and return the codes of the errors that answer it; the type of any other answer."""
    await socket.send_text(json.dumps(sent))
    # A post is answered when its batch has been checked, which a ping would overtake.
    first = await socket.receive()
    await socket.send({"type": "ping"})
    got = [first.get("code", first["type"])]
    while (answer := await socket.receive())["type"] != "ping":
        if answer["type"] != "events":
            got.append(answer.get("code", answer["type"]))
    return got


@pytest.fixture
async def room(transactional_db):
    """The user who owns the room, and the identity of the author of its message."""
    ana = await sync_to_async(User.objects.create_user)("ana")
    ben = of_user(await sync_to_async(User.objects.create_user)("ben"))
    await sync_to_async(create_room)("lobby", by=ana)
    await sync_to_async(post_message)("lobby", "hi", author=ben)
    return ana, ben


async def test_every_text_of_every_frame_is_checked(room):
    ana, ben = room
    wrong = {}
    async with ChatClient(APPLICATION, "lobby", user=ana) as owner, ChatClient(APPLICATION, "lobby") as guest:
        for socket in (owner, guest):
            await socket.receive("joined")
        tried = [(frame, field, *bad) for frame, field in FRAMES for bad in bad_texts(field).items()]
        for frame, field, what, text in tried:
            # Only guests choose a name.
            socket = guest if frame is protocol.ChooseName else owner
            answers = await codes_of(socket, bad_frame(frame, field, text, ben.key))
            if len(answers) != 1 or answers[0] not in CODES:
                wrong[frame.__name__, field, what] = answers

    assert wrong == {}


def test_the_fields_of_frames_are_found():
    assert len(FRAMES) > 60
    assert (protocol.Post, "files[].alt") in FRAMES
    assert (protocol.Seen, "heads{}") in FRAMES


# Views ------------------------------------------------------------------------------------------------------------


PARAMETERS = {
    ("GET", "index"): ("room",),
    ("GET", "search"): ("q", "room", "before"),
    ("GET", "room"): ("before", "after", "at"),
    ("GET", "messages"): ("before", "after", "around"),
    ("GET", "events"): ("epoch", "since", "wait"),
    ("POST", "room"): ("body", "id"),
    ("POST", "new_room"): ("title", "visibility"),
    ("POST", "hook"): ("text", "name", "id"),
}
"""Parameters of the views that take text, in the query string or in a form."""
FLAGS = {"listed", "announcement"}
"""Parameters of which only the presence counts."""
ARGUMENTS = {
    "room_name": "lobby",
    "token": "none",
    "file_id": "00000000-0000-0000-0000-000000000000",
    "file_name": "x.txt",
}
VIEWS = {
    pattern.name: list(pattern.pattern.converters)
    for pattern in get_resolver("django_roomchat.urls").url_patterns
}


def path_of(view: str, **arguments: str) -> str:
    kwargs = {name: ARGUMENTS[name] for name in VIEWS[view]}
    path = reverse(f"roomchat:{view}", kwargs=kwargs)
    for name, text in arguments.items():
        path = path.replace(kwargs[name], quote(text, safe="", errors="surrogatepass"))
    return path


def test_every_parameter_of_the_views_is_listed():
    sources = Path(django_roomchat.__file__).parent.joinpath("views").glob("*.py")
    text = "\n".join(source.read_text(encoding="utf-8") for source in sources)
    named = set(re.findall(r"(?:GET|POST|form|typed)\.get\(\"(\w+)\"", text))
    for call in re.findall(r"seq_parameter\(request, ([^)]*)\)", text):
        named |= set(re.findall(r"\"(\w+)\"", call))
    named |= set(re.findall(r"\"(\w+)\" in typed", text))

    assert named == {name for names in PARAMETERS.values() for name in names} | FLAGS


# In a transaction of the test, which is fast; the events are read by other threads.
ON_COMMIT = {"events"}


@pytest.mark.parametrize(
    ("method", "view", "name"),
    [
        pytest.param(method, view, name, marks=pytest.mark.django_db(transaction=view in ON_COMMIT))
        for (method, view), names in PARAMETERS.items()
        for name in names
    ],
)
def test_every_parameter_of_a_view_is_checked(method, view, name):
    post_message("lobby", "hi")
    valid = {"search": {"q": "hi"}, "hook": {"text": "hi"}, "room": {"body": "hi"}, "events": {"wait": "0"}}
    if view == "hook":
        path = path_of(view, token=make_incoming_hook("lobby", "Bot")[1])
    else:
        path = path_of(view)
    answers = {}
    for what, text in bad_texts(name).items():
        # Django decodes an unpaired surrogate to U+FFFD, which is a character like others.
        if what == "surrogate":
            continue
        sent = urlencode({**valid.get(view, {}), name: text})
        if method == "GET":
            response = Client().get(f"{path}?{sent}")
        else:
            response = Client().post(path, sent, content_type="application/x-www-form-urlencoded")
        answers[what] = code_of(response)

    assert set(answers.values()) <= {(400, code) for code in CODES} | {(400, None)}


def code_of(response):
    if response["Content-Type"] != "application/json":
        return response.status_code, None
    return response.status_code, response.json().get("error", {}).get("code")


@pytest.mark.parametrize(
    ("view", "name"),
    [
        pytest.param(view, name, marks=pytest.mark.django_db(transaction=view in ON_COMMIT))
        for view, names in VIEWS.items()
        for name in names
        if name != "file_id"
    ],
)
def test_every_part_of_a_path_is_checked(view, name):
    statuses = set()
    for (what, text), method in product(BAD.items(), ("GET", "POST", "DELETE")):
        if what != "surrogate":
            path = path_of(view, **{name: text})
            response = Client().generic(method, path, '{"type": "rooms"}', content_type="application/json")
            statuses.add(response.status_code)

    assert statuses <= {400, 403, 404, 405, 415}
    assert statuses & {400, 404}


HEADERS = (
    "Accept-Language",
    "Last-Event-ID",
    "X-Forwarded-For",
    "Range",
    "If-None-Match",
    "User-Agent",
    "Referer",
)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("view", ["room", "messages", "events"])
def test_no_header_fails_a_request(settings, view):
    settings.ROOMCHAT = {"PROXIES": 1}
    post_message("lobby", "hi")
    answers = {}
    for header, (what, text) in product(HEADERS, BAD.items()):
        if what != "surrogate":
            given = f"{text}:5" if header == "Last-Event-ID" else text
            answers[header, what] = (
                Client().get(f"{path_of(view)}?wait=0", headers={header: given}).status_code
            )

    rejected = {header for (header, _), status in answers.items() if status != 200}
    assert set(answers.values()) <= {200, 400}
    assert rejected == ({"Last-Event-ID"} if view == "events" else set())


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["id", "body", "files[].id", "files[].alt"])
def test_every_text_of_a_message_over_http_is_checked(field):
    answers = set()
    for text in bad_texts(field).values():
        content = bad_frame(protocol.Post, field, text, "")
        del content["type"]
        response = Client().post(path_of("messages"), json.dumps(content), content_type="application/json")
        answers.add(code_of(response))

    assert answers <= {(400, code) for code in CODES}


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["text", "name", "id"])
def test_every_text_of_a_hook_is_checked(field):
    path = path_of("hook", token=make_incoming_hook("lobby", "Bot")[1])
    answers = set()
    for text in bad_texts(field).values():
        content = json.dumps({"text": "hi", field: text})
        answers.add(code_of(Client().post(path, content, content_type="application/json")))

    assert answers <= {(400, code) for code in CODES}
