"""The screenshots of the documentation are those that the command takes, and each has a description."""

import re
from pathlib import Path

import pytest

from tests.browser.screenshots import FOLDER, VIEWS

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "topics" / "screenshots.md"
MOST_BYTES = 1_500_000


def pictures(path: Path) -> dict[str, str]:
    """The description of each screenshot, by its name."""
    text = path.read_text()
    found = re.findall(r"^```\{image\} \S*screenshots/([\w-]+)\.webp\n:alt: (.*)$", text, re.MULTILINE)
    found += re.findall(
        r'<img src="docs/_static/screenshots/([\w-]+)\.webp" width="\d+" alt="([^"]*)">', text
    )
    return dict(found)


def test_the_page_shows_every_view_that_the_command_takes() -> None:
    assert set(pictures(PAGE)) == set(VIEWS)


def test_every_picture_is_there_and_none_is_left_over() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {f"{name}.webp" for name in VIEWS}


def test_pictures_say_in_words_what_they_show_each_something_else() -> None:
    words = list(pictures(PAGE).values())

    assert min(map(len, words)) > 15
    assert len(set(words)) == len(words)


@pytest.mark.parametrize("path", [ROOT / "README.md", ROOT / "docs" / "index.md"], ids=lambda path: path.name)
def test_the_first_pages_show_two_of_them_in_the_same_words(path: Path) -> None:
    shown = pictures(path)

    assert len(shown) == 2
    assert shown.items() <= pictures(PAGE).items()


def test_the_pictures_are_light() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= MOST_BYTES
