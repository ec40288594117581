"""Content types, detected from the content: file names and the browser's ``Content-Type`` cannot be trusted.

A type with a signature is recognised by it. A file with only printable characters is plain text. HTML, SVG and
scripts are also plain text and are served as such.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from itertools import chain

HEAD_BYTES = 4096
"""Number of bytes at the beginning of a file that the signatures need."""
TEXT = "text/plain"
UNKNOWN = "application/octet-stream"

EXTENSIONS: dict[str, tuple[str, ...]] = {
    "image/jpeg": ("jpg", "jpeg", "jpe", "jfif"),
    "image/png": ("png", "apng"),
    "image/gif": ("gif",),
    "image/webp": ("webp",),
    "application/pdf": ("pdf",),
    "application/zip": ("zip",),
    "audio/aac": ("aac",),
    "audio/flac": ("flac",),
    "audio/mp4": ("m4a", "m4b", "mp4"),
    "audio/mpeg": ("mp3",),
    "audio/ogg": ("ogg", "oga", "opus"),
    "audio/wav": ("wav",),
    "video/mp4": ("mp4", "m4v"),
    "video/ogg": ("ogv", "ogg"),
    "video/quicktime": ("mov", "qt"),
    "video/webm": ("webm",),
    TEXT: ("txt",),
    UNKNOWN: ("bin",),
}
"""Recognised content types and their file name extensions. Texts, archives and unknown types have many other
extensions.
"""
_MANY_EXTENSIONS = (TEXT, "application/zip", UNKNOWN)
_RECOGNISED = {
    extension
    for kind, extensions in EXTENSIONS.items()
    if kind not in (TEXT, UNKNOWN)
    for extension in extensions
}

_SIGNATURES: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), kind)
    for pattern, kind in (
        (rb"\xff\xd8\xff", "image/jpeg"),
        (rb"\x89PNG\r\n\x1a\n", "image/png"),
        (rb"GIF8[79]a", "image/gif"),
        (rb"RIFF....WEBP", "image/webp"),
        (rb"RIFF....WAVE", "audio/wav"),
        (rb"%PDF-\d", "application/pdf"),
        (rb"PK(?:\x03\x04|\x05\x06)", "application/zip"),
        (rb"fLaC", "audio/flac"),
        (rb"\xff[\xf0\xf1\xf8\xf9]", "audio/aac"),
        (rb"ID3[\x02-\x04]|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]", "audio/mpeg"),
        (rb"OggS\x00.{20,}?\x80theora", "video/ogg"),
        (rb"OggS\x00", "audio/ogg"),
        (rb"\x1a\x45\xdf\xa3.{1,60}?\x42\x82.{1,8}?webm", "video/webm"),
        (rb"....ftypM4[AB]", "audio/mp4"),
        (rb"....ftypqt  ", "video/quicktime"),
        (rb"....ftyp(?:isom|iso[2-9]|mp4[12]|avc1|M4V|dash|MSNV|mmp4|3gp)", "video/mp4"),
    )
)
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")


def detect(chunks: Iterable[bytes]) -> str:
    """Detect the content type of a file.

    Args:
        chunks: the content, in order. It is read to the end only if the beginning has no signature.

    Returns:
        A key of :data:`EXTENSIONS`.
    """
    left = iter(chunks)
    head = b""
    while len(head) < HEAD_BYTES and (chunk := next(left, b"")):
        head += chunk
    if (kind := _by_signature(head[:HEAD_BYTES])) is not None:
        return kind
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_text = all(_is_text(decoder, chunk) for chunk in chain([head], left))
    return TEXT if is_text and _is_text(decoder, b"", final=True) else UNKNOWN


def _by_signature(head: bytes) -> str | None:
    return next((kind for pattern, kind in _SIGNATURES if pattern.match(head)), None)


def _is_text(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        return _CONTROL_CHARACTERS.search(decoder.decode(chunk, final)) is None
    except UnicodeDecodeError:
        return False


def corrected_name(name: str, kind: str) -> str:
    """Return a file name whose extension does not suggest another content type.

    Args:
        name: name of the file.
        kind: detected content type.

    Returns:
        The name, with an extension appended if its own does not fit.
    """
    _stem, dot, extension = name.rpartition(".")
    extension = extension.lower() if dot else ""
    own = EXTENSIONS[kind]
    if extension in own or (kind in _MANY_EXTENSIONS and extension not in _RECOGNISED):
        return name
    return f"{name}.{own[0]}"
