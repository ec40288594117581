"""Addresses become links, for the server as for the browser, and nothing else becomes anything."""

import json
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from django_roomchat.templatetags.roomchat import roomchat_body
from django_roomchat.text.links import split

# The tests of the page's scripts read the same file.
LINKS = json.loads((Path(__file__).parents[2] / "shared" / "links.json").read_text())
ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    'https://a.example/"onmouseover="alert(1)',
    "https://a.example/'onmouseover='alert(1)",
    "https://a.example/<script>alert(1)</script>",
    "https://a.example/&quot;onclick=alert(1)",
    "https://javascript:alert(1)",
    "javascript:alert(1)//https://a.example",
    "javascript://a.example/%0aalert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html;base64,PHNjcmlwdD4=",
    "&#106;avascript:alert(1)",
    "</div></room-chat><script>alert(1)</script>",
    "{{ constructor }} {% load x %} ${alert(1)}",
    "<!--",
    "]]>",
    "\u202ehttps://a.example",
    "https://a.example/\u2028<script>",
]


class Seen(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize(("text", "expected"), LINKS)
def test_the_server_finds_the_addresses_that_the_browser_finds(text: str, expected: list[Any]) -> None:
    text = text.encode("utf-16", "surrogatepass").decode("utf-16")

    found = [{"url": piece} if is_link else piece for piece, is_link in split(text)]

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
    assert [is_link for _, is_link in split("https://a.example/" + ")" * 4000)] == [True, False]
