"""Re-encoding of uploaded images, so that nothing but their pixels is published.

This removes the location of a photo, the camera model and any data hidden in the file.
It requires Pillow, which the ``images`` extra installs, and pillow-heif for HEIC, which the ``heif`` extra installs.

Small and large images wait in queues of their own: a picture of a few pixels does not wait for the animations of others.
An image is first tried among the small ones, with limits that a large one exceeds at once.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from typing import IO

from django.utils.translation import gettext_noop as _

from django_roomchat.conf import config
from django_roomchat.errors import BadFile, Busy, ChatError, TooBig, TryAgain, Unsupported
from django_roomchat.files import image_process, records
from django_roomchat.files.image_process import NotStarted, Stopped
from django_roomchat.files.reencoding import (
    FORMATS,
    STORED_TYPES,
    THUMB_TYPE,
    ImageLimits,
    ReencodedImage,
    Refused,
)
from django_roomchat.files.reencoding import reencode as reencode_here
from django_roomchat.throttled_logging import warn_throttled

__all__ = [
    "THUMB_TYPE",
    "ReencodedImage",
    "can_decode",
    "is_image",
    "is_installed",
    "reencode",
    "stored_type",
]

SMALL_PIXELS = 4_000_000
"""Maximum size of a small image, in pixels over all frames."""
SMALL_SECONDS = 3.0
"""Maximum time of a small image, in seconds. One that takes longer is a large one."""
LARGE_NICENESS = 10
"""Niceness of the process of a large image, so that it gives way to sockets and small images."""
WAIT_SECONDS = 20.0
"""Maximum time for which an image waits for its turn, in seconds. With the time of the image it must be shorter than the timeout of proxies."""


class _Queue:
    """Images that are worked at the same time, and a limited number of images that wait.

    Args:
        workers: number of images that are worked at the same time.
        retry_after: seconds after which a rejected client should try again.
    """

    def __init__(self, workers: int, retry_after: float) -> None:
        self._free = threading.BoundedSemaphore(workers)
        self._retry_after = retry_after
        self._waiting = 0
        self._lock = threading.Lock()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn, and hold it during the block.

        Raises:
            Busy: too many images are waiting, or the turn did not come in time.
        """
        if not self._free.acquire(blocking=False):
            self._wait()
        try:
            yield
        finally:
            self._free.release()

    def _wait(self) -> None:
        with self._lock:
            if self._waiting >= config().ATTACHMENT_IMAGE_QUEUE:
                raise self._busy()
            self._waiting += 1
        try:
            if not self._free.acquire(timeout=WAIT_SECONDS):
                raise self._busy()
        finally:
            with self._lock:
                self._waiting -= 1

    def _busy(self) -> Busy:
        return Busy(
            _("The server is working on many images; try again in a moment."), retry_after=self._retry_after
        )


_small = _Queue(2, 2.0)
_large = _Queue(1, 10.0)


def is_installed() -> bool:
    """Return whether the ``images`` extra is installed."""
    return find_spec("PIL") is not None


@cache
def _has_avif() -> bool:
    from PIL import features

    return bool(features.check("avif"))


def can_decode(kind: str) -> bool:
    """Return whether the installed packages decode images of this content type."""
    if not is_installed():
        return False
    if kind == "image/heic":
        return find_spec("pillow_heif") is not None
    return kind != "image/avif" or _has_avif()


def stored_type(kind: str) -> str:
    """Return the content type that an image of this type is stored as."""
    return STORED_TYPES.get(kind, kind)


def is_image(kind: str) -> bool:
    """Return whether files of this content type are re-encoded."""
    return kind in FORMATS


def reencode(file: IO[bytes], kind: str) -> ReencodedImage:
    """Re-encode an image: upright, in sRGB, and animated if the original was. Waits for other images: call it in a thread.

    Args:
        file: the content.
        kind: detected content type.

    Returns:
        The re-encoded image with its size and thumbnail.

    Raises:
        Unsupported: Pillow is not installed.
        TooBig: the image exceeds a limit of the settings ``ATTACHMENT_IMAGE_…`` or ``ATTACHMENT_MAX_BYTES``.
        BadFile: the image is invalid.
        Busy: too many images are waiting.
        TryAgain: the server is shutting down.
    """
    if not is_installed():
        raise Unsupported(
            _(
                "This server does not accept images because Pillow is missing. The administrator can install django-roomchat[images]."
            )
        )
    settings = config()
    limits = ImageLimits(
        pixels=settings.ATTACHMENT_IMAGE_PIXELS,
        frames=settings.ATTACHMENT_IMAGE_FRAMES,
        bytes=settings.ATTACHMENT_MAX_BYTES,
        seconds=settings.ATTACHMENT_IMAGE_SECONDS,
    )
    try:
        return _worked(file, kind, limits)
    except Refused as refusal:
        raise _refusal(refusal, limits) from refusal
    except Stopped as error:
        raise TryAgain(_("The server is restarting; try again.")) from error


def _worked(file: IO[bytes], kind: str, limits: ImageLimits) -> ReencodedImage:
    small = replace(
        limits, pixels=min(SMALL_PIXELS, limits.pixels), seconds=min(SMALL_SECONDS, limits.seconds)
    )
    is_last = small == limits
    large = replace(limits, niceness=LARGE_NICENESS)
    try:
        with _small.turn():
            return _apart(file, kind, small)
    except Refused as refusal:
        if refusal.reason not in ("pixels", "seconds") or is_last:
            raise
    with _large.turn():
        return _apart(file, kind, large)


def _apart(file: IO[bytes], kind: str, limits: ImageLimits) -> ReencodedImage:
    """Re-encode in a process of its own if the site wants it, and else in this one."""
    chosen = config().ATTACHMENT_IMAGE_PROCESSES
    if _cpus() > 1 if chosen is None else chosen:
        try:
            return image_process.run(file, kind, limits)
        except NotStarted as error:
            warn_throttled(
                "image process",
                "An image is re-encoded in this process, as no other process starts: %r",
                error,
            )
    return reencode_here(file, kind, limits)


def _cpus() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def _refusal(refusal: Refused, limits: ImageLimits) -> ChatError:
    match refusal.reason:
        case "pixels":
            most = max(1, int(limits.pixels / refusal.weight) // 1_000_000)
            return TooBig(
                _("An image can have at most %(most)d million pixels, counting all frames."), most=most
            )
        case "frames":
            return TooBig(_("An animation can have at most %(most)d frames."), most=limits.frames)
        case "bytes":
            return records.file_too_big()
        case "seconds":
            return TooBig(_("This image takes too long to process; send a smaller one."))
        case "invalid":
            return BadFile(_("Not a valid image."))
