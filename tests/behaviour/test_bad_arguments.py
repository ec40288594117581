"""Public functions reject a bad argument with a ChatError, and one of the wrong type with a TypeError that names the right one."""

from __future__ import annotations

import inspect
import traceback
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.test import RequestFactory

import django_roomchat
from django_roomchat import (
    add_member,
    create_room,
    make_incoming_hook,
    make_webhook,
    moderation,
    post_message,
)
from django_roomchat.errors import ChatError
from django_roomchat.models import HeldMessage, Room
from django_roomchat.moderation.reports import report_message

pytestmark = pytest.mark.django_db

FUNCTIONS = {
    name: function
    for name in django_roomchat.__all__
    if inspect.isfunction(function := getattr(django_roomchat, name))
    and not inspect.iscoroutinefunction(function)
} | {name: getattr(moderation, name) for name in ("uphold", "dismiss", "release", "refuse")}
# This function is imported by receivers without Django. It returns whether the signature is right.
FUNCTIONS.pop("verify_signature")

TEXTS = ("a\x00b", "a\x1bb", "a\ud800b", "x" * 100_000)
NUMBERS = (-1, 2**63, 10**400)
WRONG = {
    "Actor": ("ana", 7, AnonymousUser(), object()),
    "Target": (*TEXTS, "", 7, AnonymousUser(), object()),
    "bool": ("yes", 1),
    "bytes": ("text", 7, None),
    "datetime": (datetime(2100, 1, 1), datetime(2000, 1, 1, tzinfo=UTC), timedelta(1), "tomorrow", 7),  # noqa: DTZ001
    "float": (-1, float("nan"), float("inf"), 1e300, "10", None),
    "int": (*NUMBERS, "3", 1.5, True),
    "list": ("lobby", 7, (7,)),
    "room": (*TEXTS, 7, None, ["lobby"], b"lobby"),
    "row": ("x", 7, None),
    "str": (*TEXTS, 7, b"x", ["x"]),
    "timedelta": (timedelta.max, timedelta.min, -timedelta(1), 7, "x"),
    "files": (("x",), (7,), 7),
    "choice": (*TEXTS, "boss", 7),
}
"""Bad values for each kind of parameter."""
KINDS = {
    "after": "str",
    "body": "str",
    "emoji": "str",
    "id": "str",
    "prefix": "str",
    "query": "str",
    "reason": "str",
    "title": "str",
    "token": "str",
    "url": "str",
    "content": "bytes",
    "expires_in": "timedelta",
    "older_than": "timedelta",
    "until": "datetime",
    "minutes": "float",
    "before": "int",
    "around": "int",
    "invitation": "int",
    "keep": "int",
    "limit": "int",
    "reply_to": "int",
    "retention_days": "int",
    "seq": "int",
    "slow_seconds": "int",
    "uses": "int",
    "author": "Actor",
    "by": "Actor",
    "one": "Actor",
    "other": "Actor",
    "room": "room",
    "rooms": "list",
    "files": "files",
    "file": "row",
    "held": "row",
    "hook": "row",
    "report": "row",
    "webhook": "row",
    "enabled": "bool",
    "is_announcement": "bool",
    "is_archived": "bool",
    "is_listed": "bool",
    "tells_changes": "bool",
    "kind": "choice",
    "role": "choice",
    "visibility": "choice",
}
"""Kind of each parameter, by its name. ``NOT_TRIED`` has the rest."""
NEEDED = {"create_room": set(), "recheck": {"room"}}
"""Parameters that a function has a default for, and that the test gives; ``by`` for the others."""
REJECTED = dict.fromkeys(("accept_invitation", "leave_room", "make_ticket", "remove_file"), "rejected")
"""Functions that reject the good values, because there is no invitation, another owner, session or file."""
OF_FUNCTION = {
    ("read_history", "after"): "int",
    ("search_messages", "before"): "str",
    ("make_incoming_hook", "name"): "str",
    ("post_message", "name"): "str",
    ("make_ticket", "user"): "Actor",
    ("unread", "user"): "Actor",
    ("recheck", "room"): "room",
}
NOT_TRIED = {
    "on",  # any value counts as true or false
    "dry_run",
    "keep_sanctions",
    "request",  # an object without a session gives the code sign_in
    ("attach_file", "name"),  # cleaned, whatever it is: test_validation.py
}
ALLOWED = {
    # The text of a message is cleaned of escape sequences.
    ("post_message", "body", TEXTS[1]),
    ("edit_message", "body", TEXTS[1]),
    # None stands for all rooms.
    ("search_messages", "room", None),
    ("recheck", "room", None),
}


def parameters():
    for name, function in sorted(FUNCTIONS.items()):
        for parameter in inspect.signature(function).parameters:
            if parameter in NOT_TRIED or (name, parameter) in NOT_TRIED:
                continue
            kind = (
                OF_FUNCTION.get((name, parameter))
                or KINDS.get(parameter)
                or ("Target" if parameter == "user" else None)
            )
            yield name, parameter, kind


PARAMETERS = list(parameters())


@pytest.fixture
def good(settings, tmp_path) -> dict[str, Any]:
    """A good value for each parameter."""
    settings.MEDIA_ROOT = str(tmp_path)
    ana, ben = User.objects.create_user("ana"), User.objects.create_user("ben")
    create_room("lobby", by=ana)
    add_member("lobby", ben)
    post_message("lobby", "hi", author=ana)
    room = Room.objects.get()
    return {
        "body": "hi",
        "content": b"hello",
        "emoji": "👍",
        "enabled": True,
        "file": None,
        "files": (),
        "held": HeldMessage.objects.create(
            room=room, author_key="u:2", author_name="ben", client_id="1", body="x"
        ),
        "hook": make_incoming_hook("lobby", "Bot")[0],
        "invitation": 1,
        "name": "Bot",
        "one": ana,
        "other": ben,
        "prefix": "b",
        "query": "hi",
        "reason": "spam",
        "report": report_message("lobby", 1, by=ana),
        "request": RequestFactory().get("/"),
        "role": "member",
        "room": "lobby",
        "seq": 1,
        "title": "Garden",
        "token": "x",
        "url": "https://example.com/",
        "user": ben,
        "webhook": make_webhook("lobby", "https://example.com/"),
        "by": ana,
    }


def needed(function, good):
    """Return the arguments that a function needs, and the acting person."""
    return {
        name: good[name]
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is parameter.empty or name in NEEDED.get(function.__name__, {"by"})
    }


def outcome(function, arguments) -> str:
    """Return what happens when a function is called: ``ok``, or how it fails."""
    try:
        with transaction.atomic():
            found = function(**arguments)
            if inspect.isgenerator(found):
                list(found)
            transaction.set_rollback(True)
    except ChatError:
        return "rejected"
    except TypeError as error:
        # Raised by the package itself with a sentence, and not by what it calls.
        last = traceback.extract_tb(error.__traceback__)[-1].filename
        is_sentence = str(error).endswith(".") or "pass identify(request)" in str(error)
        return "rejected" if "django_roomchat" in last and is_sentence else f"TypeError: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:80]}"
    return "ok"


def test_every_parameter_is_tried_or_excluded():
    assert [one for one in PARAMETERS if one[2] is None] == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_bad_argument_is_rejected_with_an_error_of_the_package(name, good):
    function = FUNCTIONS[name]
    arguments = needed(function, good)
    # Without this, another error could hide the one that is looked for.
    assert outcome(function, arguments) == REJECTED.get(name, "ok")
    wrong = {}
    for _, parameter, kind in (one for one in PARAMETERS if one[0] == name):
        for value in WRONG[kind]:
            if any((name, parameter) == allowed[:2] and value is allowed[2] for allowed in ALLOWED):
                continue
            result = outcome(function, {**arguments, parameter: value})
            if result != "rejected":
                wrong[parameter, repr(value)[:40] if not isinstance(value, int) else f"{str(value)[:12]}"] = (
                    result
                )

    assert wrong == {}
