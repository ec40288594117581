"""The pages of the Channels tutorial, unchanged, in a real browser: with our routing and with the tutorial's own."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.services.server import Server

WIRINGS = {"our routing": "tests.asgi:application", "its own routing": "tests.tutorial.asgi:application"}


@pytest.fixture(params=WIRINGS.values(), ids=WIRINGS.keys())
def site(request: pytest.FixtureRequest, server: Callable[..., Server]) -> Server:
    return server(application=request.param, settings="tests.tutorial.settings")


def enter(page: Page, site: Server, room: str) -> None:
    """Type a room's name on the index page, and wait until its socket is open."""
    page.goto(f"{site.url}/chat/")
    page.locator("#room-name-input").fill(room)
    page.locator("#room-name-submit").click()
    page.wait_for_url("**/chat/*/")
    page.wait_for_function("chatSocket.readyState === WebSocket.OPEN")


def say(page: Page, text: str) -> None:
    page.locator("#chat-message-input").fill(text)
    page.locator("#chat-message-input").press("Enter")


def test_two_windows_talk(new_context: Callable[[], BrowserContext], site: Server) -> None:
    ana, ben = new_context().new_page(), new_context().new_page()
    enter(ana, site, "lobby")
    enter(ben, site, "lobby")

    say(ana, "hello")
    expect(ben.locator("#chat-log")).to_have_value("hello\n")
    say(ben, "안녕 🎉")

    expect(ana.locator("#chat-log")).to_have_value("hello\n안녕 🎉\n")
    expect(ben.locator("#chat-log")).to_have_value("hello\n안녕 🎉\n")


def test_a_room_may_have_a_korean_name(page: Page, site: Server) -> None:
    enter(page, site, "한국어")

    say(page, "hello")

    expect(page.locator("#chat-log")).to_have_value("hello\n")


def test_what_cannot_be_said_is_answered_with_a_sentence_that_the_page_shows(
    page: Page, site: Server
) -> None:
    enter(page, site, "lobby")

    say(page, "")

    expect(page.locator("#chat-log")).to_have_value("A message must contain text.\n")
    assert page.evaluate("chatSocket.readyState === WebSocket.OPEN")


def test_with_our_routing_a_room_may_have_a_space_in_its_name(
    page: Page, server: Callable[..., Server]
) -> None:
    site = server(application="tests.asgi:application", settings="tests.tutorial.settings")
    enter(page, site, "my room")

    say(page, "hello")

    expect(page.locator("#chat-log")).to_have_value("hello\n")
