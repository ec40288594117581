"""The page, in a real browser against a real server."""

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, WebSocketRoute, expect

from tests.browser.page import (
    TOUCH_TARGET_PX,
    NewContext,
    Start,
    anatomy,
    at_bottom,
    bodies,
    chat,
    composer,
    enter,
    failed,
    first_visible,
    joined,
    pending,
    read_up,
    say,
    seed,
    sent,
    violations,
)
from tests.services.server import Server
from tests.services.shell import run_at

# Talking


@pytest.mark.firefox
def test_two_windows_talk_in_korean_and_a_third_sees_what_was_said(
    site: Server, new_context: NewContext
) -> None:
    ana, bo = (joined(new_context().new_page(), site, "한국어") for _ in range(2))

    say(ana, "안녕하세요 👋")
    expect(bo.locator("li.roomchat-message")).to_have_text([re.compile("안녕하세요 👋")])
    say(bo, "반갑습니다")

    expect(ana.locator("li .roomchat-body")).to_have_text(["안녕하세요 👋", "반갑습니다"])
    third = enter(new_context().new_page(), site, "한국어")
    assert bodies(third) == ["안녕하세요 👋", "반갑습니다"]


def test_a_message_is_shown_before_it_is_sent_and_in_its_place_afterwards(
    site: Server, room: str, page: Page
) -> None:
    # Posts wait on the way until the test lets them through.
    held: list[Callable[[], None]] = []

    def hold(line: WebSocketRoute) -> None:
        upstream = line.connect_to_server()
        line.on_message(
            lambda frame: (
                held.append(lambda: upstream.send(frame)) if '"post"' in str(frame) else upstream.send(frame)
            )
        )

    page.route_web_socket("**/ws/**", hold)
    joined(page, site, room)
    say(page, "on my way")
    expect(pending(page)).to_have_text([re.compile("on my way")])
    expect(composer(page)).to_have_value("")

    held[0]()

    expect(sent(page)).to_have_text([re.compile("on my way")])
    expect(pending(page)).to_have_count(0)
    assert bodies(page) == ["on my way"]


def test_what_the_server_refuses_can_be_tried_again_or_thrown_away(
    site: Server, room: str, page: Page
) -> None:
    joined(page, site, room)
    chat(page).evaluate("(chat) => chat.send('x'.repeat(4001))")
    expect(failed(page)).to_contain_text("A message can have at most 4000 characters")

    page.get_by_role("button", name="Retry").click()
    expect(failed(page)).to_contain_text("A message can have at most 4000 characters")
    page.get_by_role("button", name="Delete").click()

    expect(page.locator("li.roomchat-message")).to_have_count(0)


def test_the_composer_says_how_many_characters_are_too_many_and_sends_none_of_them(
    site: Server, room: str, page: Page
) -> None:
    joined(page, site, room)
    composer(page).fill("🎉" * 3900)
    expect(page.get_by_text("100 left")).to_be_visible()

    say(page, "🎉" * 4001)

    expect(page.get_by_text("1 too many")).to_be_visible()
    expect(page.locator("li.roomchat-message")).to_have_count(0)


@pytest.mark.firefox
def test_enter_that_ends_a_composition_does_not_send(site: Server, room: str, page: Page) -> None:
    joined(page, site, room)
    composer(page).fill("안녕")
    for composition in ({"isComposing": True}, {"keyCode": 229}):
        composer(page).evaluate(
            "(input, more) => input.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, cancelable: true, ...more}))",
            composition,
        )
    composer(page).press("Shift+Enter")

    expect(composer(page)).to_have_value("안녕\n")
    expect(page.locator("li.roomchat-message")).to_have_count(0)


def test_on_a_touch_screen_enter_begins_a_line_and_the_button_sends(
    site: Server, room: str, new_context: NewContext
) -> None:
    page = joined(new_context(has_touch=True, is_mobile=True).new_page(), site, room)
    composer(page).fill("one")
    composer(page).press("Enter")
    composer(page).press_sequentially("two")
    page.get_by_role("button", name="Send").tap()

    expect(sent(page).locator(".roomchat-body")).to_have_text("one\ntwo", use_inner_text=True)
    expect(composer(page)).to_be_focused()


def test_a_script_of_the_site_may_stop_or_change_what_is_said(site: Server, room: str, page: Page) -> None:
    joined(page, site, room)
    chat(page).evaluate(
        """(chat) => chat.addEventListener("roomchat:before-send", (event) => {
          if (event.detail.body === "damn") event.preventDefault();
          else event.detail.body = event.detail.body.toUpperCase();
        })"""
    )

    say(page, "damn")
    expect(composer(page)).to_have_value("damn")
    say(page, "hello")

    expect(page.locator("li .roomchat-body")).to_have_text(["HELLO"])


# Losing the connection


@pytest.mark.firefox
def test_a_killed_server_comes_back_and_nothing_is_lost_or_doubled(
    server: Start, new_context: NewContext
) -> None:
    site = server()
    ana, bo = (joined(new_context().new_page(), site, "lobby") for _ in range(2))
    say(ana, "before")
    expect(bo.locator("li .roomchat-body")).to_have_text(["before"])

    site.kill()
    for page, text in ((ana, "from Ana"), (bo, "from Bo")):
        expect(chat(page)).to_have_attribute("data-state", "offline")
        say(page, text)
        expect(pending(page)).to_have_count(1)
    site.start()

    for page in (ana, bo):
        expect(page.locator("li[data-seq]")).to_have_count(3)
        expect(pending(page)).to_have_count(0)
        assert sorted(bodies(page)) == ["before", "from Ana", "from Bo"]
    assert bodies(ana) == bodies(bo)


def test_a_short_break_is_nobody_s_business_and_a_long_one_is_told(server: Start, page: Page) -> None:
    site = server()
    page.clock.install()
    joined(page, site, "lobby")
    site.kill()
    expect(chat(page)).to_have_attribute("data-state", "offline")
    expect(page.locator("[data-part=banner]")).to_be_hidden()

    page.clock.fast_forward(3_000)

    expect(
        page.get_by_text("Not connected. Your messages are stored and will be sent later.")
    ).to_be_visible()
    expect(composer(page)).to_be_enabled()


def test_what_a_closed_tab_could_not_send_another_one_sends_once(
    site: Server, room: str, context: BrowserContext
) -> None:
    cut_off = context.new_page()
    cut_off.route_web_socket("**/ws/**", lambda line: None)
    enter(cut_off, site, room)
    say(cut_off, "not lost")
    expect(pending(cut_off)).to_have_count(1)
    owner_lives = joined(context.new_page(), site, room)
    expect(owner_lives.locator("li.roomchat-message")).to_have_count(0)

    cut_off.close()
    later = joined(context.new_page(), site, room)

    expect(later.locator("li[data-seq]")).to_have_text([re.compile("not lost")])
    expect(owner_lives.locator("li[data-seq]")).to_have_text([re.compile("not lost")])
    expect(owner_lives.locator("li[data-state]")).to_have_count(0)


def test_a_draft_survives_a_reload_and_is_gone_once_sent(site: Server, room: str, page: Page) -> None:
    joined(page, site, room)
    composer(page).fill("half a thou")
    page.reload()
    expect(composer(page)).to_have_value("half a thou")

    composer(page).press_sequentially("ght")
    composer(page).press("Enter")
    expect(sent(page)).to_have_count(1)
    page.reload()

    expect(composer(page)).to_have_value("")


def test_when_the_session_is_over_it_says_so_and_keeps_the_draft(site: Server, room: str, page: Page) -> None:
    page.route_web_socket("**/ws/**", lambda line: line.close(code=4001, reason="session ended"))
    enter(page, site, room)

    link = page.get_by_role("link", name="Sign in again")
    expect(link).to_have_attribute("href", re.compile(r"/accounts/login/\?next=%2Fchat%2F"))
    expect(chat(page)).to_have_attribute("data-state", "ended")
    composer(page).fill("still here")
    page.reload()
    expect(composer(page)).to_have_value("still here")


# Reading


@pytest.mark.firefox
def test_the_newest_message_is_in_sight_before_any_script(
    site: Server, room: str, new_context: NewContext
) -> None:
    seed(site, room, count=60)
    page = enter(new_context(java_script_enabled=False).new_page(), site, room)

    expect(page.get_by_text("Line 60", exact=True)).to_be_in_viewport()
    expect(page.get_by_text("Line 11", exact=True)).not_to_be_in_viewport()


@pytest.mark.skip_browser("firefox")  # it counts no layout shifts
def test_taking_over_moves_nothing(site: Server, room: str, page: Page) -> None:
    seed(site, room, count=60)
    page.add_init_script(
        "window.shifts = []; new PerformanceObserver((list) => shifts.push(...list.getEntries().map(({value}) => value)))"
        ".observe({type: 'layout-shift', buffered: true})"
    )
    joined(page, site, room)

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
        "Friday, January 2, 2026",
        "Saturday, January 3, 2026",
    ]
    assert london.locator(".roomchat-day:visible").all_inner_texts() == ["Friday, January 2, 2026"]
    expect(seoul.locator("li time[data-part=time]").last).to_have_text(re.compile(r"1:30\sAM"))


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


def test_a_screen_reader_hears_what_is_new_and_not_what_was_there(
    site: Server, room: str, page: Page
) -> None:
    seed(site, room, count=3)
    enter(page, site, room)
    log = page.get_by_role("log", name="Messages")

    expect(log).to_have_attribute("aria-live", "polite")
    expect(log).to_have_attribute("aria-relevant", "additions")
    assert page.request.get(page.url).text().count('aria-live="off"') == 1


# Without a script


@pytest.mark.firefox
def test_one_can_talk_without_a_script(site: Server, room: str, new_context: NewContext) -> None:
    page = enter(new_context(java_script_enabled=False).new_page(), site, room)
    composer(page).fill("no script needed 안녕")
    page.get_by_role("button", name="Send").click()

    expect(page.locator("li.roomchat-message")).to_have_text([re.compile("no script needed 안녕")])
    expect(page.locator("li[data-mine]")).to_have_count(1)
    expect(composer(page)).to_have_value("")


def test_without_a_script_a_refused_text_is_still_in_the_composer(
    site: Server, room: str, new_context: NewContext
) -> None:
    page = enter(new_context(java_script_enabled=False).new_page(), site, room)
    composer(page).fill("x" * 4001)
    page.get_by_role("button", name="Send").click()

    expect(page.get_by_role("alert")).to_contain_text("4000")
    expect(composer(page)).to_have_value("x" * 4001)


def test_without_a_script_older_messages_are_a_link_away(
    site: Server, room: str, new_context: NewContext
) -> None:
    seed(site, room, count=60)
    page = enter(new_context(java_script_enabled=False).new_page(), site, room)
    page.get_by_role("link", name="Older messages").click()
    page.wait_for_url("**?before=11")

    assert bodies(page) == [f"Line {n + 1}" for n in range(10)]
    page.get_by_role("link", name="Newest messages").click()
    expect(page.get_by_text("Line 60", exact=True)).to_be_visible()


def test_the_index_leads_into_the_room_that_was_typed(site: Server, new_context: NewContext) -> None:
    page = new_context(java_script_enabled=False).new_page()
    page.goto(f"{site.url}/chat/")
    page.get_by_role("textbox", name="Room name").fill("  Café 🎉 ")
    page.get_by_role("button", name="Enter").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Café 🎉", ignore_case=True)


def test_the_index_says_why_a_name_cannot_be(site: Server, page: Page) -> None:
    page.goto(f"{site.url}/chat/")
    page.get_by_role("textbox").fill("a/b")
    page.get_by_role("textbox").press("Enter")

    expect(page.get_by_role("alert")).to_contain_text("cannot contain")
    expect(page.get_by_role("textbox")).to_have_value("a/b")


def test_the_index_shows_where_people_talk(site: Server, room: str, page: Page) -> None:
    seed(site, room, ("Ana", "2026-01-02T10:00:00Z", "anybody here?"))
    page.goto(f"{site.url}/chat/")
    page.get_by_role("link", name=re.compile("Ana:.+anybody here?")).click()

    expect(page.locator("li.roomchat-message")).to_have_text([re.compile("anybody here?")])


# Every reader


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
