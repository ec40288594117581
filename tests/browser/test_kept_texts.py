"""Texts in the composer are kept: with their target, in every tab, when they are rejected and when they come from other programs."""

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.page import chat, composer, failed, joined, say, sent
from tests.services.server import Server
from tests.services.shell import run_at


def about(page: Page) -> Locator:
    return page.locator("[data-part=about]")


def choose(page: Page, seq: int, action: str) -> None:
    page.locator(f"#m-{seq}").hover()
    page.locator(f"#m-{seq}").get_by_role("button", name="Actions").click()
    page.get_by_role("menuitem", name=action).click()


def post(site: Server, room: str, body: str) -> None:
    run_at(
        site,
        "import uuid; from django_roomchat import post_message; "
        "from django_roomchat.identity import Identity; "
        f"post_message({room!r}, {body!r}, author=Identity('t:Bo', 'Bo'), id=str(uuid.uuid4()))",
    )


def delete(site: Server, room: str, seq: int) -> None:
    run_at(site, f"from django_roomchat import delete_message; delete_message({room!r}, {seq})")


def reload(page: Page) -> None:
    page.reload()
    expect(chat(page)).to_have_attribute("connected", "")


@pytest.mark.firefox
def test_a_reply_has_its_target_after_a_reload(site: Server, room: str, page: Page) -> None:
    post(site, room, "When do we meet?")
    joined(page, site, room)
    choose(page, 1, "Reply")
    composer(page).fill("At nine")
    reload(page)
    expect(about(page)).to_contain_text("Reply to Bo When do we meet?")
    composer(page).press("Enter")

    expect(page.locator("#m-2 .roomchat-quote")).to_contain_text("When do we meet?")
    expect(about(page)).to_be_hidden()
    expect(composer(page)).to_have_value("")


def test_a_half_done_edit_and_the_draft_below_it_are_there_after_a_reload(
    site: Server, room: str, page: Page
) -> None:
    joined(page, site, room)
    say(page, "corected")
    expect(sent(page)).to_have_count(1)
    composer(page).fill("half a thought")
    choose(page, 1, "Edit")
    composer(page).fill("corrected")
    reload(page)
    expect(composer(page)).to_have_value("corrected")
    expect(about(page)).to_contain_text("Edit message")
    composer(page).press("Enter")

    expect(page.locator("#m-1 [data-part=body]")).to_have_text("corrected")
    expect(composer(page)).to_have_value("half a thought")
    reload(page)
    expect(composer(page)).to_have_value("half a thought")


@pytest.mark.firefox
def test_what_a_second_tab_sends_does_not_remove_the_draft_of_the_first(
    site: Server, room: str, context: BrowserContext
) -> None:
    first, second = joined(context.new_page(), site, room), joined(context.new_page(), site, room)
    first.bring_to_front()
    composer(first).fill("for later")
    second.bring_to_front()
    say(second, "hi")
    expect(sent(second)).to_have_count(1)
    first.close()
    third = joined(context.new_page(), site, room)

    expect(composer(third)).to_have_value("for later")


@pytest.mark.parametrize(
    ("pasted", "stored"),
    [
        ("one\x0btwo", "one\ntwo"),
        ("\x1b[31mERROR\x1b[0m", "ERROR"),
        ("nel\x85line\u2028end", "nel\nline\nend"),
        ("\tJan\tFeb\nTea\t1\t2", "\tJan\tFeb\nTea\t1\t2"),
        ("    if x:\n        y()", "    if x:\n        y()"),
    ],
)
def test_a_pasted_text_is_the_same_live_and_after_a_reload(
    site: Server, room: str, page: Page, pasted: str, stored: str
) -> None:
    joined(page, site, f"{room}-{len(pasted)}")
    composer(page).evaluate(
        "(field, text) => { field.value = text; field.dispatchEvent(new Event('input')); }", pasted
    )
    composer(page).press("Enter")
    expect(sent(page)).to_have_count(1)
    live = page.locator("#m-1 [data-part=body]").evaluate("(body) => body.textContent")
    reload(page)

    assert [live, page.locator("#m-1 [data-part=body]").evaluate("(body) => body.textContent")] == [
        stored
    ] * 2


def test_an_edit_of_a_message_that_is_deleted_meanwhile_keeps_its_text(
    site: Server, room: str, page: Page
) -> None:
    joined(page, site, room)
    say(page, "Soup at noon")
    expect(sent(page)).to_have_count(1)
    choose(page, 1, "Edit")
    composer(page).fill("Soup at one")
    delete(site, room, 1)
    expect(about(page)).to_contain_text("This message was deleted. Your text can be sent as a new message.")
    expect(composer(page)).to_have_value("Soup at one")
    composer(page).press("Enter")

    expect(sent(page).last.locator("[data-part=body]")).to_have_text("Soup at one")
    expect(about(page)).to_be_hidden()


def test_a_rejected_edit_is_in_the_composer_again(site: Server, room: str, page: Page) -> None:
    joined(page, site, room)
    say(page, "Soup")
    expect(sent(page)).to_have_count(1)
    composer(page).fill("a draft")
    choose(page, 1, "Edit")
    composer(page).fill("Soup" + "\u0323" * 9)
    composer(page).press("Enter")
    expect(page.get_by_text("more than 8 combining marks")).to_be_visible()
    expect(about(page)).to_contain_text("Edit message")
    expect(composer(page)).to_have_value("Soup" + "\u0323" * 9)
    composer(page).fill("Salad")
    composer(page).press("Enter")

    expect(page.locator("#m-1 [data-part=body]")).to_have_text("Salad")
    expect(composer(page)).to_have_value("a draft")


def test_a_rejected_message_can_be_edited_and_sent_again(site: Server, room: str, page: Page) -> None:
    post(site, room, "What?")
    joined(page, site, room)
    choose(page, 1, "Reply")
    say(page, "e" + "\u0323" * 9)
    expect(failed(page)).to_have_count(1)
    composer(page).fill("something else")
    failed(page).get_by_role("button", name="Edit").click()
    expect(failed(page)).to_have_count(0)
    expect(about(page)).to_contain_text("Reply to Bo")
    expect(composer(page)).to_be_focused()
    expect(composer(page)).to_have_value("e" + "\u0323" * 9)
    composer(page).fill("é")
    composer(page).press("Enter")

    expect(page.locator("#m-2 [data-part=body]")).to_have_text("é")
    expect(page.locator("#m-2 .roomchat-quote")).to_contain_text("What?")
    expect(composer(page)).to_have_value("something else")


def test_a_guest_who_signs_in_finds_the_draft(site: Server, room: str, page: Page) -> None:
    joined(page, site, room)
    composer(page).fill("written as a guest")
    run_at(
        site,
        """
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore
user = get_user_model().objects.create_user("draft-writer")
session = SessionStore()
session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
session._session_key = "session-of-draft-writer"
session.save(must_create=True)
""",
    )
    page.context.add_cookies([{"name": "sessionid", "value": "session-of-draft-writer", "url": site.url}])
    reload(page)

    expect(chat(page)).not_to_have_attribute("data-me-guest", "")
    expect(composer(page)).to_have_value("written as a guest")
