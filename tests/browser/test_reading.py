"""Reading: scroll position, older messages, days, times and grouping, edits and deletions."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.page import (
    NewContext,
    anatomy,
    at_bottom,
    bodies,
    chat,
    enter,
    first_visible,
    joined,
    read_up,
    release,
    say,
    seed,
)
from tests.services.server import Server
from tests.services.shell import run_at


@pytest.mark.firefox
def test_the_newest_message_is_in_sight_before_any_script(
    site: Server, room: str, new_context: NewContext
) -> None:
    seed(site, room, count=60)
    page = enter(new_context(java_script_enabled=False).new_page(), site, room)

    expect(page.get_by_text("Line 60", exact=True)).to_be_in_viewport()
    expect(page.get_by_text("Line 11", exact=True)).not_to_be_in_viewport()


def tops(page: Page) -> dict[str, int]:
    """Return the vertical position of each message."""
    found: dict[str, int] = page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('li[data-seq]')]"
        ".map((message) => [message.id, Math.round(message.getBoundingClientRect().top)]))"
    )
    return found


@pytest.mark.skip_browser("firefox")  # it counts no layout shifts
def test_taking_over_moves_nothing(site: Server, room: str, page: Page) -> None:
    seed(site, room, count=60)
    page.add_init_script(
        "window.shifts = []; new PerformanceObserver((list) => shifts.push(...list.getEntries().map(({value}) => value)))"
        ".observe({type: 'layout-shift', buffered: true})"
    )
    held: list[Route] = []
    page.route("**/roomchat.js", lambda route: held.append(route))
    page.goto(f"{site.url}/chat/{room}/", wait_until="commit")
    expect(page.locator("room-chat > script")).to_be_attached()
    page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
    before = tops(page)
    release(page, held)
    expect(chat(page)).to_have_attribute("connected", "")

    assert tops(page) == before
    assert page.evaluate("shifts.reduce((sum, value) => sum + value, 0)") == 0
    assert at_bottom(page)


@pytest.mark.firefox
def test_reading_up_brings_older_messages_and_keeps_the_place(site: Server, room: str, page: Page) -> None:
    seed(site, room, count=130)
    joined(page, site, room)
    expect(page.locator("li.roomchat-message")).to_have_count(50)
    top = page.get_by_text("Line 81", exact=True)
    page.get_by_role("log").evaluate("(log) => log.scrollBy(0, -log.scrollHeight)")

    expect(page.locator("li.roomchat-message").nth(99)).to_be_attached()
    expect(top).to_be_in_viewport()
    page.get_by_role("log").evaluate("(log) => log.scrollBy(0, -log.scrollHeight)")

    expect(page.locator("li.roomchat-message")).to_have_count(130)
    page.get_by_role("log").evaluate("(log) => log.scrollBy(0, -log.scrollHeight)")
    expect(page.get_by_text("This is the beginning of")).to_be_in_viewport()
    assert bodies(page) == [f"Line {n + 1}" for n in range(130)]


def test_older_messages_can_be_asked_for_with_the_keyboard(
    site: Server, room: str, new_context: NewContext
) -> None:
    seed(site, room, count=60)
    page = joined(new_context(viewport={"width": 800, "height": 6000}).new_page(), site, room)
    page.get_by_role("link", name="Older messages").focus()
    page.keyboard.press("Enter")

    expect(page.locator("li.roomchat-message")).to_have_count(60)
    expect(page.get_by_role("link", name="Older messages")).to_be_hidden()


@pytest.mark.firefox
def test_who_reads_further_up_is_not_moved_and_told_of_what_is_new(
    site: Server, room: str, new_context: NewContext
) -> None:
    seed(site, room, count=60)
    reader, talker = (joined(new_context().new_page(), site, room) for _ in range(2))
    read_up(reader, 900)
    before = first_visible(reader)
    for text in ("one", "two", "three"):
        say(talker, text)
    pill = reader.get_by_role("button", name="↓ 3 new")
    expect(pill).to_be_visible()

    after = first_visible(reader)
    assert after[0] == before[0]
    assert after[1] == pytest.approx(before[1], abs=1)
    pill.click()
    expect(reader.get_by_text("three", exact=True)).to_be_in_viewport()
    expect(pill).to_be_hidden()


@pytest.mark.firefox
def test_who_is_at_the_bottom_stays_there(site: Server, room: str, new_context: NewContext) -> None:
    seed(site, room, count=60)
    reader, talker = (joined(new_context().new_page(), site, room) for _ in range(2))
    say(talker, "a long story\n" * 12)

    expect(reader.locator("li.roomchat-message")).to_have_count(51)
    assert at_bottom(reader)


def test_days_and_times_are_the_reader_s(site: Server, room: str, new_context: NewContext) -> None:
    # 16:30 in Greenwich is half past one of the next morning in Seoul.
    seed(site, room, ("Ana", "2026-01-02T14:00:00Z", "evening"), ("Ana", "2026-01-02T16:30:00Z", "night"))
    seoul = joined(new_context(timezone_id="Asia/Seoul").new_page(), site, room)
    london = joined(new_context(timezone_id="Europe/London").new_page(), site, room)

    assert seoul.locator(".roomchat-day:visible").all_inner_texts() == [
        "Jan. 2, 2026",
        "Jan. 3, 2026",
    ]
    assert london.locator(".roomchat-day:visible").all_inner_texts() == ["Jan. 2, 2026"]
    expect(seoul.locator("li time[data-part=time]").last).to_have_text("1:30 a.m.")


def test_messages_of_one_author_within_five_minutes_stand_under_one_name(
    site: Server, room: str, page: Page
) -> None:
    at = "2026-01-02T10:{}:00Z".format
    seed(
        site,
        room,
        *(
            (who, at(minute), "hi")
            for who, minute in (("Ana", "00"), ("Ana", "04"), ("Bo", "05"), ("Bo", "11"))
        ),
    )
    joined(page, site, room)

    follows = page.locator("li.roomchat-message").evaluate_all(
        "(items) => items.map((item) => item.hasAttribute('data-follows'))"
    )
    assert follows == [False, True, False, False]


@pytest.mark.firefox
def test_server_and_browser_render_the_same_message_alike(
    site: Server, room: str, new_context: NewContext
) -> None:
    watching = joined(new_context().new_page(), site, room)
    people = ("Ana Silva", "김민수", "Guest 4821", "🎉 party")
    texts = (
        "plain",
        "<b>not bold</b> & 'quoted'",
        "two\n  lines",
        "(https://example.com/a_(b)?c=1&d=2), 여기https://example.com/한국어. javascript:alert(1)",
    )
    seed(site, room, *((who, "2026-01-02T10:00:00Z", text) for who, text in zip(people, texts, strict=True)))
    expect(watching.locator("li.roomchat-message")).to_have_count(4)
    reading = joined(new_context().new_page(), site, room)

    assert anatomy(watching) == anatomy(reading)
    assert reading.locator(".roomchat-body a").evaluate_all("(links) => links.map((link) => link.rel)") == [
        "noopener noreferrer nofollow ugc",
        "noopener noreferrer nofollow ugc",
    ]


def test_what_is_edited_or_deleted_changes_where_it_stands(site: Server, room: str, page: Page) -> None:
    seed(site, room, count=60)
    joined(page, site, room)
    run_at(
        site,
        f"""
from django_roomchat import delete_message, edit_message
for seq in (1, 59): edit_message({room!r}, seq, "better https://example.com")
delete_message({room!r}, 60)
""",
    )

    expect(page.locator("#m-59 .roomchat-bubble")).to_have_text("better https://example.comedited")
    expect(page.locator("#m-60 .roomchat-body")).to_have_text("Message deleted")
    expect(page.locator("#m-60")).to_have_attribute("data-deleted", "")
    # The first message is on a page that is not loaded: it must not come up without the ones after it.
    expect(page.locator("li.roomchat-message")).to_have_count(50)
    page.reload()
    expect(page.locator("#m-60 .roomchat-body")).to_have_text("Message deleted")
    expect(page.locator("#m-59 .roomchat-edited")).to_be_visible()


def test_a_screen_reader_announces_new_messages_and_not_existing_ones(
    site: Server, room: str, page: Page
) -> None:
    seed(site, room, count=3)
    enter(page, site, room)
    log = page.get_by_role("log", name="Messages")

    expect(log).to_have_attribute("aria-live", "polite")
    expect(log).to_have_attribute("aria-relevant", "additions")
    assert page.request.get(page.url).text().count('aria-live="off"') == 1
