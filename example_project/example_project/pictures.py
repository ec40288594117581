"""Draws the pictures of the sample conversations, so that the repository contains no pictures of other
authors.
"""

import math
from io import BytesIO

from PIL import Image, ImageDraw, ImageFilter

SIZE = (1200, 800)
Colour = tuple[int, int, int]


def morning() -> bytes:
    """Draw green hills in the mist under a pale sun."""
    sky, hills = ((0x2F, 0x4A, 0x6B), (0xF7, 0xC9, 0x9B)), ((0xC7, 0xA8, 0x9B), (0x14, 0x3A, 0x33))
    return _landscape(sky, hills, sun=(820, 310, 45), seed=0)


def evening() -> bytes:
    """Draw blue hills and a low red sun."""
    sky, hills = ((0x1D, 0x1B, 0x3A), (0xFF, 0x8A, 0x5C)), ((0xB5, 0x6A, 0x7E), (0x12, 0x1A, 0x38))
    return _landscape(sky, hills, sun=(380, 350, 60), seed=4)


def _landscape(
    sky: tuple[Colour, Colour], hills: tuple[Colour, Colour], *, sun: tuple[int, int, int], seed: int
) -> bytes:
    wide, high = SIZE
    x, y, radius = sun
    above, below = (Image.new("RGB", SIZE, colour) for colour in sky)
    picture = Image.composite(below, above, Image.linear_gradient("L").resize(SIZE))
    picture.paste(Image.new("RGB", SIZE, (0xFF, 0xE9, 0xC4)), mask=_glow(x, y, radius * 2.6))
    ImageDraw.Draw(picture).ellipse((x - radius, y - radius, x + radius, y + radius), fill=(0xFF, 0xF4, 0xDC))
    far, close = hills
    for hill in range(5):
        shade = tuple(round(a + (b - a) * hill / 4) for a, b in zip(far, close, strict=True))
        ridge = [(at, _ridge(at, hill, seed)) for at in range(0, wide + 10, 10)]
        ImageDraw.Draw(picture).polygon([*ridge, (wide, high), (0, high)], fill=shade)
    file = BytesIO()
    picture.save(file, "JPEG", quality=88)
    return file.getvalue()


def _ridge(x: int, hill: int, seed: int) -> float:
    """Return the height of a hill at *x*."""
    waves = 46 * math.sin(x / (210 - 18 * hill) + hill * 2.1 + seed) + 17 * math.sin(x / 61 + hill * 5 + seed)
    return 380 + 85 * hill - waves


def _glow(x: float, y: float, radius: float) -> Image.Image:
    mask = Image.new("L", SIZE)
    ImageDraw.Draw(mask).ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return mask.filter(ImageFilter.GaussianBlur(60))
