"""The panels of search and of pinned messages: their hits, keys, and the messages that they lead to."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.page import (
    TOUCH_TARGET_PX,
    NewContext,
    chat,
    enter,
    joined,
    numbers,
    places,
    seed,
    violations,
)
from tests.services.server import Server
from tests.services.shell import run_at

# Search


@pytest.fixture(scope="module")
def spoken(site: Server) -> str:
    """A room with old messages in four languages, followed by a hundred others."""
    said = [
        ("김민수", "다음 주 회의는 화요일에 합니다"),
        ("山田 由紀", "来週の会議は火曜日です"),
        ("王小明", "下周的会议改到星期二"),
        ("Иван", "Встреча на следующей неделе"),
    ]
    seed(site, "spoken", *((who, "2026-01-01T09:00:00Z", text) for who, text in said))
    seed(site, "spoken", count=100)
    return "spoken"


def hits(page: Page) -> Locator:
    return page.locator("[data-part=hits] li")


def search_for(page: Page, words: str) -> None:
    page.keyboard.press("Control+k")
    page.get_by_role("searchbox", name="Search terms").fill(words)


@pytest.mark.parametrize(
    ("words", "author", "marked", "seq"),
    [
        ("회의", "김민수", "회의", 1),
        ("火曜", "山田 由紀", "火曜", 2),
        ("会议", "王小明", "会议", 3),
        ("ВСТРЕЧА", "Иван", "Встреча", 4),
    ],
)
def test_what_was_said_is_found_in_every_script_and_gone_to(
    site: Server, spoken: str, page: Page, words: str, author: str, marked: str, seq: int
) -> None:
    joined(page, site, spoken)
    address = page.url
    search_for(page, words)
    expect(hits(page)).to_have_count(1)
    expect(hits(page).locator("[data-part=author]")).to_have_text(author)
    expect(hits(page).locator("mark")).to_have_text(marked)
    page.keyboard.press("Enter")

    expect(page.locator(f"#m-{seq}")).to_be_in_viewport()
    expect(page.locator(f"#m-{seq}")).to_be_focused()
    expect(page.locator("[data-marked]")).to_have_attribute("id", f"m-{seq}")
    assert (places(page), page.url) == (numbers(1, seq + 25), address)


def test_the_arrow_keys_go_through_the_hits_and_further_back(site: Server, spoken: str, page: Page) -> None:
    joined(page, site, spoken)
    search_for(page, "line")
    expect(hits(page)).to_have_count(20)
    field = page.get_by_role("searchbox", name="Search terms")
    page.keyboard.press("ArrowDown")
    expect(hits(page).first.get_by_role("link")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(field).to_be_focused()
    for _ in range(21):
        page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="Search older messages")).to_be_focused()
    page.keyboard.press("Enter")
    expect(hits(page)).to_have_count(40)
    expect(hits(page).nth(20).get_by_role("link")).to_be_focused()
    found = hits(page).locator("[data-part=text]").all_inner_texts()
    assert found == [f"Line {100 - place}" for place in range(40)]

    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Search")).to_be_hidden()
    page.wait_for_function("!document.activeElement?.closest('dialog')")


def test_all_rooms_are_searched_if_one_asks_for_it(site: Server, spoken: str, room: str, page: Page) -> None:
    seed(site, room, ("Bo", "2026-01-02T10:00:00Z", "회의는 없다"))
    joined(page, site, room)
    search_for(page, "회의")
    expect(hits(page)).to_have_count(1)
    page.get_by_role("checkbox", name="In all rooms").check()
    expect(hits(page)).to_have_count(2)
    expect(hits(page).locator("[data-part=where]")).to_have_text([room, spoken])
    hits(page).last.get_by_role("link").click()

    page.wait_for_url("**/chat/spoken/?at=1#m-1")
    expect(page.locator("#m-1")).to_be_in_viewport()


def test_a_search_without_hits_says_so(site: Server, spoken: str, page: Page) -> None:
    joined(page, site, spoken)
    search_for(page, "회의")
    expect(hits(page)).to_have_count(1)
    search = page.get_by_role("searchbox", name="Search terms")
    search.fill("nowhere")
    expect(page.get_by_role("dialog").get_by_text("Nothing found.")).to_be_visible()
    expect(hits(page)).to_have_count(0)
    search.fill("")
    expect(page.get_by_role("dialog").get_by_text("Nothing found.")).to_be_hidden()


def test_the_search_is_behind_a_button_and_on_a_phone_in_the_menu(
    site: Server, spoken: str, new_context: NewContext
) -> None:
    wide = joined(new_context().new_page(), site, spoken)
    wide.get_by_role("link", name="Search in this room").click()
    expect(wide.get_by_role("searchbox", name="Search terms")).to_be_focused()
    phone = joined(
        new_context(viewport={"width": 390, "height": 844}, has_touch=True).new_page(), site, spoken
    )
    expect(phone.get_by_role("link", name="Search in this room")).to_be_hidden()
    phone.locator("[data-part=room-actions]").tap()
    phone.get_by_role("menuitem", name="Search").tap()
    expect(phone.get_by_role("searchbox", name="Search terms")).to_be_focused()
    plain = enter(new_context(java_script_enabled=False).new_page(), site, spoken)
    plain.get_by_role("link", name="Search in this room").click()
    plain.wait_for_url("**/chat/~/search/?room=spoken")


# Pinned messages


def test_what_is_pinned_is_listed_and_gone_to(site: Server, room: str, page: Page) -> None:
    seed(site, room, count=120)
    run_at(
        site,
        f"from django_roomchat import pin_message\nfor seq in (3, 110): pin_message({room!r}, seq)",
    )
    joined(page, site, room)
    page.locator("[data-part=room-actions]").click()
    page.get_by_role("menuitem", name="Pinned messages").click()
    pins = page.locator("[data-part=pins] li")
    expect(pins.locator("[data-part=text]")).to_have_text(["Line 110", "Line 3"])
    # Guests of an open room may not pin messages.
    expect(pins.get_by_role("button", name="Unpin")).to_have_count(0)
    pins.last.get_by_role("link").click()

    expect(page.locator("#m-3")).to_be_in_viewport()
    expect(page.locator("#m-3")).to_be_focused()
    assert places(page) == numbers(1, 28)


def test_who_may_pin_may_unpin_in_the_list(site: Server, room: str, page: Page) -> None:
    seed(site, room, count=2)
    joined(page, site, room)
    key = chat(page).get_attribute("data-me-key")
    run_at(
        site,
        f"""
from django_roomchat import add_member, pin_message
from django_roomchat.identity import Identity
add_member({room!r}, Identity({key!r}, "Ana"), role="moderator")
for seq in (1, 2): pin_message({room!r}, seq)
""",
    )
    page.reload()
    expect(chat(page)).to_have_attribute("data-can", re.compile("pin"))
    page.locator("[data-part=room-actions]").click()
    page.get_by_role("menuitem", name="Pinned messages").click()
    pins = page.locator("[data-part=pins] li")
    expect(pins).to_have_count(2)
    pins.first.get_by_role("button", name="Unpin").click()
    expect(pins).to_have_count(1)
    expect(page.locator("#m-2")).not_to_have_attribute("data-pinned", "")
    pins.first.get_by_role("button", name="Unpin").click()

    expect(page.get_by_text("No pinned messages.")).to_be_visible()
    expect(page.get_by_role("dialog", name="Pinned messages").get_by_role("button")).to_be_focused()


# Accessibility and small screens


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(site: Server, room: str, scheme: Any, new_context: NewContext) -> None:
    room = f"{room}-{scheme}"
    seed(site, room, ("김민수", "2026-01-02T10:00:00Z", "다음 주 회의"), count=90)
    run_at(site, f"from django_roomchat import pin_message\npin_message({room!r}, 91)")
    page = joined(new_context(color_scheme=scheme).new_page(), site, room)
    page.evaluate("location.hash = 'm-20'")
    expect(page.locator("#m-20")).to_be_in_viewport()
    assert violations(page) == []
    search_for(page, "회의")
    expect(hits(page)).to_have_count(1)
    assert violations(page) == []
    search_for(page, "nowhere")
    expect(page.get_by_role("dialog").get_by_text("Nothing found.")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.locator("[data-part=room-actions]").click()
    page.get_by_role("menuitem", name="Pinned messages").click()
    expect(page.locator("[data-part=pins] li")).to_have_count(1)
    assert violations(page) == []


def test_nothing_is_too_wide_for_320_pixels(site: Server, spoken: str, new_context: NewContext) -> None:
    page = joined(
        new_context(viewport={"width": 320, "height": 640}, has_touch=True).new_page(), site, spoken
    )
    search_for(page, "line")
    expect(hits(page)).to_have_count(20)
    overflow = page.locator("dialog[open], dialog[open] .roomchat-dialog-body").evaluate_all(
        "(boxes) => boxes.map((box) => box.scrollWidth - box.clientWidth)"
    )

    assert overflow == [0, 0]
    for control in page.locator("dialog[open] :is(button, input, label, a):visible").all():
        box = control.bounding_box()
        assert box is not None
        if control.get_attribute("type") != "checkbox":  # its label is what one touches
            assert box["height"] >= TOUCH_TARGET_PX
