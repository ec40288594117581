"""Images are made anew from their pixels: nothing else of what somebody has sent is handed on.

So neither where a photo was taken, nor what camera, nor anything that was hidden behind an image is in what others get.
It needs Pillow, which is an extra.
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
"""The types that are understood, as Pillow calls them. Each of its readers is one more that can be attacked."""
THUMB_SIDE = 640
"""The longest side of a thumbnail, in pixels. An image within it needs none."""
THUMB_TYPE = "image/webp"
_QUALITY = {"JPEG": 90, "WEBP": 85}
_AT_ONCE = threading.BoundedSemaphore(2)
"""Large ones take hundreds of megabytes of memory for a moment."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An image that was made anew."""

    content: bytes
    width: int
    height: int
    thumb: bytes | None
    """A smaller one, of the type ``image/webp``, without movement; ``None`` where the image itself is small."""


def is_installed() -> bool:
    """Whether the extra is there."""
    return find_spec("PIL") is not None


def is_image(kind: str) -> bool:
    """Whether files of this type are made anew here."""
    return kind in FORMATS


def made_anew(file: IO[bytes], kind: str) -> Picture:
    """An image as it may be handed on: upright, in the colours of the web, moving if it did.

    Args:
        file: its content.
        kind: its type, by its content.

    Raises:
        Unsupported: Pillow is not installed.
        TooBig: it has more pixels than ``ATTACHMENT_IMAGE_PIXELS``.
        BadFile: it is broken.
    """
    if not is_installed():
        raise Unsupported(
            _(
                "This server does not accept images because Pillow is missing. The administrator can install django-roomchat[images]."
            )
        )
    from PIL import Image

    with _AT_ONCE:
        try:
            file.seek(0)
            with Image.open(file, formats=[FORMATS[kind]]) as image:
                _require_few_pixels(image)
                return _moving(image, kind) if getattr(image, "is_animated", False) else _still(image, kind)
        except TooBig:
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise _too_many_pixels() from error
        # Pillow's readers raise all sorts of errors at what is no image, or a broken one.
        except Exception as error:
            raise BadFile(_("Not a valid image.")) from error


def _require_few_pixels(image: Image.Image) -> None:
    """Before anything is unpacked: sizes stand at the beginning."""
    if image.width * image.height * getattr(image, "n_frames", 1) > config().ATTACHMENT_IMAGE_PIXELS:
        raise _too_many_pixels()


def _too_many_pixels() -> TooBig:
    most = config().ATTACHMENT_IMAGE_PIXELS // 1_000_000
    return TooBig(_("An image can have at most %(most)d million pixels, counting all frames."), most=most)


def _still(image: Image.Image, kind: str) -> Picture:
    from PIL import ImageOps

    upright = ImageOps.exif_transpose(image)
    clean = _without_more(_in_web_colours(upright, image.info.get("icc_profile")))
    if kind == "image/jpeg" and clean.mode not in ("RGB", "L"):
        clean = clean.convert("RGB")
    return Picture(_written(clean, kind), *clean.size, _thumb(clean))


def _moving(image: Image.Image, kind: str) -> Picture:
    durations: list[int] = []

    def frames() -> Iterator[Image.Image]:
        for place in range(getattr(image, "n_frames", 1)):
            image.seek(place)
            frame = _without_more(image.convert("RGBA"))
            # Known when the frame was read.
            durations.append(round(image.info.get("duration", 100)))
            yield frame

    first, *others = frames()
    options: dict[str, Any] = {"duration": durations}
    if "loop" in image.info:
        options["loop"] = image.info["loop"]
    if kind == "image/gif":
        options["disposal"] = 2
    content = _written(first, kind, save_all=True, append_images=others, **options)
    return Picture(content, *first.size, _thumb(first))


def _in_web_colours(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The image in sRGB, as its colour profile goes with all that stands beside the pixels."""
    if not profile or image.mode not in ("RGB", "RGBA", "CMYK"):
        return image
    from PIL import ImageCms

    mode = "RGB" if image.mode == "CMYK" else image.mode
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode=mode)
    # A profile that nobody understands: the colours are a little off then.
    except Exception:
        return image
    return image if converted is None else converted


def _without_more(image: Image.Image) -> Image.Image:
    """The pixels alone. Pillow writes some of what it finds beside them (comments, profiles) without being asked."""
    clean = image.copy()
    clean.info = {
        name: value for name, value in image.info.items() if name == "transparency" and image.mode != "RGBA"
    }
    return clean


def _written(image: Image.Image, kind: str, **options: Any) -> bytes:
    written = BytesIO()
    form = FORMATS[kind]
    if form in _QUALITY:
        options["quality"] = _QUALITY[form]
    image.save(written, form, **options)
    return written.getvalue()


def _thumb(image: Image.Image) -> bytes | None:
    if max(image.size) <= THUMB_SIDE:
        return None
    small = image.copy() if image.mode in ("RGB", "RGBA") else image.convert(_mode_of_thumb(image))
    small.thumbnail((THUMB_SIDE, THUMB_SIDE))
    return _written(small, THUMB_TYPE)


def _mode_of_thumb(image: Image.Image) -> str:
    is_clear = "transparency" in image.info or image.mode in ("LA", "PA")
    return "RGBA" if is_clear else "RGB"
