"""The composer: keyboard shortcuts, the name of a guest, and the right to post; accessibility and layout."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.page import Start, chat, composer, enter, joined, say, seed, sent, violations
from tests.browser.writing import SAID, has_emoji, options, page_of, writer
from tests.services.server import Server
from tests.services.shell import run_at

__all__ = ["page_of", "writer"]  # fixtures


# Keyboard shortcuts


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


# The name of a guest


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


# The right to post


def closed(page: Page) -> Locator:
    return page.locator("[data-part=closed]")


def key_of(page: Page) -> str:
    return str(chat(page).get_attribute("data-me-key"))


MUTED = "You are muted in this room. You can read, but not post. A moderator can end this."


def test_who_is_muted_reads_why_and_finds_their_draft_when_it_is_over(
    site: Server, room: str, writer: Page
) -> None:
    composer(writer).fill("half a thou")
    run_at(
        site, f"from django_roomchat import mute; mute({room!r}, {key_of(writer)!r}, reason='Sleep on it.')"
    )
    expect(closed(writer)).to_have_text(f"{MUTED} Reason: Sleep on it.")
    expect(composer(writer)).to_be_hidden()
    writer.reload()
    expect(closed(writer)).to_have_text(f"{MUTED} Reason: Sleep on it.")
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
    local = r"You are muted in this room until \w{3}\.? \d+, \d{4}, \d+(:\d\d)?\s[ap]\.m\. Until then you can read, but not post\."
    expect(closed(writer)).to_have_text(re.compile(f"^{local}$"))
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


# Accessibility, direction of writing and content security policy


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
