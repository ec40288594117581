"""Windows of little height (a zoom of 400 %, a phone on its side), printing, large emoji and midnight."""

import contextlib
import re
import zlib
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.club import Come, come, make_club, open_people, site
from tests.browser.page import chat, composer, enter, joined, say, seed, sent
from tests.services.server import Server

__all__ = ["come", "site"]  # fixtures

SHORT = [{"width": 320, "height": 256}, {"width": 740, "height": 300}]
LONG = "A sentence that is long enough to take more than one line on a printed page of any usual size. " * 4


def height_of_log(page: Page) -> float:
    return float(page.get_by_role("log").evaluate("(log) => log.clientHeight"))


@pytest.mark.parametrize(("size", "least"), [(SHORT[0], 140), (SHORT[1], 180)])
def test_most_of_a_short_window_is_for_the_messages(
    come: Come, site: Server, room: str, size: Any, least: int
) -> None:
    page = come("zoe", make_club(site, f"{room}-{size['width']}", ("ana", "Hello")), viewport=size)
    assert height_of_log(page) >= least
    composer(page).fill("one\ntwo\nthree\nfour\nfive\nsix")

    assert height_of_log(page) >= least - 45


@pytest.mark.firefox
@pytest.mark.parametrize("size", SHORT)
def test_every_entry_of_every_menu_can_be_reached_in_a_short_window(
    come: Come, site: Server, room: str, size: Any
) -> None:
    name = make_club(site, f"{room}-{size['width']}", ("kim", "Hello"))
    page = come("ana", name, viewport=size)
    page.locator("#m-1").hover()
    page.locator("#m-1").get_by_role("button", name="Actions").click()
    assert entries_within(page, "menu", size) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="More", exact=True).click()
    assert entries_within(page, "room-menu", size) == []
    page.keyboard.press("Escape")
    dialog = open_people(page)
    dialog.get_by_role("button", name=re.compile("김민수")).click()
    expect(page.get_by_role("menuitem", name="Ban user…")).to_be_attached()

    assert entries_within(page, "person-menu", size) == []


def entries_within(page: Page, menu: str, size: dict[str, int]) -> list[str]:
    """Return the entries of an open menu that are outside of the window after the script has scrolled to them."""
    element = page.locator(f"[data-part={menu}]")
    expect(element).to_be_visible()
    outside: list[str] = element.evaluate(
        """(menu) => [...menu.querySelectorAll("[data-do]:not([hidden])")].filter((entry) => {
          entry.scrollIntoView({ block: "nearest" });
          const { top, bottom } = entry.getBoundingClientRect();
          const box = menu.getBoundingClientRect();
          return top < box.top - 1 || bottom > box.bottom + 1 || box.top < 0 || box.bottom > innerHeight;
        }).map((entry) => entry.textContent.trim())"""
    )
    return outside


def pages_of(pdf: bytes) -> int:
    """Count the pages, which Firefox writes into compressed streams."""
    parts = [pdf]
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        with contextlib.suppress(zlib.error):
            parts.append(zlib.decompress(stream))
    return sum(len(re.findall(rb"/Type\s*/Page\b", part)) for part in parts)


def test_a_room_of_many_messages_is_printed_completely(site: Server, room: str, page: Page) -> None:
    seed(site, room, *[("Ana", f"2026-01-02T10:{n:02}:00Z", f"{n}: {LONG}") for n in range(28)])
    joined(page, site, room)
    say(page, "mine")
    expect(sent(page)).to_have_count(1)

    printed = page.pdf(format="A4")

    assert pages_of(printed) >= 3
    page.emulate_media(media="print", color_scheme="dark")
    hidden = page.evaluate(
        """() => ["[data-part=composer]", ".roomchat-side", "[data-part=actions]", "[data-part=search-open]"]
            .filter((selector) => document.querySelector(selector)?.checkVisibility())"""
    )
    assert hidden == []
    expect(page.locator("[data-mine] .roomchat-bubble")).to_have_css("color", "rgb(0, 0, 0)")
    today = page.locator("[data-mine] [data-part=day]")
    expect(today).to_have_text("Today")
    expect(today).to_have_css("font-size", "0px")
    assert today.evaluate(
        "(day) => getComputedStyle(day, '::after').content === `\"${day.title}\"` && day.title.length > 9"
    )
    assert page.evaluate("document.documentElement.scrollHeight > 3 * innerHeight")


def test_a_message_of_emoji_is_large_live_and_after_a_reload(site: Server, room: str, page: Page) -> None:
    joined(page, site, room)
    for number, text in enumerate(["🎉", "👍🏽 ❤️", "👍 ok"], 1):
        say(page, text)
        expect(sent(page)).to_have_count(number)

    def sizes() -> list[str]:
        found: list[str] = page.locator("li [data-part=body]").evaluate_all(
            "(all) => all.map((one) => getComputedStyle(one).fontSize)"
        )
        return found

    live = sizes()
    enter(page, site, room)

    assert [live, sizes()] == [["40px", "40px", "16px"]] * 2


def test_days_are_named_anew_at_midnight(site: Server, room: str, page: Page) -> None:
    page.clock.install(time="2026-11-30T23:59:30")
    seed(site, room, ("Ana", "2026-11-30T12:00:00Z", "before"))
    joined(page, site, room)
    days = page.locator("li[data-starts-day] [data-part=day]")
    expect(days).to_have_text(["Today"])

    page.clock.fast_forward(31_000)

    expect(days).to_have_text(["Yesterday"])
    expect(chat(page)).to_have_attribute("data-room", room)
