"""Panels are loaded when the pointer or the focus reaches their buttons, and no click is lost during the load."""

from playwright.sync_api import Page, Route, expect

from tests.browser.page import composer, joined, release
from tests.services.server import Server

PANELS = "**/panels.js"


def test_who_only_reads_does_without(page: Page, site: Server, room: str) -> None:
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url.rpartition("/")[2]))
    joined(page, site, room)
    page.wait_for_load_state("networkidle")
    assert "roomchat.js" in fetched
    assert "panels.js" not in fetched

    with page.expect_request(PANELS):
        composer(page).focus()


def test_a_click_that_is_faster_than_the_script_is_not_lost(page: Page, site: Server, room: str) -> None:
    held: list[Route] = []
    page.route(PANELS, lambda route: held.append(route))
    joined(page, site, room)
    with page.expect_request(PANELS):
        page.get_by_role("button", name="More").click()
    expect(page.get_by_role("menu")).to_be_hidden()
    release(page, held)

    expect(page.get_by_role("menuitem", name="Keyboard shortcuts")).to_be_visible()


def test_a_key_that_is_faster_than_the_script_is_not_lost(page: Page, site: Server, room: str) -> None:
    held: list[Route] = []
    page.route(PANELS, lambda route: held.append(route))
    joined(page, site, room)
    with page.expect_request(PANELS):
        page.keyboard.press("?")
    release(page, held)

    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def test_a_script_that_did_not_come_is_asked_for_again(page: Page, site: Server, room: str) -> None:
    page.route(PANELS, lambda route: route.abort())
    joined(page, site, room)
    page.get_by_role("button", name="More").click()
    expect(page.locator("[data-part=notice-text]")).to_have_text("Not connected. Try again in a moment.")
    page.unroute(PANELS)
    page.get_by_role("button", name="More").click()

    expect(page.get_by_role("menuitem", name="Keyboard shortcuts")).to_be_visible()
