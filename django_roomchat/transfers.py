"""Files on their way through HTTP: no more is read of an upload than is taken, and what is handed out is run by no browser."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from typing import IO, Any

from asgiref.sync import sync_to_async
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.http import content_disposition_header, parse_etags
from django.utils.translation import gettext_noop as _

from django_roomchat import attachments, images, reports, storage
from django_roomchat.conf import config
from django_roomchat.errors import BadValue, TryAgain
from django_roomchat.models import Attachment

FORM_BYTES = 262_144
"""What a form may have besides its files."""
CACHE_SECONDS = 3600
"""How long a browser shows what it has without asking again."""
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


# In -----------------------------------------------------------------------------------------------------------------


class _Capped(FileUploadHandler):
    """Ends the reading of a form as soon as one of its files is too big, or there are too many."""

    def __init__(self, request: HttpRequest, files_max: int) -> None:
        super().__init__(request)
        self.files_left = files_max
        self.refusal: Exception | None = None

    def new_file(self, *about: Any, **more: Any) -> None:
        super().new_file(*about, **more)
        self.files_left -= 1
        if self.files_left < 0:
            self._stop(BadValue(_("Too many files at once."), code="too_many"))

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        if start + len(raw_data) > config().ATTACHMENT_MAX_BYTES:
            self._stop(attachments.too_big())
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None

    def _stop(self, refusal: Exception) -> None:
        self.refusal = refusal
        raise StopUpload(connection_reset=True)


def read_at_most(request: HttpRequest, files_max: int) -> None:
    """Say how much of a form may be read. Call it before anything looks into the form, which the check of its origin does.

    Args:
        request: whose form it is.
        files_max: files in it.

    Raises:
        TooBig: it says itself that it is more.
    """
    said = request.META.get("CONTENT_LENGTH") or "0"
    if said.isdecimal() and int(said) > files_max * config().ATTACHMENT_MAX_BYTES + FORM_BYTES:
        raise attachments.too_big()
    request.upload_handlers.insert(0, _Capped(request, files_max))


def files_of(request: HttpRequest, name: str) -> list[Any]:
    """The files of a form, of which no more was read than may be.

    Raises:
        TooBig, BadValue: there is more.
    """
    given = request.FILES.getlist(name)
    for handler in request.upload_handlers:
        if isinstance(handler, _Capped) and handler.refusal is not None:
            raise handler.refusal
    return given


# Out ----------------------------------------------------------------------------------------------------------------


def hand_out(request: HttpRequest, file: Attachment, *, is_thumb: bool = False) -> HttpResponseBase:
    """A file as an answer, or the part of it that is asked for.

    Args:
        request: asks for it. Whether it may is known.
        file: of which.
        is_thumb: the small image of it.

    Raises:
        NotFound: it has no thumbnail, or its storage has lost it.
        TryAgain: the storage does not answer.
    """
    name = file.thumb if is_thumb else file.stored
    if not name:
        raise attachments.no_such_file()
    etag = f'"{file.pk.hex}{"-thumb" if is_thumb else ""}"'
    known = parse_etags(request.headers.get("If-None-Match", ""))
    if "*" in known or etag in known:
        return _with_headers(HttpResponse(status=304), file, etag, is_thumb)
    opened = _opened(name)
    size = opened.size
    start, end = _range(request, etag, size)
    opened.seek(start)
    stream = _AsyncPart if isinstance(request, ASGIRequest) else _Part
    response = StreamingHttpResponse(stream(opened, end - start))
    if end - start < size:
        response.status_code = 206
        response["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    response["Content-Length"] = str(end - start)
    return _with_headers(response, file, etag, is_thumb)


def _opened(name: str) -> Any:
    try:
        return storage.open_file(name)
    except FileNotFoundError as error:
        raise attachments.no_such_file() from error
    except Exception as error:
        reports.warn("storage", "The storage of files fails: %r", error)
        raise TryAgain(_("The file cannot be read; try again.")) from error


def _with_headers(
    response: HttpResponseBase, file: Attachment, etag: str, is_thumb: bool
) -> HttpResponseBase:
    kind = images.THUMB_TYPE if is_thumb else file.content_type
    is_ours = images.is_image(file.content_type)
    shown = content_disposition_header(not is_ours, file.name)
    response["Content-Type"] = "text/plain; charset=utf-8" if kind == "text/plain" else kind
    response["Content-Disposition"] = shown or "inline"
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = etag
    response["Cache-Control"] = f"private, max-age={CACHE_SECONDS}"
    # Whatever else a browser takes it for, and whoever frames it: it is no page, runs nothing and loads nothing.
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-site"
    # A part of a compressed file is another part.
    response["Content-Encoding"] = "identity"
    patch_vary_headers(response, ["Cookie"])
    return response


def _range(request: HttpRequest, etag: str, size: int) -> tuple[int, int]:
    """Which bytes are asked for. What is no single range, or of an older file, is all of it."""
    asked = _RANGE.fullmatch(request.headers.get("Range", ""))
    if asked is None or request.headers.get("If-Range", etag) != etag or asked[0] == "bytes=-":
        return 0, size
    if not asked[1]:
        return max(0, size - (int(asked[2]) or size)), size
    start, end = int(asked[1]), min(int(asked[2] or size), size - 1) + 1
    return (start, end) if start < end else (0, size)


class _Part:
    """The next bytes of an open file, piece by piece."""

    def __init__(self, file: IO[bytes], count: int) -> None:
        self._file, self._left = file, count

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.read, b"")

    def read(self) -> bytes:
        piece = self._file.read(min(self._left, attachments.PIECE_BYTES))
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        """Called by the response, also where nobody has read it."""
        self._file.close()


class _AsyncPart:
    """The same for a server that speaks ASGI; the storage is read in threads, not in those of the database."""

    def __init__(self, file: IO[bytes], count: int) -> None:
        self._part = _Part(file, count)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = sync_to_async(self._part.read, thread_sensitive=False)
        while piece := await read():
            yield piece

    def close(self) -> None:
        self._part.close()
