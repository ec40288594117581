"""Validation and normalisation of room names, message bodies and other short texts.

Lengths are checked before normalisation: until CPython's fix of gh-149079, NFC of 60,000 combining marks took
2.7 s.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from functools import lru_cache

from django_roomchat.errors import BadRoomName, BadText, BadValue
from django_roomchat.errors import gettext_noop as _
from django_roomchat.text.cleaning import clean_text, trim_text
from django_roomchat.text.values import is_plain

NAME_MAX_LENGTH = 100
KEY_MAX_LENGTH = 300
"""Maximum length of a canonical room name, in characters. Case folding makes a name up to three times as long
(U+0390).
"""
MARKS_MAX = 8
"""Maximum number of consecutive combining marks. Real scripts stay below it; stacks of marks that overlap other
lines exceed it.
"""
ID_MAX_LENGTH = 64
REASON_MAX_LENGTH = 300
ALT_MAX_LENGTH = 500
FILE_NAME_MAX_LENGTH = 100
HIDDEN = "~"
"""First character of the names of private and direct rooms. The rest of such a name is random."""

_ZERO_WIDTH_JOINERS = "\u200c\u200d"
"""Invisible characters that are allowed: Persian words and family emoji need them. All others only help to
imitate a name.
"""
_REPEATED_JOINERS = re.compile(r"(?<=[\u200c\u200d])[\u200c\u200d]+")
_USELESS_JOINERS = re.compile(r"(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])")
"""Joiners that join nothing: beside ASCII and at an end."""
_VARIATION_SELECTORS = dict.fromkeys((0xFE0E, 0xFE0F))
_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_TAG_FLAGS = re.compile("\U0001f3f4[\U000e0020-\U000e007f]+")
"""Flags of regions, which are spelt with tag characters. Tag characters are invisible anywhere else."""
_CLIENT_ID = re.compile(rf"[\x21-\x7e]{{1,{ID_MAX_LENGTH}}}")


def room_title(typed: str, max_length: int = NAME_MAX_LENGTH) -> str:
    """Normalise the title of a room: NFC, trimmed, single spaces.

    Args:
        typed: the title as typed by a user.
        max_length: maximum length, in characters.

    Returns:
        The title as it is displayed.

    Raises:
        BadRoomName: the text is not a valid room name; the detail names the reason.
    """
    if not isinstance(typed, str):
        raise BadRoomName(_("A room's name must be a string, not %(kind)s."), kind=type(typed).__name__)
    if len(typed) > 4 * max_length:
        raise _too_long(len(typed), max_length)
    trimmed = typed.strip(" \t\r\n\u00a0\u3000")
    _check_characters(trimmed)
    title = " ".join(unicodedata.normalize("NFC", trimmed).split())
    if not title or not title.strip(_ZERO_WIDTH_JOINERS + "\ufe0e\ufe0f "):
        raise BadRoomName(_("A room needs a name."))
    if len(title) > max_length:
        raise _too_long(len(title), max_length)
    # After NFC: the same name typed as base letters and marks has more marks.
    if _has_too_many_marks(title):
        raise BadRoomName(
            _("A room's name cannot have more than %(most)d combining marks in a row."), most=MARKS_MAX
        )
    return title


@lru_cache(maxsize=4096)
def room_name(typed: str, max_length: int = NAME_MAX_LENGTH) -> str:
    """Return the canonical name of a room, which is unique and part of the room's URL.

    Two titles have the same canonical name if they differ only in case, normalisation form or outer spaces
    (Unicode's canonical caseless match, ignoring the variation selectors of emoji).

    Args:
        typed: the name as typed by a user.
        max_length: maximum length, in characters.

    Returns:
        The canonical name.

    Raises:
        BadRoomName: the text is not a valid room name; the detail names the reason.
    """
    title = room_title(typed, max_length)
    folded = unicodedata.normalize("NFD", title.translate(_VARIATION_SELECTORS)).casefold()
    name = " ".join(unicodedata.normalize("NFC", folded).split())
    # The canonical name is part of the URL, so it must be valid too: folding can make it longer, or reduce it to “.”.
    if name != title:
        room_title(name, max_length)
    return name


def hidden_name() -> str:
    """Generate a random name for a private or direct room. It cannot be guessed."""
    return HIDDEN + secrets.token_hex(10)


def _too_long(length: int, max_length: int) -> BadRoomName:
    sentence = _("A room's name can have at most %(most)d characters; this one has %(length)d.")
    return BadRoomName(sentence, most=max_length, length=length)


def _check_characters(name: str) -> None:
    if name in (".", "..", HIDDEN):
        raise BadRoomName(_("A room's name cannot be “.”, “..” or “~”; these are reserved in URLs."))
    for character in _TAG_FLAGS.sub("", name):
        category = unicodedata.category(character)
        if character in "/\\":
            raise BadRoomName(_("A room's name cannot contain “/” or “\\”."))
        if character in _BIDI_CONTROLS:
            raise BadRoomName(_("A room's name cannot contain characters that change the text direction."))
        if category == "Cs":
            raise BadRoomName(_("A room's name cannot contain an unpaired surrogate."))
        if category == "Cc" or category in ("Zl", "Zp"):
            raise BadRoomName(_("A room's name cannot contain control characters or line breaks."))
        if (
            (category == "Cf" and character not in _ZERO_WIDTH_JOINERS)
            or category == "Co"
            or _is_noncharacter(character)
        ):
            raise BadRoomName(_("A room's name cannot contain invisible or private characters."))


def _is_noncharacter(character: str) -> bool:
    return ord(character) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(character) <= 0xFDEF


def _has_too_many_marks(text: str) -> bool:
    if text.isascii():
        return False
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if marks > MARKS_MAX:
            return True
    return False


def body(typed: str, max_length: int, *, may_be_empty: bool = False) -> str:
    r"""Normalise the text of a message: cleaned of control characters, NFC, without blank lines at the start and blanks at the end.

    Args:
        typed: the text as typed by a user.
        max_length: maximum length of the cleaned text, in characters.
        may_be_empty: accept an empty text, for example because the message has files.

    Returns:
        The text as it is stored. The indentation of its first line is kept.

    Raises:
        BadText: the text is empty, too long, or contains characters that cannot be stored or displayed; the
            detail names the reason.
    """
    if not isinstance(typed, str):
        raise BadText(_("A message must be a string, not %(kind)s."), kind=type(typed).__name__)
    # Escape sequences of terminals make a text longer than what is displayed.
    if len(typed) > 4 * max_length:
        raise _text_too_long(typed, max_length)
    return _text(trim_text(clean_text(typed)), max_length, may_be_empty)


def _line(typed: str, max_length: int) -> str:
    """Normalise a short text that is not a message, such as a reason. Its control characters are rejected."""
    if not isinstance(typed, str):
        raise BadText(_("A message must be a string, not %(kind)s."), kind=type(typed).__name__)
    return _text(typed.replace("\r\n", "\n").replace("\r", "\n"), max_length, may_be_empty=False).strip()


def _text(text: str, max_length: int, may_be_empty: bool) -> str:
    if len(text) > max_length:
        raise _text_too_long(text, max_length)
    if text.isascii():
        # For ASCII, isprintable() rejects only control characters; tabs and newlines are allowed.
        if not text.replace("\n", "").replace("\t", "").isprintable():
            raise BadText(_("A message cannot contain control characters."))
    else:
        text = _normalized(text)
    if not may_be_empty and not text.strip():
        raise text_missing()
    return text


def _text_too_long(text: str, max_length: int) -> BadText:
    sentence = _("A message can have at most %(most)d characters; this one has %(length)d.")
    return BadText(sentence, most=max_length, length=len(text))


def text_missing() -> BadText:
    """Return the error for a missing text."""
    return BadText(_("A message must contain text."))


def _normalized(text: str) -> str:
    visible = False
    for character in text:
        category = unicodedata.category(character)
        if category == "Cc" and character not in "\n\t":
            raise BadText(_("A message cannot contain control characters."))
        if category == "Cs":
            raise BadText(_("A message cannot contain an unpaired surrogate."))
        visible = (
            visible or category[0] not in "CZM" or category == "Co" or _may_be_later(character, category)
        )
    if not visible:
        return ""
    if _has_too_many_marks(text):
        raise BadText(_("A message cannot have more than %(most)d combining marks in a row."), most=MARKS_MAX)
    return unicodedata.normalize("NFC", text)


def _may_be_later(character: str, category: str) -> bool:
    """Return whether a character may be of a later Unicode than this Python knows, such as a new emoji."""
    return (
        category == "Cn" and not _is_noncharacter(character) and not "\U000e0000" <= character <= "\U000e0fff"
    )


def reason(typed: str) -> str:
    """Normalise the reason of a moderation action or report.

    Args:
        typed: the reason as typed by a user; it may be empty.

    Returns:
        The reason as it is stored: at most 300 characters.

    Raises:
        BadText: the text is too long, or contains characters that cannot be stored or displayed.
    """
    return _line(typed, REASON_MAX_LENGTH) if not isinstance(typed, str) or typed.strip() else ""


def alt(typed: str) -> str:
    """Normalise the alternative text of a file.

    Args:
        typed: the text as typed by a user; it may be empty.

    Returns:
        The text as it is stored: at most 500 characters.

    Raises:
        BadText: the text is too long, or contains characters that cannot be stored or displayed.
    """
    return _line(typed, ALT_MAX_LENGTH) if not isinstance(typed, str) or typed.strip() else ""


def file_name(given: str) -> str:
    """Normalise a file name for display and download.

    Args:
        given: the name from the upload; it may be a path.

    Returns:
        The last part of the path without invisible characters, except joiners between two characters: at most 100
        characters, never empty.
    """
    last = re.split(r"[/\\]", given)[-1][-4 * FILE_NAME_MAX_LENGTH :]
    seen = "".join(
        character
        for character in unicodedata.normalize("NFC", last)
        if character in _ZERO_WIDTH_JOINERS
        or unicodedata.category(character)[0] != "C"
        or _may_be_later(character, unicodedata.category(character))
    )
    seen = _USELESS_JOINERS.sub("", _REPEATED_JOINERS.sub("", seen))
    if _has_too_many_marks(seen):
        seen = "".join(character for character in seen if unicodedata.category(character) not in ("Mn", "Me"))
    name = " ".join(seen.split()).strip(". ")
    if len(name) > FILE_NAME_MAX_LENGTH:
        stem, dot, ending = name.rpartition(".")
        ending = f"{dot}{ending}" if stem and len(ending) <= 16 else ""
        name = name[: FILE_NAME_MAX_LENGTH - len(ending)].rstrip(". ") + ending
    return name or "file"


def person_name(typed: str, max_length: int) -> str:
    """Normalise a display name: NFC, trimmed, single spaces.

    Args:
        typed: the name as typed by a user.
        max_length: maximum length, in characters.

    Returns:
        The name as it is stored.

    Raises:
        BadValue: the name is empty, too long, or contains invisible characters; the detail names the reason.
    """
    if not isinstance(typed, str) or len(typed) > 4 * max_length:
        raise _bad_name(max_length)
    # Before split(), which takes some control characters for spaces.
    if not is_plain(typed.strip(" \t\r\n")):
        raise BadValue(_("A name cannot contain control characters."), code="bad_name")
    name = " ".join(unicodedata.normalize("NFC", typed).split())
    if not 0 < len(name) <= max_length:
        raise _bad_name(max_length)
    categories = [unicodedata.category(character) for character in name.replace(" ", "")]
    if any(category[0] in "CZ" for category in categories) or _has_too_many_marks(name):
        raise BadValue(
            _("A name cannot contain invisible characters or stacks of combining marks."), code="bad_name"
        )
    if not any(category[0] in "LN" for category in categories):
        raise BadValue(_("A name must contain a letter or a digit."), code="bad_name")
    return name


def _bad_name(max_length: int) -> BadValue:
    return BadValue(_("A name must have 1 to %(most)d characters."), most=max_length, code="bad_name")


def safe_url(given: str) -> str:
    """Return a URL if it is safe to use in a link: an ``http`` or ``https`` URL, or a path on this site.

    Args:
        given: the URL.

    Returns:
        The URL, or an empty string if it is not safe.
    """
    is_path = given.startswith("/") and not given.startswith(("//", "/\\"))
    is_plain = all(character > " " and character not in '"<>\\' for character in given)
    return given if is_plain and (is_path or given.lower().startswith(("http://", "https://"))) else ""


def client_id(given: str) -> str:
    """Validate the identifier that a client gave its message.

    Args:
        given: the identifier.

    Returns:
        The same identifier.

    Raises:
        BadValue: it is not 1 to 64 visible ASCII characters.
    """
    if not isinstance(given, str) or not _CLIENT_ID.fullmatch(given):
        raise BadValue(
            _("A message's id must have 1 to %(most)d visible ASCII characters, preferably a UUID."),
            most=ID_MAX_LENGTH,
        )
    return given
