"""Going to a message, wherever in the room it is, and finding it."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, WebSocketRoute, expect

from tests.browser.page import (
    TOUCH_TARGET_PX,
    NewContext,
    chat,
    enter,
    first_visible,
    joined,
    say,
    seed,
    sent,
    violations,
)
from tests.services.server import Server
from tests.services.shell import run_at

LONG = 200


@pytest.fixture(scope="module")
def long_room(site: Server) -> str:
    """A room that is only read."""
    seed(site, "long", count=LONG)
    return "long"


def places(page: Page) -> list[int]:
    found: list[int] = page.locator("li.roomchat-message").evaluate_all(
        "(items) => items.map((item) => Number(item.dataset.seq))"
    )
    return found


def numbers(first: int, last: int) -> list[int]:
    return list(range(first, last + 1))


def scroll(page: Page, where: str) -> None:
    """To the first or to the last message that is loaded."""
    page.get_by_role("log").evaluate(
        "(log, up) => log.scrollBy(0, up ? -log.scrollHeight : log.scrollHeight)", where == "up"
    )


def scroll_until(page: Page, where: str, seq: int) -> None:
    """As far as the message with this number, through all the pages that come on the way."""
    shown = page.locator(f"li[data-seq='{seq}']")
    for _ in range(20):
        if shown.count():
            return
        had = places(page)[0 if where == "up" else -1]
        scroll(page, where)
        page.wait_for_function(
            "([had, up]) => Number([...document.querySelectorAll('li.roomchat-message')].at(up ? 0 : -1).dataset.seq) !== had",
            arg=[had, where == "up"],
        )
    raise AssertionError(f"no message {seq}: {places(page)}")


def pill(page: Page) -> Locator:
    return page.locator("[data-part=pill]")


# Links to messages


def test_a_permalink_leads_into_the_middle_and_on_in_both_directions(
    site: Server, long_room: str, page: Page
) -> None:
    enter(page, site, long_room, query="?at=100")
    expect(chat(page)).to_have_attribute("connected", "")
    expect(page.locator("#m-100")).to_be_in_viewport()
    expect(page.locator("#m-100")).to_have_attribute("data-marked", "")
    assert places(page) == numbers(76, 125)

    scroll_until(page, "up", 1)
    assert places(page) == numbers(1, 125)
    scroll(page, "up")
    expect(page.get_by_text("This is the beginning of")).to_be_in_viewport()
    scroll_until(page, "down", LONG)

    assert places(page) == numbers(1, LONG)
    scroll(page, "down")
    expect(pill(page)).to_be_hidden()


def test_what_is_said_meanwhile_is_counted_and_comes_in_its_place(
    site: Server, room: str, new_context: NewContext
) -> None:
    seed(site, room, count=120)
    reader = enter(new_context().new_page(), site, room, query="?at=20")
    talker = joined(new_context().new_page(), site, room)
    expect(chat(reader)).to_have_attribute("connected", "")
    scroll(reader, "up")
    for text in ("one", "two"):
        say(talker, text)
    expect(pill(reader)).to_have_text("↓ 2 new")
    assert places(reader) == numbers(1, 45)

    scroll_until(reader, "down", 122)
    scroll(reader, "down")
    expect(pill(reader)).to_be_hidden()
    say(talker, "three")

    expect(reader.locator("#m-123")).to_be_in_viewport()
    assert places(reader) == numbers(1, 123)


def test_the_pill_leads_back_to_the_newest_messages(site: Server, long_room: str, page: Page) -> None:
    enter(page, site, long_room, query="?at=20")
    expect(chat(page)).to_have_attribute("connected", "")
    page.get_by_role("button", name="↓ Newest").click()

    expect(page.locator(f"#m-{LONG}")).to_be_in_viewport()
    expect(pill(page)).to_be_hidden()
    assert places(page) == numbers(LONG - 49, LONG)
    expect(page.locator("[data-marked]")).to_have_count(0)
    # The address is the room's again, for a reload.
    assert page.url == f"{site.url}/chat/{long_room}/"


def test_an_own_message_leads_back_to_the_newest_ones(site: Server, room: str, page: Page) -> None:
    seed(site, room, count=120)
    enter(page, site, room, query="?at=20")
    expect(page.locator("#m-20")).to_be_in_viewport()
    say(page, "from the past")

    expect(sent(page).locator(".roomchat-body")).to_have_text("from the past")
    expect(page.locator("#m-121")).to_be_in_viewport()
    assert places(page) == numbers(72, 121)


def test_a_post_under_way_is_not_shown_below_old_messages(site: Server, room: str, page: Page) -> None:
    seed(site, room, count=120)
    joined(page, site, room)
    chat(page).evaluate("(chat) => chat.send('x'.repeat(4001))")
    expect(page.locator("li[data-state=failed]")).to_have_count(1)
    page.evaluate("location.hash = 'm-20'")
    expect(page.locator("#m-20")).to_be_in_viewport()
    expect(page.locator("li[data-state]")).to_have_count(0)
    pill(page).click()

    expect(page.locator("li[data-state=failed]")).to_be_in_viewport()
    assert places(page)[:-1] == numbers(71, 120)


def test_a_quote_leads_to_what_is_quoted_however_old_it_is(site: Server, room: str, page: Page) -> None:
    seed(site, room, count=120)
    run_at(
        site,
        f"""
from django_roomchat import post_message
from django_roomchat.identity import Identity
post_message({room!r}, "I agree", author=Identity("t:bo", "Bo"), id="answer", reply_to=3)
""",
    )
    joined(page, site, room)
    address = page.url
    page.locator("#m-121 [data-part=quote]").click()

    expect(page.locator("#m-3")).to_be_in_viewport()
    expect(page.locator("#m-3")).to_be_focused()
    expect(page.locator("[data-marked]")).to_have_attribute("id", "m-3")
    assert (places(page), page.url) == (numbers(1, 28), address)


def test_a_message_named_in_the_address_is_found_however_old_it_is(
    site: Server, long_room: str, page: Page
) -> None:
    enter(page, site, long_room, query="#m-7")
    expect(page.locator("#m-7")).to_be_in_viewport()
    expect(page.locator("#m-7")).to_have_attribute("data-marked", "")
    page.evaluate("location.hash = 'm-150'")

    expect(page.locator("#m-150")).to_be_in_viewport()
    expect(page.locator("[data-marked]")).to_have_attribute("id", "m-150")
    assert places(page) == numbers(126, 175)


def test_a_message_that_is_loaded_is_gone_to_without_loading(
    site: Server, long_room: str, page: Page
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    joined(page, site, long_room)
    page.evaluate("location.hash = 'm-160'")

    expect(page.locator("#m-160")).to_be_in_viewport()
    expect(page.locator("#m-160")).to_have_attribute("data-marked", "")
    assert [url for url in asked if "around" in url] == []


def test_what_is_changed_while_its_page_is_not_shown_is_changed_when_it_is(
    site: Server, room: str, page: Page
) -> None:
    seed(site, room, count=120)
    enter(page, site, room, query="?at=10")
    expect(chat(page)).to_have_attribute("connected", "")
    run_at(
        site,
        f"""
from django_roomchat import delete_message, edit_message
edit_message({room!r}, 10, "better")
delete_message({room!r}, 110)
""",
    )
    expect(page.locator("#m-10 .roomchat-body")).to_have_text("better")
    assert places(page) == numbers(1, 35)
    pill(page).click()

    expect(page.locator("#m-110 .roomchat-body")).to_have_text("Message deleted")


def test_who_reads_the_past_has_not_read_the_newest(site: Server, room: str, new_context: NewContext) -> None:
    seed(site, room, count=120)
    page = new_context().new_page()
    told: list[str] = []
    page.on("websocket", lambda line: line.on("framesent", lambda frame: told.append(str(frame))))
    enter(page, site, room, query="?at=20")
    expect(chat(page)).to_have_attribute("connected", "")
    scroll(page, "up")
    scroll_until(page, "down", 120)
    assert [frame for frame in told if '"read"' in frame] == []
    with page.expect_event("console", lambda message: message.text == "read 120"):
        page.evaluate(
            """() => {
              const { session } = document.querySelector("room-chat");
              const send = session.send.bind(session);
              session.send = (frame) => (console.log(frame.type, frame.seq), send(frame));
            }"""
        )
        scroll(page, "down")


def test_a_page_that_cannot_be_had_is_said_and_had_later(site: Server, long_room: str, page: Page) -> None:
    joined(page, site, long_room)
    page.route("**/messages/**", lambda route: route.abort())
    assert chat(page).evaluate("(chat) => chat.goTo(20)") is False
    page.evaluate("location.hash = 'm-20'")
    expect(page.get_by_text("Loading failed. Try again")).to_be_visible()
    assert places(page) == numbers(LONG - 49, LONG)
    page.unroute("**/messages/**")
    page.evaluate("location.hash = 'm-21'")

    expect(page.locator("#m-21")).to_be_in_viewport()


# A flood


def test_a_flood_below_a_reader_is_taken_out_and_comes_back_in_order(
    site: Server, room: str, page: Page
) -> None:
    seed(site, room, count=60)
    joined(page, site, room)
    scroll(page, "up")
    expect(page.locator("#m-1")).to_be_attached()
    before = first_visible(page)
    seed(site, room, count=450)
    expect(pill(page)).to_have_text("↓ 450 new")
    shown = places(page)

    assert first_visible(page)[0] == before[0]
    assert shown == numbers(1, len(shown))
    assert len(shown) < 350
    scroll_until(page, "down", 510)
    scroll(page, "down")
    expect(pill(page)).to_be_hidden()
    shown = places(page)
    assert shown == numbers(511 - len(shown), 510)
    assert len(shown) < 450


def test_who_missed_too_much_stays_where_they_read(site: Server, room: str, page: Page) -> None:
    seed(site, room, count=60)
    lines: list[WebSocketRoute] = []

    def keep(line: WebSocketRoute) -> None:
        lines.append(line)
        line.connect_to_server()

    page.route_web_socket("**/ws/**", keep)
    joined(page, site, room)
    scroll(page, "up")
    expect(page.locator("#m-1")).to_be_attached()
    before = first_visible(page)
    gap = {
        **{"type": "joined", "room": room, "title": room, "floor": 0, "prev": 0, "head": 60},
        **{"epoch": chat(page).get_attribute("data-epoch"), "events": [], "reset": "gap", "more": True},
    }
    lines[0].send(json.dumps(gap))
    expect(page.locator("#m-60")).to_have_count(0)
    after = first_visible(page)
    scroll_until(page, "down", 60)

    assert after == [before[0], pytest.approx(before[1], abs=1)]
    assert places(page) == numbers(1, 60)


# Search


@pytest.fixture(scope="module")
def spoken(site: Server) -> str:
    """A room where people have spoken several languages, long ago."""
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


# What is pinned


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
    # Guests of an open room pin nothing.
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


# Every reader


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
