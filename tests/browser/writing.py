"""The composer with its lists of names and of emoji, in a room with messages of three people."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.page import NewContext, composer, joined, seed
from tests.services.server import Server

SAID = (
    ("Ana Silva", "2026-01-02T10:00:00Z", "Hello"),
    ("김민준", "2026-01-02T10:01:00Z", "안녕하세요"),
    ("Anatol", "2026-01-02T10:02:00Z", "Hi"),
)


@pytest.fixture
def page_of(site: Server, room: str, new_context: NewContext) -> Iterator[Any]:
    """Return a function that opens a page of a room with messages of three people."""
    seed(site, room, *SAID)

    def open_page(**options: Any) -> Page:
        return joined(new_context(**options).new_page(), site, room)

    yield open_page


@pytest.fixture
def writer(page_of: Any) -> Page:
    """The page of one user in that room."""
    opened: Page = page_of()
    return opened


def options(page: Page) -> Locator:
    return page.get_by_role("option")


def names(page: Page) -> list[str]:
    return page.locator("[data-part=option-name]:visible").all_inner_texts()


def active(page: Page) -> str:
    """Return the name of the option that `aria-activedescendant` refers to."""
    found: str = composer(page).evaluate(
        """(input) => {
          const list = document.getElementById(input.getAttribute("aria-controls"));
          const option = document.getElementById(input.getAttribute("aria-activedescendant"));
          if (list.getAttribute("role") !== "listbox" || !list.contains(option)) return "";
          return option.querySelector("[data-part=option-name]").textContent;
        }"""
    )
    return found


def picker(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Emoji")


def has_emoji(page: Page) -> None:
    """Wait until the emoji names are loaded."""
    expect(picker(page).get_by_role("button", name="grinning face", exact=True)).to_be_visible()
