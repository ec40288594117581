"""Re-encoding of one image from its pixels, within limits.

The module needs Pillow and no Django, because :mod:`django_roomchat.files.image_process` runs it in a process of its own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from PIL import Image

FORMATS = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
    "image/avif": "AVIF",
    "image/heic": "HEIF",
}
"""Supported content types, with Pillow's names for them. Each further format adds a decoder that can be attacked."""
STORED_TYPES = {"image/avif": "image/webp", "image/heic": "image/jpeg"}
"""Content types of re-encoded images that differ from the original's. The encoder of AVIF is too slow, and few browsers show HEIC."""
_FIRST_ONLY = ("image/jpeg", "image/heic")
"""Types of photos, to which phones append further images: the depth, or the other half in HDR. They are no frames."""
THUMB_SIDE = 640
"""Longest side of a thumbnail, in pixels. Images within this size have no thumbnail."""
THUMB_TYPE = "image/webp"
SIDE_MIN = 16
"""Length as which a shorter side is counted, in pixels. Pillow keeps a pointer for each row."""
HEAVY = 1.5
"""Weight of a pixel that takes up to 16 bytes to decode instead of 10: in WebP and AVIF, and in JPEG with four colours."""
_QUALITY = {"JPEG": 90, "WEBP": 85}

Reason = Literal["pixels", "frames", "bytes", "seconds", "invalid"]


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """ImageLimits of one image."""

    pixels: int
    """Maximum size, in weighted pixels."""
    frames: int
    """Maximum number of frames."""
    bytes: int
    """Maximum size of what is written, in bytes: the image and its thumbnail together."""
    seconds: float
    """Maximum time, in seconds. Between two frames it is checked here, and at any moment by a parent process."""
    niceness: int = 0
    """Niceness of a process of its own. A higher one gives way to sockets and small images."""


@dataclass(frozen=True, slots=True)
class ReencodedImage:
    """A re-encoded image."""

    content: bytes
    width: int
    height: int
    thumb: bytes | None
    """Still thumbnail of the type ``image/webp``; ``None`` if the image itself is small."""


class Refused(Exception):
    """The image exceeds a limit or is invalid.

    Args:
        reason: the limit, or ``invalid``.
        weight: weight of a pixel of this image.
    """

    def __init__(self, reason: Reason, weight: float = 1.0) -> None:
        super().__init__(reason, weight)
        self.reason: Reason = reason
        self.weight = weight


def reencode(file: IO[bytes], kind: str, limits: ImageLimits) -> ReencodedImage:
    """Re-encode an image: upright, in sRGB, and animated if the original was.

    Args:
        file: the content.
        kind: content type of the image; a key of :data:`FORMATS`.
        limits: the limits.

    Returns:
        The re-encoded image with its size and thumbnail.

    Raises:
        Refused: the image exceeds a limit or is invalid.
    """
    load_codecs(kind)
    try:
        return _reencode(file, kind, limits, time.monotonic() + limits.seconds)
    except Refused:
        raise
    except MemoryError as error:
        raise Refused("pixels") from error
    # Pillow's decoders raise errors of many types for invalid images.
    except Exception as error:
        from PIL import Image

        is_bomb = isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning))
        raise Refused("pixels" if is_bomb else "invalid") from error


def load_codecs(kind: str) -> None:
    """Import the codecs that an image of this type needs. Without it, Pillow imports all of its codecs for a WebP."""
    # A plugin registers its codec when it is imported; its name is not used.
    from PIL import (
        AvifImagePlugin,  # noqa: F401
        GifImagePlugin,  # noqa: F401
        JpegImagePlugin,  # noqa: F401
        MpoImagePlugin,  # noqa: F401
        PngImagePlugin,  # noqa: F401
        WebPImagePlugin,  # noqa: F401
    )

    if kind == "image/heic":
        from pillow_heif import register_heif_opener

        register_heif_opener()


def _reencode(file: IO[bytes], kind: str, limits: ImageLimits, deadline: float) -> ReencodedImage:
    frames = _frames(file, kind, limits, deadline)
    first = next(frames)
    if (second := next(frames, None)) is None:
        return _still(first.pixels, kind, limits)
    return _animated([first, second], frames, kind, limits)


# Decoding -----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Frame:
    pixels: Image.Image
    duration: int = 0
    loop: int | None = None
    """Number of repetitions of the animation; 0 for ever, ``None`` for none."""


def _frames(file: IO[bytes], kind: str, limits: ImageLimits, deadline: float) -> Iterator[_Frame]:
    """Yield the frames. A generator, so that the decoder and its buffers are freed at its end, before encoding."""
    from PIL import Image, ImageOps

    file.seek(0)
    with Image.open(file, formats=[FORMATS[kind]]) as image:
        count = _count_frames(image, kind, limits)
        if count == 1:
            image.load()
            ImageOps.exif_transpose(image, in_place=True)
            yield _Frame(_pixels_only(_in_srgb(image, kind)))
            return
        for place in range(count):
            if time.monotonic() > deadline:
                raise Refused("seconds")
            image.seek(place)
            _check_pixels(image, kind, count, limits)
            pixels = _pixels_only(image.convert("RGBA"))
            # Available after the frame was read.
            yield _Frame(pixels, round(image.info.get("duration", 100)), image.info.get("loop"))


def _count_frames(image: Image.Image, kind: str, limits: ImageLimits) -> int:
    """Return the number of frames, after checking the size. A GIF does not state its number of frames: reading stops at the limit."""
    _check_pixels(image, kind, 1, limits)
    if kind in _FIRST_ONLY:
        return 1
    if kind != "image/gif":
        count: int = getattr(image, "n_frames", 1)
        _check_pixels(image, kind, count, limits)
        return count
    count = 1
    try:
        while True:
            image.seek(count)
            count += 1
            _check_pixels(image, kind, count, limits)
    except EOFError:
        image.seek(0)
        return count


def _check_pixels(image: Image.Image, kind: str, count: int, limits: ImageLimits) -> None:
    """Check size and number of frames before decoding. The encoder of an animation takes the memory of about one frame more."""
    if count > limits.frames:
        raise Refused("frames")
    weight = HEAVY if kind in ("image/webp", "image/avif") or image.mode == "CMYK" else 1.0
    area = max(image.width, SIDE_MIN) * max(image.height, SIDE_MIN)
    if area * weight * (count if count == 1 else count + 1) > limits.pixels:
        raise Refused("pixels", weight)


def _in_srgb(image: Image.Image, kind: str) -> Image.Image:
    """Convert the image to sRGB, as its colour profile is removed with all other metadata."""
    profile = image.info.get("icc_profile")
    if profile and image.mode in ("RGB", "RGBA", "CMYK"):
        from PIL import ImageCms

        mode = "RGB" if image.mode == "CMYK" else image.mode
        is_same_mode = mode == image.mode
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            # In place if possible: another copy of the image would exceed the memory.
            converted = ImageCms.profileToProfile(
                image,
                source,
                ImageCms.createProfile("sRGB"),
                outputMode=None if is_same_mode else mode,
                inPlace=is_same_mode,
            )
        # An invalid profile is ignored: the colours are then slightly wrong.
        except Exception:
            converted = None
        image = image if converted is None else converted
    if STORED_TYPES.get(kind, kind) != "image/jpeg" or image.mode in ("RGB", "L"):
        return image
    return _on_white(image) if image.mode == "RGBA" else image.convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    """Return an image without transparency, which JPEG does not have."""
    from PIL import Image

    whole = Image.new("RGB", image.size, "white")
    whole.paste(image, mask=image.getchannel("A"))
    return whole


def _pixels_only(image: Image.Image) -> Image.Image:
    """Return a copy with pixels only. Pillow writes some metadata (comments, profiles) without being asked to."""
    clean = image.copy()
    clean.info = {
        name: value for name, value in image.info.items() if name == "transparency" and image.mode != "RGBA"
    }
    return clean


# Encoding -----------------------------------------------------------------------------------------------------------


class _Output(BytesIO):
    """Buffer of a limited size."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def write(self, data: Any) -> int:
        if self.tell() + len(data) > self._most:
            raise Refused("bytes")
        return super().write(data)


def _still(image: Image.Image, kind: str, limits: ImageLimits) -> ReencodedImage:
    content = _encoded(image, kind, limits.bytes)
    return ReencodedImage(content, *image.size, _thumb(image, limits.bytes - len(content)))


def _animated(read: list[_Frame], others: Iterator[_Frame], kind: str, limits: ImageLimits) -> ReencodedImage:
    first, durations = read[0], [frame.duration for frame in read]

    def following() -> Iterator[Image.Image]:
        yield read.pop().pixels
        for frame in others:
            durations.append(frame.duration)
            yield frame.pixels

    # The encoder of GIF takes frames while they are decoded, in bytes of their palettes; the others need all of them at once.
    more = following() if kind == "image/gif" else list(following())
    options: dict[str, Any] = {"duration": durations}
    if first.loop is not None:
        options["loop"] = first.loop
    if kind == "image/gif":
        options["disposal"] = 2
    content = _encoded(first.pixels, kind, limits.bytes, save_all=True, append_images=more, **options)
    return ReencodedImage(content, *first.pixels.size, _thumb(first.pixels, limits.bytes - len(content)))


def _encoded(image: Image.Image, kind: str, most: int, **options: Any) -> bytes:
    written = _Output(most)
    form = FORMATS[STORED_TYPES.get(kind, kind)]
    if form in _QUALITY:
        options["quality"] = _QUALITY[form]
    image.save(written, form, **options)
    return written.getvalue()


def _thumb(image: Image.Image, most: int) -> bytes | None:
    if max(image.size) <= THUMB_SIDE:
        return None
    small = image
    if image.mode.startswith("I"):
        small = _in_8_bits(image)
    if small.mode not in ("RGB", "RGBA"):
        small = small.convert(_thumb_mode(small))
    width, height = image.size
    scale = THUMB_SIDE / max(width, height)
    # Unlike thumbnail(), resize() needs no copy of the image.
    small = small.resize((max(1, round(width * scale)), max(1, round(height * scale))), reducing_gap=2.0)
    return _encoded(small, THUMB_TYPE, most)


def _in_8_bits(image: Image.Image) -> Image.Image:
    """Scale 16-bit grey to 8 bits. ``convert()`` cuts all values above 255 to white."""
    whole = image.convert("I")
    grey = whole.point([value >> 8 for value in range(65_536)], "L")
    if (clear := image.info.get("transparency")) is not None:
        grey.putalpha(whole.point([0 if value == clear else 255 for value in range(65_536)], "L"))
    return grey


def _thumb_mode(image: Image.Image) -> str:
    is_clear = "transparency" in image.info or image.mode in ("LA", "PA")
    return "RGBA" if is_clear else "RGB"
