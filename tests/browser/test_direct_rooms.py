"""Direct rooms in two browsers: block, unblock and leave."""

from playwright.sync_api import expect

from tests.browser.club import (
    Come,
    choose,
    choose_of_room,
    come,
    make_club,
    offered,
    open_menu_of,
    open_people,
    row,
    site,
)
from tests.browser.page import composer, say
from tests.services.server import Server
from tests.services.shell import run_at

__all__ = ["come", "site"]  # fixtures


def make_direct_room(site: Server, name: str) -> str:
    """Create the direct room of Ana and Kim with a message of each, and return its name."""
    run_at(
        site,
        f"""
from django.contrib.auth.models import User
from django_roomchat import direct_room, post_message
from django_roomchat.models import Block, Room
Block.objects.all().delete()
Room.objects.filter(visibility="direct").delete()
ana, kim = [User.objects.get(username=name) for name in ("ana", "kim")]
made = direct_room(ana, kim)
Room.objects.filter(pk=made.pk).update(name={name!r})
post_message({name!r}, "hello", author=ana)
post_message({name!r}, "hi", author=kim)
""",
    )
    return name


def test_a_block_from_the_menu_of_a_direct_room_ends_the_conversation_until_it_is_lifted(
    site: Server, room: str, come: Come
) -> None:
    name = make_direct_room(site, f"~{room}")
    ana, kim = come("ana", name), come("kim", name)
    choose_of_room(kim, "Block user…")
    dialog = kim.get_by_role("dialog", name="Block user")
    expect(dialog).to_contain_text("You and Ana Lopez can no longer send direct messages to each other.")
    dialog.get_by_role("button", name="Block user").click()

    expect(kim.get_by_text("You have blocked this user; unblock them to send messages.")).to_be_visible()
    expect(composer(kim)).to_be_hidden()
    ana.bring_to_front()
    expect(ana.get_by_text("You cannot send messages to this user.")).to_be_visible()
    expect(composer(ana)).to_be_hidden()
    kim.bring_to_front()
    kim.get_by_role("button", name="More", exact=True).click()
    assert "Block user…" not in offered(kim)
    choose(kim, "Unblock user")

    expect(composer(kim)).to_be_visible()
    ana.bring_to_front()
    say(ana, "again")
    kim.bring_to_front()
    expect(kim.locator("#m-3")).to_contain_text("again")


def test_a_blocked_person_is_listed_among_the_people_and_unblocked_there(
    site: Server, room: str, come: Come
) -> None:
    make_club(site, room)
    run_at(site, "from django_roomchat.models import Block; Block.objects.all().delete()")
    kim = come("kim", room)
    dialog = open_people(kim)
    blocked = dialog.locator("[data-part=people-blocked]")
    expect(row(kim, "Ana Lopez")).to_be_visible()
    expect(blocked).to_be_hidden()
    open_menu_of(kim, "Ana Lopez")
    choose(kim, "Block user…")
    kim.get_by_role("dialog", name="Block user").get_by_role("button", name="Block user").click()
    expect(blocked.locator("b")).to_have_text(["Ana Lopez"])

    blocked.get_by_role("button", name="Actions: Ana Lopez").click()
    expect(kim.get_by_role("menuitem", name="Unblock user")).to_be_visible()
    assert "Send a direct message" not in offered(kim)
    choose(kim, "Unblock user")

    expect(blocked).to_be_hidden()


def test_a_direct_room_that_is_left_is_missing_in_the_list_until_the_next_message(
    site: Server, room: str, come: Come
) -> None:
    name = make_direct_room(site, f"~{room}")
    kim = come("kim", name)
    choose_of_room(kim, "Leave room")
    dialog = kim.get_by_role("dialog", name="Leave room")
    expect(dialog).to_contain_text("will be removed from your list until the next message")
    dialog.get_by_role("button", name="Leave room").click()
    kim.wait_for_url(f"{site.url}/chat/")
    expect(kim.get_by_role("heading").first).to_be_visible()
    expect(kim.locator(f"li[data-room='{name}']")).to_have_count(0)

    run_at(
        site,
        f"""
from django.contrib.auth.models import User
from django_roomchat import post_message
post_message({name!r}, "are you there?", author=User.objects.get(username="ana"))
""",
    )
    kim.reload()

    expect(kim.locator(f"li[data-room='{name}']")).to_contain_text("are you there?")
    expect(kim.locator(f"li[data-room='{name}']")).to_contain_text("Ana Lopez")
