r"""Cleaning of message texts: control characters and escape sequences that office programs and terminals put on the clipboard.

``js/src/core/clean_text.js`` does the same in the browser; ``tests/shared/cleaning.json`` holds the cases of both.
"""

from __future__ import annotations

import re

_SUSPICIOUS = re.compile("[\x01-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_ESCAPE_SEQUENCES = re.compile(
    "\x1b\\[(?:[0-?]+ ?)?[!-/]*[@-~]"  # CSI: colours, cursor movements
    "|\x9b[0-?]+ ?[!-/]*[@-~]"  # CSI in one character; its parameters tell it from a stray byte of Windows-1252
    "|\x1b\\][^\x07\x1b\n]*(?:\x07|\x1b\\\\)"  # OSC: titles, hyperlinks
    "|\x1b[PX^_][^\x1b\n]*\x1b\\\\"  # DCS, SOS, PM, APC
    "|\x1b[()*+][AB0-2]"  # character sets: "tput sgr0" sends one
    "|\x1b[78=>]"  # cursor saved and restored, keypad mode
)
_OVERSTRIKE = re.compile("_\x08(?=[^\n])|([^\n])\x08(?=\\1)")
"""Bold and underlined characters in the pages of ``man``."""
_LINE_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
"""Line breaks: CR LF, CR, VT (Shift+Enter in Word), FF (a new page), NEL, LINE SEPARATOR, PARAGRAPH SEPARATOR."""
_CONTROLS = re.compile("[\x01-\x08\x0e-\x1f\x7f-\x9f]")
_BLANK_LINES = re.compile(r"\A\s*\n")


def clean_text(text: str) -> str:
    r"""Return a text with ``\n`` for every kind of line break, and without escape sequences and control characters.

    Tabs are kept. NUL is kept too, because no program puts it into a text on purpose: the validation rejects it.

    Args:
        text: the text as typed or pasted by a user.
    """
    if _SUSPICIOUS.search(text) is None:
        return text
    text = _ESCAPE_SEQUENCES.sub("", text)
    text = _OVERSTRIKE.sub("", text)
    return _CONTROLS.sub("", _LINE_BREAKS.sub("\n", text))


def trim_text(text: str) -> str:
    """Return a cleaned text without blank lines at the start and without white space at the end. The first line keeps its indentation.

    Args:
        text: the text, as :func:`clean_text` returned it.
    """
    return _BLANK_LINES.sub("", text).rstrip()
