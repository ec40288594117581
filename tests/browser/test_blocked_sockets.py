"""The page where sockets do not pass, and the pages that need no script: search and permalinks."""

import re
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.page import chat, enter, say, seed
from tests.conftest import migrate
from tests.services.server import Server
from tests.services.shell import run_at

NewContext = Callable[..., BrowserContext]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that refuses the handshake of every socket that the page opens."""
    folder = tmp_path_factory.mktemp("site")
    database_url = f"sqlite:///{folder / 'site.sqlite3'}"
    migrate(database_url)
    server = Server(folder / "server.log", database_url=database_url, roomchat={"SOCKET_PATH": "/blocked/"})
    server.start()
    yield server
    server.stop()


def connected(page: Page, server: Server, room: str) -> Page:
    enter(page, server, room)
    expect(chat(page)).to_have_attribute("connected", "")
    return page


def test_two_windows_talk_without_a_socket(site: Server, new_context: NewContext) -> None:
    ana, bo = (connected(new_context().new_page(), site, "blocked") for _ in range(2))

    say(ana, "안녕하세요")
    expect(bo.locator("li .roomchat-body")).to_have_text(["안녕하세요"])
    say(bo, "반갑습니다")

    expect(ana.locator("li .roomchat-body")).to_have_text(["안녕하세요", "반갑습니다"])
    expect(ana.locator("li[data-state]")).to_have_count(0)


def test_where_streams_are_held_back_it_asks_again_and_again(site: Server, new_context: NewContext) -> None:
    ana, bo = new_context().new_page(), new_context().new_page()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route) if "wait=" not in route.request.url else route.continue_()

    ana.route("**/events/**", hold)
    connected(ana, site, "held-back")
    connected(bo, site, "held-back")

    say(ana, "one")
    expect(bo.locator("li .roomchat-body")).to_have_text(["one"])
    say(bo, "two")

    expect(ana.locator("li .roomchat-body")).to_have_text(["one", "two"])
    assert held


def test_who_is_banned_is_told_without_a_socket(site: Server, page: Page) -> None:
    connected(page, site, "banning")
    say(page, "hello")
    expect(page.locator("li[data-mine][data-seq]")).to_have_count(1)

    run_at(
        site,
        "from django_roomchat.models import Message\n"
        "from django_roomchat import ban\n"
        "ban('banning', Message.objects.get(room__name='banning').author_key)",
    )

    expect(page.locator("[data-part=banner]")).to_contain_text("You no longer have access to this room.")


def test_what_is_missed_while_the_network_is_away_comes_after_it(
    site: Server, new_context: NewContext
) -> None:
    context = new_context()
    ana, bo = connected(context.new_page(), site, "away"), connected(new_context().new_page(), site, "away")
    context.set_offline(True)
    say(bo, "while you were away")
    expect(bo.locator("li[data-mine][data-seq]")).to_have_count(1)

    context.set_offline(False)

    expect(ana.locator("li .roomchat-body")).to_have_text(["while you were away"])


# Without a script -------------------------------------------------------------------------------------------------


@pytest.fixture
def plain(new_context: NewContext) -> Page:
    return new_context(java_script_enabled=False).new_page()


def test_a_search_leads_to_the_message_without_a_script(site: Server, plain: Page) -> None:
    seed(site, "archive", ("Bo", "2026-01-01T09:00:00Z", "the Needle in it"), count=80)
    plain.goto(f"{site.url}/chat/")

    plain.get_by_role("searchbox").fill('"line 7" needle')
    plain.get_by_role("button", name="Search").click()
    expect(plain.get_by_role("status")).to_have_text("Nothing found.")
    plain.get_by_role("searchbox").fill("LINE 40")
    plain.get_by_role("button", name="Search").click()
    plain.get_by_role("link", name=re.compile("Line 40")).click()

    expect(plain.locator("li[data-marked] .roomchat-body")).to_have_text("Line 40")
    expect(plain.locator("li[data-marked]")).to_be_in_viewport()
    plain.get_by_role("link", name="Newer messages").click()
    expect(plain.locator("[data-part=messages] .roomchat-body").last).to_have_text("the Needle in it")


def test_a_permalink_shows_its_message_with_a_script_too(site: Server, page: Page) -> None:
    seed(site, "linked", count=80)

    enter(page, site, "linked", query="?at=30")

    expect(page.locator("li[data-marked] .roomchat-body")).to_have_text("Line 30")
    expect(page.locator("li[data-marked]")).to_be_in_viewport()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_search_is_accessible(site: Server, page: Page, scheme: str) -> None:
    seed(site, f"readable-{scheme}", ("Bo", "2026-01-01T09:00:00Z", f"some {scheme} words to find"))
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(f"{site.url}/chat/~/search/?q={scheme}+words")
    expect(page.locator("mark")).to_have_text([scheme, "words"])

    assert Axe().run(page).response["violations"] == []
