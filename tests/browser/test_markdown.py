"""Rendered Markdown: without gaps, and the same live, after a reload and without a script."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.page import NewContext, enter, joined, violations
from tests.services.server import ROOT, Server
from tests.services.shell import run_at

TEXTS = [text for text, _ in json.loads((ROOT / "tests" / "shared" / "markdown.json").read_text())]
LINES = {
    "- a\n  - b\n- c": 3,
    "hello **you**\n\nsecond": 2,
    "> quoted\nanswer": 2,
    "*a*\nb": 2,
    "1. a\n2. b\n   > c": 3,
}
# The text of each message, the numbers of its lists and the number of its links. Without a script the newest stand first.
SHOWN = """
(room) => [...room.querySelectorAll("li.roomchat-message[data-seq]")]
  .sort((one, other) => one.dataset.seq - other.dataset.seq)
  .map((message) => {
    const body = message.querySelector("[data-part=body]");
    const numbers = [...body.querySelectorAll("ol > li")].map((item) => item.value);
    return [body.innerText, numbers, body.querySelectorAll("a").length];
  })
"""
HEIGHTS = '(room) => [...room.querySelectorAll("[data-part=body]")].map((body) => body.getBoundingClientRect().height)'


@pytest.fixture(scope="module")
def site(_migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("site")
    copied = shutil.copy(_migrated_sqlite, folder / "site.sqlite3")
    server = Server(
        folder / "server.log",
        database_url=f"sqlite:///{copied}",
        settings="tests.browser.strict_settings",
        roomchat={"MARKDOWN": True},
    )
    server.start()
    yield server
    server.stop()


def post(site: Server, room: str, texts: list[str]) -> None:
    run_at(
        site,
        f"""
import json
from django_roomchat import post_message
for text in json.loads({json.dumps(json.dumps(texts))}):
    post_message({room!r}, text, name="Ana")
""",
    )


def shown(page: Page) -> object:
    return page.locator("room-chat").evaluate(SHOWN)


def test_markdown_is_shown_alike_live_after_a_reload_and_without_a_script(
    site: Server, room: str, new_context: NewContext
) -> None:
    page = joined(new_context().new_page(), site, room)
    post(site, room, TEXTS[:45])
    expect(page.locator("li.roomchat-message")).to_have_count(45)
    live = shown(page)
    page.reload()
    expect(page.locator("room-chat[connected]")).to_be_visible()
    reloaded = shown(page)
    plain = enter(new_context(java_script_enabled=False).new_page(), site, room)

    assert reloaded == live
    assert shown(plain) == live
    assert violations(page) == []


def test_rendered_blocks_have_no_gaps(site: Server, room: str, new_context: NewContext) -> None:
    page = joined(new_context().new_page(), site, room)
    post(site, room, ["one line", *LINES])
    expect(page.locator("li.roomchat-message")).to_have_count(len(LINES) + 1)

    [line, *heights] = page.locator("room-chat").evaluate(HEIGHTS)

    for (text, lines), height in zip(LINES.items(), heights, strict=True):
        assert lines * line - 1 <= height <= (lines + 0.5) * line, text
    assert heights[1] > 2 * line + 3  # a blank line between paragraphs is visible
