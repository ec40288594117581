"""The newcomer's list of `docs/topics/newcomer.md`, followed step by step in the example project as `manage.py demo` leaves it.

`ROOMCHAT_TEST_DEMO_URL` names a demo that runs already, such as that of a fresh clone.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.page import NewContext, chat, sent, violations
from tests.services.server import ROOT
from tests.support.demo import Demo

LIST = ROOT / "docs" / "topics" / "newcomer.md"
RUNNING = os.environ.get("ROOMCHAT_TEST_DEMO_URL")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    demo = Demo(tmp_path_factory.mktemp("newcomer"))
    if not RUNNING:
        demo.start()
    yield demo
    demo.stop()


@pytest.fixture(scope="module")
def url(demo: Demo) -> str:
    return RUNNING or demo.url


Open = Callable[..., Page]


@pytest.fixture
def open_page(url: str, new_context: NewContext) -> Open:
    """A page of the site in a new browser window; `who` is signed in."""

    def open_page(path: str, who: str = "", **options: object) -> Page:
        page = new_context(**options).new_page()
        if who:
            sign_in(page, url)
        page.goto(url + path)
        if page.locator("room-chat").count():
            expect(chat(page)).to_have_attribute("connected", "")
        return page

    return open_page


def sign_in(page: Page, url: str) -> None:
    """Sign in as Ana, with the credentials that the sign-in page shows."""
    page.goto(f"{url}/accounts/login/")
    name, password = page.locator(".hint b").all_inner_texts()
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def composer(page: Page) -> Locator:
    return page.locator("textarea[data-part=input]")


def say(page: Page, text: str) -> Locator:
    """Post a message, and wait until it is stored."""
    # The composer is inert until a modal dialog closes, and the keys would go to the dialog.
    expect(page.locator("dialog:modal")).to_have_count(0)
    composer(page).fill(text)
    composer(page).press("Enter")
    said = sent(page).filter(has_text=text).last
    expect(said).to_be_visible()
    return said


def heard(page: Page, text: str) -> Locator:
    message = page.locator("li[data-seq]").filter(has_text=text).last
    expect(message).to_be_visible()
    return message


def choose(page: Page, message: Locator, entry: str) -> None:
    message.hover()
    message.get_by_role("button", name="Actions").click()
    page.get_by_role("menuitem", name=entry, exact=True).click()


def choose_of_room(page: Page, entry: str) -> None:
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitem", name=entry, exact=True).click()


# The list -------------------------------------------------------------------------------------------------------


def test_home(open_page: Open) -> None:
    page = open_page("/")

    looks = page.locator(".looks a b").all_inner_texts()
    page.get_by_role("link", name="Default").click()

    assert looks == ["Default", "Embedded", "Customised"]
    expect(page).to_have_url(re.compile("/chat/lobby/$"))


def test_a_busy_room(open_page: Open) -> None:
    page = open_page("/chat/lobby/")

    shown = [
        page.locator(part).count() > 0
        for part in (".roomchat-quote:visible", ".roomchat-reaction", ".roomchat-edited:visible", "li img")
    ]

    assert shown == [True] * 4
    assert len(set(page.locator("[data-part=author]").all_inner_texts())) > 5


def test_two_windows(open_page: Open) -> None:
    ana, bo = open_page("/chat/lobby/"), open_page("/chat/lobby/")

    say(ana, "Hello from the first window")
    heard(bo, "Hello from the first window")
    say(bo, "And from the second")

    heard(ana, "And from the second")


def test_presence_and_typing(open_page: Open) -> None:
    ana, bo = open_page("/chat/here/"), open_page("/chat/here/")
    ana.get_by_role("button", name="people here").click()
    expect(ana.get_by_role("dialog", name="People").locator("li")).to_have_count(2)
    ana.keyboard.press("Escape")

    composer(bo).press_sequentially("Let me think")

    expect(ana.locator("[data-part=typing]")).to_have_text(re.compile(r"^Guest \d+ is typing"))


def test_a_name(open_page: Open) -> None:
    ana, bo = open_page("/chat/names/"), open_page("/chat/names/")

    choose_of_room(bo, "Choose a name")
    bo.get_by_label("Display name").fill("Bo")
    bo.get_by_role("button", name="Save").click()
    expect(bo.locator("[data-part=me]")).to_have_text("Bo")
    say(bo, "It is me")

    expect(heard(ana, "It is me").locator("[data-part=author]")).to_have_text("Bo")


def test_reply_and_react(open_page: Open) -> None:
    ana, bo = open_page("/chat/answers/"), open_page("/chat/answers/")
    say(ana, "Tea or coffee?")

    choose(bo, heard(bo, "Tea or coffee?"), "Reply")
    say(bo, "Tea, please")
    choose(bo, heard(bo, "Tea or coffee?"), "🎉")

    expect(heard(ana, "Tea, please").locator(".roomchat-quote")).to_contain_text("Tea or coffee?")
    expect(ana.locator(".roomchat-reaction")).to_have_text("🎉 1")


def test_edit_and_delete(open_page: Open) -> None:
    ana, bo = open_page("/chat/changes/"), open_page("/chat/changes/")
    say(ana, "Yesterdai")
    composer(ana).press("ArrowUp")
    composer(ana).fill("Yesterday")
    composer(ana).press("Enter")
    expect(heard(bo, "Yesterday").locator(".roomchat-edited")).to_be_visible()

    choose(ana, sent(ana), "Delete")
    ana.get_by_role("button", name="Undo").click()
    heard(bo, "Yesterday")
    choose(ana, sent(ana), "Delete")

    expect(bo.locator("li[data-seq] .roomchat-body")).to_have_text("Message deleted")


def test_a_picture(open_page: Open, tmp_path: Path) -> None:
    ana, bo = open_page("/chat/pictures/"), open_page("/chat/pictures/")
    sys.path.insert(0, str(ROOT / "example_project"))
    from example_project.pictures import morning

    file = tmp_path / "morning.jpg"
    file.write_bytes(morning())
    ana.get_by_label("Attach files").set_input_files(file)
    composer(ana).fill("Look")
    composer(ana).press("Enter")

    picture = heard(bo, "Look").locator("img")
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("(image) => image.naturalWidth") > 100


def test_a_draft(open_page: Open) -> None:
    page = open_page("/chat/drafts/")
    composer(page).fill("Half a sentence")

    page.reload()

    expect(composer(page)).to_have_value("Half a sentence")


@pytest.mark.skipif(bool(RUNNING), reason="a demo that was started elsewhere is stopped there")
def test_a_lost_connection(demo: Demo, open_page: Open) -> None:
    ana, bo = open_page("/chat/cut/"), open_page("/chat/cut/")

    demo.kill()
    expect(chat(ana)).not_to_have_attribute("connected", "")
    composer(ana).fill("Written without a line")
    composer(ana).press("Enter")
    expect(ana.locator("li[data-state=pending]")).to_have_count(1)
    demo.start()

    expect(sent(ana)).to_have_count(1)
    expect(bo.locator("li[data-seq]")).to_have_count(1)


def test_any_name(open_page: Open) -> None:
    page = open_page("/")

    page.get_by_label("Room name").fill("우리 동네 🌻")
    page.get_by_role("button", name="Enter").click()

    expect(page.get_by_role("heading", name="우리 동네 🌻")).to_be_visible()
    say(page, "안녕")


def test_search(open_page: Open) -> None:
    page = open_page("/chat/~/search/?q=wifi")

    page.get_by_role("link", name="Lucas Dubois").click()

    expect(page.locator("li[data-marked]")).to_contain_text("I have switched off the wifi")
    expect(page.locator("li[data-marked]")).to_be_in_viewport()


def test_signed_in(open_page: Open) -> None:
    page = open_page("/chat/", "ana")

    expect(page.get_by_role("link", name="Trip to Busan")).to_be_visible()
    expect(page.get_by_role("link", name="Book club")).to_contain_text("2")


def test_a_private_room(open_page: Open) -> None:
    ana = open_page("/chat/~/new/", "ana")
    ana.get_by_label("Name", exact=True).fill("Surprise for Tom")
    ana.get_by_text("Members only").click()
    ana.get_by_role("button", name="Create room").click()
    expect(chat(ana)).to_have_attribute("connected", "")
    choose_of_room(ana, "Invite people")
    ana.get_by_role("button", name="Create link").click()
    expect(ana.locator("[data-part=invite-made]")).to_be_visible()
    link = ana.locator("[data-part=invite-link]").input_value()

    guest = open_page("/chat/")
    expect(guest.get_by_text("Surprise for Tom")).to_have_count(0)
    guest.goto(link)
    guest.get_by_role("button", name="Accept invitation").click()

    expect(guest.get_by_role("heading", name="Surprise for Tom")).to_be_visible()


def test_moderate(open_page: Open) -> None:
    ana, guest = open_page("/chat/rude/", "ana"), open_page("/chat/rude/")
    say(guest, "Buy my watches")

    choose(ana, heard(ana, "Buy my watches"), "Mute user…")
    ana.get_by_role("dialog", name="Mute user").get_by_role("button", name="Mute user").click()

    expect(guest.get_by_text("You are muted in this room").first).to_be_visible()


def test_an_embedded_room(open_page: Open) -> None:
    wide, phone = open_page("/embedded/"), open_page("/embedded/", viewport={"width": 390, "height": 844})

    places = [[page.locator(of).bounding_box() for of in (".article", "room-chat")] for page in (wide, phone)]

    assert places[0][0]["x"] + places[0][0]["width"] <= places[0][1]["x"]
    assert places[1][0]["y"] + places[1][0]["height"] <= places[1][1]["y"]
    say(phone, "Can I use a tray?")
    heard(wide, "Can I use a tray?")


def test_another_theme(open_page: Open) -> None:
    page = open_page("/chat/book club/")
    page.get_by_role("button", name="This month’s book").click()
    expect(page.get_by_role("heading", name="The Time Machine")).to_be_visible()
    page.keyboard.press("Escape")

    composer(page).fill("Morlocks -- who else")
    composer(page).select_text()
    page.get_by_role("button", name="Quotation marks").click()
    composer(page).press("Enter")

    said = heard(page, "“Morlocks — who else”")
    expect(said.get_by_text("visitor")).to_have_count(1)
    assert said.locator(".roomchat-bubble").evaluate("(b) => getComputedStyle(b).borderStyle") == "none"


def test_another_language(open_page: Open, url: str) -> None:
    page = open_page("/")
    said = []
    for language in ("한국어", "العربية"):
        page.goto(url)
        page.get_by_label("The chat speaks").select_option(language)
        with page.expect_navigation():
            page.get_by_role("button", name="Change").click()
        page.goto(f"{url}/chat/lobby/")
        said.append([page.locator("html").get_attribute("dir"), composer(page).get_attribute("placeholder")])

    assert said == [["ltr", "메시지 입력"], ["rtl", "اكتب رسالة"]]


def test_dark_mode(open_page: Open) -> None:
    light, dark = (open_page("/chat/lobby/", color_scheme=scheme) for scheme in ("light", "dark"))

    grounds = [chat(page).evaluate("(c) => getComputedStyle(c).backgroundColor") for page in (light, dark)]

    assert grounds == ["rgb(246, 244, 240)", "rgb(23, 22, 20)"]


def test_without_javascript(url: str, new_context: NewContext) -> None:
    page = new_context(java_script_enabled=False).new_page()
    page.goto(f"{url}/chat/plain/")

    composer(page).fill("No script here")
    page.get_by_role("button", name="Send").click()

    expect(page.locator("li[data-seq] .roomchat-body")).to_have_text(["No script here"])


def test_with_the_keyboard(open_page: Open) -> None:
    page = open_page("/chat/lobby/")
    page.get_by_role("log").focus()

    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_have_count(0)
    expect(page.get_by_role("log")).to_be_focused()


def test_in_the_admin(open_page: Open) -> None:
    page = open_page("/admin/roomchat/room/", "ana")

    expect(page.get_by_role("link", name="Lobby", exact=True)).to_be_visible()


# The list itself, and the site's own pages ----------------------------------------------------------------------


def test_the_list_has_a_test_for_every_step_that_is_in_a_browser() -> None:
    titles = re.findall(r"^\d+\. \*\*(.+?)\.\*\*", LIST.read_text(), re.MULTILINE)
    tested = [name.removeprefix("test_").replace("_", " ") for name in globals() if name.startswith("test_")]

    steps = [title.lower() for title in titles][1:-1]
    assert tested[: len(steps)] == steps


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_site_s_own_pages(open_page: Open, url: str, scheme: str) -> None:
    page = open_page("/", color_scheme=scheme)

    found = {}
    for path in ("/", "/accounts/login/", "/embedded/", "/chat/book club/"):
        page.goto(url + path)
        found[path] = violations(page)

    assert found == dict.fromkeys(found, [])


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/embedded/", "/chat/book club/"])
def test_the_site_s_own_pages_fit_the_narrowest_screen(open_page: Open, path: str) -> None:
    page = open_page(path, viewport={"width": 320, "height": 640})

    page_width, window_width = page.evaluate(
        "() => ['scrollWidth', 'clientWidth'].map((name) => document.documentElement[name])"
    )
    assert page_width == window_width  # a scrollbar may have taken its part of the 320
