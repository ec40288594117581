"""A room with an owner, a moderator and a member, each in a browser, and the dialogs about people; with its fixtures."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.page import NewContext, joined
from tests.services.server import Server
from tests.services.shell import run_at

Come = Callable[..., Page]
PEOPLE = {"ana": "Ana Lopez", "mo": "Mo Salah", "kim": "김민수", "zoe": "Zoë Kravitz"}
ROLES = {"ana": "owner", "mo": "moderator", "kim": "member"}
"""Roles in a room that `make_club` creates. Zoë has an account, but is not a member."""


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
    add_people(server)
    yield server
    server.stop()


def add_people(server: Server) -> None:
    """Create the users of `PEOPLE`, and a session of each: the cookie `sessionid` is `session-of-` and the user name."""
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


def make_club(
    site: Server, room: str, *said: tuple[str, str], visibility: str = "open", **settings: Any
) -> str:
    """Create a room with an owner, a moderator, a member and messages, and return its name."""
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
    """Open a room in a new browser context, as a user of `PEOPLE` or else as a guest."""

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
    """Open the menu of a user in the list of people."""
    row(page, name).get_by_role("button", name=f"Actions: {name}").click()
    expect(page.locator("[data-part=person-menu]")).to_be_visible()


def offered(page: Page) -> list[str]:
    """Return the entries of the open menu."""
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
