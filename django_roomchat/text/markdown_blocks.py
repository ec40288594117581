"""Block structure of a Markdown text: paragraphs, lists, quotes and fenced code.

It differs from CommonMark where CommonMark changes what a chat message means: a single numbered line is a date or a
sentence, a quote ends with its last marked line, indentation is not code, an unclosed fence is not code, and a marker without text
is text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

DEPTH_MAX = 6
"""Maximum depth of nested quotes and lists. Deeper markers are text."""
_LANGUAGES = """asm bash bat c clojure cpp c++ cs csharp c# css csv dart diff docker dockerfile elixir elm erlang fish f# fsharp go
    golang graphql groovy haskell hs html http ini java javascript js json json5 jsonc jsx julia kotlin kt latex less lisp
    lua make makefile markdown matlab md mermaid nginx nim nix objc objective-c ocaml patch perl php plain plaintext
    powershell prolog proto ps1 py python r rb regex ruby rs rst rust sass scala scheme scss sh shell sql svelte swift tex
    text toml ts tsx txt typescript vb vim vue wasm xml yaml yml zig zsh"""
LANGUAGES = frozenset(_LANGUAGES.split())
"""Words that can follow an opening fence without being displayed. Any other text there is the first line of the code."""

_ITEM = re.compile(r"[ \t]*(?:([-*])|(0|[1-9][0-9]{0,2})([.)]))[ \t]+(\S.*)")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*(.*)")
_QUOTE = re.compile(r" {0,3}>+(?:[ \t]|$)")
_QUOTE_MARKER = re.compile(r" {0,3}>[ \t]?")
_VISIBLE = re.compile(r"[^\s*_+>~`-]")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines of text."""

    text: str


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """Fenced code."""

    text: str


@dataclass(frozen=True, slots=True)
class QuoteBlock:
    """Quoted blocks."""

    blocks: list[Block]


@dataclass(frozen=True, slots=True)
class ListItem:
    """ListItem of a list. Its first block is a paragraph."""

    number: int | None
    blocks: list[Block]


@dataclass(frozen=True, slots=True)
class ListBlock:
    """Bulleted list, or numbered list if its items have numbers."""

    items: list[ListItem] = field(default_factory=list)


Block = Paragraph | CodeBlock | QuoteBlock | ListBlock


def parse(lines: list[str], depth: int = 0) -> list[Block]:
    """Return the blocks of a text.

    Args:
        lines: the lines of the text.
        depth: number of quotes and lists around the text.
    """
    blocks: list[Block] = []
    paragraph: list[str] = []
    place = 0
    while place < len(lines):
        line = lines[place]
        found = _block(lines, place, depth) if line.strip() else None
        if paragraph and (found or not line.strip()):
            blocks.append(Paragraph("\n".join(paragraph)))
            paragraph = []
        if found:
            block, place = found
            blocks.append(block)
            continue
        if line.strip():
            paragraph.append(line)
        place += 1
    if paragraph:
        blocks.append(Paragraph("\n".join(paragraph)))
    return blocks


def markers(text: str) -> list[str]:
    """Return the numbers of list items and the languages of fences in a text: syntax that is not displayed as text."""
    found = []
    for line in text.split("\n"):
        unquoted = line.lstrip("> \t")
        if match := _ITEM.match(unquoted):
            found.append(match[2] or "")
        elif (match := _FENCE.match(unquoted)) and match[2].strip().lower() in LANGUAGES:
            found.append(match[2])
    return found


def _block(lines: list[str], place: int, depth: int) -> tuple[Block, int] | None:
    """Return the code, quote or list that begins at a line, and the number of the line after it."""
    if match := _FENCE.match(lines[place]):
        return _code(lines, place, match[1], match[2].rstrip())
    if depth >= DEPTH_MAX:
        return None
    if _QUOTE.match(lines[place]):
        return _quote(lines, place, depth)
    return _list(lines, place, depth) if _ITEM.match(lines[place]) else None


def _code(lines: list[str], place: int, fence: str, info: str) -> tuple[Block, int] | None:
    if fence[0] in info:  # inline code, or a struck text
        return None
    closing = re.compile(
        rf" {{0,3}}{fence[0]}{{{len(fence)},}}[ \t]*$|([^`]*[^`\s])`{{{len(fence)},}}[ \t]*$"
    )
    code = [] if info.lower() in LANGUAGES or not info else [info]
    for end in range(place + 1, len(lines)):
        if match := closing.match(lines[end]):
            if match[1] is not None and fence[0] == "~":
                code.append(lines[end])
                continue
            code += [match[1]] if match[1] else []
            return (CodeBlock("\n".join(code) + "\n"), end + 1) if "".join(code).strip() else None
        code.append(lines[end])
    return None


def _quote(lines: list[str], place: int, depth: int) -> tuple[Block, int] | None:
    inner = []
    while place < len(lines) and _QUOTE.match(lines[place]):
        inner.append(_QUOTE_MARKER.sub("", lines[place], count=1))
        place += 1
    is_empty = not re.search(r"[^\s>]", "".join(inner))
    return None if is_empty else (QuoteBlock(parse(inner, depth + 1)), place)


def _list(lines: list[str], place: int, depth: int) -> tuple[Block, int] | None:
    items: list[ListItem] = []
    indent, kind, end = _indent(lines[place]), _kind(lines[place]), place
    while (
        place < len(lines)
        and kind
        and _kind(lines[place]) == kind
        and abs(_indent(lines[place]) - indent) < 2
    ):
        match = _ITEM.match(lines[place])
        assert match is not None
        number = int(match[2]) if match[2] else None
        if items and not _follows(items[-1].number, number):
            break
        end = _end_of_item(lines, place + 1, indent)
        items.append(ListItem(number, _item_blocks(match[4], lines[place + 1 : end], depth)))
        place = _next_line(lines, end)
    # A single number is a date or begins a sentence, and “- 5” is a number.
    is_text = not items or (len(items) == 1 and (kind in (".", ")") or _starts_with_number(items[0])))
    return None if is_text else (ListBlock(items), end)


def _kind(line: str) -> str:
    """Return the kind of a list item by its marker; empty for other lines and for items without text."""
    match = _ITEM.match(line)
    return (match[1] or match[3]) if match and _VISIBLE.search(match[4]) else ""


def _follows(number: int | None, following: int | None) -> bool:
    if number is None or following is None:
        return number is following
    return following == number + 1 or following == number == 1


def _starts_with_number(item: ListItem) -> bool:
    [first, *_] = item.blocks
    return isinstance(first, Paragraph) and first.text[0].isdigit()


def _end_of_item(lines: list[str], place: int, indent: int) -> int:
    """Return the line after an item: it contains all following lines with more indentation, and blank lines between them."""
    while (following := _next_line(lines, place)) < len(lines) and _indent(lines[following]) >= indent + 2:
        place = following + 1
    return place


def _next_line(lines: list[str], place: int) -> int:
    """Return the next line that is not blank."""
    while place < len(lines) and not lines[place].strip():
        place += 1
    return place


def _item_blocks(text: str, lines: list[str], depth: int) -> list[Block]:
    least = min((_indent(line) for line in lines if line.strip()), default=0)
    blocks = parse([_dedented(line, least) for line in lines], depth + 1)
    if blocks and isinstance(blocks[0], Paragraph) and lines[0].strip():
        return [Paragraph(f"{text}\n{blocks[0].text}"), *blocks[1:]]
    return [Paragraph(text), *blocks]


def _indent(line: str) -> int:
    """Return the width of the white space at the beginning of a line."""
    return len(line[: len(line) - len(line.lstrip(" \t"))].expandtabs(4))


def _dedented(line: str, width: int) -> str:
    rest = line.lstrip(" \t")
    return " " * max(0, _indent(line) - width) + rest
