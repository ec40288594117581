"""Addresses become links, for the server as for the browser, and nothing else becomes anything."""

import json
import re
import time
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from django_roomchat.templatetags.roomchat import roomchat_body
from django_roomchat.text.links import split
from tests.support.markup import ATTACKS, Seen

# The tests of the page's scripts read the same file.
LINKS = json.loads((Path(__file__).parents[2] / "shared" / "links.json").read_text())


@pytest.mark.parametrize(("text", "expected"), LINKS)
def test_the_server_finds_the_addresses_that_the_browser_finds(text: str, expected: list[Any]) -> None:
    text = text.encode("utf-16", "surrogatepass").decode("utf-16")

    found = [
        piece if not url else {"url": url} if url == piece else {"url": url, "text": piece}
        for piece, url in split(text)
    ]

    assert found == expected


@pytest.mark.parametrize("text", ATTACKS)
def test_a_text_becomes_nothing_but_text_and_links_into_the_web(text: str) -> None:
    seen = Seen(str(roomchat_body(text)))

    assert seen.text == text
    for tag, attributes in seen.tags:
        address = attributes.pop("href") or ""
        assert (tag, attributes) == ("a", {"target": "_blank", "rel": "noopener noreferrer nofollow ugc"})
        assert re.match("https?://", address)
        assert address in text


def test_a_link_shows_where_it_leads() -> None:
    html = str(roomchat_body("https://a.example/?a=1&b=2"))

    [(href, shown)] = re.findall(r'<a href="([^"]*)"[^>]*>([^<]*)</a>', html)

    assert unescape(href) == unescape(shown) == "https://a.example/?a=1&b=2"


def test_many_brackets_take_no_time() -> None:
    assert [bool(url) for _, url in split("https://a.example/" + ")" * 4000)] == [True, False]


@pytest.mark.parametrize(
    "unit",
    ["https://a.b/(", "https://a.b)", "www.a.b。", "'https://a.b'", "a@b.cc,", "x://", "https://a.b에"],
)
def test_links_are_found_in_a_time_that_grows_with_the_text(unit: str) -> None:
    began = time.process_time()

    list(split((unit * 4000)[:4000]))

    assert time.process_time() - began < 0.2
