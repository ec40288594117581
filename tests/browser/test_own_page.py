"""The samples of `docs/howto/custom-page.md` and of the template reference, for custom pages."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.services.server import ROOT, Server

DOCS = ROOT / "docs"


def sample(name: str, caption: str) -> str:
    """The code under a caption on a page of the documentation."""
    [code] = re.findall(
        rf"^```\{{code-block\}} [\w+]+\n:caption: {re.escape(caption)}\n\n(.*?)^```$",
        (DOCS / name).read_text(),
        re.MULTILINE | re.DOTALL,
    )
    return code


@pytest.fixture
def site(tmp_path: Path, server: Callable[..., Server]) -> Callable[..., Server]:
    """A site with these files, by their paths."""

    def build(files: dict[str, str]) -> Server:
        (tmp_path / "site" / "static").mkdir(parents=True)
        for path, content in files.items():
            (tmp_path / "site" / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "site" / path).write_text(content)
        return server(
            settings="tests.browser.own_page_settings", env={"ROOMCHAT_TEST_SITE": str(tmp_path / "site")}
        )

    return build


def test_a_page_of_ones_own_talks_with_our_client(
    new_context: Callable[[], BrowserContext], site: Callable[..., Server]
) -> None:
    server = site(
        {
            "templates/django_roomchat/room.html": sample(
                "howto/custom-page.md", "templates/django_roomchat/room.html"
            ),
            "static/mysite/room.js": sample("howto/custom-page.md", "mysite/room.js"),
        }
    )
    ana, ben = new_context().new_page(), new_context().new_page()
    for page in (ana, ben):
        page.goto(f"{server.url}/chat/lobby/")

    for text in ("hello", "안녕 🎉"):
        ana.locator("[name=body]").fill(text)
        ana.locator("[name=body]").press("Enter")

    for page in (ana, ben):
        expect(page.locator("#log li")).to_have_text(
            [re.compile(r"Guest \d+: hello$"), re.compile("안녕 🎉$")]
        )


def test_a_page_of_ones_own_that_is_opened_later_shows_what_was_said(
    page: Page, site: Callable[..., Server]
) -> None:
    server = site(
        {
            "templates/django_roomchat/room.html": sample(
                "howto/custom-page.md", "templates/django_roomchat/room.html"
            ),
            "static/mysite/room.js": sample("howto/custom-page.md", "mysite/room.js"),
        }
    )
    page.goto(f"{server.url}/chat/lobby/")
    page.locator("[name=body]").fill("hello")
    page.locator("[name=body]").press("Enter")
    expect(page.locator("#log li")).to_have_count(1)

    page.reload()

    expect(page.locator("#log li")).to_have_text([re.compile("hello$")])


def test_a_block_of_the_room_can_be_filled(page: Page, site: Callable[..., Server]) -> None:
    server = site(
        {
            "templates/django_roomchat/_room.html": sample(
                "reference/templates.md", "templates/django_roomchat/_room.html"
            )
        }
    )

    page.goto(f"{server.url}/chat/lobby/")

    expect(page.locator("room-chat header").get_by_role("link", name="Rules")).to_be_visible()
    expect(page.locator("room-chat[connected]")).to_be_visible()
