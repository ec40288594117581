"""The optional Markdown extra. A text is rendered once, when it is written, to HTML that is safe to display.

:mod:`django_roomchat.text.markdown_blocks` finds the blocks, and markdown-it-py renders the text in them, with the rules
of this module where CommonMark would remove characters that people type in chats: backslashes stay, and so do entities,
faces and what is no complete Markdown. markdown-it-py emits only its own HTML, and nh3 removes everything that is not
listed below. Each would be sufficient alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from html import escape, unescape
from importlib.util import find_spec
from typing import Any

from django_roomchat.text import links, markdown_blocks

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
_RULES_OFF = ["entity", "html_inline", "image"]
_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_WIDE = re.compile("[\u3000-\u303f\ufe30-\ufe6f\uff00-\uff65]")
_BEFORE_EMPHASIS = frozenset("([{<\"'*_~>")
_IN_EMPHASIS = frozenset("([{<\"'*_~`@#$&+-./\\!?")
_LABEL = re.compile(r"[^\s\\`*_~\[\]()<>]")
_TAG = re.compile(r"(<[^>]*>)")
_URL_WITHOUT_LINK = re.compile(r"<a (?!href=)[^>]*>(?:https?://|www\.)", re.IGNORECASE)
_FACE_SIGNS = frozenset("・･•ﾟ")


def is_installed() -> bool:
    """Return whether the Markdown extra is installed."""
    return all(find_spec(name) is not None for name in ("markdown_it", "nh3"))


def html(body: str) -> str | None:
    """Render a text to HTML.

    Args:
        body: the text as :func:`django_roomchat.text.validation.body` returns it.

    Returns:
        The HTML, or ``None`` if the text contains no Markdown, exceeds a limit, or would lose letters; it is then
        displayed as plain text.
    """
    import nh3

    if len(_MARKS.findall(body)) > MARKS_MAX:
        return None
    rendered = nh3.clean(
        _parser().render(body),
        tags=TAGS,
        clean_content_tags={"script", "style"},
        attributes={"*": set(), "a": {"href"}, "li": {"value"}, "ol": {"start"}},
        url_schemes=SCHEMES,
        link_rel=links.REL,
        set_tag_attribute_values={"a": {"target": "_blank"}},
    ).strip("\n")
    plain = escape(body, quote=False).replace("\xa0", "&nbsp;").replace("\n", "<br>\n")
    # Plain texts get links as well.
    is_plain = re.sub(r"</?a\b[^>]*>", "", rendered) == f"<p>{plain}</p>"
    if is_plain or len(rendered) > HTML_MAX_LENGTH or _letters(body) > _letters(shown_text(rendered, body)):
        return None
    # nh3 removes URLs that it cannot parse: “http://a.example:99999/”, “<https://a.example|label>”.
    if _URL_WITHOUT_LINK.search(rendered):
        return None
    return rendered


def shown_text(rendered: str, body: str) -> str:
    """Return what a reader gets of a rendered text: its text, the URLs of its links, and the markers of its blocks.

    Args:
        rendered: the HTML.
        body: the text as typed.
    """
    shown = []
    href = ""
    for place, piece in enumerate(_TAG.split(rendered)):
        if place % 2 == 0:
            text = unescape(piece)
            # A URL that is displayed counts once.
            shown.append(text if not href or href.endswith(text) else f"{text} {href}")
        elif piece.startswith("<a "):
            href = unescape(piece.partition('href="')[2].partition('"')[0])
        elif piece == "</a>":
            href = ""
    markers = markdown_blocks.markers(body) if re.search("<(?:li|pre)", rendered) else ()
    return " ".join((*shown, *markers))


def _letters(text: str) -> int:
    return sum(character.isalnum() for character in text)


@cache
def _parser() -> Any:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": 20})
    parser.enable("strikethrough").disable(_RULES_OFF)
    # Documented hooks. The text of a link is displayed as typed.
    parser.validateLink = lambda url: _ADDRESS.match(url) is not None  # type: ignore[method-assign]
    parser.normalizeLinkText = lambda link: link  # type: ignore[method-assign]
    parser.core.ruler.at("block", _blocks)
    parser.core.ruler.push("roomchat_links", _note_links)
    for name, rule in {
        "newline": _newline,
        "escape": _backslash,
        "backticks": _code,
        "strikethrough": _delimiters,
        "emphasis": _delimiters,
        "link": _link,
    }.items():
        parser.inline.ruler.at(name, rule)
    parser.inline.ruler2.after("balance_pairs", "roomchat_empty_pairs", _drop_empty_pairs)
    parser.add_render_rule("text", _text)
    for name in ("paragraph", "blockquote", "bullet_list", "ordered_list", "list_item"):
        parser.add_render_rule(f"{name}_open", _block_tag)
        parser.add_render_rule(f"{name}_close", _block_tag)
    return parser


# Blocks -----------------------------------------------------------------------------------------------------------


def _blocks(state: Any) -> None:
    """Replace markdown-it-py's block rules."""
    if state.inlineMode:
        return
    state.tokens.extend(_tokens(markdown_blocks.parse(state.src.split("\n")), is_in_item=False))


def _tokens(blocks: list[markdown_blocks.Block], *, is_in_item: bool) -> Iterator[Any]:
    for number, block in enumerate(blocks):
        # No line break between the blocks of an item: the page displays the white space of an item.
        end = "" if is_in_item else "\n"
        if isinstance(block, markdown_blocks.Paragraph):
            inline = [_token("inline", content=block.text, children=[])]
            yield from inline if is_in_item and not number else _wrapped("paragraph", "p", inline, end=end)
        elif isinstance(block, markdown_blocks.CodeBlock):
            yield _token("code_block", "code", content=block.text)
        elif isinstance(block, markdown_blocks.QuoteBlock):
            yield from _wrapped(
                "blockquote", "blockquote", _tokens(block.blocks, is_in_item=False), begin="\n", end=end
            )
        else:
            yield from _list_tokens(block, end)


def _list_tokens(block: markdown_blocks.ListBlock, end: str) -> Iterator[Any]:
    def items() -> Iterator[Any]:
        expected = first
        for item in block.items:
            blocks = _tokens(item.blocks, is_in_item=True)
            value = {} if item.number == expected else {"value": item.number}
            yield from _wrapped("list_item", "li", blocks, end="\n", attrs=value)
            expected = None if item.number is None else item.number + 1

    first = block.items[0].number
    if first is None:
        yield from _wrapped("bullet_list", "ul", items(), begin="\n", end=end)
    else:
        start = {} if first == 1 else {"start": first}
        yield from _wrapped("ordered_list", "ol", items(), begin="\n", end=end, attrs=start)


def _wrapped(
    name: str, tag: str, tokens: Any, *, begin: str = "", end: str = "", attrs: Any = None
) -> Iterator[Any]:
    yield _token(f"{name}_open", tag, nesting=1, attrs=attrs or {}, meta={"after": begin})
    yield from tokens
    yield _token(f"{name}_close", tag, nesting=-1, meta={"after": end})


def _token(name: str, tag: str = "", *, nesting: Any = 0, **attributes: Any) -> Any:
    from markdown_it.token import Token

    return Token(name, tag, nesting, **attributes)


def _block_tag(renderer: Any, tokens: Any, place: int, options: Any, env: Any) -> str:
    token = tokens[place]
    slash = "/" if token.nesting < 0 else ""
    return f"<{slash}{token.tag}{renderer.renderAttrs(token)}>{token.meta['after']}"


# Text -------------------------------------------------------------------------------------------------------------


def _newline(state: Any, silent: bool) -> bool:
    """Keep every line break, and the white space around it."""
    if state.src[state.pos] != "\n":
        return False
    if not silent:
        state.push("hardbreak", "br", 0)
    state.pos += 1
    return True


def _backslash(state: Any, silent: bool) -> bool:
    r"""Keep a backslash and the character after it, as in ``C:\*.txt``; the character is no Markdown."""
    if state.src[state.pos] != "\\" or state.src[state.pos + 1 : state.pos + 2] not in _PUNCTUATION:
        return False
    return _as_typed(state, min(2, state.posMax - state.pos), silent)


def _as_typed(state: Any, length: int, silent: bool) -> bool:
    if not silent:
        state.pending += state.src[state.pos : state.pos + length]
    state.pos += length
    return True


def _code(state: Any, silent: bool) -> bool:
    """Inline code. Line breaks in it are kept."""
    if state.src[state.pos] != "`":
        return False
    runs = re.compile("`+")
    opening = runs.match(state.src, state.pos, state.posMax)
    assert opening is not None
    for closing in runs.finditer(state.src, opening.end(), state.posMax):
        if len(closing[0]) == len(opening[0]):
            break
    else:
        return _as_typed(state, len(opening[0]), silent)
    code = state.src[opening.end() : closing.start()]
    if not code.strip():
        return _as_typed(state, closing.end() - state.pos, silent)
    if not silent:
        token = state.push("code_inline", "code", 0)
        outer = " \n"
        token.content = code[1:-1] if code[0] in outer and code[-1] in outer else code
    state.pos = closing.end()
    return True


def _link(state: Any, silent: bool) -> bool:
    """A link with a visible text. CommonMark's title is not displayed, so a link with one is shown as typed."""
    begin, limit = state.pos, state.posMax
    if state.src[begin] != "[":
        return False
    end = state.md.helpers.parseLinkLabel(state, begin, True)
    if end < 0 or not state.src.startswith("(", end + 1, limit):
        return False
    if not _LABEL.search(state.src, begin + 1, end):
        return False
    found = state.md.helpers.parseLinkDestination(state.src, end + 2, limit)
    href = state.md.normalizeLink(found.str) if found.ok else ""
    if not found.ok or not state.src.startswith(")", found.pos, limit) or not state.md.validateLink(href):
        return False
    if not silent:
        state.pos, state.posMax = begin + 1, end
        state.push("link_open", "a", 1).attrs = {"href": href}
        state.linkLevel += 1
        state.md.inline.tokenize(state)
        state.linkLevel -= 1
        state.push("link_close", "a", -1)
    state.pos, state.posMax = found.pos + 1, limit
    return True


# Emphasis ---------------------------------------------------------------------------------------------------------


def _delimiters(state: Any, silent: bool) -> bool:
    """Emphasis and strikethrough, with CommonMark's rules and the exceptions of :func:`_can_emphasise`."""
    from markdown_it.rules_inline.state_inline import Delimiter

    marker = state.src[state.pos]
    if silent or marker not in "*_~":
        return False
    end = state.pos
    while end < state.posMax and state.src[end] == marker:
        end += 1
    length = end - state.pos
    if (marker == "~" and length != 2) or _is_in_url(state):
        return _as_typed(state, length, silent)
    opens, closes = _can_emphasise(state, end)
    for content in ["~~"] if marker == "~" else marker * length:
        token = state.push("text", "", 0)
        token.content = content
        state.delimiters.append(
            Delimiter(
                marker=ord(marker),
                length=0
                if marker == "~"
                else length,  # as markdown-it-py: the rule of three is for emphasis only
                token=len(state.tokens) - 1,
                end=-1,
                open=opens,
                close=closes,
            )
        )
    state.pos = end
    return True


def _can_emphasise(state: Any, end: int) -> tuple[bool, bool]:
    """Return whether the delimiters at the current position can open and close an emphasis.

    CommonMark's rules do not emphasise a text in quotes or brackets beside a letter of a script without spaces between
    words (“**'중요'**합니다”). Here such letters count as punctuation does. ``2*3*4`` and faces such as ``^_^`` are no emphasis.
    """
    marker = state.src[state.pos]
    before = state.src[state.pos - 1] if state.pos else " "
    after = state.src[end] if end < state.posMax else " "
    if marker == "*" and all(_is_ascii_word(character) for character in (before, after)):
        return False, False
    if before in _PUNCTUATION and after in _PUNCTUATION and before == after:
        return False, False
    if _begins_a_face(before, state.src[state.pos : state.pos + 3]):
        return False, False
    left = not after.isspace() and (not _is_punctuation(after) or _may_adjoin(before))
    right = not before.isspace() and (not _is_punctuation(before) or _may_adjoin(after))
    opens, closes = left, right
    if marker == "_":
        opens = left and (not right or _is_punctuation(before))
        closes = right and (not left or _is_punctuation(after))
        # “__init__.py”, “super().__init__()”
        opens = opens and not (before == "." and state.pos > 1 and _is_in_code(state.src[state.pos - 2]))
        closes = closes and not (after == "(" or (after == "." and state.src[end + 1 : end + 2].isalnum()))
    opens = opens and after not in ")）"
    if marker == "~":  # “네~~알겠습니다~~”
        opens = left and not before.isalnum()
    if before in _PUNCTUATION and after in _PUNCTUATION:
        opens = opens and before in _BEFORE_EMPHASIS and after in _IN_EMPHASIS
    return opens, closes


def _begins_a_face(before: str, text: str) -> bool:
    """Return whether a delimiter is a part of a face, such as “(*´▽`*)” or “_(:3」∠)_”."""
    if text.startswith("_(:"):
        return True
    following = text[1:2]
    is_symbol = following in _FACE_SIGNS or unicodedata.category(following or " ") in ("Sk", "Sm", "So")
    return text[0] == "*" and before in "(（" and "\x7f" < following < "\U0001f000" and is_symbol


def _is_in_code(character: str) -> bool:
    """Return whether a name of a program may end with a character, before a point and another name."""
    return character.isalnum() or character in "_)]"


def _is_ascii_word(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _is_punctuation(character: str) -> bool:
    if character in _PUNCTUATION:
        return True
    return unicodedata.category(character)[0] == "P" and not _WIDE.match(character)


def _may_adjoin(character: str) -> bool:
    """Return whether an emphasis that begins or ends with punctuation can stand beside a character."""
    return (
        character.isspace() or _is_punctuation(character) or unicodedata.category(character) in ("Lo", "Lm")
    )


def _is_in_url(state: Any) -> bool:
    """Return whether the current position is inside a URL of the text, which is a link without Markdown."""
    known = state.env.setdefault("roomchat_urls", {})
    if state.src not in known:
        found, place = [], 0
        for piece, url in links.split(state.src):
            if url:
                found.append((place, place + len(piece)))
            place += len(piece)
        known[state.src] = found
    return any(begin <= state.pos < end for begin, end in known[state.src])


def _drop_empty_pairs(state: Any) -> None:
    """Keep the delimiters around a text without letters: ``*^^*`` and ``**/*`` are typed as they are."""
    for delimiters in (state.delimiters, *(meta["delimiters"] for meta in state.tokens_meta if meta)):
        for opening in delimiters:
            if opening.end >= 0:
                inside = state.tokens[opening.token + 1 : delimiters[opening.end].token]
                if not any(map(_has_letters, inside)):
                    opening.end = -1


def _has_letters(token: Any) -> bool:
    if token.type != "text":
        return bool(token.type != "hardbreak")
    return any(character.isalnum() or not character.isascii() for character in token.content)


# Links ------------------------------------------------------------------------------------------------------------


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
        f'<a href="{escape(url)}">{escape(piece, quote=False)}</a>' if url else escape(piece, quote=False)
        for piece, url in links.split(token.content)
    )
