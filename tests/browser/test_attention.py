"""Messages that arrive while the page is invisible: notifications, unread counts and sounds."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.page import NewContext, chat, joined, look_away, look_back, say, violations
from tests.services.server import Server

# What the browser would show is kept in the page, and so are the notes that would be played.
RECORD = """
  window.told = [];
  window.played = 0;
  window.asked = 0;
  let permission = "default";
  window.Notification = class {
    static get permission() { return localStorage.getItem("test:permission") ?? "default"; }
    static async requestPermission() {
      window.asked += 1;
      localStorage.setItem("test:permission", window.answer ?? "granted");
      return Notification.permission;
    }
    constructor(title, options) {
      if (Notification.permission !== "granted") throw new Error("not allowed");
      Object.assign(this, options, { title, isOpen: true });
      window.told.push(this);
    }
    close() { this.isOpen = false; }
  };
  const ramp = { setValueAtTime() {}, linearRampToValueAtTime() {}, exponentialRampToValueAtTime() {} };
  window.AudioContext = class {
    state = "running";
    currentTime = 0;
    async resume() {}
    createGain() { return { gain: ramp, connect() {} }; }
    createOscillator() { return { frequency: {}, connect: (next) => next, start() { window.played += 1; }, stop() {} }; }
  };
  window.badges = [];
  navigator.setAppBadge = async (count) => { window.badges.push(count); };
  navigator.clearAppBadge = async () => { window.badges.push(0); };
"""


@pytest.fixture
def ana(new_context: NewContext) -> BrowserContext:
    context = new_context()
    context.add_init_script(RECORD)
    return context


@pytest.fixture
def bo(site: Server, room: str, new_context: NewContext) -> Iterator[Page]:
    yield joined(new_context().new_page(), site, room)


def entry(page: Page, name: str) -> Any:
    page.locator("[data-part=room-actions]").click()
    return page.get_by_role("menuitem", name=name)


def wish(page: Page, what: str, *, sound: bool = False) -> None:
    """Ask for notifications, in the dialog that the entry of the menu opens."""
    entry(page, "Turn on notifications on this device").click()
    page.get_by_label(what).check()
    if sound:
        page.get_by_label("Play a sound").check()
    page.get_by_role("button", name="Done").click()
    page.evaluate("window.played = 0")


def told(*pages: Page) -> list[tuple[str, str]]:
    return [
        tuple(one) for page in pages for one in page.evaluate("told.map(({ title, body }) => [title, body])")
    ]


def heard(page: Page, seq: int) -> None:
    """The message has come, and whatever follows from it has happened: locks are granted one after the other."""
    expect(page.locator(f"#m-{seq}")).to_be_attached()
    page.evaluate(
        """async () => {
          for (let turn = 0; turn < 3; turn++) {
            const { held, pending } = await navigator.locks.query();
            for (const { name } of [...held, ...pending]) if (name.endsWith(":told")) await navigator.locks.request(name, () => {});
            await new Promise((done) => setTimeout(done));
          }
        }"""
    )


def test_nothing_is_asked_or_told_before_a_click(
    site: Server, room: str, ana: BrowserContext, bo: Page
) -> None:
    page = joined(ana.new_page(), site, room)
    look_away(page)
    say(bo, "hello?")
    heard(page, 1)
    assert (page.evaluate("asked"), told(page)) == (0, [])

    look_back(page)
    wish(page, "All messages")
    look_away(page)
    say(bo, "hello!")
    page.wait_for_function("told.length")
    assert (page.evaluate("asked"), [body for _, body in told(page)]) == (1, ["hello!"])


def test_mentions_are_told_and_the_rest_is_not(
    site: Server, room: str, ana: BrowserContext, bo: Page
) -> None:
    page = joined(ana.new_page(), site, room)
    say(page, "I am here")
    expect(bo.locator("#m-1")).to_be_visible()
    wish(page, "Mentions and direct messages")
    name = page.locator("[data-part=me]").inner_text()
    look_away(page)
    say(bo, "nothing special")
    heard(page, 2)
    say(bo, f"look, @{name}!")
    page.wait_for_function("told.length")

    title = page.locator("[data-part=title]").inner_text()
    sender = bo.locator("[data-part=me]").inner_text()
    assert told(page) == [(f"{sender} – {title}", f"look, @{name}!")]


def test_who_looks_at_the_room_is_not_told(site: Server, room: str, ana: BrowserContext, bo: Page) -> None:
    hidden, seen = (joined(ana.new_page(), site, room) for _ in range(2))
    wish(hidden, "All messages")
    look_away(hidden)
    say(bo, "seen")
    for page in (hidden, seen):
        heard(page, 1)
    assert told(hidden, seen) == []

    look_away(seen)
    say(bo, "unseen")
    for page in (hidden, seen):
        heard(page, 2)
    assert [body for _, body in told(hidden, seen)] == ["unseen"]


def test_two_tabs_notify_once_and_with_one_sound(
    site: Server, room: str, ana: BrowserContext, bo: Page
) -> None:
    pages = [joined(ana.new_page(), site, room) for _ in range(3)]
    wish(pages[0], "All messages", sound=True)
    for page in pages:
        look_away(page)
    for text in ("one", "two"):
        say(bo, text)
        expect(bo.locator("li[data-state]")).to_have_count(0)
    for page in pages:
        heard(page, 2)

    assert sorted(body for _, body in told(*pages)) == ["one", "two"]
    for page in pages:
        page.wait_for_function("played === 2 * told.length")


def test_it_is_silent_unless_one_has_chosen_a_sound(
    site: Server, room: str, ana: BrowserContext, bo: Page
) -> None:
    page = joined(ana.new_page(), site, room)
    wish(page, "All messages")
    look_away(page)
    say(bo, "hush")
    page.wait_for_function("told.length")

    assert page.evaluate("[told[0].silent, played]") == [True, 0]


def test_a_muted_room_notifies_in_no_tab_even_after_a_reload(
    site: Server, room: str, ana: BrowserContext, bo: Page
) -> None:
    first, second = (joined(ana.new_page(), site, room) for _ in range(2))
    say(bo, "before")
    heard(first, 1)
    wish(first, "All messages")
    entry(first, "Mute notifications").click()
    expect(first.get_by_text("Notifications from this room are muted on all your devices.")).to_be_visible()
    expect(chat(second)).to_have_attribute("data-muted", "")
    second.reload()
    expect(chat(second)).to_have_attribute("connected", "")
    for page in (first, second):
        look_away(page)
    say(bo, "muted")
    for page in (first, second):
        heard(page, 2)
    assert told(first, second) == []

    look_back(first)
    entry(first, "Unmute notifications").click()
    expect(chat(second)).not_to_have_attribute("data-muted", "")
    look_away(first)
    say(bo, "unmuted")
    for page in (first, second):
        heard(page, 3)
    assert [body for _, body in told(first, second)] == ["unmuted"]


def test_a_click_on_it_leads_to_the_message(site: Server, room: str, ana: BrowserContext, bo: Page) -> None:
    page = joined(ana.new_page(), site, room)
    wish(page, "All messages")
    look_away(page)
    say(bo, "here")
    page.wait_for_function("told.length")
    page.evaluate("window.focus = () => { window.wasFocused = true; }; told[0].onclick()")

    expect(page.locator("[data-marked]")).to_have_attribute("id", "m-1")
    assert page.evaluate("[wasFocused, told[0].isOpen]") == [True, False]


def test_it_goes_away_when_one_looks(site: Server, room: str, ana: BrowserContext, bo: Page) -> None:
    page = joined(ana.new_page(), site, room)
    wish(page, "All messages")
    look_away(page)
    say(bo, "here")
    page.wait_for_function("told.length")
    assert page.evaluate("told[0].isOpen")
    look_back(page)

    assert not page.evaluate("told[0].isOpen")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_who_has_said_no_is_told_how_to_change_it(
    site: Server, room: str, scheme: Any, new_context: NewContext
) -> None:
    context = new_context(color_scheme=scheme)
    context.add_init_script(RECORD + "window.answer = 'denied';")
    page = joined(context.new_page(), site, room)
    entry(page, "Turn on notifications on this device").click()

    expect(page.get_by_text("Your browser blocks notifications.")).to_be_visible()
    expect(page.get_by_label("All messages")).to_be_hidden()
    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_was_chosen_is_kept_in_the_browser(
    site: Server, room: str, scheme: Any, new_context: NewContext
) -> None:
    context = new_context(color_scheme=scheme)
    context.add_init_script(RECORD)
    page = joined(context.new_page(), site, room)
    entry(page, "Turn on notifications on this device").click()
    expect(page.get_by_label("Mentions and direct messages")).to_be_checked()
    expect(page.get_by_label("Play a sound")).not_to_be_checked()
    assert violations(page) == []
    page.get_by_label("Nothing").check()
    page.get_by_label("Play a sound").check()
    page.reload()
    expect(chat(page)).to_have_attribute("connected", "")
    entry(page, "Notifications on this device").click()

    expect(page.get_by_label("Nothing")).to_be_checked()
    expect(page.get_by_label("Play a sound")).to_be_checked()


# Counted


def test_the_icon_and_the_app_show_that_something_is_unread(
    site: Server, room: str, ana: BrowserContext, bo: Page
) -> None:
    page = joined(ana.new_page(), site, room)
    icon = page.locator("link[rel=icon]")
    expect(icon).to_have_attribute("href", re.compile(r"icon\.svg"))
    look_away(page)
    say(bo, "new")
    expect(icon).to_have_attribute("href", re.compile(r"icon-unread\.svg"))
    assert page.request.get(str(icon.evaluate("(icon) => icon.href"))).ok
    look_back(page)

    expect(icon).to_have_attribute("href", re.compile(r"icon\.svg"))
    assert page.evaluate("badges") == [1, 0]
