"""Mentions are marked in a text in the same way by the server and in the browser."""

import json
from pathlib import Path

import pytest

from django_roomchat.templatetags.roomchat import roomchat_body, roomchat_html
from django_roomchat.text import mention_syntax
from django_roomchat.text.mention_syntax import split
from django_roomchat.views.context import ShownMention

# What the browser makes of the same texts is tested against the same file.
TEXTS = json.loads((Path(__file__).parents[2] / "shared" / "mentions.json").read_text())

ANA = ShownMention("u:1", "Ana", mine=False)
ME = ShownMention("u:2", "Bo & Co", mine=True)


@pytest.mark.parametrize(("text", "names", "expected"), TEXTS)
def test_a_text_in_pieces(text: str, names: list[str], expected: list[object]) -> None:
    found = [
        {"mention": piece, "key": f"u:{names.index(name)}"} if name else piece
        for piece, name in split(text, names)
    ]

    assert found == expected


def test_those_whom_a_text_calls_are_marked_and_oneself_more() -> None:
    html = roomchat_body("<b> @Ana, @Bo & Co: https://example.com/@Ana", [ANA, ME])

    assert str(html) == (
        '&lt;b&gt; <span class="roomchat-mention">@Ana</span>, '
        '<span class="roomchat-mention" data-me>@Bo &amp; Co</span>: '
        '<a href="https://example.com/@Ana" target="_blank" rel="noopener noreferrer nofollow ugc">https://example.com/@Ana</a>'
    )


def test_in_rendered_text_they_are_marked_but_not_in_code_and_links() -> None:
    rendered = (
        '<p><strong>@Ana</strong> &amp; @Bo &amp; Co &lt;i&gt; <code>@Ana</code> <a href="/?a=@Ana">@Ana</a><br>'
        "<pre><code>@Ana</code> @Ana</pre></p>"
    )

    html = roomchat_html(rendered, [ANA, ME])

    assert str(html) == (
        '<p><strong><span class="roomchat-mention">@Ana</span></strong> &amp; '
        '<span class="roomchat-mention" data-me>@Bo &amp; Co</span> &lt;i&gt; <code>@Ana</code> <a href="/?a=@Ana">@Ana</a><br>'
        "<pre><code>@Ana</code> @Ana</pre></p>"
    )


def test_without_calls_rendered_text_is_as_it_was() -> None:
    assert str(roomchat_html("<p>@Ana &quot;x&quot;</p>")) == "<p>@Ana &quot;x&quot;</p>"


@pytest.mark.parametrize(
    ("text", "others", "expected"),
    [
        ("@Ann, @Anna and @Ann", (), "@X, @Anna and @X"),
        ("@Ann Lee and @Ann", ("Ann Lee",), "@Ann Lee and @X"),
        ("@Ann Lee", (), "@X Lee"),
        ("ann@Ann, Ann", (), "ann@Ann, Ann"),
        ("@Ann", ("Ann",), "@X"),
        ("@민수님 @민수", (), "@민수님 @민수"),
    ],
)
def test_mentions_of_a_name_are_replaced_and_longer_names_stay(text, others, expected):
    assert mention_syntax.replace(text, ["Ann"], "X", others=others) == expected


def test_a_replaced_name_may_have_a_suffix_of_its_script():
    assert mention_syntax.replace("@민수님", ["민수"], "X") == "@X님"
