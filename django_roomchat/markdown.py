"""The optional Markdown extra: a text is rendered once, when it is written, into HTML that may be shown as it is.

markdown-it-py makes no HTML but its own, and nh3 lets nothing through that is not on the list below: either alone would do.
"""

from __future__ import annotations

import re
from functools import cache
from html import escape
from importlib.util import find_spec
from typing import Any

from django_roomchat import links

TAGS = {"a", "blockquote", "br", "code", "em", "li", "ol", "p", "pre", "s", "strong", "ul"}
"""No headings, which would stand above those of the page; no tables and no images."""
SCHEMES = {"http", "https", "mailto"}
MARKS_MAX = 400
"""Characters that may mean something in Markdown. A text with more of them is shown as it is: parsers are slow with such."""
HTML_MAX_LENGTH = 32_768
"""Characters. A text that becomes longer is shown as it is: it would go to everybody in full."""
_MARKS = re.compile(r"[\[\]()*_~`<>!&\\]")
_ADDRESS = re.compile(rf"(?:{'|'.join(sorted(SCHEMES))}):", re.IGNORECASE)
_RULES_OFF = ["heading", "lheading", "hr", "html_block", "html_inline", "image", "reference", "table"]


def is_installed() -> bool:
    """Whether the extra is there."""
    return all(find_spec(name) is not None for name in ("markdown_it", "nh3"))


def html(body: str) -> str | None:
    """The text as HTML; ``None`` where there is no Markdown in it, or far too much, and it is shown as any text is.

    Args:
        body: as :func:`django_roomchat.text.body` gives it.
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
    # Links are made of any text.
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
    """Tell texts within links from others."""
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
        for piece, is_link in links.pieces(token.content)
    )
