"""Guarantees of the tests in Firefox: no test passes by what Firefox does not support."""

import pytest
from playwright.sync_api import Browser, Error, Page, expect

from tests.browser.page import NewContext, chat, composer, enter
from tests.services.server import Server

pytestmark = [pytest.mark.firefox, pytest.mark.only_browser("firefox")]


def test_it_is_a_firefox_and_people_can_click_in_it(page: Page) -> None:
    page.set_content("<button onclick='this.textContent = navigator.userAgent'>Who are you?</button>")
    page.get_by_role("button").click()

    expect(page.get_by_role("button")).to_contain_text("Firefox/")


def test_it_does_not_pretend_to_prefer_dark_colours(browser: Browser) -> None:
    browser.new_context(color_scheme="light").close()

    with pytest.raises(Error, match="unknown command"):
        browser.new_context(color_scheme="dark")


def test_what_it_cannot_do_is_skipped(page: Page, new_context: NewContext) -> None:
    with pytest.raises(pytest.skip.Exception, match="not in Firefox: colours and motion"):
        page.emulate_media(color_scheme="dark")
    with pytest.raises(pytest.skip.Exception, match="not in Firefox: a phone"):
        new_context(is_mobile=True)


def test_without_scripts_no_script_runs(site: Server, room: str, new_context: NewContext) -> None:
    with_script, without = (
        enter(new_context(java_script_enabled=on).new_page(), site, room) for on in (True, False)
    )
    expect(chat(with_script)).to_have_attribute("connected", "")

    expect(composer(without)).to_be_visible()
    assert without.evaluate("customElements.get('room-chat') === undefined")
