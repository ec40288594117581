"""Emoji: completed after `:`, chosen from the picker, and added to a message as a reaction."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.page import NewContext, chat, composer, joined, say, sent
from tests.browser.writing import has_emoji, options, page_of, picker, writer
from tests.services.server import Server

__all__ = ["page_of", "writer"]  # fixtures


@pytest.mark.firefox
def test_an_emoji_is_completed_by_its_name(writer: Page) -> None:
    composer(writer).press_sequentially("yes :thu")
    expect(options(writer).first).to_have_text(re.compile("thumbs up"))
    composer(writer).press("Enter")
    expect(composer(writer)).to_have_value("yes 👍 ")
    composer(writer).press_sequentially(":tada:")

    expect(composer(writer)).to_have_value("yes 👍 🎉")
    composer(writer).press("Enter")
    expect(sent(writer).locator(".roomchat-body")).to_have_text("yes 👍 🎉")


def test_the_names_of_emoji_are_fetched_when_they_are_needed(site: Server, room: str, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/emoji/" in request.url else None)
    joined(page, site, room)
    say(page, "at 10:30 :)")
    expect(sent(page)).to_have_count(1)
    assert asked == []
    composer(page).press_sequentially(":ta")
    expect(options(page).first).to_be_visible()

    assert [url.rpartition("/")[2] for url in asked] == ["en.json"]


def test_emoji_have_names_in_the_language_of_the_page_and_english_ones(
    site: Server, room: str, new_context: NewContext
) -> None:
    page = joined(new_context(locale="ko-KR").new_page(), site, room)
    for typed, name in ((":불", "불"), (":tada", "파티")):
        composer(page).fill("")
        composer(page).press_sequentially(typed)
        expect(page.locator("[data-part=option-name]:visible").first).to_have_text(name)


@pytest.mark.firefox
def test_emoji_are_chosen_from_a_list_with_the_keyboard(writer: Page) -> None:
    composer(writer).fill("well ")
    writer.get_by_role("button", name="Emoji", exact=True).press("Enter")
    has_emoji(writer)
    search = picker(writer).get_by_role("searchbox", name="Search emoji")
    expect(search).to_be_focused()
    search.press("ArrowDown")
    expect(picker(writer).get_by_role("button", name="grinning face", exact=True)).to_be_focused()
    writer.keyboard.press("ArrowRight")
    writer.keyboard.press("ArrowDown")
    writer.keyboard.press("ArrowUp")
    expect(picker(writer).get_by_role("button", name="grinning face with big eyes")).to_be_focused()
    writer.keyboard.press("Enter")

    expect(composer(writer)).to_have_value("well 😃")
    expect(composer(writer)).to_be_focused()
    expect(picker(writer)).to_be_hidden()


def test_what_was_chosen_lately_comes_first_and_a_search_finds_the_rest(writer: Page) -> None:
    writer.get_by_role("button", name="Emoji", exact=True).click()
    has_emoji(writer)
    writer.keyboard.type("rocket")
    expect(picker(writer).get_by_role("button")).to_have_count(1)
    writer.keyboard.press("Enter")
    expect(composer(writer)).to_have_value("🚀")
    writer.reload()
    expect(chat(writer)).to_have_attribute("connected", "")
    writer.get_by_role("button", name="Emoji", exact=True).click()
    has_emoji(writer)

    expect(picker(writer).get_by_role("group", name="Recently used").get_by_role("button")).to_have_text(
        ["🚀"]
    )
    writer.keyboard.type("no such thing")
    expect(picker(writer).get_by_text("No matching emoji.")).to_be_visible()
    writer.keyboard.press("Escape")
    expect(picker(writer)).to_be_hidden()


def test_any_emoji_can_be_put_under_a_message(page_of: Any) -> None:
    ana, bo = page_of(), page_of()
    ana.get_by_role("log").focus()
    ana.keyboard.press("ArrowUp")
    ana.keyboard.press("Enter")
    ana.get_by_role("menuitem", name="More emoji").click()
    has_emoji(ana)
    ana.keyboard.type("rocket")
    ana.keyboard.press("Enter")

    for page in (ana, bo):
        expect(page.locator("#m-3 .roomchat-reaction")).to_have_text("🚀 1")


def test_where_the_names_cannot_be_had_the_emoji_of_the_menu_are_offered(
    site: Server, room: str, page: Page
) -> None:
    page.route("**/emoji/*.json", lambda route: route.abort())
    joined(page, site, room)
    page.get_by_role("button", name="Emoji", exact=True).click()
    expect(picker(page).get_by_text("The emoji names could not be loaded.")).to_be_visible()
    expect(picker(page).get_by_role("button")).to_have_text(["👍", "❤️", "😂", "🎉", "😮", "🙏"])
    picker(page).get_by_role("button").nth(3).click()
    expect(composer(page)).to_have_value("🎉")
    page.unroute("**/emoji/*.json")
    page.get_by_role("button", name="Emoji", exact=True).click()

    has_emoji(page)
