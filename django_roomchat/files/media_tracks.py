"""Brands and tracks of MP4, QuickTime and WebM files: whether a file contains an image, a video, or sound only.

Files from phones have their list of tracks at the end, so that the boxes before it are skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_ELEMENTS_MAX = 10_000
"""Maximum number of boxes or elements that are read."""
_IMAGE_BRANDS = re.compile(rb"avi[fs]|hei[cxms]|hev[cxms]|mif[12]|msf1|crx |jp[2xm] ")
_IMAGE_TYPES = (("image/avif", re.compile(rb"avi[fs]")), ("image/heic", re.compile(rb"hei[cxms]|hev[cxms]")))
_VIDEO_BRANDS = re.compile(
    rb"isom|iso[2-9a-c]|mp4[12]|avc1|M4V.|dash|MSNV|mmp4|3g[a-z2].|[fF]4[vVpPaAbB] |XAVC|NDS[A-Z]|caqv|piff"
)
_BOXES = frozenset({b"moov", b"trak", b"mdia"})
_OLD_QUICKTIME = re.compile(rb"[\x00-\x07]...(?:moov|mdat|wide|free|skip|pnot)", re.DOTALL)
_SEGMENT, _TRACKS, _TRACK_ENTRY = b"\x18\x53\x80\x67", b"\x16\x54\xae\x6b", b"\xae"
_TRACK_TYPE, _CLUSTER = b"\x83", b"\x1f\x43\xb6\x75"


class ChunkReader:
    """Reader of a file that arrives in chunks.

    Args:
        chunks: the content, in order.
    """

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._buffer = chunks, b""
        self.position = 0

    def read(self, count: int) -> bytes:
        """Return the next bytes; fewer at the end of the file."""
        while len(self._buffer) < count and (chunk := next(self._chunks, b"")):
            self._buffer += chunk
        piece, self._buffer = self._buffer[:count], self._buffer[count:]
        self.position += len(piece)
        return piece

    def skip(self, count: int) -> None:
        """Read bytes without keeping them."""
        while count > len(self._buffer):
            count -= len(self._buffer)
            self.position += len(self._buffer)
            self._buffer = next(self._chunks, b"")
            if not self._buffer:
                return
        self.read(count)


def container_of(head: bytes) -> str | None:
    """Return the container format by its brands, as a content type: ``None`` if it is none of MP4, QuickTime, AVIF and HEIC.

    The compatible brands count if the major brand is not known.

    Args:
        head: beginning of the file.
    """
    if _OLD_QUICKTIME.match(head):
        return "video/quicktime"
    if head[4:8] != b"ftyp":
        return None
    end = min(int.from_bytes(head[:4], "big"), len(head))
    major = head[8:12]
    compatible = [head[start : start + 4] for start in range(16, end - 3, 4)]
    if major[:3] == b"M4A" or major[:3] == b"M4B":
        return "audio/mp4"
    if _IMAGE_BRANDS.fullmatch(major):
        # The brands mif1 and msf1 say nothing about the codec of the image.
        brands = [major] if major[:3] not in (b"mif", b"msf") else compatible
        return next(
            (kind for kind, own in _IMAGE_TYPES if any(own.fullmatch(brand) for brand in brands)), None
        )
    if major == b"qt  ":
        return "video/quicktime"
    if any(_VIDEO_BRANDS.fullmatch(brand) for brand in (major, *compatible)):
        return "video/mp4"
    return "video/quicktime" if b"qt  " in compatible else None


def box_tracks(reader: ChunkReader) -> set[bytes]:
    """Return the handler types of the tracks of an MP4 or QuickTime file, such as ``vide`` and ``soun``."""
    found: set[bytes] = set()
    end = None
    for _count in range(_ELEMENTS_MAX):
        start = reader.position
        header = reader.read(8)
        if len(header) < 8 or (end is not None and start >= end):
            break
        size, name, length = int.from_bytes(header[:4], "big"), header[4:], 8
        if size == 1:
            size, length = int.from_bytes(reader.read(8), "big"), 16
        if size < length:
            break
        if name == b"moov":
            end = start + size
        if name in _BOXES:
            continue
        if name == b"hdlr":
            found.add(reader.read(12)[8:])
        reader.skip(max(0, start + size - reader.position))
    return found


def webm_tracks(reader: ChunkReader) -> set[int]:
    """Return the track types of a WebM file: 1 for video, 2 for sound."""
    found: set[int] = set()
    for _count in range(_ELEMENTS_MAX):
        name, size = _variable(reader, is_size=False), _variable(reader, is_size=True)
        if not name or not size or name == _CLUSTER:
            break
        if name in (_SEGMENT, _TRACKS, _TRACK_ENTRY):
            continue
        length = int.from_bytes(size, "big")
        if name == _TRACK_TYPE and length <= 8:
            found.add(int.from_bytes(reader.read(length), "big"))
        else:
            reader.skip(length)
    return found


def _variable(reader: ChunkReader, *, is_size: bool) -> bytes:
    """Return a number of variable length; empty at the end of the file. The zeros before its first bit are its length."""
    first = reader.read(1)
    if not first or not first[0]:
        return b""
    length = 9 - first[0].bit_length()
    if is_size:
        first = bytes([first[0] & ((1 << (8 - length)) - 1)])
    return first + reader.read(length - 1)
