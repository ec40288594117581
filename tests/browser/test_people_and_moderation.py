"""People and what is done about them, by hand: an owner, a moderator, members and guests, each at a browser of their own."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.page import NewContext, chat, composer, joined, pending, say, sent, violations
from tests.services.server import Server
from tests.services.shell import run_at

Come = Callable[..., Page]
PEOPLE = {"ana": "Ana Lopez", "mo": "Mo Salah", "kim": "김민수", "zoe": "Zoë Kravitz"}
ROLES = {"ana": "owner", "mo": "moderator", "kim": "member"}
"""Zoë has an account, and belongs to no room."""


@pytest.fixture(scope="module")
def site(_migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("club")
    database = shutil.copy(_migrated_sqlite, folder / "site.sqlite3")
    server = Server(
        folder / "server.log",
        database_url=f"sqlite:///{database}",
        settings="tests.browser.strict_settings",
        roomchat={"EDIT_HISTORY": True},
    )
    server.start()
    run_at(
        server,
        f"""
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
for username, name in {PEOPLE!r}.items():
    first, _, last = name.partition(" ")
    user = User.objects.create_user(username, first_name=first, last_name=last)
    session = SessionStore()
    session["_auth_user_id"] = str(user.pk)
    session["_auth_user_backend"] = "django.contrib.auth.backends.ModelBackend"
    session["_auth_user_hash"] = user.get_session_auth_hash()
    session._session_key = "session-of-" + username
    session.save(must_create=True)
""",
    )
    yield server
    server.stop()


def make_club(
    site: Server, room: str, *said: tuple[str, str], visibility: str = "open", **settings: Any
) -> str:
    """A room with an owner, a moderator and a member, in which these have said something. Gives its name."""
    name = f"~{room}" if visibility == "private" else room
    run_at(
        site,
        f"""
from django.contrib.auth.models import User
from django_roomchat import add_member, configure_room, create_room, post_message
from django_roomchat.models import Room
made = create_room({room!r}, visibility={visibility!r}, **{settings!r})
Room.objects.filter(pk=made.pk).update(name={name!r})
for username, role in {ROLES!r}.items():
    add_member({name!r}, User.objects.get(username=username), role=role)
for number, (username, text) in enumerate({said!r}):
    post_message({name!r}, text, author=User.objects.get(username=username), id=str(number))
""",
    )
    return name


@pytest.fixture
def come(site: Server, new_context: NewContext) -> Come:
    """Somebody enters a room, in a browser of their own; nobody by name is a guest."""

    def come(who: str, room: str, **options: Any) -> Page:
        context = new_context(**options)
        if who in PEOPLE:
            context.add_cookies([{"name": "sessionid", "value": f"session-of-{who}", "url": site.url}])
        return joined(context.new_page(), site, room)

    return come


def open_people(page: Page) -> Locator:
    page.get_by_role("button", name="people here").click()
    dialog = page.get_by_role("dialog", name="People")
    expect(dialog).to_be_visible()
    return dialog


def row(page: Page, name: str) -> Locator:
    return page.locator("[data-part=people] li").filter(has_text=name).first


def open_menu_of(page: Page, name: str) -> None:
    """The menu of somebody in the list of people."""
    row(page, name).get_by_role("button", name=f"Actions: {name}").click()
    expect(page.locator("[data-part=person-menu]")).to_be_visible()


def offered(page: Page) -> list[str]:
    """What the menu that is open offers."""
    return page.get_by_role("menuitem").all_inner_texts()


def choose(page: Page, entry: str) -> None:
    page.get_by_role("menuitem", name=entry, exact=True).click()


def choose_of_message(page: Page, seq: int, entry: str) -> None:
    message = page.locator(f"#m-{seq}")
    message.hover()
    message.get_by_role("button", name="Actions").click()
    choose(page, entry)


def choose_of_room(page: Page, entry: str) -> None:
    page.get_by_role("button", name="More", exact=True).click()
    choose(page, entry)


# Who is here and who belongs to the room


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


def test_somebody_is_found_by_name_among_many(site: Server, room: str, come: Come) -> None:
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


def test_somebody_is_mentioned_and_somebody_is_written_to(site: Server, room: str, come: Come) -> None:
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


# What each may do about whom


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
            "Mute user…",
            "Remove from room…",
            "Ban user…",
        ],
        ("mo", "Ana Lopez"): everybody,
        ("mo", "김민수"): [*everybody, "Mute user…", "Remove from room…", "Ban user…"],
        ("kim", "Mo Salah"): everybody,
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


def test_with_the_keyboard_alone_somebody_is_muted_and_heard_again(
    site: Server, room: str, come: Come
) -> None:
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
    for _ in range(2):
        mo.keyboard.press("ArrowDown")
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
    expect(mo.get_by_role("status").filter(has_text="User banned.")).to_be_visible()
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

    expect(zoe.get_by_text("Report sent. A moderator will review the message.")).to_be_visible()
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


# Invitations


def test_a_link_brings_somebody_in_until_it_is_revoked(
    site: Server, room: str, come: Come, new_context: NewContext
) -> None:
    name = make_club(site, room, visibility="private")
    ana = come("ana", name)
    ana.context.grant_permissions(["clipboard-read", "clipboard-write"])
    choose_of_room(ana, "Invite people")
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
    expect(late.get_by_role("heading", name="This page is not available")).to_be_visible()


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


# Settings


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

    expect(ana.get_by_text("Saved.")).to_be_visible()
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


# Leaving


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


# For everybody


def each_dialog(page: Page) -> Iterator[tuple[str, Locator]]:
    """Open one after the other, as an owner."""

    def opened(name: str) -> tuple[str, Locator]:
        dialog = page.get_by_role("dialog", name=name, exact=True)
        expect(dialog).to_be_visible()
        return name, dialog

    open_people(page)
    expect(page.locator("[data-part=people-sanctions]")).to_be_visible()
    yield opened("People")
    for entry, name in (
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
    assert len(found) == 9


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
    assert len(found) == 9
