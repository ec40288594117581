"""The list of people, sanctions, roles, reports and earlier versions, in the browsers of an owner, a moderator, members and guests."""

import re

from playwright.sync_api import expect

from tests.browser.club import (
    Come,
    choose,
    choose_of_message,
    come,
    make_club,
    offered,
    open_menu_of,
    open_people,
    row,
    site,
)
from tests.browser.page import chat, composer, say
from tests.services.server import Server
from tests.services.shell import run_at

__all__ = ["come", "site"]  # fixtures


# The list of people


def test_one_dialog_says_who_is_here_and_who_else_belongs_to_the_room(
    site: Server, room: str, come: Come
) -> None:
    make_club(site, room)
    ana, kim = come("ana", room), come("kim", room)
    button = ana.get_by_role("button", name="people here")
    expect(button).to_have_text("2people here")
    dialog = open_people(ana)
    expect(dialog.locator("[data-part=people-here] b")).to_have_text(["Ana Lopez", "김민수"])
    expect(dialog.locator("[data-part=people-members] b")).to_have_text(["Mo Salah"])
    expect(row(ana, "Mo Salah")).to_contain_text("moderator")
    expect(row(ana, "Ana Lopez")).to_contain_text("you")

    # It goes on while people come and go.
    come("mo", room)
    expect(dialog.locator("[data-part=people-here] b")).to_have_text(["Ana Lopez", "Mo Salah", "김민수"])
    expect(dialog.locator("[data-part=people-members]")).to_be_hidden()
    kim.goto("about:blank")
    ana.bring_to_front()
    expect(dialog.locator("[data-part=people-members] b")).to_have_text(["김민수"])
    ana.keyboard.press("Escape")

    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()


def test_who_has_the_focus_in_the_list_keeps_it_when_others_come(site: Server, room: str, come: Come) -> None:
    make_club(site, room)
    mo = come("mo", room)
    open_people(mo)
    actions = row(mo, "Ana Lopez").get_by_role("button")
    actions.focus()

    come("kim", room)

    expect(mo.locator("[data-part=people-here] b")).to_have_text(["Mo Salah", "김민수"])
    mo.bring_to_front()
    expect(actions).to_be_focused()


def test_a_person_is_found_by_name_among_many(site: Server, room: str, come: Come) -> None:
    make_club(site, room)
    run_at(
        site,
        f"""
from django_roomchat.models import Membership, Room
club = Room.objects.get(name={room!r})
Membership.objects.bulk_create(
    Membership(room=club, key=f"t:{{number:03}}", name=f"Person {{number:03}}") for number in range(250)
)
""",
    )
    ana = come("ana", room)
    dialog = open_people(ana)
    members = dialog.locator("[data-part=people-members] li")
    expect(members).to_have_count(200)
    dialog.get_by_role("button", name="Show more members").click()
    expect(members).to_have_count(252)
    expect(dialog.get_by_role("button", name="Show more members")).to_be_hidden()

    dialog.get_by_role("searchbox", name="Find people").fill("24")

    expect(members.locator("b")).to_have_text([f"Person {number}" for number in range(240, 250)])
    expect(dialog.locator("[data-part=people-here]")).to_be_hidden()
    dialog.get_by_role("searchbox", name="Find people").fill("erson")
    expect(dialog.get_by_text("No matching people.")).to_be_visible()


def test_a_person_can_be_mentioned_or_written_to_from_the_list(site: Server, room: str, come: Come) -> None:
    make_club(site, room)
    kim = come("kim", room)
    composer(kim).fill("hello ")
    open_people(kim)
    open_menu_of(kim, "Mo Salah")
    choose(kim, "Mention")
    expect(kim.get_by_role("dialog", name="People")).to_be_hidden()
    expect(composer(kim)).to_have_value("hello @Mo Salah ")
    expect(composer(kim)).to_be_focused()

    open_people(kim)
    open_menu_of(kim, "Mo Salah")
    choose(kim, "Send a direct message")

    expect(chat(kim)).to_have_attribute("data-room", re.compile("^~"))
    expect(kim.locator("[data-part=title]")).to_contain_text("Mo Salah")


# Roles and sanctions


def test_a_menu_offers_what_rank_allows(site: Server, room: str, come: Come) -> None:
    make_club(site, room, ("kim", "hi"))
    everybody = ["Send a direct message", "Mention"]
    seen = {}
    for who, about in (("ana", "Mo Salah"), ("mo", "Ana Lopez"), ("mo", "김민수"), ("kim", "Mo Salah")):
        page = come(who, room)
        open_people(page)
        open_menu_of(page, about)
        seen[who, about] = offered(page)
        page.close()

    assert seen == {
        ("ana", "Mo Salah"): [
            *everybody,
            "Make owner",
            "Make member",
            "Block user…",
            "Mute user…",
            "Remove from room…",
            "Ban user…",
        ],
        ("mo", "Ana Lopez"): [*everybody, "Block user…"],
        ("mo", "김민수"): [*everybody, "Block user…", "Mute user…", "Remove from room…", "Ban user…"],
        ("kim", "Mo Salah"): [*everybody, "Block user…"],
    }


def test_the_menu_of_a_message_mutes_and_bans_for_moderators_only(
    site: Server, room: str, come: Come
) -> None:
    make_club(site, room, ("kim", "hi"))
    offers = {}
    for who in ("mo", "zoe"):
        page = come(who, room)
        page.locator("#m-1").hover()
        page.locator("#m-1").get_by_role("button", name="Actions").click()
        offers[who] = set(offered(page)) & {"Report to moderators", "Mute user…", "Ban user…", "Delete"}

    assert offers == {
        "mo": {"Report to moderators", "Mute user…", "Ban user…", "Delete"},
        "zoe": {"Report to moderators"},
    }


def test_a_person_is_muted_and_unmuted_with_the_keyboard_alone(site: Server, room: str, come: Come) -> None:
    make_club(site, room)
    mo, kim = come("mo", room), come("kim", room)
    mo.bring_to_front()
    mo.get_by_role("button", name="people here").focus()
    mo.keyboard.press("Enter")
    actions = mo.locator("[data-part=people-here]").get_by_role("button", name="Actions: 김민수")
    expect(actions).to_be_visible()
    for _ in range(10):
        if actions.evaluate("(button) => button === document.activeElement"):
            break
        mo.keyboard.press("Tab")
    mo.keyboard.press("Enter")
    expect(mo.get_by_role("menuitem", name="Send a direct message")).to_be_focused()
    for _ in range(3):
        mo.keyboard.press("ArrowDown")
    expect(mo.get_by_role("menuitem", name="Mute user…")).to_be_focused()
    mo.keyboard.press("Enter")
    dialog = mo.get_by_role("dialog", name="Mute user")
    expect(dialog).to_contain_text("김민수 can still read this room, but cannot post.")
    mo.keyboard.press("Tab")
    mo.keyboard.press("ArrowRight")
    expect(dialog.get_by_role("radio", name="1 day")).to_be_checked()
    mo.keyboard.press("Tab")
    mo.keyboard.type("Too loud.")
    mo.keyboard.press("Tab")
    mo.keyboard.press("Tab")
    mo.keyboard.press("Enter")

    toast = mo.get_by_role("dialog", name="People").locator("[data-part=notice]")
    expect(toast).to_contain_text("김민수 is muted.")
    expect(toast.get_by_role("button", name="Undo")).to_be_visible()
    expect(dialog).to_be_hidden()
    expect(actions).to_be_focused()
    held = mo.locator("[data-part=people-sanctions] li")
    expect(held).to_have_text([re.compile(r"김민수.*Muted until .*: Too loud\.", re.DOTALL)])
    expect(composer(kim)).to_be_hidden()
    expect(kim.get_by_text("Too loud.")).to_be_visible()
    mo.keyboard.press("Enter")
    mo.get_by_role("menuitem", name="Unmute user").focus()
    mo.keyboard.press("Enter")
    expect(composer(kim)).to_be_visible()
    expect(held).to_have_count(0)
    expect(actions).to_be_focused()


def test_who_is_banned_from_a_message_is_out_at_once_and_told_why(
    site: Server, room: str, come: Come
) -> None:
    make_club(site, room, ("ana", "welcome"))
    mo, guest = come("mo", room), come("a guest", room)
    name = guest.locator("[data-part=me]").inner_text()
    say(guest, "spam")
    mo.bring_to_front()
    expect(mo.locator("#m-2")).to_be_visible()
    choose_of_message(mo, 2, "Ban user…")
    dialog = mo.get_by_role("dialog", name="Ban user")
    expect(dialog).to_contain_text(f"{name} will be removed from this room immediately")
    dialog.get_by_role("radio", name="Indefinitely").check()
    dialog.get_by_role("textbox", name="Reason").fill("We want no spam.")
    dialog.get_by_role("button", name="Ban user").click()

    expect(chat(guest)).to_have_attribute("data-state", "ended")
    expect(guest.get_by_text("We want no spam.")).to_be_visible()
    expect(composer(guest)).to_be_hidden()
    expect(mo.get_by_role("status").filter(has_text=f"{name} is banned.")).to_be_visible()
    expect(mo.locator("#m-2").get_by_role("button", name="Actions")).to_be_focused()
    open_people(mo)
    expect(mo.locator("[data-part=people-sanctions] b")).to_have_text([name])
    expect(mo.locator("[data-part=people-sanctions] li")).to_contain_text("Banned: We want no spam.")
    mo.locator("[data-part=people-sanctions] li").get_by_role("button").click()
    choose(mo, "Unban user")
    expect(mo.locator("[data-part=people-sanctions]")).to_be_hidden()
    guest.reload()
    expect(composer(guest)).to_be_visible()


def test_what_the_server_refuses_is_told_where_one_looks(site: Server, room: str, come: Come) -> None:
    make_club(site, room)
    ana, mo = come("ana", room), come("mo", room)
    open_people(mo)
    open_menu_of(mo, "김민수")
    choose(mo, "Mute user…")
    dialog = mo.get_by_role("dialog", name="Mute user")
    open_people(ana)
    open_menu_of(ana, "Mo Salah")
    choose(ana, "Make member")
    expect(row(ana, "Mo Salah")).not_to_contain_text("moderator")

    dialog.get_by_role("button", name="Mute user").click()

    expect(dialog.get_by_role("status")).to_have_text("You are not allowed to do this.")
    mo.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(
        mo.get_by_role("dialog", name="People")
        .get_by_role("status")
        .filter(has_text="not allowed to do this")
    ).to_be_visible()


def test_a_new_role_holds_at_once(site: Server, room: str, come: Come) -> None:
    make_club(site, room)
    ana, kim = come("ana", room), come("kim", room)
    expect(chat(kim)).not_to_have_attribute("data-can", re.compile("moderate"))
    open_people(ana)
    open_menu_of(ana, "김민수")
    choose(ana, "Make moderator")

    expect(row(ana, "김민수")).to_contain_text("moderator")
    expect(chat(kim)).to_have_attribute("data-can", re.compile("moderate"))


def test_who_is_removed_from_a_private_room_is_out_at_once(site: Server, room: str, come: Come) -> None:
    name = make_club(site, room, visibility="private")
    mo, kim = come("mo", name), come("kim", name)
    open_people(mo)
    open_menu_of(mo, "김민수")
    choose(mo, "Remove from room…")
    dialog = mo.get_by_role("dialog", name="Remove from room")
    expect(dialog).to_contain_text("김민수 will no longer be a member of this room.")
    dialog.get_by_role("button", name="Remove from room").click()

    expect(chat(kim)).to_have_attribute("data-state", "ended")
    expect(mo.locator("[data-part=people-members] b")).to_have_text(["Ana Lopez"])


# Messages


def test_a_report_has_a_reason_and_can_be_thought_better_of(site: Server, room: str, come: Come) -> None:
    make_club(site, room, ("kim", "buy my watches"))
    zoe = come("zoe", room)
    choose_of_message(zoe, 1, "Report to moderators")
    dialog = zoe.get_by_role("dialog", name="Report to moderators")
    expect(dialog).to_contain_text("김민수 buy my watches")
    dialog.get_by_role("button", name="Cancel").click()
    run_at(site, f"{REPORTS}; assert reports({room!r}) == [], reports({room!r})")
    choose_of_message(zoe, 1, "Report to moderators")
    dialog.get_by_role("textbox", name="What is wrong with this message?").fill("Spam.")
    dialog.get_by_role("button", name="Send report").click()

    expect(zoe.get_by_text("Report sent. A moderator will review the message from 김민수.")).to_be_visible()
    run_at(site, f"{REPORTS}; assert reports({room!r}) == [(1, 'Spam.')], reports({room!r})")


REPORTS = (
    "from django_roomchat.models import Report; "
    "reports = lambda room: list(Report.objects.filter(room__name=room).values_list('seq', 'reason'))"
)


def test_what_a_message_said_before_is_shown_to_its_author_and_to_moderators(
    site: Server, room: str, come: Come
) -> None:
    make_club(site, room, ("kim", "never changed"))
    kim, mo, zoe = come("kim", room), come("mo", room), come("zoe", room)
    for text in ("first", "second", "third"):
        if text != "first":
            composer(kim).press("ArrowUp")
        say(kim, text)
        expect(kim.locator("#m-2 .roomchat-body")).to_have_text(text)
    expect(zoe.locator("#m-2 .roomchat-body")).to_have_text("third")

    mo.bring_to_front()
    choose_of_message(mo, 2, "Earlier versions")
    dialog = mo.get_by_role("dialog", name="Earlier versions")
    expect(dialog.locator("li > div")).to_have_text(["second", "first"])
    mo.keyboard.press("Escape")
    expect(mo.locator("#m-2").get_by_role("button", name="Actions")).to_be_focused()
    for page, seq, entries in ((kim, 2, 1), (kim, 1, 0), (zoe, 2, 0)):
        page.locator(f"#m-{seq}").hover()
        page.locator(f"#m-{seq}").get_by_role("button", name="Actions").click()
        expect(page.get_by_role("menuitem", name="Copy link")).to_be_visible()
        expect(page.get_by_role("menuitem", name="Earlier versions")).to_have_count(entries)
        page.keyboard.press("Escape")
