"""The room page without JavaScript, and the index of rooms."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.page import NewContext, bodies, chat, composer, enter, seed
from tests.services.server import Server


@pytest.mark.firefox
def test_one_can_talk_without_a_script(site: Server, room: str, new_context: NewContext) -> None:
    page = enter(new_context(java_script_enabled=False).new_page(), site, room)
    composer(page).fill("no script needed 안녕")
    page.get_by_role("button", name="Send").click()

    expect(page.locator("li.roomchat-message")).to_have_text([re.compile("no script needed 안녕")])
    expect(page.locator("li[data-mine]")).to_have_count(1)
    expect(composer(page)).to_have_value("")


def test_without_a_script_a_refused_text_is_still_in_the_composer(
    site: Server, room: str, new_context: NewContext
) -> None:
    page = enter(new_context(java_script_enabled=False).new_page(), site, room)
    composer(page).fill("x" * 4001)
    page.get_by_role("button", name="Send").click()

    expect(page.get_by_role("alert")).to_contain_text("4000")
    expect(composer(page)).to_have_value("x" * 4001)


def test_without_a_script_older_messages_are_a_link_away(
    site: Server, room: str, new_context: NewContext
) -> None:
    seed(site, room, count=60)
    page = enter(new_context(java_script_enabled=False).new_page(), site, room)
    page.get_by_role("link", name="Older messages").click()
    page.wait_for_url("**?before=11")

    assert bodies(page) == [f"Line {n + 1}" for n in range(10)]
    page.get_by_role("link", name="Newest messages").click()
    expect(page.get_by_text("Line 60", exact=True)).to_be_visible()


def test_times_and_days_are_the_same_with_and_without_a_script(
    site: Server, room: str, new_context: NewContext
) -> None:
    now = datetime.now(UTC).replace(hour=0, minute=0, second=1)
    said = ["2026-01-02T16:05:00+00:00", *((now - timedelta(days=age)).isoformat() for age in (1, 0))]
    seed(site, room, *(("Ana", at, at) for at in said))

    for locale in ("en-US", "ko", "fa", "pt-BR"):
        shown = []
        for has_script in (False, True):
            context = new_context(locale=locale, timezone_id="UTC", java_script_enabled=has_script)
            page = enter(context.new_page(), site, room)
            if has_script:
                expect(chat(page)).to_have_attribute("connected", "")
            times = page.locator("li time, .roomchat-rooms time")
            titles = times.evaluate_all("(times) => times.map(({ title }) => title.replace(/ UTC$/, ''))")
            # The whole text: Firefox, whose scripts a test has turned off, tells the style sheet that they are on.
            texts = [text.strip() for text in times.all_text_contents()]
            shown.append((texts, titles))
        assert shown[0] == shown[1]
        assert all(text for text in shown[0][1])


def test_the_index_leads_into_the_room_that_was_typed(site: Server, new_context: NewContext) -> None:
    page = new_context(java_script_enabled=False).new_page()
    page.goto(f"{site.url}/chat/")
    page.get_by_role("textbox", name="Room name").fill("  Café 🎉 ")
    page.get_by_role("button", name="Enter").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Café 🎉", ignore_case=True)


def test_the_index_says_why_a_name_cannot_be(site: Server, page: Page) -> None:
    page.goto(f"{site.url}/chat/")
    page.get_by_role("textbox").fill("a/b")
    page.get_by_role("textbox").press("Enter")

    expect(page.get_by_role("alert")).to_contain_text("cannot contain")
    expect(page.get_by_role("textbox")).to_have_value("a/b")


def test_the_index_shows_where_people_talk(site: Server, room: str, page: Page) -> None:
    seed(site, room, ("Ana", "2026-01-02T10:00:00Z", "anybody here?"))
    page.goto(f"{site.url}/chat/")
    page.get_by_role("link", name=re.compile("Ana:.+anybody here?")).click()

    expect(page.locator("li.roomchat-message")).to_have_text([re.compile("anybody here?")])
