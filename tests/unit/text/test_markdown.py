"""The Markdown extra: rendered once, when a text is written, and harmless whatever the text."""

import re
import time

import pytest

from django_roomchat import checks
from django_roomchat.identity import Identity, site
from django_roomchat.messages.edit import delete_message, edit_message
from django_roomchat.messages.history import read_history
from django_roomchat.messages.post import post_message
from django_roomchat.models import Message
from django_roomchat.text import markdown
from django_roomchat.text.markdown import html
from tests.support.caches import clear_caches
from tests.support.markup import ATTACKS, Seen

ANA = Identity("g:ana", "Ana", is_guest=True)
REL = 'target="_blank" rel="noopener noreferrer nofollow ugc"'
ALLOWED = {
    "a": {"href", "target", "rel"},
    **dict.fromkeys(("blockquote", "br", "code", "em", "p", "pre", "s", "strong", "ul"), set()),
    "ol": {"start"},
    "li": {"value"},
}
MORE_ATTACKS = [
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java&#10;script:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](\x01javascript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](vbscript:x)",
    "[x](file:///etc/passwd)",
    "[x](/logout)",
    "[x](//evil.example)",
    "[x](?logout)",
    "[x](#m-1)",
    "![x](https://evil.example/pixel.png)",
    "![x](javascript:alert(1))",
    "[![x](https://evil.example/x.png)](https://a.example)",
    '[x](https://a.example "onmouseover=alert(1)")',
    '[x](https://a.example/"onmouseover="alert(1))',
    "[x](<https://a.example/ onclick=alert(1)>)",
    "<https://a.example/\"onclick='alert(1)'>",
    "<javascript:alert(1)>",
    "[x]: javascript:alert(1)\n\n[x]",
    "```<script>\nx\n```",
    '``` "onmouseover=alert(1)\nx\n```',
    "**<img src=x onerror=alert(1)>**",
    "`</code><script>alert(1)</script>`",
    "<p onclick=alert(1)>x</p>",
    "<a href=https://a.example target=_top>x</a>",
    '<button data-action="discard">x</button>',
    "<style>*{display:none}</style>",
    "<iframe src=//evil.example>",
    "<form action=//evil.example><input name=body>",
    "<math><mi//xlink:href=javascript:alert(1)>",
    "[a](https://a.example)<!--\n-->",
    "> <script>\n> alert(1)",
    "1. [x](javascript:alert(1))",
    "[x](https://a.example/\u202egpj.exe)",
]
HEAVY = ["[", "*a ", ">", "`", "[a](", "![[", "**a*", "_*", "<a ", "- ", "](", "~~a", "&", "https://", "@a "]


def test_markdown_becomes_html():
    assert html("**a** *b* ~~c~~ `d`\ne") == (
        "<p><strong>a</strong> <em>b</em> <s>c</s> <code>d</code><br>\ne</p>"
    )
    assert html("> a\n\n* b\n\n3. c\n4. d\n\n```py\n<e>\n```") == (
        "<blockquote>\n<p>a</p>\n</blockquote>\n<ul>\n<li>b</li>\n</ul>\n"
        '<ol start="3">\n<li>c</li>\n<li>d</li>\n</ol>\n<pre><code>&lt;e&gt;\n</code></pre>'
    )


def test_links_are_those_of_any_text():
    assert html("*a* https://a.example/x_y_z. [b](https://b.example) <mailto:c@d.example>") == (
        f'<p><em>a</em> <a href="https://a.example/x_y_z" {REL}>https://a.example/x_y_z</a>. '
        f'<a href="https://b.example" {REL}>b</a> <a href="mailto:c@d.example" {REL}>mailto:c@d.example</a></p>'
    )


def test_a_link_in_a_link_s_text_is_text():
    assert html("[https://good.example](https://evil.example)") == (
        f'<p><a href="https://evil.example" {REL}>https://good.example</a></p>'
    )


@pytest.mark.parametrize(
    "text", ["hi", "a\nb", "a & b <c> 'd' \"e\"", "see https://a.example/x?b=1&c=2 now", "2 - 1 = 1"]
)
def test_a_text_without_markdown_stays_a_text(text):
    assert html(text) is None


@pytest.mark.parametrize("text", ["# a\n\nb", "a\n=\n\nb", "a\n\n---\n\nb", "|a|b|\n|-|-|\n|c|d|\n\ne"])
def test_there_are_no_headings_rules_and_tables(text):
    assert set(re.findall(r"<(\w+)", html(text))) <= {"p", "br"}


@pytest.mark.parametrize("text", [*ATTACKS, *MORE_ATTACKS])
def test_no_text_becomes_anything_that_is_not_allowed(text):
    # Something of Markdown in it, so that it is rendered.
    for rendered in (html(text), html(f"**b** {text}"), html(f"{text}\n\n**b**"), html(f"*{text}*")):
        seen = Seen(rendered or "")

        assert {tag for tag, _ in seen.tags} <= ALLOWED.keys()
        for tag, attributes in seen.tags:
            assert attributes.keys() <= ALLOWED[tag]
            if tag == "a":
                # One without is no link.
                assert re.match("(https?://|mailto:)", attributes.get("href", "https://"))
                assert (attributes["target"], attributes["rel"]) == (
                    "_blank",
                    "noopener noreferrer nofollow ugc",
                )


def test_what_the_parser_lets_through_the_sanitizer_does_not(monkeypatch):
    class Careless:
        def render(self, body):
            return '<p onclick="x">a<script>alert(1)</script><a href="javascript:x" class="y">b</a><img src="z"></p>'

    monkeypatch.setattr(markdown, "_parser", Careless)

    assert html("a") == f"<p>a<a {REL}>b</a></p>"


@pytest.mark.parametrize("unit", HEAVY)
def test_no_text_holds_up_the_others(unit):
    began = time.process_time()

    html((unit * 4000)[:4000])
    html((unit * 4000)[: markdown.MARKS_MAX])

    assert time.process_time() - began < 0.5


def test_a_text_with_far_too_much_markdown_stays_a_text():
    assert html("*a* " * 200) is not None
    assert html("*a* " * 201) is None
    assert html("**b** " + "http://a.b\n" * 360) is None


# In a room ------------------------------------------------------------------------------------------------------


@pytest.fixture
def _markdown(db, settings):
    settings.ROOMCHAT = {"MARKDOWN": True}


def newest():
    return read_history("lobby", by=site()).messages[0]


@pytest.mark.usefixtures("_markdown")
def test_a_post_and_an_edit_are_rendered_once(monkeypatch):
    post_message("lobby", "**a**", author=ANA)
    posted = newest()
    edit_message("lobby", 1, "*b*", by=ANA)
    edited = newest()
    monkeypatch.setattr(markdown, "html", None)

    assert (posted.body, posted.html) == ("**a**", "<p><strong>a</strong></p>")
    assert (edited.body, edited.html) == ("*b*", "<p><em>b</em></p>")
    assert newest() == edited


@pytest.mark.usefixtures("_markdown")
def test_nothing_rendered_is_left_of_what_is_plain_or_deleted():
    post_message("lobby", "**a**", author=ANA)
    edit_message("lobby", 1, "plain", by=ANA)
    plain = Message.objects.get().data
    edit_message("lobby", 1, "**c**", by=ANA)
    delete_message("lobby", 1, by=ANA)

    assert (plain, Message.objects.get().data) == ({}, {})


@pytest.mark.usefixtures("_markdown")
def test_the_page_shows_what_was_rendered(client):
    post_message("lobby", "**bold** <script>alert(1)</script>", author=ANA)

    page = client.get("/chat/lobby/").content.decode()

    assert "<strong>bold</strong> &lt;script&gt;alert(1)&lt;/script&gt;</p>" in page


@pytest.mark.django_db
def test_markdown_is_off_by_default():
    clear_caches()
    post_message("lobby", "**a**", author=ANA)

    assert newest().html is None


def test_the_setting_without_the_extra_is_an_error(settings, monkeypatch):
    settings.ROOMCHAT = {"MARKDOWN": True}
    there = [message.id for message in checks.check_roomchat(None)]
    monkeypatch.setattr(markdown, "find_spec", lambda name: None)

    assert "roomchat.E012" not in there
    assert "roomchat.E012" in [message.id for message in checks.check_roomchat(None)]
