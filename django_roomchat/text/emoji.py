"""Recognition of a single emoji by the patterns of Unicode Technical Standard 51, without its tables.

A table of all emoji is outdated with each Unicode version, and Python's is older than the emoji that phones can
type.
The patterns therefore include the whole Unicode blocks for emoji, with their unassigned code points.
"""

from __future__ import annotations

import re

from django_roomchat.errors import BadValue
from django_roomchat.errors import gettext_noop as _

MAX_LENGTH = 64
"""Maximum length of the database column, in characters. The longest emoji in use has 15."""

# Emoji in older blocks that also contain other characters.
_SCATTERED = (
    "©®‼⁉™ℹ↔-↙↩↪⌚⌛⌨⏏⏩-⏳⏸-⏺Ⓜ▪▫▶◀◻-◾☀-☄☎☑☔☕☘☝☠☢☣☦☪☮☯☸-☺♀♂♈-♓♟♠♣♥♦♨♻♾♿⚒-⚗⚙⚛⚜⚠⚡⚧⚪⚫⚰⚱⚽⚾⛄⛅⛈⛎⛏⛑⛓⛔⛩⛪⛰-⛵⛷-⛺⛽"
    "✂✅✈-✍✏✒✔✖✝✡✨✳✴❄❇❌❎❓-❕❗❣❤➕-➗➡➰➿⤴⤵⬅-⬇⬛⬜⭐⭕〰〽㊗㊙"
    "\U0001f004\U0001f0cf\U0001f170\U0001f171\U0001f17e\U0001f17f\U0001f18e\U0001f191-\U0001f19a"
    "\U0001f201\U0001f202\U0001f21a\U0001f22f\U0001f232-\U0001f23a\U0001f250\U0001f251"
)
_BLOCKS = (
    "\U0001f300-\U0001f3fa\U0001f400-\U0001f64f\U0001f680-\U0001f6ff\U0001f7e0-\U0001f7f0"
    "\U0001f90c-\U0001f9ff\U0001fa70-\U0001faff"
)
_TONE = "[\U0001f3fb-\U0001f3ff]"
_ONE = f"[{_SCATTERED}{_BLOCKS}](?:{_TONE}|\ufe0f)?"
_SEQUENCES = "|".join(
    (
        "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f",
        # ZWJ sequences: families and couples have at most four parts.
        f"{_ONE}(?:\u200d{_ONE}){{0,3}}",
        "[\U0001f1e6-\U0001f1ff]{2}",
        "[0-9#*]\ufe0f?\u20e3",
    )
)
_EMOJI = re.compile(_SEQUENCES)
_LARGE_MAX = 3
_LARGE = re.compile(rf"\s*(?:(?![©®™](?!\ufe0f))(?:{_SEQUENCES})\s*){{1,{_LARGE_MAX}}}")


def emoji(given: str) -> str:
    """Validate that a text is a single emoji.

    Args:
        given: the text.

    Returns:
        The same text.

    Raises:
        BadValue: the text is not an emoji, or more than one.
    """
    if not isinstance(given, str) or len(given) > MAX_LENGTH or not _EMOJI.fullmatch(given):
        raise BadValue(_("A reaction must be exactly one emoji."), code="bad_emoji")
    return given


def bare(emoji: str) -> str:
    """Remove the variation selector U+FE0F, so that both spellings of an emoji compare equal: some keyboards omit it."""
    return emoji.replace("\ufe0f", "")


def is_large(body: str) -> bool:
    """Return whether a message is one to three emoji, so that pages show it large.

    ``js/src/timeline/large_emoji.js`` decides in the same way; ``tests/shared/large_emoji.json`` holds the cases of both.
    """
    return len(body) <= (_LARGE_MAX + 1) * MAX_LENGTH and _LARGE.fullmatch(body) is not None
