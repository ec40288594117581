"""The page as a whole: content security policy, small screens, accessibility, languages and embedding."""

import uuid
from typing import Any

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect

from tests.browser.page import (
    TOUCH_TARGET_PX,
    NewContext,
    Start,
    chat,
    composer,
    enter,
    failed,
    joined,
    pending,
    say,
    seed,
    sent,
    violations,
)
from tests.services.server import Server


def test_a_strict_content_security_policy_finds_nothing_to_forbid(
    server: Start, room: str, page: Page
) -> None:
    site = server(settings="tests.browser.strict_settings")
    seed(site, room, count=60)
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{site.url}/chat/")
    joined(page, site, room)
    say(page, "https://example.com is a link")
    expect(sent(page).get_by_role("link", name="example.com")).to_be_visible()
    page.get_by_role("log").evaluate("(log) => log.scrollBy(0, -log.scrollHeight)")
    expect(page.locator("li.roomchat-message")).to_have_count(61)

    assert complaints == []


def test_a_phone_of_320_pixels_shows_everything_without_sideways_scrolling(
    site: Server, room: str, new_context: NewContext
) -> None:
    long = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 3
    seed(
        site,
        room,
        (long[:60], "2026-01-02T10:00:00Z", f"{long} https://example.com/{long}"),
        ("김", "2026-01-02T10:00:00Z", "가" * 300),
    )
    page = new_context(viewport={"width": 320, "height": 640}, has_touch=True).new_page()
    for address in (
        f"/chat/{room}/",
        f"/chat/{'w' * 100}/",
        "/chat/",
        "/chat/?room=a%2Fb",
        f"/chat/{room}/?before=x",
    ):
        page.goto(site.url + address)

        widths = page.evaluate(
            "[document.documentElement, document.querySelector('[role=log]') ?? document.body].map((box) => box.scrollWidth - box.clientWidth)"
        )
        assert widths == [0, 0], address


def test_what_is_to_be_touched_is_large_enough(site: Server, room: str, new_context: NewContext) -> None:
    page = joined(new_context(viewport={"width": 320, "height": 640}, has_touch=True).new_page(), site, room)
    chat(page).evaluate("(chat) => chat.send('x'.repeat(4001))")
    expect(failed(page)).to_have_count(1)
    for control in page.locator("button:visible, textarea:visible, header a:visible").all():
        box = control.bounding_box()

        assert box is not None
        assert min(box["width"], box["height"]) >= TOUCH_TARGET_PX, control.evaluate(
            "(element) => element.outerHTML"
        )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(site: Server, room: str, scheme: Any, new_context: NewContext) -> None:
    room = f"{room}-{scheme}"
    seed(site, room, ("김민수", "2026-01-02T10:00:00Z", "https://example.com 여기요"), count=60)
    page = new_context(color_scheme=scheme).new_page()
    joined(page, site, room)
    say(page, "mine, with https://example.com in it")
    expect(sent(page)).to_have_count(1)
    chat(page).evaluate("(chat) => chat.send('x'.repeat(4001))")
    expect(failed(page)).to_have_count(1)
    assert violations(page) == []
    page.route_web_socket("**/ws/**", lambda line: line.close(code=4001))
    enter(page, site, room)
    expect(page.get_by_role("link", name="Sign in again")).to_be_visible()
    say(page, "pending")
    expect(pending(page)).to_have_count(1)
    assert violations(page) == []
    for address in ("/chat/", "/chat/?room=a%2Fb", f"/chat/{room}/?before=20", f"/chat/{room}/?before=x"):
        page.goto(site.url + address)
        assert violations(page) == [], address


def test_a_korean_reader_finds_a_korean_page(site: Server, new_context: NewContext) -> None:
    room = uuid.uuid4().hex
    page = joined(new_context(locale="ko-KR").new_page(), site, room)

    expect(page.locator("html")).to_have_attribute("lang", "ko")
    expect(composer(page)).to_have_attribute("placeholder", "메시지 입력")
    expect(page.get_by_role("button", name="보내기")).to_be_visible()
    say(page, "오늘")
    expect(page.locator(".roomchat-day:visible")).to_have_text("오늘")


def test_a_page_of_the_site_s_own_takes_a_room_in(server: Start, new_context: NewContext) -> None:
    site = server(project="example_project")
    ana, bo = (new_context().new_page() for _ in range(2))
    for page in (ana, bo):
        page.goto(f"{site.url}/embedded/")
        expect(chat(page)).to_have_attribute("connected", "")
    say(ana, "from the middle of a page")

    expect(bo.locator("li .roomchat-body")).to_have_text(["from the middle of a page"])
    assert (
        bo.locator("script[src*=roomchat]").count() == bo.locator("link[href*='roomchat.css']").count() == 1
    )


def test_an_element_that_is_taken_out_and_put_back_goes_on(site: Server, room: str, page: Page) -> None:
    joined(page, site, room)
    say(page, "before")
    expect(sent(page)).to_have_count(1)
    chat(page).evaluate(
        "(chat) => { const {parentElement} = chat; chat.remove(); parentElement.append(chat); }"
    )
    expect(chat(page)).to_have_attribute("connected", "")
    say(page, "after")

    expect(sent(page).locator(".roomchat-body")).to_have_text(["before", "after"])


def test_a_browser_without_storage_can_still_talk(site: Server, room: str, page: Page) -> None:
    page.add_init_script(
        "for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(window, name, {get() { throw new DOMException('no', 'SecurityError'); }});"
    )
    joined(page, site, room)
    say(page, "hello")

    expect(sent(page)).to_have_count(1)
