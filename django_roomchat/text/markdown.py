"""The optional Markdown extra. A text is rendered once, when it is written, to HTML that is safe to display.

markdown-it-py emits only its own HTML, and nh3 removes everything that is not listed below. Each would be
sufficient alone.
"""

from __future__ import annotations

import re
from functools import cache
from html import escape
from importlib.util import find_spec
from typing import Any

from django_roomchat.text import links

TAGS = {"a", "blockquote", "br", "code", "em", "li", "ol", "p", "pre", "s", "strong", "ul"}
"""Allowed elements. Headings are excluded because they would outrank those of the page; tables and images are
excluded too.
"""
SCHEMES = {"http", "https", "mailto"}
MARKS_MAX = 400
"""Maximum number of Markdown characters in a text. A text with more is displayed as plain text, because parsers
are slow with it.
"""
HTML_MAX_LENGTH = 32_768
"""Maximum length of the HTML, in characters. A longer result is displayed as plain text, because every client
would receive it.
"""
_MARKS = re.compile(r"[\[\]()*_~`<>!&\\]")
_ADDRESS = re.compile(rf"(?:{'|'.join(sorted(SCHEMES))}):", re.IGNORECASE)
_RULES_OFF = ["heading", "lheading", "hr", "html_block", "html_inline", "image", "reference", "table"]


def is_installed() -> bool:
    """Return whether the Markdown extra is installed."""
    return all(find_spec(name) is not None for name in ("markdown_it", "nh3"))


def html(body: str) -> str | None:
    """Render a text to HTML.

    Args:
        body: the text as :func:`django_roomchat.text.validation.body` returns it.

    Returns:
        The HTML, or ``None`` if the text contains no Markdown or exceeds a limit; it is then displayed as plain
        text.
    """
    import nh3

    if len(_MARKS.findall(body)) > MARKS_MAX:
        return None
    rendered = nh3.clean(
        _parser().render(body),
        tags=TAGS,
        clean_content_tags={"script", "style"},
        attributes={"*": set(), "a": {"href"}, "ol": {"start"}},
        url_schemes=SCHEMES,
        link_rel=links.REL,
        set_tag_attribute_values={"a": {"target": "_blank"}},
    ).strip()
    plain = escape(body, quote=False).replace("\n", "<br>\n")
    # Plain texts get links as well.
    is_plain = re.sub(r"</?a\b[^>]*>", "", rendered) == f"<p>{plain}</p>"
    return None if is_plain or len(rendered) > HTML_MAX_LENGTH else rendered


@cache
def _parser() -> Any:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": 20})
    parser.enable("strikethrough").disable(_RULES_OFF)
    parser.validateLink = lambda url: _ADDRESS.match(url) is not None  # type: ignore[method-assign]  # its documented hook
    parser.core.ruler.push("roomchat_links", _note_links)
    parser.add_render_rule("text", _text)
    return parser


def _note_links(state: Any) -> None:
    """Mark the text tokens that are inside links."""
    for block in state.tokens:
        depth = 0
        for token in block.children or ():
            depth += {"link_open": 1, "link_close": -1}.get(token.type, 0)
            token.meta["in_link"] = depth > 0


def _text(renderer: Any, tokens: Any, place: int, options: Any, env: Any) -> str:
    token = tokens[place]
    if token.meta.get("in_link"):
        return escape(token.content, quote=False)
    return "".join(
        f'<a href="{escape(piece)}">{escape(piece, quote=False)}</a>'
        if is_link
        else escape(piece, quote=False)
        for piece, is_link in links.split(token.content)
    )
