"""Photos as phones write them: several pictures in a file, HEIC and AVIF."""

from io import BytesIO

import pillow_heif
import pytest
from PIL import AvifImagePlugin, Image

from django_roomchat.errors import BadFile, TooBig
from django_roomchat.files.images import reencode
from tests.support.uploads import SAMPLES, heic, written


def anew(content, kind):
    return reencode(BytesIO(content), kind)


def opened(content):
    return Image.open(BytesIO(content))


@pytest.mark.parametrize("others", [1, 2])
@pytest.mark.parametrize("orientation", [1, 6])
def test_the_first_picture_of_a_photo_with_several_is_kept(others, orientation):
    tags = Image.Exif()
    tags[0x0112] = orientation
    more = [Image.new("L", (20, 10), 255)] * others
    photo = Image.new("RGB", (1000, 500), (200, 0, 0))
    content = written(photo, "MPO", save_all=True, append_images=more, exif=tags)
    assert opened(content).n_frames == 1 + others

    made = anew(content, "image/jpeg")

    image = opened(made.content)
    size = (1000, 500) if orientation == 1 else (500, 1000)
    assert (image.format, getattr(image, "n_frames", 1), image.size, (made.width, made.height)) == (
        "JPEG",
        1,
        size,
        size,
    )
    assert image.getpixel((10, 10)) == pytest.approx((200, 0, 0), abs=4)


@pytest.mark.parametrize("others", [0, 1, 2])
def test_the_primary_picture_of_a_heic_is_kept(others):
    photo, more = Image.new("RGB", (1000, 500), (200, 0, 0)), Image.new("RGB", (40, 20), "blue")
    whole = pillow_heif.HeifFile()
    for one in [*[more] * others, photo]:
        whole.add_from_pillow(one)
    content = BytesIO()
    whole.save(content, primary_index=others)

    made = anew(content.getvalue(), "image/heic")

    image = opened(made.content)
    assert (image.format, image.size, (made.width, made.height)) == ("JPEG", (1000, 500), (1000, 500))
    assert image.getpixel((10, 10)) == pytest.approx((200, 0, 0), abs=8)
    assert opened(made.thumb).size == (640, 320)


def test_a_heic_is_turned_upright_once():
    tags = Image.Exif()
    tags[0x0112] = 6
    half = Image.new("L", (40, 20), 0)
    half.paste(255, (0, 0, 20, 20))

    image = opened(anew(heic(half.convert("RGB"), exif=tags.tobytes()), "image/heic").content)

    # The left half of the sensor is the upper one of the photo.
    assert image.size == (20, 40)
    assert image.getpixel((10, 35))[0] < 50 < 200 < image.getpixel((10, 5))[0]


def test_a_heic_of_tiles_is_put_together():
    # Phones write tiles of 512 × 512.
    photo = Image.new("RGB", (1000, 600), "blue")
    photo.paste("yellow", (600, 0, 1000, 600))

    image = opened(anew(heic(photo, tile_size=512), "image/heic").content)

    assert image.size == (1000, 600)
    assert image.getpixel((10, 590)) == pytest.approx((0, 0, 255), abs=12)
    assert image.getpixel((990, 590)) == pytest.approx((255, 255, 0), abs=12)


def test_what_is_clear_in_a_heic_becomes_white():
    cut_out = Image.new("RGBA", (40, 20), (255, 0, 0, 0))
    cut_out.paste((255, 0, 0, 255), (0, 0, 20, 20))

    image = opened(anew(heic(cut_out), "image/heic").content)

    assert image.getpixel((5, 10)) == pytest.approx((255, 0, 0), abs=12)
    assert image.getpixel((35, 10)) == pytest.approx((255, 255, 255), abs=12)


@pytest.mark.parametrize("kind", ["image/avif", "image/heic"])
@pytest.mark.parametrize("damage", ["cut off", "of another type"])
def test_a_broken_photo_of_a_phone_is_refused(kind, damage):
    content = SAMPLES[kind][:-60] if damage == "cut off" else SAMPLES["image/png"]

    with pytest.raises(BadFile, match="Not a valid image"):
        anew(content, kind)


@pytest.mark.parametrize("kind", ["image/avif", "image/heic"])
def test_a_photo_of_a_phone_with_too_many_pixels_is_refused_before_it_is_decoded(kind, settings, monkeypatch):
    settings.ROOMCHAT = {"ATTACHMENT_IMAGE_PIXELS": 10_000}
    photo = Image.new("RGB", (120, 100))
    content = heic(photo) if kind == "image/heic" else written(photo, "AVIF")
    for plugin in (AvifImagePlugin.AvifImageFile, pillow_heif.HeifImageFile):
        monkeypatch.setattr(plugin, "load", lambda image: pytest.fail("decoded"))

    with pytest.raises(TooBig):
        anew(content, kind)
