"""`docs/howto/theming.md`, as its reader follows it: what stands there is written into a fresh project and looked at."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.services.server import ROOT, Server

PAGE = (ROOT / "docs" / "howto" / "theming.md").read_text()
FIRST_PAGE = (ROOT / "docs" / "index.md").read_text()

pytestmark = pytest.mark.timeout(300)


# The page -------------------------------------------------------------------------------------------------------


def uploaded_files(page: str, *, without: str = "", only: str = "") -> dict[str, str]:
    """The files of the page's samples, by path. `without` and `only` name sections that are left out or used."""
    files: dict[str, str] = {}
    for section in re.split(r"^## ", page, flags=re.MULTILINE):
        title = section.partition("\n")[0]
        if title == without or (only and title != only):
            continue
        for path, more, content in re.findall(
            r"^```\{code-block\} [\w+]+\n:caption: (\S+)( \(goes on\))?(?: \(excerpt\))?\n\n(.*?)^```$",
            section,
            re.MULTILINE | re.DOTALL,
        ):
            files[path] = files.get(path, "") + content if more else content
    return files


def passage(containing: str) -> str:
    """A sample without a file name that has these words in it."""
    [code] = [
        code
        for code in re.findall(r"^```css\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
        if containing in code
    ]
    return code


# The reader -----------------------------------------------------------------------------------------------------


class Site(Server):
    """`manage.py runserver` in a project of the reader's."""

    def __init__(self, home: Path) -> None:
        super().__init__(home / "server.log", database_url="", settings="mysite.settings", kind="runserver")
        self.place = home

    def begin(self) -> None:
        """A project made by `startproject`, with the chat installed as the tutorial describes."""
        self.run("-m", "django", "startproject", "mysite", str(self.place), DJANGO_SETTINGS_MODULE="")
        self.follow(uploaded_files(FIRST_PAGE))
        self.run("manage.py", "migrate", "--verbosity", "0")

    def follow(self, files: Mapping[str, str]) -> None:
        for path, content in files.items():
            file = self.place / path
            if path == "mysite/settings.py":
                content = f"{file.read_text()}\nOWN = INSTALLED_APPS\n{content}\nINSTALLED_APPS += [app for app in OWN if app not in INSTALLED_APPS]\n"
            if path == "mysite/urls.py":
                content = f"from django.urls import include, path\n{content}"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)

    def run(self, *words: str, **env: str) -> None:
        done = subprocess.run(
            [sys.executable, *words],
            cwd=self.place,
            env=dict(self.environment()) | env,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"

    def folder(self) -> Path:
        return self.place

    def environment(self) -> Mapping[str, str]:
        return {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "mysite.settings",
            "PYTHONPATH": os.pathsep.join([str(self.place), str(ROOT)]),
        }


@pytest.fixture(scope="module")
def site_with(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Site]]:
    started: list[Site] = []
    fresh = Site(tmp_path_factory.mktemp("fresh"))
    fresh.begin()

    def start(files: Mapping[str, str]) -> Site:
        home = tmp_path_factory.mktemp("mysite")
        site = Site(shutil.copytree(fresh.place, home, dirs_exist_ok=True))
        site.follow(files)
        started.append(site)
        site.start()
        return site

    yield start

    for site in started:
        site.stop()


FRAME = "Use your site's base template"


@pytest.fixture(scope="module")
def plain(site_with: Callable[..., Site]) -> Site:
    """Before the first step: what the sections change is as we ship it."""
    return site_with({})


@pytest.fixture(scope="module")
def themed(site_with: Callable[..., Site]) -> Site:
    """All sections followed, one after the other, but for the frame."""
    return site_with(uploaded_files(PAGE, without=FRAME))


@pytest.fixture(scope="module")
def framed(site_with: Callable[..., Site]) -> Site:
    return site_with(uploaded_files(PAGE))


@pytest.fixture
def both(
    plain: Site, themed: Site, new_context: Callable[..., BrowserContext]
) -> Callable[..., tuple[Page, Page]]:
    """The same room with the package's templates and with the page's samples, with an own message."""

    def enter(room: str = "lobby", **options: str) -> tuple[Page, Page]:
        return entered(new_context(**options).new_page(), plain, room), entered(
            new_context(**options).new_page(), themed, room
        )

    return enter


def entered(page: Page, site: Site, room: str) -> Page:
    page.goto(f"{site.url}/chat/{room}/")
    expect(page.locator("room-chat[connected]")).to_be_visible()
    return page


def say(page: Page, text: str) -> Locator:
    page.get_by_role("textbox").fill(text)
    page.get_by_role("textbox").press("Enter")
    said = page.locator("li[data-mine][data-seq]", has_text=text).last
    expect(said).to_be_visible()
    return said


def style(of: Locator, name: str) -> str:
    return str(of.evaluate("(element, name) => getComputedStyle(element).getPropertyValue(name)", name))


# The steps ------------------------------------------------------------------------------------------------------


def test_every_sample_is_a_file_of_the_reader_s_project() -> None:
    captions = re.findall(r"^:caption: (\S+)", PAGE, re.MULTILINE)

    assert {
        path for path in captions if not re.match(r"mysite/(templates|static|settings\.py)", path)
    } == set()
    assert len(captions) > 10


@pytest.mark.parametrize(
    ("scheme", "accent", "canvas"),
    [("light", "rgb(138, 40, 70)", "rgb(244, 239, 241)"), ("dark", "rgb(240, 168, 189)", "rgb(27, 20, 23)")],
)
def test_colours_are_the_site_s_in_light_and_dark(
    both: Callable[..., tuple[Page, Page]], scheme: str, accent: str, canvas: str
) -> None:
    plain, themed = both(color_scheme=scheme)
    seen = [
        (
            style(say(page, "hello").locator(".roomchat-bubble"), "background-color"),
            style(page.locator("room-chat"), "background-color"),
        )
        for page in (plain, themed)
    ]

    assert seen[1] == (accent, canvas)
    assert seen[0] != seen[1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_colours_of_the_page_can_be_read(
    themed: Site, new_context: Callable[..., BrowserContext], scheme: str
) -> None:
    page = entered(new_context(color_scheme=scheme).new_page(), themed, "contrast")
    say(page, "hello")

    found = Axe().run(page, options={"runOnly": ["color-contrast"]}).response

    assert [rule["nodes"] for rule in found["violations"]] == []
    assert found["passes"]


def test_a_site_may_always_be_dark(both: Callable[..., tuple[Page, Page]]) -> None:
    plain, _ = both(color_scheme="light")
    before = style(plain.locator("room-chat"), "background-color")

    plain.add_style_tag(content=passage("color-scheme: dark"))

    assert (before, style(plain.locator("room-chat"), "background-color")) == (
        "rgb(246, 244, 240)",
        "rgb(23, 22, 20)",
    )


def test_font_size_corners_and_width_are_the_site_s(both: Callable[..., tuple[Page, Page]]) -> None:
    seen = []
    for page in both():
        bubble = say(page, "hello").locator(".roomchat-bubble")
        seen.append(
            (
                style(bubble, "font-family").partition(",")[0],
                style(bubble, "font-size"),
                style(bubble, "border-end-start-radius"),
                style(page.locator(".roomchat-history"), "max-inline-size"),
            )
        )

    assert seen == [("system-ui", "16px", "18px", "768px"), ("Georgia", "18px", "4px", "960px")]


def test_density_brings_messages_closer(both: Callable[..., tuple[Page, Page]]) -> None:
    pages = both("density")
    gaps = []
    for page in pages:
        first, second = say(page, "one"), say(page, "two")
        between = second.locator(".roomchat-bubble").bounding_box()["y"] - first.locator(
            ".roomchat-bubble"
        ).evaluate("(bubble) => bubble.getBoundingClientRect().bottom")
        gaps.append((round(between, 1), style(first.locator(".roomchat-bubble"), "padding-block-start")))

    assert gaps == [(3.0, "8px"), (1.5, "4px")]


def test_one_room_has_a_colour_of_its_own(both: Callable[..., tuple[Page, Page]]) -> None:
    _, here = both("night shift")
    _, elsewhere = both("day shift")

    shown = [
        style(say(page, "hello").locator(".roomchat-bubble"), "background-color")
        for page in (here, elsewhere)
    ]

    assert shown == ["rgb(31, 79, 191)", "rgb(138, 40, 70)"]


def test_a_short_selector_of_the_site_wins_over_every_rule_of_ours(
    both: Callable[..., tuple[Page, Page]],
) -> None:
    shown = [style(say(page, "hello").locator(".roomchat-bubble"), "border-style") for page in both()]

    assert shown == ["solid", "none"]


def test_header_and_composer_have_what_the_site_puts_there(both: Callable[..., tuple[Page, Page]]) -> None:
    plain, themed = both()
    expect(plain.locator("room-chat header").get_by_role("link", name="House rules")).to_have_count(0)

    rules = themed.locator("room-chat header").get_by_role("link", name="House rules")
    dice = themed.locator("room-chat form").get_by_role("button", name="Roll a die")

    expect(rules).to_have_attribute("href", "/rules/")
    for control in (rules, dice):
        box = control.bounding_box()
        assert min(box["height"], box["width"]) >= 44
    field, send = (themed.locator(f"[data-part={name}]").bounding_box() for name in ("input", "send"))
    assert field["x"] < dice.bounding_box()["x"] < send["x"]


def test_a_button_of_the_site_speaks(both: Callable[..., tuple[Page, Page]]) -> None:
    _, themed = both("dice")

    themed.get_by_role("button", name="Roll a die").click()

    expect(themed.locator("li[data-mine][data-seq] .roomchat-body")).to_have_text(re.compile("^🎲 [1-6]$"))


def test_a_script_of_the_site_stops_changes_and_receives_events(
    both: Callable[..., tuple[Page, Page]], themed: Site, new_context: Callable[..., BrowserContext]
) -> None:
    _, ana = both("listening")
    bo = entered(new_context().new_page(), themed, "listening")

    ana.get_by_role("textbox").fill("my password is hunter2")
    ana.get_by_role("textbox").press("Enter")
    expect(ana.get_by_role("textbox")).to_have_value("my password is hunter2")
    ana.get_by_role("textbox").fill("good morning :)")
    ana.get_by_role("textbox").press("Enter")

    expect(ana.locator("li[data-mine][data-seq] .roomchat-body")).to_have_text(["good morning 🙂"])
    expect(bo.locator("html")).to_have_attribute("data-heard", "good morning 🙂")
    expect(ana.locator("html")).to_have_attribute("data-chat", "connected")
    assert ana.locator("html").get_attribute("data-heard") is None


def test_the_menu_of_a_message_has_the_site_s_emoji_and_entries(
    both: Callable[..., tuple[Page, Page]],
) -> None:
    offered = []
    for page in both("menus"):
        said = say(page, "hello")
        said.hover()
        said.get_by_role("button", name="Actions").click()
        offered.append(page.locator("[data-part=menu]").get_by_role("menuitem").all_inner_texts())

    assert "Edit" in offered[0] and "👍" in offered[0]
    assert offered[1] == ["📖", "🤔", "Reply", "Copy link", "Delete"]


def test_what_is_left_out_is_not_there_and_the_rest_goes_on(both: Callable[..., tuple[Page, Page]]) -> None:
    plain, themed = both("less")
    shown = [
        [
            page.get_by_role("navigation", name="Rooms").count(),
            page.get_by_role("button", name="Emoji").count(),
        ]
        for page in (plain, themed)
    ]

    assert shown == [[1, 1], [0, 0]]
    say(themed, "hello")


def test_a_message_has_what_the_site_adds_to_it_rendered_and_cloned(
    themed: Site, new_context: Callable[..., BrowserContext]
) -> None:
    ana, bo = (entered(new_context().new_page(), themed, "badges") for _ in range(2))
    say(ana, "hello")
    cloned = bo.locator("li", has_text="hello").locator(".guest-badge")
    expect(cloned).to_have_text("visitor")
    expect(cloned).to_be_visible()

    bo.reload()

    rendered = bo.locator("li", has_text="hello").locator(".guest-badge")
    expect(rendered).to_be_visible()


@pytest.mark.parametrize("path", ["", "lobby/", "~/search/?q=hello"])
def test_every_page_of_ours_stands_in_the_site_s_frame(framed: Site, page: Page, path: str) -> None:
    page.goto(f"{framed.url}/chat/{path}")

    expect(page.locator("body > nav")).to_have_text("My site")
    expect(page.locator("main")).to_be_visible()
    assert style(page.locator(":root"), "--roomchat-radius") == "0.25rem"


def test_in_the_frame_a_room_takes_what_the_navigation_leaves(framed: Site, page: Page) -> None:
    entered(page, framed, "lobby")

    nav, room = page.locator("body > nav").bounding_box(), page.locator("room-chat").bounding_box()

    assert nav["height"] > 0
    assert (room["y"], room["y"] + room["height"]) == (nav["y"] + nav["height"], page.viewport_size["height"])
    expect(page).to_have_title(re.compile("lobby"))
