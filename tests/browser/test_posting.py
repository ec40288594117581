"""Posting a message: sent, rejected, too long, changed by a script, and the keys that send."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.page import NewContext, bodies, chat, composer, enter, failed, joined, pending, say, sent
from tests.services.server import Server


@pytest.mark.firefox
def test_two_windows_talk_in_korean_and_a_third_sees_what_was_said(
    site: Server, new_context: NewContext
) -> None:
    ana, bo = (joined(new_context().new_page(), site, "한국어") for _ in range(2))

    say(ana, "안녕하세요 👋")
    expect(bo.locator("li.roomchat-message")).to_have_text([re.compile("안녕하세요 👋")])
    say(bo, "반갑습니다")

    expect(ana.locator("li .roomchat-body")).to_have_text(["안녕하세요 👋", "반갑습니다"])
    third = enter(new_context().new_page(), site, "한국어")
    assert bodies(third) == ["안녕하세요 👋", "반갑습니다"]


def test_a_message_is_shown_before_it_is_sent_and_in_its_place_afterwards(
    site: Server, room: str, page: Page
) -> None:
    # Posts wait on the way until the test lets them through.
    held: list[Callable[[], None]] = []

    def hold(line: WebSocketRoute) -> None:
        upstream = line.connect_to_server()
        line.on_message(
            lambda frame: (
                held.append(lambda: upstream.send(frame)) if '"post"' in str(frame) else upstream.send(frame)
            )
        )

    page.route_web_socket("**/ws/**", hold)
    joined(page, site, room)
    say(page, "on my way")
    expect(pending(page)).to_have_text([re.compile("on my way")])
    expect(composer(page)).to_have_value("")

    held[0]()

    expect(sent(page)).to_have_text([re.compile("on my way")])
    expect(pending(page)).to_have_count(0)
    assert bodies(page) == ["on my way"]


def test_what_the_server_never_accepts_can_be_edited_or_thrown_away_and_not_sent_again(
    site: Server, room: str, page: Page
) -> None:
    joined(page, site, room)
    chat(page).evaluate("(chat) => chat.send('x'.repeat(4001))")
    expect(failed(page)).to_contain_text("A message can have at most 4000 characters")

    assert failed(page).locator("[data-action]:visible").all_inner_texts() == ["Edit", "Delete"]
    page.get_by_role("button", name="Delete").click()

    expect(page.locator("li.roomchat-message")).to_have_count(0)


def test_the_composer_says_how_many_characters_are_too_many_and_sends_none_of_them(
    site: Server, room: str, page: Page
) -> None:
    joined(page, site, room)
    composer(page).fill("🎉" * 3900)
    expect(page.get_by_text("100 left")).to_be_visible()

    say(page, "🎉" * 4001)

    expect(page.get_by_text("1 too many")).to_be_visible()
    expect(page.locator("li.roomchat-message")).to_have_count(0)


@pytest.mark.firefox
def test_enter_that_ends_a_composition_does_not_send(site: Server, room: str, page: Page) -> None:
    joined(page, site, room)
    composer(page).fill("안녕")
    for composition in ({"isComposing": True}, {"keyCode": 229}):
        composer(page).evaluate(
            "(input, more) => input.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, cancelable: true, ...more}))",
            composition,
        )
    composer(page).press("Shift+Enter")

    expect(composer(page)).to_have_value("안녕\n")
    expect(page.locator("li.roomchat-message")).to_have_count(0)


def test_on_a_touch_screen_enter_begins_a_line_and_the_button_sends(
    site: Server, room: str, new_context: NewContext
) -> None:
    page = joined(new_context(has_touch=True, is_mobile=True).new_page(), site, room)
    composer(page).fill("one")
    composer(page).press("Enter")
    composer(page).press_sequentially("two")
    page.get_by_role("button", name="Send").tap()

    expect(sent(page).locator(".roomchat-body")).to_have_text("one\ntwo", use_inner_text=True)
    expect(composer(page)).to_be_focused()


def test_a_script_of_the_site_may_stop_or_change_what_is_said(site: Server, room: str, page: Page) -> None:
    joined(page, site, room)
    chat(page).evaluate(
        """(chat) => chat.addEventListener("roomchat:before-send", (event) => {
          if (event.detail.body === "damn") event.preventDefault();
          else event.detail.body = event.detail.body.toUpperCase();
        })"""
    )

    say(page, "damn")
    expect(composer(page)).to_have_value("damn")
    say(page, "hello")

    expect(page.locator("li .roomchat-body")).to_have_text(["HELLO"])
