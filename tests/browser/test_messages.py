"""Actions on a message: reply, edit, delete and undo."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.page import NewContext, anatomy, chat, composer, joined, say, seed, sent, violations
from tests.services.server import Server
from tests.services.shell import run_at


@pytest.fixture
def talk(site: Server, room: str, new_context: NewContext) -> Iterator[tuple[Page, Page]]:
    """Two people in a room, and a message of each."""
    ana, bo = (joined(new_context().new_page(), site, room) for _ in range(2))
    say(ana, "What shall we eat?")
    expect(bo.locator("#m-1")).to_be_visible()
    say(bo, "Soup")
    expect(ana.locator("#m-2")).to_be_visible()
    yield ana, bo


def menu(page: Page, seq: int) -> Locator:
    """The open menu of a message."""
    message = page.locator(f"#m-{seq}")
    message.hover()
    message.get_by_role("button", name="Actions").click()
    return page.get_by_role("menu", name="Actions")


def choose(page: Page, seq: int, what: str) -> None:
    menu(page, seq).get_by_role("menuitem", name=what, exact=True).click()


def offered(page: Page, seq: int) -> list[str]:
    names = menu(page, seq).get_by_role("menuitem").all_inner_texts()
    page.keyboard.press("Escape")
    return [name for name in names if name and name.isascii()]


def test_one_click_beside_a_message_of_another_person_reacts(talk: tuple[Page, Page]) -> None:
    ana, bo = talk
    ana.locator("#m-1").hover()
    ana.locator("#m-2").hover()
    ana.locator("#m-2 .roomchat-quick").click()

    for page in talk:
        expect(page.locator("#m-2 .roomchat-reaction")).to_have_text("👍 1")
    assert ana.locator("#m-1 .roomchat-quick").count() == 0


@pytest.mark.firefox
def test_a_message_can_be_answered_and_the_answer_says_what_it_answers(talk: tuple[Page, Page]) -> None:
    ana, bo = talk
    choose(ana, 2, "Reply")
    expect(ana.locator("[data-part=about]")).to_contain_text("Reply to Guest")
    say(ana, "With bread")

    for page in talk:
        quote = page.locator("#m-3 .roomchat-quote")
        expect(quote).to_have_text(re.compile(r"^Guest \d{4} guest Soup$"))
        expect(quote).to_have_attribute("href", "#m-2")
    expect(ana.locator("[data-part=about]")).to_be_hidden()
    say(ana, "and this answers nothing")
    expect(bo.locator("#m-4 .roomchat-quote")).to_be_hidden()


def test_the_mark_of_a_guest_is_shown_beside_the_name_and_in_quotes(talk: tuple[Page, Page]) -> None:
    ana, bo = talk
    choose(ana, 2, "Reply")
    say(ana, "With bread")

    for mark in (
        bo.locator("#m-1 .roomchat-meta"),
        ana.locator("#m-2 .roomchat-meta"),
        bo.locator("#m-3 .roomchat-quote"),
    ):
        expect(mark.get_by_text("guest", exact=True)).to_be_visible()
    # The page shows no name at own messages.
    expect(ana.locator("#m-1 .roomchat-meta .roomchat-guest")).to_be_hidden()


def test_a_quote_says_what_its_message_says_now(talk: tuple[Page, Page]) -> None:
    ana, bo = talk
    choose(ana, 2, "Reply")
    say(ana, "With bread")
    expect(bo.locator("#m-3 .roomchat-quote")).to_contain_text("Soup")
    choose(bo, 2, "Edit")
    composer(bo).fill("Salad")
    composer(bo).press("Enter")

    for page in talk:
        expect(page.locator("#m-3 .roomchat-quote")).to_contain_text("Salad")
    assert anatomy(ana) == anatomy_after_reload(ana)


def anatomy_after_reload(page: Page) -> list[str]:
    page.reload()
    expect(chat(page)).to_have_attribute("connected", "")
    return anatomy(page)


def test_my_last_message_is_changed_with_the_arrow_and_a_draft_waits(talk: tuple[Page, Page]) -> None:
    ana, bo = talk
    composer(ana).press("ArrowUp")
    expect(composer(ana)).to_have_value("What shall we eat?")
    expect(ana.locator("[data-part=about]")).to_contain_text("Edit message")
    composer(ana).fill("What shall we eat tonight?")
    composer(ana).press("Enter")

    expect(bo.locator("#m-1 .roomchat-bubble")).to_have_text("What shall we eat tonight?edited")
    expect(composer(ana)).to_have_value("")


def test_escape_leaves_an_edit_and_brings_the_draft_back(talk: tuple[Page, Page]) -> None:
    ana, _ = talk
    composer(ana).fill("half a thought")
    choose(ana, 1, "Edit")
    expect(composer(ana)).to_have_value("What shall we eat?")
    composer(ana).press("Escape")

    expect(composer(ana)).to_have_value("half a thought")
    expect(ana.locator("[data-part=about]")).to_be_hidden()


def test_a_deletion_can_be_taken_back_for_a_while(talk: tuple[Page, Page]) -> None:
    ana, bo = talk
    choose(ana, 1, "Delete")
    expect(ana.locator("#m-1")).to_have_attribute("data-doomed", "")
    ana.get_by_role("button", name="Undo").click()
    expect(ana.locator("#m-1")).not_to_have_attribute("data-doomed", "")
    choose(ana, 1, "Delete")

    expect(bo.locator("#m-1 .roomchat-body")).to_have_text("Message deleted")
    expect(ana.locator("#m-1 .roomchat-body")).to_have_text("Message deleted")
    expect(ana.locator("#m-1")).not_to_have_attribute("data-doomed", "")


def test_what_is_offered_is_what_one_may_do(talk: tuple[Page, Page]) -> None:
    ana, _ = talk

    assert offered(ana, 1) == ["Reply", "Edit", "Copy link", "Delete"]
    assert offered(ana, 2) == ["Reply", "Copy link", "Report to moderators"]


def test_a_muted_person_is_offered_to_delete_and_not_to_edit(
    talk: tuple[Page, Page], site: Server, room: str
) -> None:
    ana, _ = talk
    run_at(
        site,
        f"from django_roomchat import mute; from django_roomchat.models import Message; "
        f"mute({room!r}, Message.objects.get(room__name={room!r}, seq=1).author_key)",
    )
    expect(ana.get_by_text("You are muted in this room.")).to_be_visible()

    assert offered(ana, 1) == ["Copy link", "Delete"]


@pytest.mark.firefox
def test_the_menu_is_reached_and_left_with_the_keyboard(talk: tuple[Page, Page]) -> None:
    ana, _ = talk
    ana.bring_to_front()
    ana.get_by_role("log").focus()
    ana.keyboard.press("ArrowUp")
    expect(ana.locator("#m-2")).to_be_focused()
    ana.keyboard.press("ArrowUp")
    expect(ana.locator("#m-1")).to_be_focused()
    ana.keyboard.press("Enter")
    expect(ana.get_by_role("menu", name="Actions")).to_be_visible()
    ana.keyboard.press("End")
    expect(ana.get_by_role("menuitem", name="Delete")).to_be_focused()
    ana.keyboard.press("Escape")

    expect(ana.get_by_role("menu", name="Actions")).to_be_hidden()
    expect(ana.locator("#m-1")).to_be_focused()


def test_a_link_to_a_message_is_copied(talk: tuple[Page, Page], site: Server, room: str) -> None:
    ana, _ = talk
    ana.context.grant_permissions(["clipboard-read", "clipboard-write"])
    choose(ana, 2, "Copy link")

    expect(ana.get_by_text("Link copied.")).to_be_visible()
    assert ana.evaluate("navigator.clipboard.readText()") == f"{site.url}/chat/{room}/?at=2#m-2"


def test_what_the_server_refuses_is_said(talk: tuple[Page, Page]) -> None:
    ana, _ = talk
    ana.evaluate("document.querySelector('#m-2').dataset.mine = ''")
    choose(ana, 2, "Edit")
    composer(ana).fill("Cake")
    composer(ana).press("Enter")

    expect(ana.get_by_text("This message is not yours.")).to_be_visible()
    expect(ana.locator("#m-2 .roomchat-body")).to_have_text("Soup")


def test_a_line_of_the_system_is_said_in_the_readers_language(
    site: Server, room: str, new_context: NewContext
) -> None:
    pages = [joined(new_context(locale=locale).new_page(), site, room) for locale in ("en", "ko")]
    run_at(
        site,
        f"""
from django_roomchat import log
from django_roomchat.rooms.lookup import ensure_room
from django_roomchat.models import Room
from django_roomchat.identity import site
room = ensure_room(Room(name={room!r}, title={room!r}))
line = {{"code": "renamed", "by": "Ana", "value": "Kitchen"}}
draft = log.Draft(None, site().key, "System", "a", "system", "Ana renamed it", data={{"line": line}})
log.append({{room.pk: [draft]}})
""",
    )

    for page, said in zip(pages, ("Ana renamed the room to “Kitchen”.", "Ana 님이"), strict=True):
        expect(page.locator("#m-1 .roomchat-body")).to_contain_text(said)
        page.reload()
        expect(page.locator("#m-1 .roomchat-body")).to_contain_text(said)


def test_axe_finds_nothing_in_the_menu_and_the_bars(talk: tuple[Page, Page]) -> None:
    ana, bo = talk
    choose(ana, 2, "Reply")
    say(ana, "With bread")
    expect(sent(ana)).to_have_count(2)
    choose(ana, 2, "Reply")
    choose(ana, 1, "Delete")
    expect(ana.get_by_role("button", name="Undo")).to_be_visible()

    assert violations(ana) == []
    menu(bo, 1)
    assert violations(bo) == []


def test_on_a_phone_the_menu_is_in_sight(site: Server, room: str, new_context: NewContext) -> None:
    seed(site, room, ("김민수", "2026-01-02T10:00:00Z", "오늘 저녁은 뭘 먹을까요?" * 5), count=20)
    page = joined(new_context(viewport={"width": 320, "height": 568}, has_touch=True).new_page(), site, room)
    opened = menu(page, 21)
    box = opened.bounding_box()

    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 320
    assert 0 <= box["y"] <= box["y"] + box["height"] <= 568
