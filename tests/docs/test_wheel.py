"""The wheel contains all files of the package."""

import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Set
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Set[str]:
    """The names in a freshly built wheel. Built without isolation: nothing is downloaded."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        return set(archive.namelist())


@pytest.mark.parametrize(
    "name",
    [
        "django_roomchat/__init__.py",
        "django_roomchat/locale/ar/LC_MESSAGES/django.mo",
        "django_roomchat/locale/ko/LC_MESSAGES/django.mo",
        "django_roomchat/management/commands/roomchat_post.py",
        "django_roomchat/migrations/0001_initial.py",
        "django_roomchat/py.typed",
        "django_roomchat/static/django_roomchat/roomchat.css",
        "django_roomchat/static/django_roomchat/roomchat.js",
        "django_roomchat/templates/django_roomchat/index.html",
        "django_roomchat/templates/django_roomchat/room.html",
        "django_roomchat/templatetags/roomchat.py",
    ],
)
def test_the_wheel_holds(wheel: Set[str], name: str) -> None:
    assert name in wheel


def test_the_wheel_holds_every_file_of_the_package(wheel: Set[str]) -> None:
    package = ROOT / "django_roomchat"
    here = {
        path.relative_to(ROOT).as_posix()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert {name for name in wheel if name.startswith("django_roomchat/")} == here


def test_the_wheel_installs_nothing_else(wheel: Set[str]) -> None:
    tops = {name.split("/")[0] for name in wheel}

    assert {top for top in tops if not top.endswith(".dist-info")} == {"django_roomchat"}


def test_the_sdist_holds_the_tests_and_scripts_and_no_findings(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "build",
        "--sdist",
        "--no-isolation",
        "--outdir",
        str(tmp_path),
        str(ROOT),
    ]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(built) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    here = {
        path.relative_to(ROOT).as_posix()
        for folder in ("js", "tests")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and "node_modules" not in path.parts
    }
    assert here - names == set()
    assert {name for name in names if name.startswith("findings/")} == set()
