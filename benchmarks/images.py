"""Measure what re-encoding an image costs: peak memory and time at the limit, and the wait of a small picture.

python -m benchmarks.images
python -m benchmarks.images --checkout ../earlier --call django_roomchat.images:made_anew

The second form measures another checkout in turn with this one. Inputs are drawn here; nothing is downloaded.
"""

import argparse
import contextlib
import datetime
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
OURS = "django_roomchat.files.images:reencode"
KINDS = {
    # name: (content type, weight of a pixel, frames; None for as many of 500 × 500 as the limit allows)
    "JPEG, baseline": ("image/jpeg", 1.0, 1),
    "JPEG, progressive": ("image/jpeg", 1.0, 1),
    "JPEG, progressive, CMYK": ("image/jpeg", 1.5, 1),
    "JPEG, colour profile": ("image/jpeg", 1.0, 1),
    "PNG": ("image/png", 1.0, 1),
    "PNG, 16-bit grey": ("image/png", 1.0, 1),
    "GIF": ("image/gif", 1.0, 1),
    "WebP, lossy": ("image/webp", 1.5, 1),
    "WebP, lossless": ("image/webp", 1.5, 1),
    "AVIF": ("image/avif", 1.5, 1),
    "AVIF, lossless": ("image/avif", 1.5, 1),
    "HEIC": ("image/heic", 1.0, 1),
    "HEIC, colour profile": ("image/heic", 1.0, 1),
    "GIF, 2 frames": ("image/gif", 1.0, 2),
    "GIF, 500 × 500": ("image/gif", 1.0, None),
    "APNG, 2 frames": ("image/png", 1.0, 2),
    "APNG, 500 × 500": ("image/png", 1.0, None),
    "animated WebP, 2 frames": ("image/webp", 1.5, 2),
    "animated WebP, 500 × 500": ("image/webp", 1.5, None),
    "animated AVIF, 2 frames": ("image/avif", 1.5, 2),
    "animated AVIF, 500 × 500": ("image/avif", 1.5, None),
}
SLOWEST = "APNG, 500 × 500"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.images",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--checkout", type=Path, help="another checkout, to compare with")
    parser.add_argument("--call", default=OURS, help="the function of the other checkout: module:function")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kind", action="append", help="only these kinds")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--wait", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(one(*given.one, given.call)))
    elif given.wait:
        print(json.dumps(wait(*given.wait, given.call)))
    else:
        compare(given)


# The measurement, in a process of its own ------------------------------------------------------------------------------


def one(file: str, kind: str, call: str) -> dict[str, Any]:
    """Re-encode a file once."""
    import resource

    reencode = prepared(call)
    content = open(file, "rb")  # noqa: SIM115
    before = time.perf_counter()
    try:
        reencode(content, kind)
        said = "ok"
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
    seconds = time.perf_counter() - before
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {"said": said, "seconds": seconds, "peak": peak / 1024}


def wait(large: str, small: str, call: str) -> dict[str, Any]:
    """Two visitors send a large animation, and a second later a third one sends a small picture."""
    reencode = prepared(call)
    took: dict[str, float] = {}

    def send(name: str, file: str, kind: str) -> None:
        began = time.perf_counter()
        # An image above a limit is a result, too.
        with open(file, "rb") as content, contextlib.suppress(Exception):
            reencode(content, kind)
        took[name] = time.perf_counter() - began

    others = [threading.Thread(target=send, args=(f"large {n}", large, KINDS[SLOWEST][0])) for n in (1, 2)]
    for thread in others:
        thread.start()
    time.sleep(1)
    send("small", small, "image/jpeg")
    done = [thread for thread in others if not thread.is_alive()]
    took["finished before it"] = len(done)
    for thread in others:
        thread.join()
    return took


def prepared(call: str) -> Any:
    os.environ |= {"DATABASE_URL": "sqlite://", "DJANGO_SETTINGS_MODULE": "benchmarks.settings"}
    import django

    django.setup()
    module, _, name = call.partition(":")
    return getattr(import_module(module), name)


# The runs -------------------------------------------------------------------------------------------------------------


def compare(given: argparse.Namespace) -> None:
    contenders = {"this": (ROOT, OURS)}
    if given.checkout:
        contenders = {"other": (given.checkout.resolve(), given.call), **contenders}
    limits = {name: limit_of(folder) for name, (folder, _call) in contenders.items()}
    print(f"{datetime.date.today()}, Python {sys.version.split()[0]}, Pillow {version('pillow')}, {limits}")
    with tempfile.TemporaryDirectory(prefix="roomchat-images-") as folder:
        files = {}
        for kind in given.kind or KINDS:
            for name in contenders:
                files[kind, name] = Path(folder, f"{name} {kind}".replace(" ", "-"))
                subprocess.run(
                    [
                        sys.executable,
                        "-c",
                        "import sys; from benchmarks.images import draw; draw(*sys.argv[1:])",
                    ]
                    + [str(files[kind, name]), kind, str(limits[name][0]), str(int(limits[name][1]))],
                    cwd=ROOT,
                    check=True,
                )
        print("| image at the limit | " + " | ".join(f"{name}: MB | s" for name in contenders) + " |")
        for kind in given.kind or KINDS:
            cells = []
            for name, (checkout, call) in contenders.items():
                runs = [
                    measured(checkout, call, "--one", files[kind, name], KINDS[kind][0])
                    for _ in range(given.rounds)
                ]
                peak, seconds = (statistics.median(run[what] for run in runs) for what in ("peak", "seconds"))
                said = "" if runs[0]["said"] == "ok" else f" ({runs[0]['said']})"
                cells.append(f"{peak:.0f} | {seconds:.1f}{said}")
            print(f"| {kind} | " + " | ".join(cells) + " |", flush=True)
        if given.kind and SLOWEST not in given.kind:
            return
        small = Path(folder, "small.jpg")
        photo(800, 600).save(small, "JPEG")
        for turn in range(given.rounds):
            for name, (checkout, call) in contenders.items():
                took = measured(checkout, call, "--wait", files[SLOWEST, name], small)
                shown = ", ".join(f"{what}: {value:.2f}" for what, value in took.items())
                print(
                    f"wait of a small picture, round {turn}, {name} (load {os.getloadavg()[0]:.1f}): {shown}",
                    flush=True,
                )


def measured(checkout: Path, call: str, what: str, *args: Any) -> dict[str, Any]:
    command = [sys.executable, str(Path(__file__)), "--call", call, what, *map(str, args)]
    done = subprocess.run(
        command,
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(checkout), os.environ.get("PYTHONPATH", "")])},
        check=True,
        stdout=subprocess.PIPE,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def limit_of(checkout: Path) -> tuple[int, bool]:
    """Return the default limit of pixels, and whether pixels are weighted."""
    code = "from django_roomchat.conf import Config as C; print(C().ATTACHMENT_IMAGE_PIXELS, hasattr(C(), 'ATTACHMENT_IMAGE_FRAMES'))"
    environment = {**os.environ, "DATABASE_URL": "sqlite://", "DJANGO_SETTINGS_MODULE": "benchmarks.settings"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=checkout, env=environment, check=True, stdout=subprocess.PIPE
    )
    pixels, is_weighted = done.stdout.decode().split()
    return int(pixels), is_weighted == "True"


# The inputs -----------------------------------------------------------------------------------------------------------


def draw(file: str, kind: str, limit: str, is_weighted: str) -> None:
    """Draw the largest image of a kind that the limit allows."""
    content_type, weight, frames = KINDS[kind]
    pixels = int(int(limit) / (weight if int(is_weighted) else 1))
    extra = int(is_weighted)
    if frames == 1:
        side = int(pixels**0.5)
        image = photo(side, side)
    elif frames == 2:
        side = int((pixels / (2 + extra)) ** 0.5)
        image = photo(side, side)
    else:
        frames = pixels // 250_000 - extra
        image = photo(500, 500)
    form = content_type.partition("/")[2].upper()
    options: dict[str, Any] = {}
    if kind.startswith("JPEG"):
        options = {"quality": 85, "progressive": "progressive" in kind, "subsampling": 0}
        image = image.convert("CMYK") if "CMYK" in kind else image
    elif form == "WEBP":
        options = {"method": 0, "quality": 0 if "lossless" in kind else 70, "lossless": "lossless" in kind}
    elif form == "AVIF":
        lossless = {"quality": 100, "subsampling": "4:4:4"}
        options = {"speed": 10} | (lossless if "lossless" in kind else {"quality": 70})
    elif form == "HEIC":
        import pillow_heif

        pillow_heif.register_heif_opener()
        form, options = "HEIF", {"quality": 60, "enc_params": {"preset": "ultrafast"}}
    elif "grey" in kind:
        image = image.convert("L").convert("I;16").point(lambda value: value * 257)
    elif form == "PNG":
        image, options = image.convert("RGBA"), {"compress_level": 1}
    else:
        image = image.quantize(256)
    if "profile" in kind:
        from PIL import ImageCms

        options["icc_profile"] = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    if frames > 1:
        # Every frame is another one everywhere, so that nothing can be left out.
        moved = [image.transform(image.size, 0, (1, 0, n, 0, 1, 2 * n)) for n in range(1, frames)]
        options |= {"save_all": True, "append_images": moved, "duration": 50, "loop": 0}
    image.save(file, form, **options)


def photo(width: int, height: int) -> Any:
    """Draw something like a photo: soft shapes in all colours."""
    from PIL import Image

    soft = Image.effect_noise((max(8, width // 16), max(8, height // 16)), 90).resize((width, height), 3)
    gradients = [Image.linear_gradient("L"), Image.radial_gradient("L")]
    return Image.merge("RGB", [soft, *(one.resize((width, height)) for one in gradients)])


if __name__ == "__main__":
    main()
