"""Log lines quote everything that a client chose, so that no client can write a line of its own into the log."""

import ast
import logging
import re
from pathlib import Path

import pytest

import django_roomchat
from django_roomchat import post_message
from django_roomchat.errors import TryAgain
from django_roomchat.identity import Identity
from django_roomchat.testing import ChatClient
from tests.asgi import application
from tests.support.bad_inputs import APPLICATION

PACKAGE = Path(django_roomchat.__file__).parent
FORGED = "x\nWARNING forged\r\x85\u2028line"
LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
OWN_WORDS = {
    "caution",
    "refusal",
    "what",
    "whose",
    "method",
    "dotted_path(function)",
    "dotted_path(hook('POLICY'))",
}
"""Values in log messages that are names in the project's code, or sentences in which the words of a client are quoted already."""


def log_calls():
    """Yield file name, line, message and arguments of every log call in the package."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            function = node.func
            place = f"{path.relative_to(PACKAGE)}:{node.lineno}"
            if isinstance(function, ast.Name) and function.id in {"warn_throttled", "error_throttled"}:
                yield place, node.args[1], node.args[2:]
            elif (
                isinstance(function, ast.Attribute)
                and function.attr in LEVELS
                and ast.unparse(function.value) in {"_LOGGER", "logger", "logging"}
                and path.name != "throttled_logging.py"
            ):
                yield place, node.args[0], node.args[1:]


def test_every_value_in_a_log_message_is_quoted():
    calls = list(log_calls())
    wrong = []
    for place, message, args in calls:
        if not isinstance(message, ast.Constant):
            wrong.append(f"{place}: the message is not a constant")
            continue
        kinds = re.findall(r"%[^%\w]*[\d.]*([a-zA-Z])", message.value.replace("%%", ""))
        wrong += [
            f"{place}: %s with {ast.unparse(arg)}"
            for kind, arg in zip(kinds, args, strict=True)
            if kind not in "rdf" and ast.unparse(arg) not in OWN_WORDS
        ]

    assert len(calls) > 25
    assert wrong == []


async def refused(client):
    connected = await client.connect()
    await client.disconnect()
    return not connected


def one_line(caplog):
    [line] = caplog.messages
    return line.isprintable()


@pytest.mark.django_db(transaction=True)
async def test_the_path_of_a_socket_is_quoted(caplog):
    client = ChatClient(application, path=f"/ws/{FORGED}")

    assert (await refused(client), one_line(caplog)) == (True, True)


async def test_the_subprotocols_of_a_socket_are_quoted(caplog):
    client = ChatClient(APPLICATION, "lobby")
    client.scope |= {"subprotocols": [FORGED], "path": f"/ws/chat/{FORGED}/"}

    assert (await refused(client), one_line(caplog)) == (True, True)


async def test_the_origin_of_a_socket_is_quoted(caplog, settings):
    settings.ALLOWED_HOSTS = ["*"]
    headers = [(b"host", FORGED.encode()), (b"origin", f"http://{FORGED}".encode())]

    assert (await refused(ChatClient(APPLICATION, "lobby", headers=headers)), one_line(caplog)) == (
        True,
        True,
    )


@pytest.mark.django_db
def test_an_error_of_the_content_filter_is_logged_with_the_room_quoted(caplog, settings):
    def fail(room, author, text):
        raise ValueError(text)

    settings.ROOMCHAT = {"FILTER": fail}
    with pytest.raises(TryAgain):
        post_message("lobby", "hi", author=Identity("g:1", FORGED, is_guest=True))

    assert (one_line(caplog), caplog.records[0].levelno) == (True, logging.ERROR)
