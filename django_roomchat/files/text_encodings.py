"""Character encodings of plain texts: UTF-8, UTF-16 with a byte order mark, and the older ones of Korea, Japan and China."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable

UTF_8 = "utf-8"
_SAMPLE_LENGTH = 65_536
"""Number of characters that are examined for the script of a text."""
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_OTHERS = re.compile(r"[^\x00-\x7f]")
_SCRIPTS: tuple[tuple[str, str, re.Pattern[str], float], ...] = (
    # Label of the WHATWG, codec of Python, characters of the script, and their share of all that are not ASCII.
    ("shift_jis", "cp932", re.compile(r"[\u3041-\u30ff]"), 0.25),
    ("euc-jp", "euc_jp", re.compile(r"[\u3041-\u30ff]"), 0.25),
    ("euc-kr", "cp949", re.compile(r"[\uac00-\ud7a3]"), 0.9),
)
_CHINESE: tuple[tuple[str, str, int], ...] = (("gb18030", "gb2312", 0xD7), ("big5", "big5", 0xC6))
"""Labels, codecs, and the last first byte of a common character. Single bytes of Cyrillic words are rare characters."""
_COMMON_SHARE = 0.9


class _Candidate:
    """A text that is decoded with one encoding for as long as it is valid."""

    def __init__(self, label: str, codec: str) -> None:
        self.label = label
        self.sample = ""
        self._decoder = codecs.getincrementaldecoder(codec)()

    def accepts(self, chunk: bytes, *, final: bool = False) -> bool:
        """Return whether the chunk is a valid continuation without control characters."""
        try:
            text = self._decoder.decode(chunk, final)
        except UnicodeError:
            return False
        if len(self.sample) < _SAMPLE_LENGTH:
            self.sample += text[: _SAMPLE_LENGTH - len(self.sample)]
        return _CONTROL_CHARACTERS.search(text) is None


def encoding_of(chunks: Iterable[bytes]) -> str | None:
    """Return the encoding of a text as its label in HTTP, such as ``euc-kr``; ``None`` if the content is no text.

    Args:
        chunks: the content, in order. It is read until it cannot be a text.
    """
    candidates: list[_Candidate] | None = None
    for chunk in chunks:
        if candidates is None:
            candidates = _candidates(chunk)
        candidates = [candidate for candidate in candidates if candidate.accepts(chunk)]
        if not candidates:
            return None
    left = [candidate for candidate in candidates or [] if candidate.accepts(b"", final=True)]
    for candidate in left:
        if candidate.label.startswith("utf-"):
            return candidate.label
    samples = {candidate.label: _OTHERS.findall(candidate.sample) for candidate in left}
    for label, _codec, script, share in _SCRIPTS:
        if (others := samples.get(label)) and len(script.findall("".join(others))) >= share * len(others):
            return label
    for label, codec, last in _CHINESE:
        if others := samples.get(label):
            common = sum(character.encode(codec)[0] <= last for character in others)
            if common >= _COMMON_SHARE * len(others):
                return label
    return None


def _candidates(head: bytes) -> list[_Candidate]:
    for mark, label in ((codecs.BOM_UTF16_LE, "utf-16le"), (codecs.BOM_UTF16_BE, "utf-16be")):
        if head.startswith(mark):
            return [_Candidate(label, label)]
    older = [(label, codec) for label, codec, _script, _share in _SCRIPTS]
    older += [(label, codec) for label, codec, _last in _CHINESE]
    return [_Candidate(label, codec) for label, codec in [(UTF_8, UTF_8), *older]]
