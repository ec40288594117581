"""HTTP transfer of files: uploads are read up to their limits, and downloads have headers that keep browsers
from running them.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from typing import IO, Any

from asgiref.sync import sync_to_async
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.http.multipartparser import MultiPartParser
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.datastructures import MultiValueDict
from django.utils.http import content_disposition_header, parse_etags
from django.utils.translation import gettext_noop as _

from django_roomchat.conf import config
from django_roomchat.errors import BadValue, TooBig, TryAgain
from django_roomchat.files import images, records, storage
from django_roomchat.models import Attachment
from django_roomchat.throttled_logging import warn_throttled

FORM_BYTES = 262_144
"""Maximum size of a form without its files, in bytes."""
CACHE_SECONDS = 3600
"""Time for which a browser may cache a file without revalidating it, in seconds."""
_FORM_ESCAPE = re.compile(r"%(22|0A|0D)")
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f]")
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


# Uploads ------------------------------------------------------------------------------------------------------------


class _FormParser(MultiPartParser):
    """Parser of a form that keeps the names of files as browsers send them.

    Django's parser decodes HTML entities in them, which browsers do not encode, and removes spaces other than U+0020, and
    the joiners that Persian words and emoji need.
    """

    def sanitize_file_name(self, file_name: str) -> str | None:
        # Browsers escape three characters of a name, and no others (HTML, "Multipart form data").
        plain = _FORM_ESCAPE.sub(lambda found: chr(int(found[1], 16)), file_name)
        last = _NOT_IN_NAMES.sub("", re.split(r"[/\\]", plain)[-1])
        return None if last in {"", ".", ".."} else last


class _LimitedUpload(FileUploadHandler):
    """Upload handler that stops reading a form if a file is too big or there are too many files."""

    def __init__(self, request: HttpRequest, files_max: int) -> None:
        super().__init__(request)
        self.files_left = files_max
        self.refusal: Exception | None = None
        self._is_parsing = False

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, str],
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> tuple[QueryDict, MultiValueDict[str, UploadedFile[Any]]] | None:
        """Parse the form in place of Django's parser, which asks each upload handler first."""
        if self._is_parsing or self.request is None:
            return None
        self._is_parsing = True
        return _FormParser(META, input_data, self.request.upload_handlers, encoding).parse()

    def new_file(self, *about: Any, **more: Any) -> None:
        super().new_file(*about, **more)
        self.files_left -= 1
        if self.files_left < 0:
            self._stop(BadValue(_("Too many files at once."), code="too_many"))

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        if start + len(raw_data) > config().ATTACHMENT_MAX_BYTES:
            self._stop(records.file_too_big())
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None

    def _stop(self, refusal: Exception) -> None:
        self.refusal = refusal
        raise StopUpload(connection_reset=True)


def limit_form(request: HttpRequest, files_max: int) -> None:
    """Limit the size of a form. Call it before anything reads the form, including the CSRF check.

    Args:
        request: request with the form. An upload handler is added to it.
        files_max: maximum number of files.

    Raises:
        TooBig: the ``Content-Length`` of the request exceeds the limit.
    """
    said = request.META.get("CONTENT_LENGTH") or "0"
    if said.isdecimal() and int(said) > files_max * config().ATTACHMENT_MAX_BYTES + FORM_BYTES:
        raise records.file_too_big() if files_max else TooBig(_("This form is too big."))
    request.upload_handlers.insert(0, _LimitedUpload(request, files_max))


def uploaded_files(request: HttpRequest, name: str) -> list[Any]:
    """Return the files of a form that :func:`limit_form` has limited.

    Args:
        request: request with the form.
        name: name of the field.

    Returns:
        The uploaded files.

    Raises:
        TooBig, BadValue: the form exceeds the limit.
    """
    given = request.FILES.getlist(name)
    for handler in request.upload_handlers:
        if isinstance(handler, _LimitedUpload) and handler.refusal is not None:
            raise handler.refusal
    return given


# Downloads ----------------------------------------------------------------------------------------------------------


def serve(request: HttpRequest, file: Attachment, *, is_thumb: bool = False) -> HttpResponseBase:
    """Return a response with a file, or with the requested range of it.

    Args:
        request: the request. The caller has checked its permissions.
        file: the attachment.
        is_thumb: respond with its thumbnail.

    Returns:
        A streaming response with status 200 or 206, or 304 if the client's copy is current.

    Raises:
        NotFound: the attachment has no thumbnail, or the storage has no such file.
        TryAgain: the storage failed.
    """
    name = file.thumb if is_thumb else file.stored
    if not name:
        raise records.no_such_file()
    etag = f'"{file.pk.hex}{"-thumb" if is_thumb else ""}"'
    known = parse_etags(request.headers.get("If-None-Match", ""))
    if "*" in known or etag in known:
        return _with_headers(HttpResponse(status=304), file, etag, is_thumb)
    opened = _open(name)
    size = opened.size
    start, end = _range(request, etag, size)
    opened.seek(start)
    stream = _AsyncFilePart if isinstance(request, ASGIRequest) else _FilePart
    response = StreamingHttpResponse(stream(opened, end - start))
    if end - start < size:
        response.status_code = 206
        response["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    response["Content-Length"] = str(end - start)
    return _with_headers(response, file, etag, is_thumb)


def _open(name: str) -> Any:
    try:
        return storage.open_file(name)
    except FileNotFoundError as error:
        raise records.no_such_file() from error
    except Exception as error:
        warn_throttled("storage", "The attachment storage failed: %r", error)
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
    # Even if a browser sniffs another type or a page frames the file, it runs no script and loads nothing.
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-site"
    # Compression would change the byte ranges.
    response["Content-Encoding"] = "identity"
    patch_vary_headers(response, ["Cookie"])
    return response


def _range(request: HttpRequest, etag: str, size: int) -> tuple[int, int]:
    """Return the requested byte range as start and end. Anything other than a single range of the current file
    means the whole file.
    """
    asked = _RANGE.fullmatch(request.headers.get("Range", ""))
    if asked is None or request.headers.get("If-Range", etag) != etag or asked[0] == "bytes=-":
        return 0, size
    if not asked[1]:
        return max(0, size - (int(asked[2]) or size)), size
    start, end = int(asked[1]), min(int(asked[2] or size), size - 1) + 1
    return (start, end) if start < end else (0, size)


class _FilePart:
    """Iterator over a part of an open file."""

    def __init__(self, file: IO[bytes], count: int) -> None:
        self._file, self._left = file, count

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.read, b"")

    def read(self) -> bytes:
        """Return the next bytes; empty at the end of the part."""
        piece = self._file.read(min(self._left, records.CHUNK_BYTES))
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        """Close the file. Django calls this also if the response was not read."""
        self._file.close()


class _AsyncFilePart:
    """Asynchronous iterator over a part of an open file, for ASGI. The storage is read in threads other than the
    database threads.
    """

    def __init__(self, file: IO[bytes], count: int) -> None:
        self._part = _FilePart(file, count)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = sync_to_async(self._part.read, thread_sensitive=False)
        while piece := await read():
            yield piece

    def close(self) -> None:
        self._part.close()
