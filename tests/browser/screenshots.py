"""Take the screenshots of the documentation: `python -m tests.browser.screenshots`, or `tox -e screenshots`.

The command starts the example project at a fixed time, opens every view in a real Chromium, and writes
`docs/_static/screenshots/`. Names of views as arguments select views.
It needs fonts for Arabic, Chinese, Japanese and Korean, and for emoji in colour.
"""

import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.page import add_style_sheet
from tests.services import frameworks
from tests.services.chromium import ARGUMENTS, find
from tests.services.server import ROOT, Server

FOLDER = ROOT / "docs" / "_static" / "screenshots"
NOW = datetime(2026, 11, 20, 15, 7, tzinfo=UTC)
MUTED_UNTIL = "2026-11-21T09:00:00+00:00"
PASSWORD = "for the pictures"
WAIT_SECONDS = 30
WIDE = {"viewport": {"width": 1280, "height": 800}}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}
DARK = {"color_scheme": "dark"}

# Messages and users, before the screenshots.
PREPARE = f"""
import json
from django.contrib.auth import get_user_model
from datetime import datetime
from django_roomchat import invite, mark_read, mute
from django_roomchat.models import Room
from example_project import story
story.tell()
for user in get_user_model().objects.all():
    user.set_password({PASSWORD!r})
    user.save()
    # Whose pictures are taken in a room have been there before, so that each picture is the same without the others.
    for room in {{"minjun": ["lobby", "한국어 카페"], "tom": ["book club"]}}.get(user.username, ["lobby"]):
        mark_read(room, Room.objects.get(name=room).log.head, by=user)
trip = Room.objects.get(title="Trip to Busan")
ana = get_user_model().objects.get(username="ana")
minjun = get_user_model().objects.get(username="minjun")
mute("bread", minjun, by=ana, reason="One answer is enough.", until=datetime.fromisoformat({MUTED_UNTIL!r}))
print(json.dumps({{"trip": trip.name, "invitation": invite(trip, by=ana).token}}))
"""


@dataclass(frozen=True)
class View:
    path: str
    """With the names of :data:`PREPARE` in braces."""
    who: str | None = "ana"
    options: Mapping[str, Any] = field(default_factory=lambda: WIDE)
    """Options of the browser context."""
    then: Callable[[Page], Any] | None = None
    """Prepares the page before the screenshot is taken."""
    company: Sequence[str] = ()
    """Other people in the same room."""


# What a person does ---------------------------------------------------------------------------------------------


def open_menu(page: Page) -> None:
    """Open the menu of the last message of another author."""
    message = page.locator("li.roomchat-message:not([data-mine])").last
    message.hover()
    message.locator("[data-part=actions]").click()
    expect(page.locator("[data-part=menu]")).to_be_visible()


def choose(entry: str) -> Callable[[Page], None]:
    """An entry of the menu of the room, and what it opens."""

    def choose(page: Page) -> None:
        page.locator("[data-part=room-actions]").click()
        page.locator(f"[data-part=room-menu] [data-do={entry}]").click()
        expect(page.locator("dialog[open]")).to_be_visible()

    return choose


def search(words: str) -> Callable[[Page], None]:
    """In the dialog, everywhere, with what is found."""

    def search(page: Page) -> None:
        page.keyboard.press("Control+k")
        dialog = page.locator("dialog[open]")
        dialog.locator("[name=query]").fill(words)
        dialog.locator("[name=everywhere]").check()
        expect(dialog.locator("[data-part=hits] li").first).to_be_visible()

    return search


def open_emoji(page: Page) -> None:
    page.locator("[data-part=emoji]").click()
    expect(page.locator("[data-part=emoji-picker]")).to_be_visible()


def attach(page: Page) -> None:
    """Two pictures, which are there and not yet sent."""
    from example_project import pictures

    files = [
        {"name": f"{draw.__name__}.jpg", "mimeType": "image/jpeg", "buffer": draw()}
        for draw in (pictures.morning, pictures.evening)
    ]
    page.locator("[data-part=attach] input").set_input_files(files)
    expect(page.locator("[data-part=strip] li")).to_have_count(2)
    page.locator("[data-part=input]").fill("Which one for the wall?")


def enlarge(page: Page) -> None:
    page.locator("li.roomchat-message img").first.click()
    expect(page.locator("dialog[open] img").first).to_be_visible()


def write_markdown(page: Page) -> None:
    for number, text in enumerate(MARKDOWN, 1):
        page.locator("[data-part=input]").fill(text)
        page.keyboard.press("Enter")
        expect(page.locator("li.roomchat-message[data-seq]:not([data-state])")).to_have_count(number)


MARKDOWN = [
    "Release on **30. November**, *please* read `C:\\notes\\*.txt` first ¯\\_(ツ)_/¯",
    "To do:\n1. tests\n2. notes\n   - English\n   - 한국어: **'중요'**합니다\n3. ~~party~~",
    "> Which command was it?\nThis one:\n```sh\npython manage.py migrate\npython manage.py runserver\n```",
    "See [the guide](https://docs.example.com/guide) or www.example.com。",
]


def scroll_to_room(page: Page) -> None:
    page.locator("room-chat").evaluate("(room) => room.scrollIntoView({ block: 'end' })")


def use_bootstrap(page: Page) -> None:
    """Add Bootstrap's style sheet to the site, as a project that uses it does."""
    sheet = frameworks.sheets()["Bootstrap"]
    page.route("**/bootstrap.css", lambda route: route.fulfill(body=sheet, content_type="text/css"))
    page.evaluate(
        """() => {
          const theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
          document.documentElement.dataset.bsTheme = theme;
        }"""
    )
    add_style_sheet(page, "/static/bootstrap.css")


def preview_print(page: Page) -> None:
    page.emulate_media(media="print")


# The views ------------------------------------------------------------------------------------------------------

COMPANY = ("minjun", "layla", "sofia")
VIEWS = {
    "home": View("/", who=None),
    "sign-in": View("/accounts/login/", who=None),
    "rooms": View("/chat/"),
    "rooms-phone-dark": View("/chat/", options=PHONE | DARK),
    "new-room": View("/chat/~/new/"),
    "room": View("/chat/lobby/", company=COMPANY),
    "room-dark": View("/chat/lobby/", options=WIDE | DARK, company=COMPANY),
    "room-phone": View("/chat/lobby/", options=PHONE, company=COMPANY),
    "room-korean": View("/chat/한국어 카페/", who="minjun", options=WIDE | {"locale": "ko-KR"}, company=["yuki"]),
    "room-phone-korean": View("/chat/lobby/", who="minjun", options=PHONE | {"locale": "ko-KR"}, company=["yuki"]),
    "room-arabic": View("/chat/lobby/", who="layla", options=WIDE | {"locale": "ar"}, company=["ana", "sofia"]),
    "room-phone-arabic": View("/chat/lobby/", who="layla", options=PHONE | DARK | {"locale": "ar"}, company=["ana", "sofia"]),
    "menu": View("/chat/lobby/", then=open_menu, company=COMPANY),
    "people": View("/chat/lobby/", then=choose("people"), company=COMPANY),
    "members": View("/chat/{trip}/", then=choose("people"), company=["minjun"]),
    "room-settings": View("/chat/{trip}/", then=choose("settings")),
    "shortcuts": View("/chat/lobby/", then=choose("help")),
    "search": View("/chat/lobby/", then=search("搜索")),
    "search-page": View("/chat/~/search/?q=matches", options=PHONE),
    "pinned": View("/chat/lobby/", then=choose("pinned")),
    "emoji": View("/chat/lobby/", then=open_emoji),
    "attach": View("/chat/{trip}/", then=attach),
    "picture": View("/chat/{trip}/", then=enlarge),
    "invitation": View("/chat/~/invite/{invitation}/", who="tom"),
    "error": View("/chat/~nowhere/"),
    "embedded": View("/embedded/", company=COMPANY),
    "embedded-bootstrap": View("/embedded/", then=use_bootstrap, company=COMPANY),
    "embedded-bootstrap-dark": View("/embedded/", options=WIDE | DARK, then=use_bootstrap, company=COMPANY),
    "embedded-phone": View("/embedded/", options=PHONE, then=scroll_to_room),
    "custom": View("/chat/book club/", who="tom", company=COMPANY),
    "custom-dark": View("/chat/book club/", who="tom", options=PHONE | DARK),
    "markdown": View("/chat/release/", who="tom", then=write_markdown),
    "markdown-dark": View("/chat/release notes/", who="tom", options=WIDE | DARK, then=write_markdown),
    "muted": View("/chat/bread/", who="minjun"),
    "muted-dark": View("/chat/bread/", who="minjun", options=PHONE | DARK),
    "print": View("/chat/lobby/", options={"viewport": {"width": 794, "height": 1123}}, then=preview_print),
    "admin": View("/admin/roomchat/room/"),
}  # fmt: skip


# Taking them ----------------------------------------------------------------------------------------------------


class Site(Server):
    def __init__(self, folder: Path) -> None:
        super().__init__(
            folder / "server.log",
            database_url=f"sqlite:///{folder / 'story.sqlite3'}",
            project="example_project",
            settings="tests.browser.screenshots_settings",
            env={"MEDIA_ROOT": str(folder / "media"), "ROOMCHAT_NOW": NOW.isoformat()},
        )

    def run(self, *words: str) -> str:
        command = [sys.executable, "-m", "django", *words]
        done = subprocess.run(
            command,
            cwd=self.folder(),
            env=dict(self.environment()),
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        return done.stdout


@contextmanager
def story() -> Iterator[tuple[Site, dict[str, str]]]:
    """The example project, running, and the names of what is in it."""
    with tempfile.TemporaryDirectory(prefix="roomchat-screenshots-") as folder:
        site = Site(Path(folder))
        site.run("migrate", "--verbosity", "0")
        names = json.loads(site.run("shell", "--verbosity", "0", "-c", PREPARE))
        site.start()
        try:
            yield site, names
        finally:
            site.stop()


@contextmanager
def opened(browser: Browser, site: Site, view: View, who: str | None, path: str) -> Iterator[Page]:
    """A page of a signed-in user at a fixed time."""
    context = browser.new_context(**{"locale": "en-US", "timezone_id": "UTC", **view.options})
    page = context.new_page()
    if who is not None:
        page.goto(f"{site.url}/accounts/login/")
        page.locator("[name=username]").fill(who)
        page.locator("[name=password]").fill(PASSWORD)
        page.locator(".form button").click()
        page.wait_for_url(f"{site.url}/")
    page.clock.set_fixed_time(NOW)
    page.goto(f"{site.url}{path}")
    if page.locator("room-chat").count():
        expect(page.locator("room-chat[connected]")).to_be_visible()
    yield page
    context.close()


def take(browser: Browser, site: Site, view: View, names: Mapping[str, str]) -> Image.Image:
    path = view.path.format(**names)
    others = [opened(browser, site, View(path), who, path) for who in view.company]
    for other in others:
        other.__enter__()
    with opened(browser, site, view, view.who, path) as page:
        if view.company:
            everybody = len(view.company) + 1
            expect(page.locator("[data-part=present-count]")).to_have_text(
                str(everybody), timeout=WAIT_SECONDS * 1000
            )
        if view.then:
            view.then(page)
        page.wait_for_load_state("networkidle")
        shot = page.screenshot(animations="disabled")
    for other in others:
        other.__exit__(None, None, None)
    return Image.open(io.BytesIO(shot)).convert("RGB")


def main(wanted: Sequence[str]) -> None:
    unknown = [name for name in wanted if name not in VIEWS]
    if unknown:
        sys.exit(f"There is no view {unknown[0]!r}: choose from {', '.join(VIEWS)}.")
    FOLDER.mkdir(parents=True, exist_ok=True)
    sys.path.insert(0, str(ROOT / "example_project"))
    chromium = find()
    with sync_playwright() as playwright, story() as (site, names):
        browser = playwright.chromium.launch(
            executable_path=str(chromium.executable), args=ARGUMENTS, env={**os.environ, **chromium.env}
        )
        for name in wanted or VIEWS:
            file = FOLDER / f"{name}.webp"
            take(browser, site, VIEWS[name], names).save(file, quality=80, method=6)
            print(f"{file.relative_to(ROOT)}: {file.stat().st_size // 1024} KiB")
    if not wanted:
        for file in FOLDER.glob("*.webp"):
            if file.stem not in VIEWS:
                file.unlink()


if __name__ == "__main__":
    main(sys.argv[1:])
