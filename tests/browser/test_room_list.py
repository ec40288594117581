"""The list of rooms, on its own page and beside a room, and rooms that are created in the page."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.page import (
    NewContext,
    Start,
    chat,
    composer,
    enter,
    joined,
    look_away,
    look_back,
    say,
    seed,
    violations,
)
from tests.services.server import Server
from tests.services.shell import run_at

PHONE = {"width": 390, "height": 844}
NEXT_TIME = "00:21"
"""By then the list has been asked for again."""
QUESTIONS = "**/~/frames/"


@pytest.fixture
def page(page: Page) -> Page:
    page.clock.install()
    return page


def row(page: Page, room: str) -> Locator:
    return page.locator(f'room-list li[data-room="{room}"]')


def count(page: Page, room: str) -> Locator:
    return row(page, room).locator(".roomchat-room-count:visible")


def stand(page: Page, *names: str) -> None:
    """Expect the rooms to be in the list, in this order; others may be among them."""
    rows = page.locator(f"room-list li:is({', '.join(f'[data-room={json.dumps(name)}]' for name in names)})")
    expect(rows).to_have_count(len(names))
    for place, name in enumerate(names):
        expect(rows.nth(place)).to_have_attribute("data-room", name)


def has_been_in(page: Page, site: Server, *rooms: str) -> None:
    """The user of the page has visited these rooms and read no message there."""
    key = page.locator("room-list").get_attribute("data-me-key")
    if chat(page).count():
        page.goto("about:blank")  # or the room would be marked as read
    run_at(
        site,
        f"""
from django_roomchat.identity import Identity
from django_roomchat import mark_read
for room in {rooms!r}:
    mark_read(room, 0, by=Identity({key!r}, "Ana", is_guest=True))
""",
    )


def say_from_elsewhere(site: Server, room: str, body: str) -> None:
    run_at(
        site,
        f"""
from django_roomchat import post_message
from django_roomchat.identity import Identity
post_message({room!r}, {body!r}, author=Identity("t:Bo", "Bo"))
""",
    )


# What is new ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["index", "room"])
def test_what_is_said_in_another_room_is_counted_without_a_reload(
    site: Server, room: str, page: Page, where: str
) -> None:
    room = f"{room}-{where}"
    one, other = f"{room}-one", f"{room}-other"
    say_from_elsewhere(site, other, "first")
    say_from_elsewhere(site, one, "hello")
    enter(page, site, one)
    has_been_in(page, site, one, other)
    if where == "index":
        page.goto(f"{site.url}/chat/")
    else:
        joined(page, site, one)
    stand(page, one, other)
    page.mouse.move(640, 700)
    say_from_elsewhere(site, other, "anybody here?")
    page.clock.fast_forward(NEXT_TIME)

    expect(count(page, other)).to_have_text(re.compile(r"^\s*2\s+unread$"), use_inner_text=True)
    expect(row(page, other).get_by_role("link")).to_have_accessible_name(re.compile("Bo:.+anybody here"))
    stand(page, other, one)


def test_a_room_that_was_not_there_comes_into_the_list(site: Server, room: str, page: Page) -> None:
    joined(page, site, room)
    fresh = f"{room} & more?"
    expect(row(page, room)).to_be_visible()
    expect(row(page, fresh)).to_have_count(0)
    say_from_elsewhere(site, fresh, "brand new")
    page.clock.fast_forward(NEXT_TIME)
    row(page, fresh).get_by_role("link").click()

    expect(page.get_by_role("heading", level=1)).to_have_text(fresh)
    expect(page.locator("li .roomchat-body")).to_have_text(["brand new"])


def test_what_one_says_stands_in_the_list_at_once(site: Server, room: str, page: Page) -> None:
    other = f"{room}-other"
    say_from_elsewhere(site, room, "first")
    say_from_elsewhere(site, other, "later")
    enter(page, site, room)
    has_been_in(page, site, room, other)
    joined(page, site, room)
    page.mouse.move(900, 400)
    stand(page, other, room)
    say(page, "mine")

    expect(row(page, room).locator(".roomchat-room-last")).to_have_text("You\u2068mine\u2069")
    stand(page, room, other)


def test_the_text_of_a_deleted_message_disappears_from_the_list(site: Server, room: str, page: Page) -> None:
    say_from_elsewhere(site, room, "secret")
    joined(page, site, room)
    expect(row(page, room).locator(".roomchat-room-last")).to_contain_text("secret")
    run_at(site, f"from django_roomchat import delete_message; delete_message({room!r}, 1)")
    page.clock.fast_forward(NEXT_TIME)

    expect(row(page, room).locator(".roomchat-room-last")).to_have_text("")


def test_what_is_read_in_one_window_is_read_in_the_other(
    site: Server, room: str, new_context: NewContext
) -> None:
    context = new_context()
    index = context.new_page()
    say_from_elsewhere(site, room, "one")
    index.goto(f"{site.url}/chat/")
    has_been_in(index, site, room)
    index.reload()
    expect(count(index, room)).to_have_text(re.compile(r"1 unread$"))
    joined(context.new_page(), site, room)

    expect(row(index, room)).to_be_visible()
    expect(count(index, room)).to_have_count(0)


def test_a_mention_is_marked(site: Server, room: str, page: Page) -> None:
    enter(page, site, f"{room}-here")
    key = page.locator("room-list").get_attribute("data-me-key")
    say_from_elsewhere(site, room, "hello")
    has_been_in(page, site, room)
    run_at(
        site,
        f"""
from django_roomchat.models import Message
Message.objects.filter(room__name={room!r}).update(data={{"mentions": [{{"key": {key!r}, "name": "Ana"}}]}})
""",
    )
    joined(page, site, f"{room}-here")

    expect(count(page, room)).to_have_text(
        re.compile(r"^@\s+mentions you\s+1\s+unread$"), use_inner_text=True
    )


# When it is asked for ------------------------------------------------------------------------------------------------


def test_a_window_that_nobody_sees_asks_for_nothing(site: Server, room: str, page: Page) -> None:
    page.goto(f"{site.url}/chat/")
    with page.expect_response(QUESTIONS):
        page.clock.fast_forward(NEXT_TIME)
    questions: list[Any] = []
    page.on("request", lambda request: questions.append(request.url))
    look_away(page)
    page.clock.fast_forward(NEXT_TIME)
    page.evaluate("fetch('?still-there')")
    assert questions == [f"{site.url}/chat/?still-there"]

    with page.expect_response(QUESTIONS):
        look_back(page)


def test_what_one_window_has_asked_for_is_told_to_the_other(
    site: Server, room: str, new_context: NewContext
) -> None:
    context = new_context()
    other = f"{room}-other"
    say_from_elsewhere(site, other, "first")
    one, two = context.new_page(), context.new_page()
    one.clock.install()
    two.route(QUESTIONS, lambda route: route.abort())
    two.goto(f"{site.url}/chat/")
    has_been_in(two, site, other)
    joined(one, site, room)
    say_from_elsewhere(site, other, "second")
    one.clock.fast_forward(NEXT_TIME)

    expect(count(one, other)).to_have_text(re.compile("2 unread"))
    expect(count(two, other)).to_have_text(re.compile("2 unread"))


def test_nothing_moves_under_the_pointer(site: Server, room: str, page: Page) -> None:
    other = f"{room}-other"
    say_from_elsewhere(site, other, "first")
    say_from_elsewhere(site, room, "second")
    enter(page, site, room)
    has_been_in(page, site, room, other)
    joined(page, site, room)
    row(page, room).hover()
    say_from_elsewhere(site, other, "news")
    page.clock.fast_forward(NEXT_TIME)
    expect(count(page, other)).to_have_text(re.compile("2 unread"))
    stand(page, room, other)

    page.mouse.move(900, 400)

    stand(page, other, room)


def test_nothing_moves_while_the_focus_is_on_it(site: Server, room: str, page: Page) -> None:
    other = f"{room}-other"
    say_from_elsewhere(site, other, "first")
    say_from_elsewhere(site, room, "second")
    enter(page, site, room)
    has_been_in(page, site, room, other)
    joined(page, site, room)
    page.mouse.move(900, 400)
    link = row(page, room).get_by_role("link")
    link.focus()
    say_from_elsewhere(site, other, "news")
    page.clock.fast_forward(NEXT_TIME)
    expect(count(page, other)).to_have_text(re.compile("2 unread"))
    stand(page, room, other)
    expect(link).to_be_focused()


# Where one is, and how one gets elsewhere ----------------------------------------------------------------------------


def test_the_room_that_one_is_in_is_marked_whether_or_not_it_is_in_any_list(
    site: Server, room: str, page: Page
) -> None:
    say_from_elsewhere(site, f"{room}-other", "hi")
    joined(page, site, room)
    current = page.locator("room-list [aria-current=page]")
    expect(current).to_have_count(1)
    expect(current).to_have_accessible_name(re.compile(room))
    page.clock.fast_forward(NEXT_TIME)
    expect(current).to_have_accessible_name(re.compile(room))
    row(page, f"{room}-other").get_by_role("link").click()

    expect(page.get_by_role("heading", level=1)).to_have_text(f"{room}-other")
    expect(current).to_have_accessible_name(re.compile(f"{room}-other"))


def test_with_the_keyboard_the_room_comes_first_and_a_link_leads_to_the_list(
    site: Server, room: str, page: Page
) -> None:
    for number in range(3):
        say_from_elsewhere(site, f"{room}-{number}", "hi")
    joined(page, site, room)
    # Another window may be in front.
    page.bring_to_front()
    page.locator("body").press("Tab")
    skip = page.locator(".roomchat-skip")
    expect(skip).to_be_focused()
    page.keyboard.press("Tab")
    expect(chat(page).locator(":focus")).to_have_count(1)
    page.keyboard.press("Shift+Tab")
    expect(skip).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")

    expect(page.get_by_role("navigation").locator(":focus")).to_have_count(1)


def test_with_alt_and_the_arrows_one_goes_through_the_rooms(site: Server, room: str, page: Page) -> None:
    rooms = [f"{room}-{name}" for name in "cba"]
    for name in reversed(rooms):
        say_from_elsewhere(site, name, "hi")
    enter(page, site, rooms[0])
    title = page.get_by_role("heading", level=1)
    composer(page).fill("half a sen")
    composer(page).press("Alt+ArrowDown")
    expect(title).to_have_text(rooms[1])
    page.keyboard.press("Alt+ArrowUp")
    expect(title).to_have_text(rooms[0])

    expect(composer(page)).to_have_value("half a sen")


def test_with_shift_too_one_goes_to_what_is_unread(site: Server, room: str, page: Page) -> None:
    rooms = [f"{room}-{name}" for name in "abcd"]
    for name in reversed(rooms):
        say_from_elsewhere(site, name, "hi")
    enter(page, site, rooms[0])
    has_been_in(page, site, rooms[2])
    joined(page, site, rooms[0])
    expect(count(page, rooms[2])).to_be_visible()
    composer(page).press("Alt+Shift+ArrowDown")

    expect(page.get_by_role("heading", level=1)).to_have_text(rooms[2])


# What it looks like --------------------------------------------------------------------------------------------------


def test_on_a_phone_the_list_is_a_page_of_its_own(site: Server, room: str, new_context: NewContext) -> None:
    say_from_elsewhere(site, room, "hello")
    page = new_context(viewport=PHONE, has_touch=True).new_page()
    page.goto(f"{site.url}/chat/")
    row(page, room).get_by_role("link").tap()
    expect(page.get_by_role("navigation", name="Rooms")).to_be_hidden()
    expect(page.locator("room-list")).to_have_count(1)
    page.get_by_role("link", name="All rooms", exact=True).tap()

    expect(row(page, room)).to_be_visible()


def test_in_a_wide_window_the_list_is_beside_the_room(site: Server, room: str, page: Page) -> None:
    joined(page, site, room)

    beside, talk = page.get_by_role("navigation", name="Rooms").bounding_box(), chat(page).bounding_box()
    assert beside is not None and talk is not None
    assert (beside["x"], beside["y"], beside["height"]) == (0, 0, 720)
    assert (talk["x"], talk["x"] + talk["width"], talk["height"]) == (beside["width"], 1280, 720)
    expect(page.get_by_role("link", name="All rooms", exact=True)).to_be_hidden()


def test_from_right_to_left_the_list_is_on_the_right(
    site: Server, room: str, new_context: NewContext
) -> None:
    say_from_elsewhere(site, room, "hello")
    page = new_context(locale="ar").new_page()
    joined(page, site, room)

    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    beside, talk = page.locator("nav").bounding_box(), chat(page).bounding_box()
    assert beside is not None and talk is not None
    assert (talk["x"], beside["x"]) == (0, talk["width"])
    tile = row(page, room).locator(".roomchat-tile").bounding_box()
    title = row(page, room).locator(".roomchat-room-title").bounding_box()
    assert tile is not None and title is not None
    assert tile["x"] > title["x"]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_times_are_the_reader_s(site: Server, room: str, new_context: NewContext) -> None:
    seed(site, room, ("Ana", "2026-01-02T16:30:00Z", "night"))
    shown = []
    for zone in ("Asia/Seoul", "Europe/London"):
        page = new_context(timezone_id=zone).new_page()
        page.clock.install(time=datetime(2026, 1, 3, 5, tzinfo=UTC))
        joined(page, site, room)
        shown.append(row(page, room).locator("time").inner_text())

    assert [" ".join(text.split()) for text in shown] == ["1:30 a.m.", "Fri"]


@pytest.mark.skip_browser("firefox")  # it counts no layout shifts
@pytest.mark.parametrize("where", ["/chat/", "/chat/{room}/"])
def test_taking_over_moves_nothing(site: Server, room: str, page: Page, where: str) -> None:
    for number in range(20):
        seed(site, f"{room}-{number}", ("Ana", "2026-01-02T10:00:00Z", "something that is not said in short"))
    page.add_init_script(
        "window.shifts = []; new PerformanceObserver((list) => shifts.push(...list.getEntries().map(({value}) => value)))"
        ".observe({type: 'layout-shift', buffered: true})"
    )
    page.goto(site.url + where.format(room=f"{room}-7"))
    # The script has rendered it: the server also names the time zone.
    expect(row(page, f"{room}-19").locator("time")).to_have_attribute("title", "Jan. 2, 2026, 10 a.m.")

    assert page.evaluate("shifts.reduce((sum, value) => sum + value, 0)") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(site: Server, room: str, scheme: Any, new_context: NewContext) -> None:
    room = f"{room}-{scheme}"
    say_from_elsewhere(site, room, "hello")
    say_from_elsewhere(site, f"{room}-other", "hello")
    page = new_context(color_scheme=scheme).new_page()
    enter(page, site, room)
    has_been_in(page, site, room, f"{room}-other")
    run_at(
        site,
        f"""
from django_roomchat.models import ReadMarker, Room
from django.utils import timezone
Room.objects.filter(name={room!r}).update(archived_at=timezone.now())
ReadMarker.objects.filter(room__name={room!r}).update(is_muted=True)
""",
    )
    joined(page, site, f"{room}-other")
    expect(row(page, room).get_by_role("img", name="archived")).to_be_visible()
    assert violations(page) == []
    page.goto(f"{site.url}/chat/")
    expect(count(page, room)).to_be_visible()
    assert violations(page) == []
    page.get_by_role("link", name="New room").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page) == []
    page.goto(f"{site.url}/chat/~/new/")
    assert violations(page) == []


def test_a_room_in_a_page_of_the_site_has_no_list_beside_it(server: Start, page: Page) -> None:
    site = server(project="example_project")
    page.goto(f"{site.url}/embedded/")
    expect(chat(page)).to_have_attribute("connected", "")

    expect(page.locator("room-list")).to_have_count(0)


# A room created in the page -------------------------------------------------------------------------------------------------


def test_a_room_is_made_in_a_dialog_and_leads_into_it(site: Server, room: str, page: Page) -> None:
    joined(page, site, room)
    page.get_by_role("link", name="New room").click()
    dialog = page.get_by_role("dialog", name="New room")
    expect(dialog.get_by_role("textbox", name="Name")).to_be_focused()
    expect(dialog.get_by_role("checkbox", name="Show in the list of rooms")).to_be_visible()
    dialog.get_by_role("textbox", name="Name").fill("Our team")
    dialog.get_by_role("radio", name="Members only").check()
    expect(dialog.get_by_role("checkbox", name="Show in the list of rooms")).to_be_hidden()
    dialog.get_by_role("button", name="Create room").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Our team")
    here = page.locator("room-list [aria-current=page]")
    expect(here.get_by_role("img", name="private")).to_be_visible()


def test_what_is_refused_is_said_in_the_dialog(site: Server, room: str, page: Page) -> None:
    say_from_elsewhere(site, room, "hello")
    page.goto(f"{site.url}/chat/")
    page.get_by_role("link", name="New room").click()
    dialog = page.get_by_role("dialog", name="New room")
    dialog.get_by_role("textbox", name="Name").fill("a/b")
    dialog.get_by_role("button", name="Create room").click()
    expect(dialog.get_by_role("alert")).to_contain_text("cannot contain")
    dialog.get_by_role("textbox", name="Name").fill(room.upper())
    dialog.get_by_role("textbox", name="Name").press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("A room with this name already exists.")
    dialog.get_by_role("link", name="Go to that room").click()

    expect(page.locator("li .roomchat-body")).to_have_text(["hello"])


def test_without_a_script_a_room_is_made_on_a_page(site: Server, room: str, new_context: NewContext) -> None:
    page = new_context(java_script_enabled=False).new_page()
    page.goto(f"{site.url}/chat/")
    page.get_by_role("link", name="New room").click()
    page.get_by_role("textbox", name="Name").fill("a/b")
    page.get_by_role("checkbox", name="Announcements only").check()
    page.get_by_role("button", name="Create room").click()
    expect(page.get_by_role("alert")).to_contain_text("cannot contain")
    expect(page.get_by_role("checkbox", name="Announcements only")).to_be_checked()
    page.get_by_role("textbox", name="Name").fill(f"{room} by hand")
    page.get_by_role("button", name="Create room").click()

    expect(page.get_by_role("heading", level=1)).to_have_text(f"{room} by hand")
    expect(page.get_by_role("textbox", name="Message to")).to_be_visible()
