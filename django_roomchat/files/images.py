"""Re-encoding of images from their pixels, so that nothing else of an upload is published.

This removes the location of a photo, the camera model and any data hidden in the file.
It requires Pillow, which the ``images`` extra installs.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any

from django.utils.translation import gettext_noop as _

from django_roomchat.conf import config
from django_roomchat.errors import BadFile, TooBig, Unsupported

if TYPE_CHECKING:
    from PIL import Image

FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF", "image/webp": "WEBP"}
"""Supported content types, with Pillow's names for them. Each further format adds a decoder that can be attacked."""
THUMB_SIDE = 640
"""Longest side of a thumbnail, in pixels. Images within this size have no thumbnail."""
THUMB_TYPE = "image/webp"
_QUALITY = {"JPEG": 90, "WEBP": 85}
_CONCURRENT = threading.BoundedSemaphore(2)
"""Limits concurrent re-encodings: a large image briefly takes hundreds of megabytes of memory."""


@dataclass(frozen=True, slots=True)
class ReencodedImage:
    """A re-encoded image."""

    content: bytes
    width: int
    height: int
    thumb: bytes | None
    """Still thumbnail of the type ``image/webp``; ``None`` if the image itself is small."""


def is_installed() -> bool:
    """Return whether the ``images`` extra is installed."""
    return find_spec("PIL") is not None


def is_image(kind: str) -> bool:
    """Return whether files of this content type are re-encoded."""
    return kind in FORMATS


def reencode(file: IO[bytes], kind: str) -> ReencodedImage:
    """Re-encode an image: upright, in sRGB, and animated if the original was.

    Args:
        file: the content.
        kind: detected content type.

    Returns:
        The re-encoded image with its size and thumbnail.

    Raises:
        Unsupported: Pillow is not installed.
        TooBig: the image has more pixels than ``ATTACHMENT_IMAGE_PIXELS``.
        BadFile: the image is invalid.
    """
    if not is_installed():
        raise Unsupported(
            _(
                "This server does not accept images because Pillow is missing. The administrator can install django-roomchat[images]."
            )
        )
    from PIL import Image

    with _CONCURRENT:
        try:
            file.seek(0)
            with Image.open(file, formats=[FORMATS[kind]]) as image:
                _check_pixels(image)
                return _animated(image, kind) if getattr(image, "is_animated", False) else _still(image, kind)
        except TooBig:
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise _too_many_pixels() from error
        # Pillow's decoders raise errors of many types for invalid images.
        except Exception as error:
            raise BadFile(_("Not a valid image.")) from error


def _check_pixels(image: Image.Image) -> None:
    """Check the number of pixels before decoding: the size is in the header of the file."""
    if image.width * image.height * getattr(image, "n_frames", 1) > config().ATTACHMENT_IMAGE_PIXELS:
        raise _too_many_pixels()


def _too_many_pixels() -> TooBig:
    most = config().ATTACHMENT_IMAGE_PIXELS // 1_000_000
    return TooBig(_("An image can have at most %(most)d million pixels, counting all frames."), most=most)


def _still(image: Image.Image, kind: str) -> ReencodedImage:
    from PIL import ImageOps

    upright = ImageOps.exif_transpose(image)
    clean = _pixels_only(_in_srgb(upright, image.info.get("icc_profile")))
    if kind == "image/jpeg" and clean.mode not in ("RGB", "L"):
        clean = clean.convert("RGB")
    return ReencodedImage(_encoded(clean, kind), *clean.size, _thumb(clean))


def _animated(image: Image.Image, kind: str) -> ReencodedImage:
    durations: list[int] = []

    def frames() -> Iterator[Image.Image]:
        for place in range(getattr(image, "n_frames", 1)):
            image.seek(place)
            frame = _pixels_only(image.convert("RGBA"))
            # Available after the frame was read.
            durations.append(round(image.info.get("duration", 100)))
            yield frame

    first, *others = frames()
    options: dict[str, Any] = {"duration": durations}
    if "loop" in image.info:
        options["loop"] = image.info["loop"]
    if kind == "image/gif":
        options["disposal"] = 2
    content = _encoded(first, kind, save_all=True, append_images=others, **options)
    return ReencodedImage(content, *first.size, _thumb(first))


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert the image to sRGB, as its colour profile is removed with all other metadata."""
    if not profile or image.mode not in ("RGB", "RGBA", "CMYK"):
        return image
    from PIL import ImageCms

    mode = "RGB" if image.mode == "CMYK" else image.mode
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode=mode)
    # An invalid profile is ignored: the colours are then slightly wrong.
    except Exception:
        return image
    return image if converted is None else converted


def _pixels_only(image: Image.Image) -> Image.Image:
    """Return a copy with pixels only. Pillow writes some metadata (comments, profiles) without being asked to."""
    clean = image.copy()
    clean.info = {
        name: value for name, value in image.info.items() if name == "transparency" and image.mode != "RGBA"
    }
    return clean


def _encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    written = BytesIO()
    form = FORMATS[kind]
    if form in _QUALITY:
        options["quality"] = _QUALITY[form]
    image.save(written, form, **options)
    return written.getvalue()


def _thumb(image: Image.Image) -> bytes | None:
    if max(image.size) <= THUMB_SIDE:
        return None
    small = image.copy() if image.mode in ("RGB", "RGBA") else image.convert(_thumb_mode(image))
    small.thumbnail((THUMB_SIDE, THUMB_SIDE))
    return _encoded(small, THUMB_TYPE)


def _thumb_mode(image: Image.Image) -> str:
    is_clear = "transparency" in image.info or image.mode in ("LA", "PA")
    return "RGBA" if is_clear else "RGB"
