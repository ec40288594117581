"""Content types, detected from the content: file names and the browser's ``Content-Type`` cannot be trusted.

A type with a signature is recognised by it; MP4, QuickTime and WebM also by their tracks, as sound or video. A file with
only printable characters is plain text. HTML, SVG and scripts are also plain text and are served as such.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from django_roomchat.files import media_tracks, text_encodings
from django_roomchat.files.media_tracks import ChunkReader

HEAD_BYTES = 4096
"""Number of bytes at the beginning of a file that the signatures need."""
TEXT = "text/plain"
UNKNOWN = "application/octet-stream"

EXTENSIONS: dict[str, tuple[str, ...]] = {
    "image/jpeg": ("jpg", "jpeg", "jpe", "jfif"),
    "image/png": ("png", "apng"),
    "image/gif": ("gif",),
    "image/webp": ("webp",),
    "image/avif": ("avif", "avifs"),
    "image/heic": ("heic", "heif", "hif", "heics"),
    "application/pdf": ("pdf",),
    "application/zip": ("zip",),
    "application/x-ole-storage": ("doc", "xls", "ppt", "hwp", "msg"),
    "application/x-7z-compressed": ("7z",),
    "application/vnd.rar": ("rar",),
    "application/gzip": ("gz", "tgz"),
    "audio/aac": ("aac",),
    "audio/flac": ("flac",),
    "audio/mp4": ("m4a", "m4b", "m4r", "mp4", "3gp", "3gpp", "3g2", "f4a", "f4b", "mov", "qt"),
    "audio/mpeg": ("mp3",),
    "audio/ogg": ("ogg", "oga", "opus"),
    "audio/wav": ("wav",),
    "audio/webm": ("weba", "webm"),
    "video/mp4": ("mp4", "m4v", "3gp", "3gpp", "3g2", "f4v", "mov"),
    "video/ogg": ("ogv", "ogg"),
    "video/quicktime": ("mov", "qt", "mp4", "m4v"),
    "video/webm": ("webm",),
    TEXT: ("txt",),
    UNKNOWN: ("bin",),
}
"""Recognised content types and their file name extensions. Texts, archives and unknown types have many other
extensions.
"""
OPAQUE = frozenset(
    {"application/x-ole-storage", "application/x-7z-compressed", "application/vnd.rar", "application/gzip"}
)
"""Recognised types that :data:`UNKNOWN` in the settings also allows: office documents before 2007, and archives."""
_MORE_EXTENSIONS = {
    TEXT: "csv tsv md log json xml yml yaml toml ini cfg conf rtf srt vtt ics vcf html htm svg css js ts py java c h cpp cs go"
    " rs rb php sh bat ps1 sql tex diff patch",
    "application/zip": "docx xlsx pptx docm xlsm pptm odt ods odp odg hwpx epub pages numbers key",
    "application/x-ole-storage": "hwt dot xlt pps mpp pub",
}
"""Frequent extensions of the types that have many."""
_LABELS: dict[str, tuple[str, ...]] = {
    "image/jpeg": ("JPEG",),
    "image/png": ("PNG",),
    "image/gif": ("GIF",),
    "image/webp": ("WebP",),
    "image/avif": ("AVIF",),
    "image/heic": ("HEIC",),
    "application/pdf": ("PDF",),
    TEXT: (_("text files"),),
    "application/zip": ("ZIP", _("Office documents")),
    "application/x-ole-storage": (_("old Office documents"), "HWP"),
    "application/x-7z-compressed": ("7z",),
    "application/vnd.rar": ("RAR",),
    "application/gzip": ("GZIP",),
    "audio/aac": ("AAC",),
    "audio/flac": ("FLAC",),
    "audio/mp4": ("M4A",),
    "audio/mpeg": ("MP3",),
    "audio/ogg": ("Ogg",),
    "audio/wav": ("WAV",),
    "audio/webm": ("WebM",),
    "video/mp4": ("MP4",),
    "video/ogg": ("Ogg",),
    "video/quicktime": ("MOV",),
    "video/webm": ("WebM",),
}
"""Names of the types for users."""
_MANY_EXTENSIONS = (TEXT, "application/zip", "application/x-ole-storage", "application/gzip", UNKNOWN)
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
        (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
        (rb"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
        (rb"Rar!\x1a\x07[\x00\x01]", "application/vnd.rar"),
        (rb"\x1f\x8b\x08", "application/gzip"),
    )
)


def detect(chunks: Iterable[bytes]) -> str:
    """Detect the content type of a file.

    Args:
        chunks: the content, in order. It is read to the end only if the beginning has no signature.

    Returns:
        A key of :data:`EXTENSIONS`. A text in another encoding than UTF-8 has a parameter: ``text/plain; charset=euc-kr``.
    """
    left = iter(chunks)
    head = b""
    while len(head) < HEAD_BYTES and (chunk := next(left, b"")):
        head += chunk
    content = chain([head], left)
    if (kind := _by_signature(head[:HEAD_BYTES])) is not None:
        return _by_tracks(kind, content) if kind == "video/webm" else kind
    if (kind := media_tracks.container_of(head[:HEAD_BYTES])) is not None:
        return _by_tracks(kind, content, needs_tracks=head[4:8] != b"ftyp")
    encoding = text_encodings.encoding_of(content)
    if encoding is None:
        return UNKNOWN
    return TEXT if encoding == text_encodings.UTF_8 else f"{TEXT}; charset={encoding}"


def without_charset(kind: str) -> str:
    """Return a content type without its parameter."""
    return kind.partition(";")[0]


def in_words(kinds: Iterable[str]) -> str:
    """Return the names of content types for users, in the active language, such as “JPEG, PNG, text files”."""
    labels = [gettext(label) for kind in kinds for label in _LABELS.get(kind, (kind,))]
    return ", ".join(dict.fromkeys(labels))


def for_chooser(kinds: Iterable[str]) -> str:
    """Return the value of ``accept`` with which a file chooser offers files of these content types; empty for all files.

    Choosers go by the extension, and operating systems know different types for it, so both are listed.
    """
    kinds = list(kinds)
    if UNKNOWN in kinds:
        return ""
    types = ["text/*" if kind == TEXT else kind for kind in kinds]
    extensions = [
        f".{extension}"
        for kind in kinds
        for extension in (*EXTENSIONS.get(kind, ()), *_MORE_EXTENSIONS.get(kind, "").split())
    ]
    return ",".join(dict.fromkeys([*types, *extensions]))


def _by_signature(head: bytes) -> str | None:
    return next((kind for pattern, kind in _SIGNATURES if pattern.match(head)), None)


def _by_tracks(kind: str, content: Iterator[bytes], *, needs_tracks: bool = False) -> str:
    """Return the type of a container: sound if no track is a video.

    Args:
        kind: type of the container with a video.
        content: the content, in order.
        needs_tracks: whether a file without tracks is of an unknown type.
    """
    if not kind.startswith("video/"):
        return kind
    if kind == "video/webm":
        tracks = media_tracks.webm_tracks(ChunkReader(content))
        return "audio/webm" if 2 in tracks and 1 not in tracks else kind
    handlers = media_tracks.box_tracks(ChunkReader(content))
    if needs_tracks and not handlers:
        return UNKNOWN
    return "audio/mp4" if b"soun" in handlers and b"vide" not in handlers else kind


def corrected_name(name: str, kind: str, *, given: str | None = None) -> str:
    """Return a file name whose extension does not suggest another content type.

    Args:
        name: name of the file.
        kind: detected content type, or the one that an image was converted to.
        given: content type before the conversion. An extension of it is replaced.

    Returns:
        The name, with an extension appended if its own does not fit.
    """
    stem, dot, extension = name.rpartition(".")
    extension = extension.lower() if dot else ""
    kind = without_charset(kind)
    own = EXTENSIONS[kind]
    is_converted = given is not None and without_charset(given) != kind
    if given is not None and is_converted and stem and extension in EXTENSIONS[given]:
        return f"{stem}.{own[0]}"
    if extension in own or (kind in _MANY_EXTENSIONS and extension not in _RECOGNISED):
        return name
    return f"{name}.{own[0]}"
