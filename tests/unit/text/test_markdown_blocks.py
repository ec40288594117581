"""Markdown of chat messages: rendering never shows fewer letters than a text has."""

import json
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from django_roomchat.text import markdown
from django_roomchat.text.markdown import html
from tests.support.markup import Seen

# The tests of the page's scripts read the same file.
TEXTS = json.loads((Path(__file__).parents[2] / "shared" / "markdown.json").read_text())
PIECES = [
    *"a7Z한中é \n\n\n\t*_~`>[]()<!&\\-+#|.:",
    *("**", "~~", "```", "~~~", "\n```\n", "```js\n", "> ", ">> ", "- ", "* ", "1. ", "2. ", "30. ", "9) ", "    "),
    *("](https://a.example/", "[a](https://a.example/b)", "https://a.example/_x_", "www.a.example", "ana@a.example"),
    *("&amp;", "\\*", "^_^", "@Tom", "「", "」", "'", '"', "，"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_a_text_is_rendered_as_the_shared_table_says(text, expected):
    assert html(text) == expected


def letters(text):
    return Counter(character for character in text.casefold() if character.isalnum())


class Shown(HTMLParser):
    """The text of some HTML, the numbers of its lists and the URLs of its links."""

    def __init__(self, rendered):
        super().__init__()
        self.text = ""
        self.numbers = []
        self.feed(rendered)
        self.close()

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag in ("ol", "ul"):
            self.numbers.append(int(attributes.get("start", 1)) if tag == "ol" else None)
        elif tag == "li" and self.numbers[-1] is not None:
            number = int(attributes.get("value", self.numbers[-1]))
            self.text += str(number)
            self.numbers[-1] = number + 1
        elif tag == "a":
            self.text += unquote(attributes.get("href", ""))

    def handle_endtag(self, tag):
        if tag in ("ol", "ul"):
            self.numbers.pop()

    def handle_data(self, data):
        self.text += data


@given(st.lists(st.sampled_from(PIECES), max_size=24).map("".join))
@example("1. a\n1. b\n9) c\n10) d")
@example("```hello\nx\n```")
@example("> - a\n>   1. b\n>   2. c")
def test_a_rendered_text_shows_every_letter_that_was_typed(text):
    rendered = html(text)

    if rendered is not None:
        missing = letters(text) - letters(Shown(rendered).text)
        # A language after a fence is syntax.
        assert missing - letters("js" * text.count("```js\n")) == Counter()


def test_a_text_whose_rendering_lost_letters_is_shown_as_typed(monkeypatch):
    class Forgetful:
        def render(self, body):
            return f"<p><em>{body[:-1]}</em></p>"

    monkeypatch.setattr(markdown, "_parser", Forgetful)

    assert html("*a*b") is None


def test_deep_quotes_and_lists_end_as_text():
    quotes = html("> " * 9 + "a")
    lists = html("\n".join("  " * depth + "- a" for depth in range(9)))

    assert (quotes.count("<blockquote>"), Seen(quotes).text.split()) == (6, [">", ">", ">", "a"])
    assert lists.count("<ul>") == 6
    assert Seen(lists).text.count("a") == 9
