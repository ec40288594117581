"""Images are re-encoded from their pixels, and no other data of the upload is served."""

import threading
from io import BytesIO

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from django_roomchat.errors import BadFile, Busy, TooBig, TryAgain, Unsupported
from django_roomchat.files import image_process, images
from django_roomchat.files.image_process import NotStarted, Stopped
from django_roomchat.files.images import reencode
from django_roomchat.files.reencoding import FORMATS, Refused
from tests.support.uploads import SAMPLES, TEXT, archive, heic, moving, picture, png_of_size, written

SECRET = b"52.520008 N 13.404954 E, of Ana's phone"
IMAGES = sorted(FORMATS)


def anew(content, kind):
    return reencode(BytesIO(content), kind)


def opened(content):
    return Image.open(BytesIO(content))


def exif():
    """A photo with metadata as a phone writes it: location, time, device and orientation."""
    tags = Image.Exif()
    tags[0x010F], tags[0x010E] = "Phone", SECRET.decode()
    tags.get_ifd(0x8825).update(
        {1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 17.0), 29: SECRET.decode()}
    )
    return tags


def with_metadata(kind):
    """An image with everything beside its pixels that its format has a place for."""
    image = Image.new("RGB", (40, 30), "teal")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    if kind == "image/jpeg":
        return written(
            image, "JPEG", exif=exif(), comment=SECRET, icc_profile=profile, xmp=b"<x>" + SECRET + b"</x>"
        )
    if kind == "image/png":
        texts = PngImagePlugin.PngInfo()
        texts.add_text("Comment", SECRET.decode())
        texts.add_itxt("XML:com.adobe.xmp", SECRET.decode())
        return written(image, "PNG", exif=exif(), pnginfo=texts, icc_profile=profile, dpi=(300, 300))
    if kind in ("image/webp", "image/avif"):
        return written(image, FORMATS[kind], exif=exif(), icc_profile=profile, xmp=b"<x>" + SECRET + b"</x>")
    if kind == "image/heic":
        return heic(image, exif=exif().tobytes(), xmp=b"<x>" + SECRET + b"</x>")
    return written(image.convert("P"), "GIF", comment=SECRET)


@pytest.mark.parametrize("kind", IMAGES)
def test_an_image_keeps_its_type_and_size(kind):
    made = anew(SAMPLES[kind], kind)

    assert (made.width, made.height, made.thumb) == (8, 6, None)
    assert (opened(made.content).format, opened(made.content).size) == (
        FORMATS[images.stored_type(kind)],
        (8, 6),
    )


@pytest.mark.parametrize("kind", IMAGES)
def test_nothing_stands_beside_the_pixels(kind):
    content = with_metadata(kind)
    assert SECRET in content

    made = anew(content, kind)

    image = opened(made.content)
    assert SECRET not in made.content
    assert dict(image.getexif()) == {}
    assert not {"icc_profile", "comment", "xmp", "exif", "XML:com.adobe.xmp", "Comment", "dpi"} & set(
        image.info
    )


def test_where_a_photo_was_taken_is_gone():
    content = with_metadata("image/jpeg")
    assert opened(content).getexif().get_ifd(0x8825)[2] == (52.0, 31.0, 12.0)

    made = anew(content, "image/jpeg")

    assert opened(made.content).getexif().get_ifd(0x8825) == {}


@pytest.mark.parametrize("kind", IMAGES)
@pytest.mark.parametrize(
    "tail", [b"<script>alert(1)</script>", archive(evil=SECRET)], ids=["a script", "an archive"]
)
def test_what_was_hidden_behind_an_image_is_gone(kind, tail):
    made = anew(SAMPLES[kind] + tail, kind)

    assert (tail in made.content, b"PK" in made.content, b"<script" in made.content) == (False, False, False)


def test_an_image_that_is_a_script_too_is_only_an_image():
    content = bytearray(picture("GIF", (42, 47)))
    # The comment extension of a GIF holds any text: with the right beginning all of it is JavaScript.
    script = b"*/=alert(1)//"
    content[13 + 6 : 13 + 6] = b""
    evil = bytes(content[:-1]) + b"!\xfe" + bytes([len(script)]) + script + b"\0;"

    made = anew(evil, "image/gif")

    assert (script in evil, script in made.content) == (True, False)


def test_a_photo_is_turned_as_its_camera_was_held():
    image = Image.new("RGB", (40, 20), "white")
    image.paste("black", (0, 0, 20, 20))
    tags = Image.Exif()
    tags[0x0112] = 6

    made = anew(written(image, "JPEG", exif=tags, quality=95), "image/jpeg")

    turned = opened(made.content)
    assert (made.width, made.height, turned.size) == (20, 40, (20, 40))
    assert turned.getpixel((10, 5))[0] < 50 < 200 < turned.getpixel((10, 35))[0]


def test_colours_are_those_of_the_web():
    wide = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

    made = anew(picture("PNG", colour=(10, 200, 30), icc_profile=wide), "image/png")

    assert opened(made.content).getpixel((0, 0)) == pytest.approx((10, 200, 30), abs=2)


def test_a_colour_profile_that_nobody_understands_does_no_harm():
    made = anew(picture("PNG", colour=(10, 200, 30), icc_profile=SECRET), "image/png")

    assert opened(made.content).getpixel((0, 0)) == (10, 200, 30)
    assert SECRET not in made.content


@pytest.mark.parametrize(
    ("kind", "form", "mode"),
    [
        ("image/jpeg", "JPEG", "CMYK"),
        ("image/jpeg", "JPEG", "L"),
        ("image/png", "PNG", "1"),
        ("image/png", "PNG", "L"),
        ("image/png", "PNG", "LA"),
        ("image/png", "PNG", "P"),
        ("image/png", "PNG", "RGBA"),
        ("image/png", "PNG", "I;16"),
        ("image/webp", "WEBP", "RGBA"),
        ("image/avif", "AVIF", "RGBA"),
        ("image/gif", "GIF", "P"),
    ],
)
def test_images_of_every_kind_of_pixels_are_taken(kind, form, mode):
    made = anew(picture(form, (700, 10), 0, mode=mode), kind)

    assert opened(made.content).size == (700, 10)
    assert opened(made.thumb).size == (640, 9)


def test_what_is_clear_stays_clear():
    palette = Image.new("P", (700, 10), 0)
    palette.putpalette([255, 0, 0, 0, 255, 0])
    content = written(palette, "PNG", transparency=0)

    made = anew(content, "image/png")

    assert [opened(one).convert("RGBA").getpixel((3, 3))[3] for one in (made.content, made.thumb)] == [0, 0]


@pytest.mark.parametrize(("size", "small"), [((1600, 400), (640, 160)), ((100, 1280), (50, 640))])
def test_a_large_image_has_a_small_one(size, small):
    made = anew(picture("JPEG", size), "image/jpeg")

    thumb = opened(made.thumb)
    assert (thumb.format, thumb.size) == ("WEBP", small)
    assert len(made.thumb) < len(made.content)


@pytest.mark.parametrize(
    ("kind", "form"),
    [("image/gif", "GIF"), ("image/webp", "WEBP"), ("image/png", "PNG"), ("image/avif", "AVIF")],
)
def test_an_animation_moves_on(kind, form):
    content = moving(form, frames=3)

    image = opened(anew(content, kind).content)

    durations = []
    for place in range(image.n_frames):
        image.seek(place)
        image.load()
        durations.append(round(image.info["duration"]))
    assert (image.n_frames, durations, image.info["loop"]) == (3, [70, 70, 70], 0)


def test_the_small_image_of_an_animation_stands_still():
    made = anew(moving("GIF", (700, 20)), "image/gif")

    assert getattr(opened(made.thumb), "n_frames", 1) == 1


def test_what_stands_beside_the_frames_of_an_animation_goes_too():
    content = moving("GIF", comment=SECRET)
    assert SECRET in content

    assert SECRET not in anew(content, "image/gif").content


@pytest.mark.parametrize(
    "content",
    [
        TEXT,
        b"",
        picture("JPEG", (300, 300))[:-200],
        SAMPLES["image/png"],
        b"\xff\xd8\xff" + bytes(50),
    ],
    ids=["a text", "nothing", "cut off", "of another type", "only a beginning"],
)
def test_a_broken_image_is_refused(content):
    with pytest.raises(BadFile, match="Not a valid image"):
        anew(content, "image/jpeg")


@pytest.mark.parametrize("side", [7_100, 15_000, 60_000, 2**31 - 1])
def test_an_image_with_too_many_pixels_is_refused_before_it_is_unpacked(side):
    with pytest.raises(TooBig, match="at most 25 million pixels"):
        anew(png_of_size(side, side), "image/png")


def test_a_bomb_that_is_complete_is_refused(settings):
    settings.ROOMCHAT = {"ATTACHMENT_IMAGE_PIXELS": 1_000_000}
    bomb = picture("PNG", (5_000, 5_000), 0, mode="1")
    assert len(bomb) < 10_000

    with pytest.raises(TooBig):
        anew(bomb, "image/png")


def test_the_frames_of_an_animation_and_one_more_count_together(settings):
    settings.ROOMCHAT = {"ATTACHMENT_IMAGE_PIXELS": 1_000_000}
    few, many = moving("GIF", (500, 500), frames=3), moving("GIF", (500, 500), frames=4)

    assert anew(few, "image/gif").width == 500
    with pytest.raises(TooBig):
        anew(many, "image/gif")


def test_without_pillow_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setattr(images, "find_spec", lambda name: None)

    with pytest.raises(Unsupported, match=r"install django-roomchat\[images\]"):
        anew(SAMPLES["image/png"], "image/png")


# Limits ---------------------------------------------------------------------------------------------------------------


def refused(content, kind, error=TooBig):
    with pytest.raises(error) as refusal:
        anew(content, kind)
    return refusal.value.detail


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP"])
def test_an_animation_has_a_maximum_number_of_frames(form, settings):
    settings.ROOMCHAT = {"ATTACHMENT_IMAGE_FRAMES": 3}
    kind = f"image/{form.lower()}"

    assert opened(anew(moving(form, frames=3), kind).content).n_frames == 3
    assert refused(moving(form, frames=4), kind) == "An animation can have at most 3 frames."


def test_a_pixel_of_webp_counts_more(settings):
    settings.ROOMCHAT = {"ATTACHMENT_IMAGE_PIXELS": 3_000_000}

    assert anew(picture("PNG", (2_000, 1_100)), "image/png").width == 2_000
    assert (
        refused(picture("WEBP", (2_000, 1_100)), "image/webp")
        == "An image can have at most 2 million pixels, counting all frames."
    )


def test_what_is_written_is_limited_with_the_thumbnail(settings):
    content = picture("PNG", (700, 700))
    made = anew(content, "image/png")
    settings.ROOMCHAT = {"ATTACHMENT_MAX_BYTES": len(made.content) + len(made.thumb)}
    assert anew(content, "image/png") == made

    settings.ROOMCHAT = {"ATTACHMENT_MAX_BYTES": len(made.content) + len(made.thumb) - 1}

    assert refused(content, "image/png").startswith("A file can have at most")


def test_an_image_that_takes_too_long_is_refused(settings):
    settings.ROOMCHAT = {"ATTACHMENT_IMAGE_SECONDS": 1e-9}

    assert refused(moving("GIF"), "image/gif") == "This image takes too long to process; send a smaller one."


# Queues ---------------------------------------------------------------------------------------------------------------


class Work:
    """Stands for the re-encoding: large images, those above 100 pixels, are held until they are released."""

    def __init__(self):
        self.begun, self.free = threading.Semaphore(0), threading.Event()

    def __call__(self, file, kind, limits):
        if file == "large":
            if limits.pixels <= images.SMALL_PIXELS:
                raise Refused("pixels")
            self.begun.release()
            assert self.free.wait(10)
        return f"{file} done"


@pytest.fixture
def work(monkeypatch):
    """Fresh queues and work that is held."""
    monkeypatch.setattr(images, "_small", images._Queue(2, 2.0))
    monkeypatch.setattr(images, "_large", images._Queue(1, 10.0))
    made = Work()
    monkeypatch.setattr(images, "reencode_here", made)
    yield made
    made.free.set()


def sent(what, done):
    def send():
        try:
            done.append(reencode(what, "image/png"))
        except TryAgain as error:
            done.append(error)

    thread = threading.Thread(target=send)
    thread.start()
    return thread


def test_a_small_picture_does_not_wait_for_large_ones(work):
    done = []
    large = [sent("large", done) for _ in range(2)]
    assert work.begun.acquire(timeout=10)

    assert (reencode("small", "image/png"), done) == ("small done", [])

    work.free.set()
    for thread in large:
        thread.join(10)
    assert done == ["large done", "large done"]


def test_images_wait_in_a_queue_that_is_bounded(work, settings, monkeypatch):
    settings.ROOMCHAT = {"ATTACHMENT_IMAGE_QUEUE": 1}
    waits = threading.Event()
    wait = images._large._free.acquire

    def acquire(blocking=True, timeout=None):
        if blocking:
            waits.set()
        return wait(blocking, timeout)

    monkeypatch.setattr(images._large._free, "acquire", acquire)
    done = []
    first = sent("large", done)
    assert work.begun.acquire(timeout=10)
    second = sent("large", done)
    assert waits.wait(10)

    with pytest.raises(Busy) as refusal:
        reencode("large", "image/png")

    assert (refusal.value.code, refusal.value.retry_after) == ("busy", 10.0)
    work.free.set()
    first.join(10)
    second.join(10)
    assert done == ["large done", "large done"]


def test_an_image_whose_turn_does_not_come_is_busy(work, monkeypatch):
    monkeypatch.setattr(images, "WAIT_SECONDS", 0.01)
    done = []
    first = sent("large", done)
    assert work.begun.acquire(timeout=10)

    with pytest.raises(Busy):
        reencode("large", "image/png")

    work.free.set()
    first.join(10)
    assert reencode("large", "image/png") == "large done"


# Processes ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def started(monkeypatch):
    """The images that another process would have re-encoded."""
    calls = []
    monkeypatch.setattr(image_process, "run", lambda *about: calls.append(about) or "made apart")
    return calls


@pytest.mark.parametrize(("cpus", "is_apart"), [(1, False), (2, True)])
def test_an_image_has_a_process_of_its_own_where_there_is_more_than_one_cpu(
    cpus, is_apart, started, monkeypatch
):
    monkeypatch.setattr(images, "_cpus", lambda: cpus)

    made = anew(SAMPLES["image/png"], "image/png")

    assert (made == "made apart", len(started)) == (is_apart, int(is_apart))


def test_the_process_of_a_large_image_gives_way_to_others(settings, monkeypatch):
    settings.ROOMCHAT = {"ATTACHMENT_IMAGE_PROCESSES": True}
    tried = []

    def run(file, kind, limits):
        tried.append((limits.pixels, limits.niceness))
        if limits.pixels == images.SMALL_PIXELS:
            raise Refused("pixels")
        return "made apart"

    monkeypatch.setattr(image_process, "run", run)

    anew(SAMPLES["image/png"], "image/png")

    assert tried == [(4_000_000, 0), (25_000_000, 10)]


@pytest.mark.parametrize("is_apart", [False, True])
def test_a_site_chooses_whether_images_have_processes(is_apart, started, settings):
    settings.ROOMCHAT = {"ATTACHMENT_IMAGE_PROCESSES": is_apart}

    assert (anew(SAMPLES["image/png"], "image/png") == "made apart") is is_apart


def test_where_no_process_starts_images_are_still_accepted(settings, monkeypatch, caplog):
    settings.ROOMCHAT = {"ATTACHMENT_IMAGE_PROCESSES": True}

    def fail(*about):
        raise NotStarted("no interpreter")

    monkeypatch.setattr(image_process, "run", fail)

    assert anew(SAMPLES["image/png"], "image/png").width == 8
    assert [record.getMessage() for record in caplog.records] == [
        "An image is re-encoded in this process, as no other process starts: NotStarted('no interpreter')"
    ]


def test_an_image_whose_process_was_stopped_can_be_sent_again(settings, monkeypatch):
    settings.ROOMCHAT = {"ATTACHMENT_IMAGE_PROCESSES": True}

    def stop(*about):
        raise Stopped

    monkeypatch.setattr(image_process, "run", stop)

    assert refused(SAMPLES["image/png"], "image/png", TryAgain) == "The server is restarting; try again."
