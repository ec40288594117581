"""Writing: names behind `@`, emoji behind `:` and from a list, input methods, the keys that there are, a guest's name, and the right to write."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Locator, Page, expect

from tests.browser.page import (
    NewContext,
    Start,
    anatomy,
    chat,
    composer,
    enter,
    joined,
    say,
    seed,
    sent,
    violations,
)
from tests.services.server import Server
from tests.services.shell import run_at

SAID = (
    ("Ana Silva", "2026-01-02T10:00:00Z", "Hello"),
    ("김민준", "2026-01-02T10:01:00Z", "안녕하세요"),
    ("Anatol", "2026-01-02T10:02:00Z", "Hi"),
)


@pytest.fixture
def page_of(site: Server, room: str, new_context: NewContext) -> Iterator[Any]:
    """Opens a room in which three people have said something."""
    seed(site, room, *SAID)

    def open_page(**options: Any) -> Page:
        return joined(new_context(**options).new_page(), site, room)

    yield open_page


@pytest.fixture
def writer(page_of: Any) -> Page:
    opened: Page = page_of()
    return opened


def options(page: Page) -> Locator:
    return page.get_by_role("option")


def names(page: Page) -> list[str]:
    return page.locator("[data-part=option-name]:visible").all_inner_texts()


def active(page: Page) -> str:
    """The option that the field says is meant."""
    found: str = composer(page).evaluate(
        """(input) => {
          const list = document.getElementById(input.getAttribute("aria-controls"));
          const option = document.getElementById(input.getAttribute("aria-activedescendant"));
          if (list.getAttribute("role") !== "listbox" || !list.contains(option)) return "";
          return option.querySelector("[data-part=option-name]").textContent;
        }"""
    )
    return found


def picker(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Emoji")


def has_emoji(page: Page) -> None:
    """The names have arrived."""
    expect(picker(page).get_by_role("button", name="grinning face", exact=True)).to_be_visible()


# Names


@pytest.mark.firefox
def test_a_name_is_completed_with_the_keyboard(writer: Page) -> None:
    composer(writer).press_sequentially("Hi (@an")
    expect(options(writer)).to_have_count(2)
    assert (names(writer), active(writer)) == (["Anatol", "Ana Silva"], "Anatol")
    composer(writer).press("ArrowDown")
    assert active(writer) == "Ana Silva"
    composer(writer).press("Enter")

    expect(composer(writer)).to_have_value("Hi (@Ana Silva ")
    expect(options(writer)).to_have_count(0)
    expect(composer(writer)).not_to_have_attribute("aria-activedescendant", re.compile("."))
    composer(writer).press_sequentially("and @anat")
    composer(writer).press("Tab")
    expect(composer(writer)).to_have_value("Hi (@Ana Silva and @Anatol ")
    expect(composer(writer)).to_be_focused()
    expect(sent(writer)).to_have_count(0)


def test_members_who_have_said_nothing_are_asked_for(site: Server, room: str, page_of: Any) -> None:
    run_at(
        site,
        f"""
from django.contrib.auth.models import User
from django_roomchat import add_member
add_member({room!r}, User.objects.create_user("zelda{room[:8]}", first_name="Zelda", last_name="Quiet"))
""",
    )
    page = page_of()
    composer(page).press_sequentially("@qui")

    expect(options(page)).to_have_count(1)
    composer(page).press("Enter")
    expect(composer(page)).to_have_value(re.compile("^@Zelda"))


def test_escape_closes_the_list_and_leaves_the_text_alone(writer: Page) -> None:
    composer(writer).press_sequentially("@an")
    expect(options(writer)).to_have_count(2)
    composer(writer).press("Escape")

    expect(options(writer)).to_have_count(0)
    expect(composer(writer)).to_have_value("@an")
    composer(writer).press_sequentially("a")
    expect(options(writer)).to_have_count(0)
    composer(writer).press("Enter")
    expect(sent(writer).locator(".roomchat-body")).to_have_text("@ana")


def test_no_name_is_completed_in_an_address(writer: Page) -> None:
    composer(writer).press_sequentially("@an")
    expect(options(writer)).to_have_count(2)
    composer(writer).fill("")
    composer(writer).press_sequentially("me@an")

    expect(options(writer)).to_have_count(0)
    composer(writer).press("Enter")
    expect(sent(writer)).to_have_count(1)


def test_a_name_is_chosen_by_touch(page_of: Any) -> None:
    page = page_of(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    composer(page).tap()
    composer(page).press_sequentially("@an")
    options(page).filter(has_text="Ana Silva").tap()

    expect(composer(page)).to_have_value("@Ana Silva ")
    expect(composer(page)).to_be_focused()


def test_a_name_can_be_taken_back_like_typing(writer: Page) -> None:
    composer(writer).press_sequentially("so @ana s")
    composer(writer).press("Enter")
    expect(composer(writer)).to_have_value("so @Ana Silva ")
    composer(writer).press("Control+z")

    expect(composer(writer)).to_have_value("so @ana s")


def test_whom_a_message_calls_is_marked_and_oneself_more(
    site: Server, room: str, page_of: Any, new_context: NewContext
) -> None:
    ana, bo = page_of(), page_of()
    say(bo, "I am here")
    expect(ana.locator("#m-4")).to_be_visible()
    name = bo.locator("[data-part=me]").inner_text()
    say(ana, f"@{name}, ask @Ana Silva (not me@Anatol.example)")

    calls = bo.locator("#m-5 .roomchat-mention")
    expect(calls).to_have_text([f"@{name}", "@Ana Silva"])
    assert calls.evaluate_all("(calls) => calls.map((call) => 'me' in call.dataset)") == [True, False]
    assert calls.nth(0).evaluate("(call) => getComputedStyle(call).backgroundColor") != calls.nth(1).evaluate(
        "(call) => getComputedStyle(call).backgroundColor"
    )
    live = anatomy(bo)
    bo.reload()
    expect(calls).to_have_count(2)
    assert anatomy(bo) == live


# Input methods


def composing(page: Page) -> CDPSession:
    """The browser's side of an input method, over the focused field."""
    composer(page).focus()
    return page.context.new_cdp_session(page)


def compose(method: CDPSession, text: str) -> None:
    """What the input method has made so far of the keys that were pressed."""
    method.send(
        "Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)}
    )


def press_for_method(method: CDPSession, key: str) -> None:
    """A key that the input method answers: the page hears of it and must leave it alone."""
    method.send(
        "Input.dispatchKeyEvent",
        {"type": "rawKeyDown", "key": key, "code": key, "windowsVirtualKeyCode": 229},
    )
    method.send(
        "Input.dispatchKeyEvent", {"type": "keyUp", "key": key, "code": key, "windowsVirtualKeyCode": 13}
    )


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        pytest.param(["ㅎ", "하", "한"], "한", id="korean"),
        pytest.param(["k", "か", "かn", "かん", "漢"], "漢", id="japanese"),
        pytest.param(["n", "ni", "ni'h", "你好"], "你好", id="chinese"),
    ],
)
def test_the_enter_of_an_input_method_does_not_send(
    site: Server, room: str, page: Page, steps: list[str], text: str
) -> None:
    joined(page, site, f"{room}-{text}")
    page.evaluate(
        "addEventListener('keydown', ({key, isComposing}) => (window.heard = [key, isComposing]), {capture: true})"
    )
    method = composing(page)
    for step in steps:
        compose(method, step)
    press_for_method(method, "Enter")
    assert page.evaluate("heard") == ["Enter", True]
    expect(page.locator("li.roomchat-message")).to_have_count(0)
    method.send("Input.insertText", {"text": text})

    expect(composer(page)).to_have_value(text)
    composer(page).press("Enter")
    expect(sent(page).locator(".roomchat-body")).to_have_text(text)


def test_a_korean_name_is_found_while_it_is_being_composed_and_its_enter_chooses_nothing(
    writer: Page,
) -> None:
    composer(writer).press_sequentially("@")
    method = composing(writer)
    for step in ("ㅁ", "미", "민"):
        compose(method, step)
    expect(options(writer)).to_have_text(re.compile("김민준"))
    press_for_method(method, "Enter")
    expect(composer(writer)).to_have_value("@민")
    expect(options(writer)).to_have_count(1)
    method.send("Input.insertText", {"text": "민"})
    expect(composer(writer)).to_have_value("@민")
    composer(writer).press("Enter")

    expect(composer(writer)).to_have_value("@김민준 ")
    expect(sent(writer)).to_have_count(0)


def test_a_name_can_be_touched_while_it_is_being_composed(page_of: Any) -> None:
    page = page_of(has_touch=True, is_mobile=True)
    composer(page).press_sequentially("@")
    method = composing(page)
    compose(method, "김미")
    expect(options(page)).to_have_count(1)
    options(page).tap()

    expect(composer(page)).to_have_value("@김민준 ")


# Emoji


@pytest.mark.firefox
def test_an_emoji_is_completed_by_its_name(writer: Page) -> None:
    composer(writer).press_sequentially("yes :thu")
    expect(options(writer).first).to_have_text(re.compile("thumbs up"))
    composer(writer).press("Enter")
    expect(composer(writer)).to_have_value("yes 👍 ")
    composer(writer).press_sequentially(":tada:")

    expect(composer(writer)).to_have_value("yes 👍 🎉")
    composer(writer).press("Enter")
    expect(sent(writer).locator(".roomchat-body")).to_have_text("yes 👍 🎉")


def test_the_names_of_emoji_are_fetched_when_they_are_needed(site: Server, room: str, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/emoji/" in request.url else None)
    joined(page, site, room)
    say(page, "at 10:30 :)")
    expect(sent(page)).to_have_count(1)
    assert asked == []
    composer(page).press_sequentially(":ta")
    expect(options(page).first).to_be_visible()

    assert [url.rpartition("/")[2] for url in asked] == ["en.json"]


def test_emoji_have_names_in_the_language_of_the_page_and_english_ones(
    site: Server, room: str, new_context: NewContext
) -> None:
    page = joined(new_context(locale="ko-KR").new_page(), site, room)
    for typed, name in ((":불", "불"), (":tada", "파티")):
        composer(page).fill("")
        composer(page).press_sequentially(typed)
        expect(page.locator("[data-part=option-name]:visible").first).to_have_text(name)


@pytest.mark.firefox
def test_emoji_are_chosen_from_a_list_with_the_keyboard(writer: Page) -> None:
    composer(writer).fill("well ")
    writer.get_by_role("button", name="Emoji", exact=True).press("Enter")
    has_emoji(writer)
    search = picker(writer).get_by_role("searchbox", name="Search emoji")
    expect(search).to_be_focused()
    search.press("ArrowDown")
    expect(picker(writer).get_by_role("button", name="grinning face", exact=True)).to_be_focused()
    writer.keyboard.press("ArrowRight")
    writer.keyboard.press("ArrowDown")
    writer.keyboard.press("ArrowUp")
    expect(picker(writer).get_by_role("button", name="grinning face with big eyes")).to_be_focused()
    writer.keyboard.press("Enter")

    expect(composer(writer)).to_have_value("well 😃")
    expect(composer(writer)).to_be_focused()
    expect(picker(writer)).to_be_hidden()


def test_what_was_chosen_lately_comes_first_and_a_search_finds_the_rest(writer: Page) -> None:
    writer.get_by_role("button", name="Emoji", exact=True).click()
    has_emoji(writer)
    writer.keyboard.type("rocket")
    expect(picker(writer).get_by_role("button")).to_have_count(1)
    writer.keyboard.press("Enter")
    expect(composer(writer)).to_have_value("🚀")
    writer.reload()
    expect(chat(writer)).to_have_attribute("connected", "")
    writer.get_by_role("button", name="Emoji", exact=True).click()
    has_emoji(writer)

    expect(picker(writer).get_by_role("group", name="Recently used").get_by_role("button")).to_have_text(
        ["🚀"]
    )
    writer.keyboard.type("no such thing")
    expect(picker(writer).get_by_text("No matching emoji.")).to_be_visible()
    writer.keyboard.press("Escape")
    expect(picker(writer)).to_be_hidden()


def test_any_emoji_can_be_put_under_a_message(page_of: Any) -> None:
    ana, bo = page_of(), page_of()
    ana.get_by_role("log").focus()
    ana.keyboard.press("ArrowUp")
    ana.keyboard.press("Enter")
    ana.get_by_role("menuitem", name="More emoji").click()
    has_emoji(ana)
    ana.keyboard.type("rocket")
    ana.keyboard.press("Enter")

    for page in (ana, bo):
        expect(page.locator("#m-3 .roomchat-reaction")).to_have_text("🚀 1")


def test_where_the_names_cannot_be_had_the_emoji_of_the_menu_are_offered(
    site: Server, room: str, page: Page
) -> None:
    page.route("**/emoji/*.json", lambda route: route.abort())
    joined(page, site, room)
    page.get_by_role("button", name="Emoji", exact=True).click()
    expect(picker(page).get_by_text("The emoji names could not be loaded.")).to_be_visible()
    expect(picker(page).get_by_role("button")).to_have_text(["👍", "❤️", "😂", "🎉", "😮", "🙏"])
    picker(page).get_by_role("button").nth(3).click()
    expect(composer(page)).to_have_value("🎉")
    page.unroute("**/emoji/*.json")
    page.get_by_role("button", name="Emoji", exact=True).click()

    has_emoji(page)


# Keys


@pytest.mark.firefox
def test_a_question_mark_lists_the_keys_but_not_while_one_writes(writer: Page) -> None:
    helped = writer.get_by_role("dialog", name="Keyboard shortcuts")
    composer(writer).press("?")
    expect(composer(writer)).to_have_value("?")
    expect(helped).to_be_hidden()
    writer.get_by_role("log").press("?")

    expect(helped).to_be_visible()
    writer.keyboard.press("Escape")
    expect(writer.get_by_role("log")).to_be_focused()


def test_the_single_key_can_be_switched_off_for_good(writer: Page) -> None:
    helped = writer.get_by_role("dialog", name="Keyboard shortcuts")
    writer.get_by_role("log").press("?")
    box = helped.get_by_role("checkbox")
    expect(box).to_be_checked()
    box.uncheck()
    writer.keyboard.press("Escape")
    writer.reload()
    expect(chat(writer)).to_have_attribute("connected", "")
    writer.get_by_role("log").press("?")
    expect(helped).to_be_hidden()
    writer.get_by_role("button", name="More", exact=True).click()
    writer.get_by_role("menuitem", name="Keyboard shortcuts").click()

    expect(helped).to_be_visible()
    expect(box).not_to_be_checked()


# A guest's name


def test_a_guest_chooses_a_name_and_all_windows_say_it(page_of: Any, site: Server, room: str) -> None:
    ana, bo = page_of(), page_of()
    other = joined(ana.context.new_page(), site, room)
    ana.bring_to_front()
    ana.get_by_role("button", name=re.compile("You are Guest")).click()
    dialog = ana.get_by_role("dialog", name="Your name")
    field = dialog.get_by_role("textbox")
    expect(field).to_be_focused()
    field.fill("  Zoë   Q ")
    field.press("Enter")
    expect(dialog).to_be_hidden()

    for page in (ana, other):
        expect(page.locator("[data-part=me]")).to_have_text("Zoë Q")
    say(other, "it is me")
    expect(bo.locator("#m-4 [data-part=author]")).to_have_text("Zoë Q")
    ana.reload()
    expect(ana.get_by_role("button", name="You are Zoë Q")).to_be_visible()


def test_a_name_that_is_refused_is_told_at_the_field(writer: Page) -> None:
    before = writer.locator("[data-part=me]").inner_text()
    writer.get_by_role("button", name="More", exact=True).click()
    writer.get_by_role("menuitem", name="Choose a name").click()
    dialog = writer.get_by_role("dialog", name="Your name")
    field = dialog.get_by_role("textbox")
    field.fill("Admin")
    field.press("Enter")

    expect(dialog.get_by_role("alert")).to_contain_text("choose a different one")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re.compile("choose a different one"))
    assert violations(writer) == []
    writer.keyboard.press("Escape")
    expect(writer.locator("[data-part=me]")).to_have_text(before)


# The right to write


def closed(page: Page) -> Locator:
    return page.locator("[data-part=closed]")


def key_of(page: Page) -> str:
    return str(chat(page).get_attribute("data-me-key"))


def test_who_is_muted_reads_why_and_finds_their_draft_when_it_is_over(
    site: Server, room: str, writer: Page
) -> None:
    composer(writer).fill("half a thou")
    run_at(
        site, f"from django_roomchat import mute; mute({room!r}, {key_of(writer)!r}, reason='Sleep on it.')"
    )
    expect(closed(writer)).to_have_text("Sleep on it.")
    expect(composer(writer)).to_be_hidden()
    writer.reload()
    expect(closed(writer)).to_have_text("Sleep on it.")
    expect(chat(writer)).to_have_attribute("connected", "")
    assert violations(writer) == []
    run_at(site, f"from django_roomchat import unmute; unmute({room!r}, {key_of(writer)!r})")

    expect(composer(writer)).to_be_visible()
    expect(composer(writer)).to_have_value("half a thou")
    expect(closed(writer)).to_be_empty()
    composer(writer).press("Enter")
    expect(sent(writer)).to_have_count(1)


def test_a_mute_ends_by_itself(site: Server, room: str, writer: Page) -> None:
    composer(writer).focus()
    run_at(
        site,
        f"""
from datetime import timedelta
from django.utils import timezone
from django_roomchat import mute
mute({room!r}, {key_of(writer)!r}, until=timezone.now() + timedelta(seconds=8))
""",
    )
    expect(closed(writer)).to_have_text("You are muted in this room.")
    expect(writer.get_by_role("log")).to_be_focused()

    expect(composer(writer)).to_be_focused()
    expect(closed(writer)).to_be_empty()


def test_a_room_that_is_archived_or_only_announces_says_so_and_opens_again(
    site: Server, room: str, writer: Page
) -> None:
    change = "from django_roomchat import configure_room; configure_room({!r}, {})"
    for on, off, why in (
        ("is_archived=True", "is_archived=False", "This room is archived and read-only."),
        ("is_announcement=True", "is_announcement=False", "Only moderators can post in this room."),
    ):
        run_at(site, change.format(room, on))
        expect(closed(writer)).to_have_text(why)
        expect(composer(writer)).to_be_hidden()
        run_at(site, change.format(room, off))
        expect(composer(writer)).to_be_visible()
        expect(closed(writer)).to_be_empty()


# Every reader


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_what_helps_to_write(page_of: Any, scheme: Any) -> None:
    page = page_of(color_scheme=scheme)
    say(page, "@Ana Silva, hello")
    expect(sent(page)).to_have_count(1)
    composer(page).press_sequentially("@an")
    expect(options(page)).to_have_count(2)
    assert violations(page) == []
    composer(page).fill("")
    composer(page).press_sequentially(":thu")
    expect(options(page).first).to_be_visible()
    assert violations(page) == []
    composer(page).fill("")
    page.get_by_role("button", name="Emoji", exact=True).click()
    has_emoji(page)
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("log").press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    assert violations(page) == []


def test_from_right_to_left_the_lists_are_where_they_belong(page_of: Any) -> None:
    page = page_of(locale="ar", viewport={"width": 320, "height": 640})
    composer(page).press_sequentially("@an")
    expect(options(page)).to_have_count(2)
    boxes = [
        page.locator("[data-part=options]").bounding_box(),
        page.locator(".roomchat-field").bounding_box(),
    ]
    assert all(box is not None for box in boxes)
    list_box, field = [box for box in boxes if box is not None]
    assert list_box["y"] + list_box["height"] <= field["y"]
    assert list_box["x"] >= 0
    assert list_box["x"] + list_box["width"] <= 320
    sign, name = options(page).first.evaluate(
        "(option) => [...option.children].slice(0, 2).map((part) => part.getBoundingClientRect().x)"
    )
    assert sign > name
    composer(page).fill("")
    page.locator("[data-part=emoji]").click()
    expect(page.locator("[data-part=emoji-picker] button").first).to_be_visible()
    first, second = (
        page.locator("[data-part=emoji-picker] [data-group=smileys] button").nth(n) for n in (0, 1)
    )
    first.focus()
    page.keyboard.press("ArrowLeft")
    expect(second).to_be_focused()


def test_a_strict_content_security_policy_finds_nothing_to_forbid_in_it(
    server: Start, room: str, page: Page
) -> None:
    site = server(settings="tests.browser.strict_settings")
    seed(site, room, *SAID)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    enter(page, site, room)
    expect(chat(page)).to_have_attribute("connected", "")
    composer(page).press_sequentially("@an")
    composer(page).press("Enter")
    page.get_by_role("button", name="Emoji", exact=True).click()
    has_emoji(page)
    page.keyboard.type("rocket")
    page.keyboard.press("Enter")
    expect(composer(page)).to_have_value("@Anatol 🚀")

    assert complaints == []
