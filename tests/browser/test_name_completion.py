"""Names after `@`, completed with the keyboard, by touch and with input methods; and the Enter key of an input method."""

import re
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.browser.page import NewContext, anatomy, composer, joined, say, sent
from tests.browser.writing import active, names, options, page_of, writer
from tests.services.server import Server
from tests.services.shell import run_at

__all__ = ["page_of", "writer"]  # fixtures


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
    expect(options(writer)).to_have_count(1)
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
    """Return the connection that simulates an input method for the focused field."""
    composer(page).focus()
    return page.context.new_cdp_session(page)


def compose(method: CDPSession, text: str) -> None:
    """Set the text that the input method has composed so far."""
    method.send(
        "Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)}
    )


def press_for_method(method: CDPSession, key: str) -> None:
    """Press a key that the input method handles: the page receives its events and must ignore them."""
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
