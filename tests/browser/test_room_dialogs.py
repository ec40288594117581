"""The dialogs of a room: invitations, settings and leaving; all dialogs with axe and on a phone."""

import json
import re
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.club import (
    PEOPLE,
    Come,
    choose,
    choose_of_message,
    choose_of_room,
    come,
    make_club,
    open_menu_of,
    open_people,
    site,
)
from tests.browser.page import NewContext, chat, composer, joined, pending, say, sent, violations
from tests.services.server import Server
from tests.services.shell import run_at

__all__ = ["come", "site"]  # fixtures


def test_an_invitation_makes_members_until_it_is_revoked(
    site: Server, room: str, come: Come, new_context: NewContext
) -> None:
    name = make_club(site, room, visibility="private")
    ana = come("ana", name)
    ana.context.grant_permissions(["clipboard-read", "clipboard-write"])
    # What an empty private room offers first.
    ana.locator("[data-part=invite-first]").click()
    dialog = ana.get_by_role("dialog", name="Invite people")
    dialog.get_by_label("Role").select_option("moderator")
    dialog.get_by_label("Maximum number of people").select_option("5")
    dialog.get_by_role("button", name="Create link").click()
    link = dialog.get_by_label("Send this link")
    expect(link).to_be_focused()
    expect(dialog.locator("li")).to_have_text([re.compile("moderator for 5 people")])
    dialog.get_by_role("button", name="Copy link").click()
    expect(dialog.get_by_text("Link copied.")).to_be_visible()
    assert ana.evaluate("navigator.clipboard.readText()") == link.input_value()
    assert link.input_value().startswith(f"{site.url}/chat/~/invite/")

    guest = new_context().new_page()
    guest.goto(link.input_value())
    guest.get_by_role("button", name="Accept invitation").click()
    expect(chat(guest)).to_have_attribute("connected", "")
    expect(chat(guest)).to_have_attribute("data-can", re.compile("moderate"))
    dialog.get_by_role("button", name="Revoke").click()
    expect(dialog.get_by_role("heading", name="Active links")).to_be_hidden()
    expect(dialog.get_by_role("button", name="Close")).to_be_focused()
    late = new_context().new_page()
    late.goto(link.input_value())
    expect(late.get_by_role("heading", name="Invitation not valid")).to_be_visible()


def test_all_invitations_are_listed_page_by_page_and_revoked_at_once(
    site: Server, room: str, come: Come
) -> None:
    make_club(site, room)
    run_at(site, f"from django_roomchat import invite; [invite({room!r}) for _ in range(51)]")
    ana = come("ana", room)
    choose_of_room(ana, "Invite people")
    dialog = ana.get_by_role("dialog", name="Invite people")
    expect(dialog.locator("li")).to_have_count(50)
    dialog.get_by_role("button", name="Show more").click()
    expect(dialog.locator("li")).to_have_count(51)
    expect(dialog.get_by_role("button", name="Show more")).to_be_hidden()
    expect(dialog.locator("li").last.get_by_role("button")).to_be_focused()
    assert violations(ana) == []

    dialog.get_by_role("button", name="Revoke all").click()
    expect(dialog.locator("li")).to_have_count(51)
    dialog.get_by_role("button", name="Revoke all links?").click()

    expect(dialog.get_by_role("heading", name="Active links")).to_be_hidden()
    expect(dialog.get_by_role("button", name="Close")).to_be_focused()
    expect(dialog.locator("li")).to_have_count(0)


def test_moderators_invite_members_only_and_members_nobody(site: Server, room: str, come: Come) -> None:
    make_club(site, room)
    mo, kim = come("mo", room), come("kim", room)
    choose_of_room(mo, "Invite people")
    dialog = mo.get_by_role("dialog", name="Invite people")
    expect(dialog.get_by_label("Expires")).to_be_visible()
    expect(dialog.get_by_label("Role")).to_be_hidden()
    dialog.get_by_role("button", name="Create link").click()
    expect(dialog.locator("li")).to_have_text([re.compile("member for any number of people")])
    kim.get_by_role("button", name="More", exact=True).click()
    expect(kim.get_by_role("menuitem", name="People")).to_be_visible()

    expect(kim.get_by_role("menuitem", name="Invite people")).to_be_hidden()
    expect(kim.get_by_role("menuitem", name="Room settings")).to_be_hidden()


def test_of_the_settings_only_what_was_changed_is_sent_and_holds_at_once(
    site: Server, room: str, come: Come
) -> None:
    make_club(site, room, slow_seconds=7)
    ana, kim = come("ana", room), come("kim", room)
    frames: list[dict[str, Any]] = []
    ana.on(
        "websocket", lambda line: line.on("framesent", lambda frame: frames.append(json.loads(str(frame))))
    )
    joined(ana, site, room)
    choose_of_room(ana, "Room settings")
    dialog = ana.get_by_role("dialog", name="Room settings")
    expect(dialog.get_by_label("Slow mode")).to_have_value("7")
    expect(dialog.locator("[name=slow_seconds] option:checked")).to_have_text("7 seconds")
    dialog.get_by_label("Name").fill("The club")
    dialog.get_by_label("Keep messages for").select_option("30 days")
    dialog.get_by_role("button", name="Save").click()

    expect(ana.get_by_text("Room settings saved.")).to_be_visible()
    expect(kim.locator("[data-part=title]")).to_have_text("The club")
    [sent_frame] = [frame for frame in frames if frame["type"] == "configure"]
    del sent_frame["id"]
    assert sent_frame == {"type": "configure", "room": room, "title": "The club", "retention_days": 30}


def test_an_archived_room_says_so_in_the_place_where_one_writes(site: Server, room: str, come: Come) -> None:
    make_club(site, room)
    ana, kim = come("ana", room), come("kim", room)
    composer(kim).fill("half a thought")
    for is_archived in (True, False):
        choose_of_room(ana, "Room settings")
        dialog = ana.get_by_role("dialog", name="Room settings")
        expect(dialog.get_by_label("Archived")).to_be_checked(checked=not is_archived)
        dialog.get_by_label("Archived").set_checked(is_archived)
        dialog.get_by_role("button", name="Save").click()
        expect(dialog).to_be_hidden()
        told = kim.get_by_text("This room is archived and read-only.")
        expect(told).to_be_visible(visible=is_archived)
        expect(composer(kim)).to_be_visible(visible=not is_archived)

    expect(composer(kim)).to_have_value("half a thought")


def test_in_a_slow_room_nothing_is_lost_and_the_wait_is_told(site: Server, room: str, come: Come) -> None:
    make_club(site, room, slow_seconds=5)
    kim, mo = come("kim", room), come("mo", room)
    expect(kim.get_by_role("timer")).to_have_text("Slow mode: 5 seconds")
    say(kim, "one")
    expect(sent(kim)).to_have_count(1)
    expect(kim.get_by_role("timer")).to_have_text(re.compile(r"Next message in 0:0[1-5]"))
    say(kim, "two")
    expect(pending(kim)).to_have_count(1)
    expect(kim.get_by_role("timer")).to_have_text(re.compile(r"Will be sent in 0:0[1-5]"))

    expect(sent(kim)).to_have_count(2)
    expect(mo.locator("li .roomchat-body")).to_have_text(["one", "two"])
    # Moderators are not slowed.
    expect(mo.get_by_role("timer")).to_be_hidden()


def test_in_a_slow_room_an_edit_that_comes_too_early_stays_in_the_text_field(
    site: Server, room: str, come: Come
) -> None:
    make_club(site, room, slow_seconds=3600)
    kim = come("kim", room)
    run_at(
        site,
        "from django.contrib.auth.models import User; from django_roomchat import post_message; "
        f"post_message({room!r}, 'one', author=User.objects.get(username='kim'), id='elsewhere')",
    )
    expect(sent(kim)).to_have_count(1)
    composer(kim).press("ArrowUp")
    composer(kim).fill("two")
    composer(kim).press("Enter")

    expect(kim.get_by_text("Slow mode is on: one message every 3600 seconds.")).to_be_visible()
    expect(composer(kim)).to_have_value("two")
    expect(kim.locator("[data-part=about]")).to_contain_text("Edit message")
    expect(kim.locator("li .roomchat-body")).to_have_text(["one"])


def test_in_a_slow_room_an_edit_is_not_offered_before_the_server_accepts_it(
    site: Server, room: str, come: Come
) -> None:
    make_club(site, room, slow_seconds=3600)
    kim = come("kim", room)
    say(kim, "one")
    expect(kim.get_by_role("timer")).to_contain_text("Next message in")
    composer(kim).press("ArrowUp")
    expect(kim.locator("[data-part=about]")).to_be_hidden()
    sent(kim).hover()
    sent(kim).get_by_role("button", name="Actions").click()
    expect(kim.get_by_role("menuitem", name="Delete")).to_be_visible()

    expect(kim.get_by_role("menuitem", name="Edit")).to_be_hidden()


@pytest.mark.parametrize("visibility", ["open", "private"])
def test_who_leaves_is_asked_first_and_comes_to_the_list(
    site: Server, room: str, come: Come, visibility: Literal["open", "private"]
) -> None:
    name = make_club(site, f"{room}-{visibility}", visibility=visibility)
    kim = come("kim", name)
    choose_of_room(kim, "Leave room")
    dialog = kim.get_by_role("dialog", name="Leave room")
    expect(dialog).to_contain_text(
        "new invitation" if visibility == "private" else "You can come back at any time."
    )
    dialog.get_by_role("button", name="Cancel").click()
    expect(kim.get_by_role("button", name="More", exact=True)).to_be_focused()
    choose_of_room(kim, "Leave room")
    dialog.get_by_role("button", name="Leave room").click()

    kim.wait_for_url(f"{site.url}/chat/")
    run_at(
        site,
        "from django_roomchat.models import Membership; "
        f"assert not Membership.objects.filter(room__name={name!r}, name={PEOPLE['kim']!r}).exists()",
    )


def test_the_last_owner_is_told_why_they_cannot_leave(site: Server, room: str, come: Come) -> None:
    make_club(site, room)
    ana = come("ana", room)
    choose_of_room(ana, "Leave room")
    dialog = ana.get_by_role("dialog", name="Leave room")
    dialog.get_by_role("button", name="Leave room").click()

    expect(dialog.get_by_role("status")).to_contain_text("make someone else an owner first")


def test_who_is_no_member_is_not_offered_to_leave(site: Server, room: str, come: Come) -> None:
    make_club(site, room)
    guest = come("a guest", room)
    guest.get_by_role("button", name="More", exact=True).click()
    expect(guest.get_by_role("menuitem", name="People")).to_be_visible()

    expect(guest.get_by_role("menuitem", name="Leave room")).to_be_hidden()


def each_dialog(page: Page) -> Iterator[tuple[str, Locator]]:
    """Open the dialogs one after the other, as an owner, and yield the name and the locator of each."""

    def opened(name: str) -> tuple[str, Locator]:
        dialog = page.get_by_role("dialog", name=name, exact=True)
        expect(dialog).to_be_visible()
        return name, dialog

    open_people(page)
    expect(page.locator("[data-part=people-sanctions]")).to_be_visible()
    yield opened("People")
    for entry, name in (
        ("Block user…", "Block user"),
        ("Mute user…", "Mute user"),
        ("Ban user…", "Ban user"),
        ("Remove from room…", "Remove from room"),
    ):
        open_menu_of(page, "Mo Salah")
        choose(page, entry)
        yield opened(name)
        page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    for name in ("Invite people", "Room settings", "Leave room"):
        choose_of_room(page, name)
        if name == "Invite people":
            page.get_by_role("button", name="Create link").click()
            expect(page.get_by_role("button", name="Revoke").first).to_be_visible()
        yield opened(name)
        page.keyboard.press("Escape")
    for name in ("Earlier versions", "Report to moderators"):
        choose_of_message(page, 2, name)
        yield opened(name)
        page.keyboard.press("Escape")


def make_lively_club(site: Server, room: str) -> None:
    make_club(site, room, ("ana", "welcome"), ("mo", "first"))
    run_at(
        site,
        f"""
from django.contrib.auth.models import User
from django_roomchat import ban, edit_message, mute
edit_message({room!r}, 2, "second", by=User.objects.get(username="mo"))
mute({room!r}, User.objects.get(username="kim"), reason="A reason with many words. " * 8)
ban({room!r}, "g:nobody")
""",
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_any_dialog(site: Server, room: str, come: Come, scheme: Any) -> None:
    make_lively_club(site, f"{room}-{scheme}")
    ana = come("ana", f"{room}-{scheme}", color_scheme=scheme)

    found = {name: violations(ana) for name, _dialog in each_dialog(ana)}

    assert found == dict.fromkeys(found, [])
    assert len(found) == 10


def test_on_a_phone_dialogs_fit_and_fingers_hit(site: Server, room: str, come: Come) -> None:
    make_lively_club(site, room)
    ana = come("ana", room, viewport={"width": 390, "height": 844}, has_touch=True)

    found = {}
    for name, dialog in each_dialog(ana):
        found[name] = dialog.evaluate(
            """(dialog) => {
              const small = [...dialog.querySelectorAll("button, select, textarea, input:not([type=radio], [type=checkbox]), label:has(input)")]
                .filter((control) => control.checkVisibility())
                .filter((control) => Math.min(control.offsetWidth, control.offsetHeight) < 44)
                .map((control) => control.outerHTML);
              const { left, right, bottom } = dialog.getBoundingClientRect();
              const body = dialog.querySelector(".roomchat-dialog-body");
              return [small, left >= 0 && right <= innerWidth && bottom < innerHeight + 0.01, body.scrollWidth <= body.clientWidth];
            }"""
        )

    assert found == dict.fromkeys(found, [[], True, True])
    assert len(found) == 10
