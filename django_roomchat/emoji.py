"""What one emoji is: the shapes of Unicode's technical standard 51, without its tables.

A table of all emoji is old with every new version of Unicode, and Python's is older than what phones can type.
So the blocks that Unicode keeps for emoji are taken whole, with what is still unassigned in them.
"""

from __future__ import annotations

import re

from django_roomchat.errors import BadValue
from django_roomchat.errors import gettext_noop as _

MAX_LENGTH = 64
"""Of the column, in characters. The longest emoji in use have 15."""

# Those that are scattered over older blocks.
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
_EMOJI = re.compile(
    "|".join(
        (
            # Families and couples are of four at most.
            f"{_ONE}(?:\u200d{_ONE}){{0,3}}",
            "[\U0001f1e6-\U0001f1ff]{2}",
            "[0-9#*]\ufe0f?\u20e3",
            "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f",
        )
    )
)


def emoji(given: str) -> str:
    """The emoji, if it is one.

    Raises:
        BadValue: it is something else, or more than one.
    """
    if not isinstance(given, str) or len(given) > MAX_LENGTH or not _EMOJI.fullmatch(given):
        raise BadValue(_("A reaction must be exactly one emoji."), code="bad_emoji")
    return given


def bare(emoji: str) -> str:
    """What two spellings of an emoji have in common: some keyboards leave out that it shall be shown in colour."""
    return emoji.replace("\ufe0f", "")
