"""Character encodings of plain texts: UTF-8, UTF-16 with a byte order mark, and the older ones of East Asia and of Windows.

Text in an older encoding has no mark, and its bytes are often valid in several of them. An encoding is assumed only if its
characters look like text in its language: common characters, capital letters only at the beginning of words, accented letters
within words. Otherwise the content is no text.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable
from itertools import chain

UTF_8 = "utf-8"
_CONTEXT_BYTES = 1_000
"""Number of bytes before the first one that is not ASCII which are examined together with it."""
_SAMPLE_LENGTH = 65_536
"""Number of characters that are examined for the language of a text."""
_CONTROL_BYTES = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
"""Control characters that no text contains. No encoding here uses these bytes as a part of another character, except UTF-16."""
_CONTROL_CHARACTERS = re.compile(_CONTROL_BYTES.pattern.decode())
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_MARKS = {codecs.BOM_UTF16_LE: "utf-16le", codecs.BOM_UTF16_BE: "utf-16be"}

# Languages ----------------------------------------------------------------------------------------------------------

_COMMON_SHARE = 0.9
_KANA = re.compile(r"[\u3041-\u30ff]")
_KANA_SHARE = 0.25
_HANGUL = re.compile(r"[\u3131-\u318e\uac00-\ud7a3]")
_CYRILLIC = re.compile(r"[\u0401-\u045f\u0490\u0491]")
_CYRILLIC_WORD = re.compile(r"[A-Za-z\u0401-\u045f\u0490\u0491]+")
_CYRILLIC_COMMON = frozenset("аеиоунтсрвлкмдпяіјїє")
_CYRILLIC_COMMON_SHARE = 0.65
_CYRILLIC_MIN_LETTERS = 3
_PUNCTUATION = frozenset("\xa0‘’‚“”„‹›«»…–—•·§©®™€°")
_WESTERN_SIGNS = _PUNCTUATION | frozenset("¡¿£¥¢½¼¾×÷²³´±ªº")
_WITHIN_WORDS = frozenset("’‘·–—")
_WESTERN_WORD = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿŒœŠšŸŽž]+")
_SIGN_WITHIN_WORD = re.compile(r"(?<=[A-Za-zÀ-ÖØ-öø-ÿ])[^\x00-\x7fÀ-ÖØ-öø-ÿŒœŠšŸŽž](?=[A-Za-zÀ-ÖØ-öø-ÿ])")


def _others(text: str) -> list[str]:
    return [character for character in text if character > "\x7f"]


def _is_most(count: int, whole: int, share: float = _COMMON_SHARE) -> bool:
    return whole > 0 and count >= share * whole


def _has_kana(text: str) -> bool:
    others = _others(text)
    return _is_most(len(_KANA.findall(text)), len(others), _KANA_SHARE)


def _is_korean(text: str) -> bool:
    """Return whether the letters are Hangul, half of it syllables of KS X 1001: its single letters are kana in EUC-JP."""
    letters = [character for character in _others(text) if character.isalpha()]
    hangul = [character for character in letters if _HANGUL.match(character)]
    common = sum(character >= "\uac00" and min(character.encode("cp949")) >= 0xA1 for character in hangul)
    return _is_most(len(hangul), len(letters)) and 2 * common >= len(hangul)


def _is_cyrillic(text: str) -> bool:
    """Return whether the letters form words without Latin letters, with capitals where words have them."""
    letters = "".join(_CYRILLIC.findall(text))
    words = [word for word in _CYRILLIC_WORD.findall(text) if _CYRILLIC.sub("", word) == ""]
    spelt = sum(len(word) for word in words if word[1:].islower() or word.isupper() or len(word) == 1)
    signs = [character for character in _others(text) if not _CYRILLIC.match(character)]
    usual = sum(character in _PUNCTUATION or character == "№" for character in signs)
    common = sum(character in _CYRILLIC_COMMON for character in letters.lower())
    # A Western text may have no accented letter but “è” or “à”, which stands alone.
    joined = sum(len(word) for word in words if len(word) > 1)
    return (
        len(letters) >= _CYRILLIC_MIN_LETTERS
        and 2 * joined >= len(letters)
        and _is_most(spelt, len(letters))
        and _is_most(spelt + usual, len(letters) + len(signs))
        and _is_most(common, len(letters), _CYRILLIC_COMMON_SHARE)
    )


def _is_western(text: str) -> bool:
    """Return whether accented letters stand in words with other letters, and signs beside words."""
    words = [word for word in _WESTERN_WORD.findall(text) if not word.isascii()]
    letters = [len(_others(word)) for word in words]
    spelt = sum(
        count
        for word, count in zip(words, letters, strict=True)
        if len(word) == 1 or (count < len(word) and (word[1:].islower() or word.isupper()))
    )
    signs = [character for character in _others(text) if not _WESTERN_WORD.match(character)]
    usual = sum(sign in _WESTERN_SIGNS for sign in signs)
    usual -= sum(sign not in _WITHIN_WORDS for sign in _SIGN_WITHIN_WORD.findall(text))
    others = sum(letters) + len(signs)
    return _is_most(spelt + usual, others) and 2 * others <= len(text)


def _has_first_bytes(codec: str, *ranges: range) -> Callable[[str], bool]:
    """Return a check whether most characters have a first byte in one of the ranges, where common characters are."""

    def is_common(text: str) -> bool:
        encoded = [character.encode(codec) for character in _others(text)]
        pairs = [raw for raw in encoded if len(raw) == 2]
        return _is_most(sum(any(raw[0] in one for one in ranges) for raw in pairs), len(pairs))

    return is_common


_GUESSES: tuple[tuple[str, str, Callable[[str], bool]], ...] = (
    # Label of the WHATWG's encoding standard, codec of Python, and a check of the text. The first that fits is taken.
    ("shift_jis", "cp932", _has_kana),
    ("euc-kr", "cp949", _is_korean),
    ("euc-jp", "euc_jp", _has_kana),
    ("windows-1251", "cp1251", _is_cyrillic),
    ("windows-1252", "cp1252", _is_western),
    # The first bytes are those of punctuation and of the characters that each standard lists first: the most frequent.
    ("gb18030", "gb2312", _has_first_bytes("gb2312", range(0xA1, 0xA4), range(0xB0, 0xD8))),
    ("shift_jis", "cp932", _has_first_bytes("cp932", range(0x81, 0x82), range(0x88, 0x98))),
    ("big5", "big5", _has_first_bytes("big5", range(0xA1, 0xC7))),
)

# Decoding -----------------------------------------------------------------------------------------------------------


class _Candidate:
    """A text that is decoded with one encoding for as long as it is valid."""

    def __init__(self, codec: str) -> None:
        self.codec = codec
        self.sample = ""
        self._decoder = codecs.getincrementaldecoder(codec)()

    def accepts(self, chunk: bytes, *, final: bool = False) -> bool:
        """Return whether the chunk is a valid continuation."""
        try:
            text = self._decoder.decode(chunk, final)
        except UnicodeError:
            return False
        if len(self.sample) < _SAMPLE_LENGTH:
            self.sample += text[: _SAMPLE_LENGTH - len(self.sample)]
        return True


def encoding_of(chunks: Iterable[bytes]) -> str | None:
    """Return the encoding of a text as its label in HTTP, such as ``euc-kr``; ``None`` if the content is no text.

    Args:
        chunks: the content, in order. The first one contains the byte order mark. It is read until it cannot be a text.
    """
    left = iter(chunks)
    head = next(left, b"")
    content = chain([head], left)
    for mark, label in _MARKS.items():
        if head.startswith(mark):
            return label if _is_utf_16(content, label) else None
    candidates: list[_Candidate] = []
    context = b""
    for chunk in content:
        if _CONTROL_BYTES.search(chunk):
            return None
        if not candidates:
            found = _NOT_ASCII.search(chunk)
            start = len(chunk) if found is None else found.start()
            context = (context + chunk[:start])[-_CONTEXT_BYTES:]
            if found is None:
                continue
            chunk = context + chunk[start:]
            codecs_ = dict.fromkeys([UTF_8, *(codec for _label, codec, _fits in _GUESSES)])
            candidates = [_Candidate(codec) for codec in codecs_]
        candidates = [candidate for candidate in candidates if candidate.accepts(chunk)]
        if not candidates:
            return None
    if not candidates:
        return UTF_8
    samples = {one.codec: one.sample for one in candidates if one.accepts(b"", final=True)}
    if UTF_8 in samples:
        return UTF_8
    return next((label for label, codec, fits in _GUESSES if codec in samples and fits(samples[codec])), None)


def _is_utf_16(content: Iterable[bytes], label: str) -> bool:
    decoder = codecs.getincrementaldecoder(label)()
    try:
        is_text = all(_CONTROL_CHARACTERS.search(decoder.decode(chunk)) is None for chunk in content)
        return is_text and not decoder.decode(b"", True)
    except UnicodeError:
        return False
