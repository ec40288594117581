"""Presence, typing indicators and read markers on the page."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.page import (
    NewContext,
    chat,
    composer,
    enter,
    joined,
    look_away,
    look_back,
    say,
    seed,
    violations,
)
from tests.services.server import Server


@pytest.fixture
def pair(site: Server, room: str, new_context: NewContext) -> Iterator[tuple[Page, Page]]:
    yield joined(new_context().new_page(), site, room), joined(new_context().new_page(), site, room)


def name(page: Page) -> str:
    return page.locator("[data-part=me]").inner_text()


def test_a_room_says_who_is_here(pair: tuple[Page, Page], site: Server, room: str) -> None:
    ana, bo = pair
    present = ana.get_by_role("button", name="people here")
    expect(present).to_have_text("2people here")
    # A second tab of the same person is the same person.
    joined(bo.context.new_page(), site, room)
    expect(present).to_have_text("2people here")
    present.click()

    expect(ana.get_by_role("heading", name="In this room now 2")).to_be_visible()
    expect(ana.locator("[data-part=people-here] b")).to_have_text(sorted([name(ana), name(bo)]))
    assert violations(ana) == []


def test_who_types_is_told_and_forgotten(pair: tuple[Page, Page]) -> None:
    ana, bo = pair
    composer(bo).press_sequentially("So")
    typing = ana.locator("[data-part=typing]")
    expect(typing).to_have_text(f"{name(bo)} is typing…")
    expect(bo.locator("[data-part=typing]")).to_be_empty()
    composer(bo).press("Enter")

    expect(typing).to_be_empty()
    expect(ana.locator("li .roomchat-body")).to_have_text(["So"])


def test_a_page_in_the_background_counts_in_its_title_and_marks_where_new_begins(
    pair: tuple[Page, Page],
) -> None:
    ana, bo = pair
    title = ana.title()
    say(bo, "seen")
    expect(ana.locator("#m-1")).to_be_visible()
    look_away(ana)
    for text in ("one", "two"):
        say(bo, text)
    expect(ana).to_have_title(f"(2) {title}")
    look_back(ana)

    expect(ana).to_have_title(title)
    expect(ana.locator("#m-2 > .roomchat-new")).to_be_visible()
    expect(ana.locator("#m-3 > .roomchat-new")).to_be_hidden()


def test_a_room_opens_with_a_line_above_what_is_new(site: Server, room: str, new_context: NewContext) -> None:
    seed(site, room, count=3)
    page = joined(new_context().new_page(), site, room)
    expect(page.locator(".roomchat-new:visible")).to_have_count(0)
    with page.expect_websocket() as opened:
        page.reload()
    with opened.value.expect_event("framereceived", lambda frame: '"type":"read"' in str(frame)):
        pass
    page.goto("about:blank")
    seed(site, room, ("Bo", "2026-01-03T10:00:00Z", "something new"))
    enter(page, site, room)

    expect(page.locator("#m-4 > .roomchat-new")).to_be_visible()
    expect(page.locator(".roomchat-new:visible")).to_have_count(1)
    expect(chat(page)).to_have_attribute("connected", "")
    expect(page.locator("#m-4 > .roomchat-new")).to_be_visible()


def test_what_one_tab_has_read_is_read_in_the_other(site: Server, room: str, pair: tuple[Page, Page]) -> None:
    ana, bo = pair
    behind = joined(ana.context.new_page(), site, room)
    title = behind.title()
    look_away(ana)
    look_away(behind)
    say(bo, "new")
    expect(behind).to_have_title(f"(1) {title}")
    look_back(ana)

    expect(behind).to_have_title(title)


def test_an_own_message_is_not_new(pair: tuple[Page, Page], site: Server, room: str) -> None:
    ana, bo = pair
    say(bo, "hello")
    expect(ana.locator("#m-1")).to_be_visible()
    say(ana, "mine")
    expect(bo.locator("#m-2")).to_be_visible()
    enter(ana, site, room)

    expect(ana.locator("#m-2")).to_be_visible()
    expect(ana.locator(".roomchat-new:visible")).to_have_count(0)
