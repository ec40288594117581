"""ImageLimits of re-encoding hold while an image is read and while it is written."""

from io import BytesIO

import pytest
from PIL import GifImagePlugin, Image

from django_roomchat.files import reencoding
from django_roomchat.files.reencoding import ImageLimits, Refused, reencode
from tests.support.uploads import moving, picture, written


def refused(content, kind, **limits):
    values = {"pixels": 1_000_000, "frames": 10, "bytes": 100_000, "seconds": 10.0} | limits
    with pytest.raises(Refused) as refusal:
        reencode(BytesIO(content), kind, ImageLimits(**values))
    return refusal.value.reason


def test_a_gif_with_too_many_frames_is_not_read_to_its_end(monkeypatch):
    first, *others = (Image.new("RGB", (9, 9), (number, 0, 200)) for number in range(50))
    content = written(first, "GIF", save_all=True, append_images=others)
    sought, seek = [], GifImagePlugin.GifImageFile.seek

    def counted(image, place):
        sought.append(place)
        seek(image, place)

    monkeypatch.setattr(GifImagePlugin.GifImageFile, "seek", counted)

    assert refused(content, "image/gif", frames=10) == "frames"
    assert sought == list(range(1, 11))


def test_rows_of_a_few_pixels_count_as_longer():
    assert refused(picture("PNG", (1, 70_000)), "image/png") == "pixels"


def test_writing_stops_at_the_size_limit(monkeypatch):
    outputs = []

    class Output(reencoding._Output):
        def __init__(self, most):
            super().__init__(most)
            outputs.append(self)

    monkeypatch.setattr(reencoding, "_Output", Output)
    noise = written(Image.effect_noise((400, 400), 90), "PNG")
    assert len(noise) > 100_000

    assert refused(noise, "image/png", bytes=90_000) == "bytes"

    assert [0 < len(output.getvalue()) <= 90_000 for output in outputs] == [True]


def test_the_time_is_checked_between_frames():
    assert refused(moving("GIF"), "image/gif", seconds=-1.0) == "seconds"


def test_memory_that_the_system_refuses_is_too_many_pixels(monkeypatch):
    def fail(*about, **more):
        raise MemoryError

    content = picture()
    monkeypatch.setattr(Image.Image, "save", fail)

    assert refused(content, "image/png") == "pixels"


@pytest.mark.parametrize(("value", "shown"), [(0, 0), (256 * 100, 100), (65_535, 255)])
def test_the_thumbnail_of_a_grey_image_of_16_bits_is_as_bright(value, shown):
    content = written(Image.new("I;16", (700, 10), value), "PNG")

    made = reencode(BytesIO(content), "image/png", ImageLimits(1_000_000, 10, 100_000, 10.0))

    assert Image.open(BytesIO(made.content)).getpixel((0, 0)) == value
    assert Image.open(BytesIO(made.thumb)).convert("L").getpixel((0, 0)) == pytest.approx(shown, abs=3)
