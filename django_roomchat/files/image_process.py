"""Re-encoding of an image in a process of its own.

``run()`` starts this module as ``python -m django_roomchat.files.image_process``, once for each image. The process imports Pillow
and no Django, and it has none of the site's environment variables and open files. It limits its own time, memory and output, so that it
ends even if its parent is killed.
"""

from __future__ import annotations

import atexit
import contextlib
import faulthandler
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from shutil import copyfileobj
from typing import IO, Any

from django_roomchat.files.reencoding import ImageLimits, ReencodedImage, Refused, load_codecs, reencode

READY = b"roomchat\n"
"""First line of the output. Without it, the process has not started, and the image is not the reason."""
START_SECONDS = 10.0
"""Time in which the process must start, in seconds, in addition to the time of the image."""
MEMORY_BASE_BYTES = 67_108_864
"""Memory limit of the process without the image, in bytes."""
MEMORY_PIXEL_BYTES = 12
"""Memory limit of the process for each pixel of the limit, in bytes. Re-encoding takes less, see the benchmark ``images``."""
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR")
_STOPPED = {-signal.SIGINT, -signal.SIGTERM}
_running: set[subprocess.Popen[bytes]] = set()
_lock = threading.Lock()


class NotStarted(Exception):
    """The process could not be started."""


class Stopped(Exception):
    """The process was ended from outside, for example by Ctrl-C, by the shutdown of the server, or for lack of memory before it
    began.
    """


def interpreter() -> str | None:
    """Return the Python interpreter; ``None`` if it is not known, as in a server that embeds Python."""
    if "python" in Path(sys.executable or "").name.lower():
        return sys.executable
    found = Path(sys.prefix, "Scripts/python.exe" if os.name == "nt" else "bin/python3")
    return str(found) if found.exists() else None


def run(file: IO[bytes], kind: str, limits: ImageLimits) -> ReencodedImage:
    """Re-encode an image in a new process and wait for it.

    Args:
        file: the content.
        kind: content type of the image.
        limits: the limits. After ``limits.seconds`` the process is killed.

    Returns:
        The re-encoded image.

    Raises:
        Refused: the image exceeds a limit or is invalid; also if the decoder crashes.
        NotStarted: there is no process.
        Stopped: the process was ended from outside.
    """
    python = interpreter()
    if python is None:
        raise NotStarted("the Python interpreter is not known")
    # Files instead of pipes: nothing waits for a reader, and the size of the output is limited by the operating system.
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as made:
        file.seek(0)
        copyfileobj(file, given)
        given.seek(0)
        command = [python, "-P", "-m", __name__, kind, json.dumps(asdict(limits))]
        try:
            process = subprocess.Popen(
                command, stdin=given, stdout=made, stderr=subprocess.DEVNULL, env=_environment()
            )
        except OSError as error:
            raise NotStarted(repr(error)) from error
        with _owned(process):
            try:
                code = process.wait(limits.seconds + START_SECONDS)
            except subprocess.TimeoutExpired as error:
                raise Refused("seconds") from error
        made.seek(0)
        return _result(made, code)


def _environment() -> dict[str, str]:
    path = os.pathsep.join(os.path.abspath(folder) for folder in sys.path)
    return {"PYTHONPATH": path} | {name: os.environ[name] for name in _PASSED_ON if name in os.environ}


@contextlib.contextmanager
def _owned(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Kill the process at the end of the block, and at the end of this process."""
    with _lock:
        _running.add(process)
    try:
        yield
    finally:
        process.kill()
        process.wait()
        with _lock:
            _running.discard(process)


@atexit.register
def _kill_all() -> None:
    for process in list(_running):
        process.kill()


def _result(made: IO[bytes], code: int) -> ReencodedImage:
    if made.readline(100) != READY:
        if code < 0:
            # By a signal, for example for lack of memory: this process must not do the work in its place.
            raise Stopped
        raise NotStarted(f"exit status {code}")
    answer = made.readline(1_000)
    if not answer.endswith(b"\n"):
        if code in _STOPPED:
            raise Stopped
        raise Refused("seconds" if code == _TIME_IS_UP or code == -_SIGXCPU else "invalid")
    said = json.loads(answer)
    if "refused" in said:
        raise Refused(said["refused"], said["weight"])
    content = made.read(said["content"])
    return ReencodedImage(
        content, said["width"], said["height"], None if said["thumb"] is None else made.read(said["thumb"])
    )


# The process -----------------------------------------------------------------------------------------------------------

_TIME_IS_UP = 1
"""Exit status after the time limit, which ``faulthandler`` fixes."""
_SIGXCPU = int(getattr(signal, "SIGXCPU", 0))


def main(kind: str, given_limits: str) -> None:
    """Re-encode the image on standard input and write the result to standard output."""
    limits = ImageLimits(**json.loads(given_limits))
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if hasattr(os, "nice"):
        os.nice(limits.niceness)
    load_codecs(kind)
    _use_one_thread(kind)
    output = sys.stdout.buffer
    output.write(READY)
    output.flush()
    _limit(limits)
    with open(os.devnull, "w") as nowhere:
        # A thread in C that ends the process even while a decoder runs.
        faulthandler.dump_traceback_later(limits.seconds, exit=True, file=nowhere)
        try:
            made = reencode(sys.stdin.buffer, kind, limits)
        except Refused as refusal:
            _answer({"refused": refusal.reason, "weight": refusal.weight})
        else:
            thumb = None if made.thumb is None else len(made.thumb)
            _answer(
                {"width": made.width, "height": made.height, "content": len(made.content), "thumb": thumb}
            )
            output.write(made.content)
            output.write(made.thumb or b"")
        output.flush()
        faulthandler.cancel_dump_traceback_later()


def _use_one_thread(kind: str) -> None:
    """Let the decoder of an image use one thread: each one reserves memory, of which this process has little."""
    if kind == "image/avif":
        from PIL import AvifImagePlugin

        AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    if kind == "image/heic":
        from pillow_heif import options

        options.DECODE_THREADS = 1


def _answer(said: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(said).encode() + b"\n")


def _limit(limits: ImageLimits) -> None:
    """Limit the process, as far as the operating system can."""
    import warnings

    from PIL import Image

    # Pillow raises an error for more than twice this number, before a decoder reserves memory.
    Image.MAX_IMAGE_PIXELS = max(1, limits.pixels // 2)
    warnings.simplefilter("ignore", Image.DecompressionBombWarning)
    try:
        import resource
    except ImportError:
        return
    memory = MEMORY_BASE_BYTES + MEMORY_PIXEL_BYTES * limits.pixels
    seconds = int(limits.seconds) + 1
    output = limits.bytes + 65_536
    for what, most in (
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, output),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (most, hard))


if __name__ == "__main__":
    main(*sys.argv[1:])
