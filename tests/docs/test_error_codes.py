"""Each public function documents the error codes that it can raise: all of them, and no others."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import django_roomchat
from django_roomchat import errors, moderation
from tests.support.error_codes import path_to, reachable_codes

DOCS = Path(__file__).parents[2] / "docs"
CODES = re.compile(r"Codes: ((?:``\w+``,?\s+)*``\w+``)\.")


def public_functions() -> list[Callable[..., Any]]:
    found = [getattr(django_roomchat, name) for name in django_roomchat.__all__]
    found += [moderation.uphold, moderation.dismiss, moderation.release, moderation.refuse]
    return [each for each in found if inspect.isfunction(each) and not inspect.iscoroutinefunction(each)]


FUNCTIONS = public_functions()


def documented_codes(function: Callable[..., Any]) -> list[str]:
    return re.findall(r"\w+", " ".join(CODES.findall(function.__doc__ or "")))


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_a_function_documents_the_codes_that_it_can_raise(function: Callable[..., Any]) -> None:
    documented = documented_codes(function)
    reachable = sorted(reachable_codes(function.__module__, function.__name__))

    missing = {
        code: path_to(function.__module__, function.__name__, code)
        for code in set(reachable) - set(documented)
    }
    assert missing == {}
    assert documented == reachable


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_codes_are_part_of_the_errors(function: Callable[..., Any]) -> None:
    before, _, after = inspect.cleandoc(function.__doc__ or "").partition("\nRaises:\n")

    assert "Codes:" not in before
    assert ("Codes:" in after) == bool(after)


def test_the_protocol_documents_every_code() -> None:
    page = (DOCS / "reference" / "wire.md").read_text()
    classes = [
        each
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, errors.ChatError)
    ]
    known = set(re.findall(r"`(\w+)`", page)) | {each.code for each in classes}

    assert {code for function in FUNCTIONS for code in documented_codes(function)} - known == set()


@pytest.mark.parametrize(
    ("name", "codes", "others"),
    [
        # A literal code, the default of a class, and one behind a callback.
        ("react", {"bad_emoji", "not_found", "too_many"}, {"announcement", "rank"}),
        # A decision of a built-in policy, also through the name of its method.
        ("edit_message", {"too_late", "sign_in", "muted"}, {"rank"}),
        ("delete_message", {"archived"}, {"too_late", "filtered", "muted"}),
        # Errors that are results of the log.
        ("post_message", {"id_reused", "rate_limited", "held"}, {"rank"}),
        ("add_member", {"direct_room", "no_such_person"}, {"id_reused", "rate_limited"}),
        # Errors that are caught.
        ("unread", set(), {"banned"}),
    ],
)
def test_codes_are_found_in_the_source(name: str, codes: set[str], others: set[str]) -> None:
    found = reachable_codes(getattr(django_roomchat, name).__module__, name)

    assert (codes - found, others & found) == (set(), set())


def test_a_code_is_explained_by_the_calls_that_lead_to_it() -> None:
    assert path_to("django_roomchat.messages.reactions", "react", "bad_emoji") == [
        "django_roomchat.messages.reactions.react",
        "django_roomchat.text.emoji.emoji",
    ]
    assert path_to("django_roomchat.messages.reactions", "react", "rank") == []
