"""An image is re-encoded in a process of its own, which ends in time whatever happens."""

import subprocess
import sys
from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image

from django_roomchat.files import image_process
from django_roomchat.files.image_process import NotStarted, Stopped, interpreter, run
from django_roomchat.files.reencoding import ImageLimits, Refused, reencode
from tests.support.uploads import SAMPLES, TEXT, heic, moving, picture

LIMITS = ImageLimits(pixels=1_000_000, frames=10, bytes=100_000, seconds=10.0)


def apart(content, kind, limits=LIMITS):
    return run(BytesIO(content), kind, limits)


def refused(content, kind, limits=LIMITS):
    with pytest.raises(Refused) as refusal:
        apart(content, kind, limits)
    return refusal.value.reason, refusal.value.weight


@pytest.fixture
def instead(monkeypatch):
    """Run another program in place of the process that re-encodes."""
    popen = subprocess.Popen

    def start(program):
        command = [sys.executable, "-c", program]
        monkeypatch.setattr(subprocess, "Popen", lambda _command, **options: popen(command, **options))

    return start


STARTED = "import os, signal, sys; os.write(1, b'roomchat\\n'); "


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("image/png", picture("PNG", (900, 400))),
        ("image/avif", picture("AVIF", (900, 400))),
        ("image/heic", heic(Image.new("RGB", (900, 400), "teal"))),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_process_makes_the_same_of_an_image(kind, content):
    assert apart(content, kind) == reencode(BytesIO(content), kind, LIMITS)


def test_a_process_tells_which_limit_an_image_exceeds():
    assert (
        refused(picture("WEBP", (900, 900)), "image/webp"),
        refused(moving("GIF", frames=3), "image/gif", replace(LIMITS, frames=2)),
        refused(TEXT, "image/png"),
    ) == (("pixels", 1.5), ("frames", 1.0), ("invalid", 1.0))


def test_a_process_that_takes_too_long_is_killed(instead, monkeypatch):
    monkeypatch.setattr(image_process, "START_SECONDS", 0.3)
    instead(STARTED + "signal.pause()")

    assert refused(SAMPLES["image/png"], "image/png", ImageLimits(10**6, 10, 10**5, 0.1)) == ("seconds", 1.0)
    assert image_process._running == set()


def test_a_process_ends_at_its_time_limit_without_its_parent():
    program = (
        "import time; from django_roomchat.files import image_process;"
        "image_process.reencode = lambda *about: time.sleep(1000);"
        """image_process.main("image/png", '{"pixels": 1, "frames": 1, "bytes": 1, "seconds": 0.1}')"""
    )

    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=False, timeout=60)

    assert (done.stdout, done.returncode) == (b"roomchat\n", 1)


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", Refused),
        ("os._exit(0)", Refused),
        ("os.kill(os.getpid(), signal.SIGINT)", Stopped),
    ],
)
def test_a_process_that_dies_is_an_invalid_image_or_a_shutdown(how, error, instead):
    instead(STARTED + "signal.signal(signal.SIGINT, signal.SIG_DFL); " + how)

    with pytest.raises(error):
        apart(SAMPLES["image/png"], "image/png")


def test_a_process_that_is_killed_while_it_starts_does_not_move_the_work_into_the_server(instead):
    instead("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")

    with pytest.raises(Stopped):
        apart(SAMPLES["image/png"], "image/png")


def test_a_program_that_is_no_python_has_not_started(instead):
    instead("import sys; sys.exit('unknown option -P')")

    with pytest.raises(NotStarted, match="exit status 1"):
        apart(SAMPLES["image/png"], "image/png")


def test_a_server_that_embeds_python_is_not_started_again(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/usr/sbin/httpd")
    assert (interpreter() or "").endswith(("python3", "python.exe", "None"))

    monkeypatch.setattr(sys, "prefix", "/nowhere")

    assert interpreter() is None
    with pytest.raises(NotStarted):
        apart(SAMPLES["image/png"], "image/png")


def test_a_process_has_nothing_of_the_environment_of_the_site(instead, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "of the site")
    instead(
        STARTED
        + 'os.write(1, (\'{"refused": "%s", "weight": 1}\\n\' % os.environ.get(\'SECRET_KEY\')).encode())'
    )

    assert refused(SAMPLES["image/png"], "image/png") == ("None", 1)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not limit the memory of a process")
def test_a_process_has_a_memory_limit(monkeypatch):
    program = (
        "from django_roomchat.files.image_process import _limit; from django_roomchat.files.reencoding import ImageLimits;"
        "_limit(ImageLimits(1_000_000, 1, 1, 10)); bytearray(200_000_000)"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    # Under coverage, its file of data meets the limit of written bytes afterwards.
    assert "MemoryError" in done.stderr.splitlines()
