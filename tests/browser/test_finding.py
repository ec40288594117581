"""Links to messages of any age, and rooms that receive many messages at once."""

import json

import pytest
from playwright.sync_api import Locator, Page, WebSocketRoute, expect

from tests.browser.page import (
    NewContext,
    chat,
    enter,
    first_visible,
    joined,
    numbers,
    places,
    say,
    seed,
    sent,
)
from tests.services.server import Server
from tests.services.shell import run_at

LONG = 200


@pytest.fixture(scope="module")
def long_room(site: Server) -> str:
    """A room with many messages, to which the tests add none."""
    seed(site, "long", count=LONG)
    return "long"


def scroll(page: Page, where: str) -> None:
    """Scroll up to the first or down to the last message that is loaded."""
    page.get_by_role("log").evaluate(
        "(log, up) => log.scrollBy(0, up ? -log.scrollHeight : log.scrollHeight)", where == "up"
    )


def scroll_until(page: Page, where: str, seq: int) -> None:
    """Scroll until the message with this sequence number is loaded."""
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
    # The newest page has 50 messages; the new one is among them or comes after them, as the post and the request arrive.
    first = places(page)[0]
    assert first in (71, 72)
    assert places(page) == numbers(first, 121)


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


# Many messages at once


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
