"""A lost connection: messages are sent once, drafts are kept, and an ended session is reported."""

import re

import pytest
from playwright.sync_api import BrowserContext, Page, Route, WebSocketRoute, expect

from tests.browser.page import NewContext, Start, bodies, chat, composer, enter, joined, pending, say, sent
from tests.services.server import Server


@pytest.mark.firefox
def test_a_killed_server_comes_back_and_nothing_is_lost_or_doubled(
    server: Start, new_context: NewContext
) -> None:
    site = server()
    ana, bo = (joined(new_context().new_page(), site, "lobby") for _ in range(2))
    say(ana, "before")
    expect(bo.locator("li .roomchat-body")).to_have_text(["before"])

    site.kill()
    for page, text in ((ana, "from Ana"), (bo, "from Bo")):
        expect(chat(page)).to_have_attribute("data-state", "offline")
        say(page, text)
        expect(pending(page)).to_have_count(1)
    site.start()

    for page in (ana, bo):
        expect(page.locator("li[data-seq]")).to_have_count(3)
        expect(pending(page)).to_have_count(0)
        assert sorted(bodies(page)) == ["before", "from Ana", "from Bo"]
    assert bodies(ana) == bodies(bo)


def test_a_short_break_is_nobody_s_business_and_a_long_one_is_told(server: Start, page: Page) -> None:
    site = server()
    page.clock.install()
    joined(page, site, "lobby")
    site.kill()
    expect(chat(page)).to_have_attribute("data-state", "offline")
    expect(page.locator("[data-part=banner]")).to_be_hidden()

    page.clock.fast_forward(3_000)

    expect(
        page.get_by_text("Not connected. Your messages are stored and will be sent later.")
    ).to_be_visible()
    expect(composer(page)).to_be_enabled()


def test_what_a_closed_tab_could_not_send_another_one_sends_once(
    site: Server, room: str, context: BrowserContext
) -> None:
    cut_off = context.new_page()
    cut_off.route_web_socket("**/ws/**", lambda line: None)
    enter(cut_off, site, room)
    say(cut_off, "not lost")
    expect(pending(cut_off)).to_have_count(1)
    owner_lives = joined(context.new_page(), site, room)
    expect(owner_lives.locator("li.roomchat-message")).to_have_count(0)

    cut_off.close()
    later = joined(context.new_page(), site, room)

    expect(later.locator("li[data-seq]")).to_have_text([re.compile("not lost")])
    expect(owner_lives.locator("li[data-seq]")).to_have_text([re.compile("not lost")])
    expect(owner_lives.locator("li[data-state]")).to_have_count(0)


def test_a_draft_survives_a_reload_and_is_gone_once_sent(site: Server, room: str, page: Page) -> None:
    joined(page, site, room)
    composer(page).fill("half a thou")
    page.reload()
    expect(composer(page)).to_have_value("half a thou")

    composer(page).press_sequentially("ght")
    composer(page).press("Enter")
    expect(sent(page)).to_have_count(1)
    page.reload()

    expect(composer(page)).to_have_value("")


def test_when_the_session_is_over_it_says_so_and_keeps_the_draft(site: Server, room: str, page: Page) -> None:
    page.route_web_socket("**/ws/**", lambda line: line.close(code=4001, reason="session ended"))
    enter(page, site, room)

    link = page.get_by_role("link", name="Sign in again")
    expect(link).to_have_attribute("href", re.compile(r"/accounts/login/\?next=%2Fchat%2F"))
    expect(chat(page)).to_have_attribute("data-state", "ended")
    composer(page).fill("still here")
    page.reload()
    expect(composer(page)).to_have_value("still here")


def test_a_computer_that_is_offline_is_noticed_after_two_seconds(
    site: Server, room: str, page: Page, context: BrowserContext
) -> None:
    page.route_web_socket("**/ws/**", lambda line: hear(line.connect_to_server(), line))
    cut: list[bool] = []

    def hear(server: WebSocketRoute, line: WebSocketRoute) -> None:
        line.on_message(lambda text: None if cut else server.send(text))

    page.clock.install()
    joined(page, site, room)
    cut.append(True)
    context.set_offline(True)
    expect(chat(page)).to_have_attribute("data-state", "connected")
    page.clock.fast_forward(1_500)

    expect(chat(page)).to_have_attribute("data-state", "offline")
    expect(
        page.get_by_text("Not connected. Your messages are stored and will be sent later.")
    ).to_be_visible()
    context.set_offline(False)


def test_in_a_frame_of_another_site_without_cookies_the_page_says_so(
    site: Server, room: str, page: Page
) -> None:
    # The same server under another name is another site: its cookies are not sent from the frame.
    outside = site.url.replace("127.0.0.1", "localhost")
    frame = f'<iframe src="{site.url}/chat/{room}/" width="900" height="600"></iframe>'
    page.route(f"{outside}/club", lambda route: route.fulfill(body=frame, content_type="text/html"))

    def without_frame_options(route: Route) -> None:
        response = route.fetch()
        headers = {name: value for name, value in response.headers.items() if name != "x-frame-options"}
        route.fulfill(response=response, headers=headers)

    page.route(f"{site.url}/chat/{room}/", without_frame_options)
    page.goto(f"{outside}/club")

    inside = page.frame_locator("iframe")
    expect(inside.locator("[data-part=banner]")).to_contain_text("your browser sends no cookies from there")
    with page.context.expect_page() as opened:
        inside.get_by_role("link", name="Open the chat in a new window").click()
    expect(chat(opened.value)).to_have_attribute("connected", "")
