"""Narrow and wide, light and dark, large and still, from right to left: every view, in whatever circumstances it is read."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.page import (
    NewContext,
    at_bottom,
    chat,
    composer,
    enter,
    joined,
    say,
    seed,
    sent,
    violations,
)
from tests.services.server import Server
from tests.services.shell import run_at

pytestmark = pytest.mark.timeout(400)  # three sites are started

LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2
TWO_ROOMS = """{% load roomchat %}<!doctype html><html lang="en"><title>Two rooms</title><main><h1>Two rooms</h1>
<section aria-label="One">{% roomchat "one" %}</section><section aria-label="Two">{% roomchat "two" %}</section></main></html>"""
VIEWS = {
    "home": "/",
    "login": "/accounts/login/",
    "embedded": "/embedded/",
    "index": "/chat/",
    "refused": "/chat/?room=a%2Fb",
    "new room": "/chat/~/new/",
    "room": "/chat/hall/",
    "old page": "/chat/hall/?before=40",
    "permalink": "/chat/hall/?at=20",
    "search": "/chat/~/search/?q=line",
    "nothing found": "/chat/~/search/?q=nowhere",
    "invitation": "/chat/~/invite/{token}/",
    "ended": "/chat/~/invite/ended/",
    "error": "/chat/hall/?before=x",
}


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory, site: Server) -> Iterator[Server]:
    """The example site, on the database of the other one, in which people have talked."""
    run_at(
        site,
        f"""
from django_roomchat import log
from django_roomchat.rooms.lookup import ensure_room
from django_roomchat.models import Room
room = ensure_room(Room(name="hall", title="Hall"))
said = [("Ana", f"Line {{n}}") for n in range(60)]
said += [({LONG[:60]!r}, "{LONG} https://example.com/{LONG}"), ("ليلى", "مرحبا بالجميع في Busan"), ("김민수", "가" * 300)]
drafts = [log.Draft(None, "t:" + who, who, str(number), "user", text) for number, (who, text) in enumerate(said)]
log.append({{room.pk: drafts}})
""",
    )
    server = Server(
        tmp_path_factory.mktemp("example") / "server.log",
        database_url=site.database_url,
        project="example_project",
        env={"DEBUG": "1"},
    )
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def token(site: Server, example: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("invitation") / "token"
    code = f"import django_roomchat, pathlib; pathlib.Path({str(path)!r}).write_text(django_roomchat.invite('hall').token)"
    run_at(site, code)
    return path.read_text()


@pytest.fixture(scope="module")
def two_rooms(tmp_path_factory: pytest.TempPathFactory, site: Server) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("two-rooms")
    (folder / "static").mkdir()
    (folder / "templates" / "django_roomchat").mkdir(parents=True)
    (folder / "templates" / "django_roomchat" / "index.html").write_text(TWO_ROOMS)
    server = Server(
        folder / "server.log",
        database_url=site.database_url,
        settings="tests.browser.own_page_settings",
        env={"ROOMCHAT_TEST_SITE": str(folder)},
    )
    server.start()
    yield server
    server.stop()


def look(page: Page, server: Server, address: str) -> Page:
    page.goto(server.url + address)
    for place in page.locator("room-chat:not([data-archive])").all():
        expect(place).to_have_attribute("connected", "")
    return page


# Every view


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing_in_any_view(
    example: Server, token: str, new_context: NewContext, view: str, scheme: Any
) -> None:
    page = look(new_context(color_scheme=scheme).new_page(), example, VIEWS[view].format(token=token))

    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_a_page_with_two_rooms(
    two_rooms: Server, new_context: NewContext, scheme: Any
) -> None:
    page = look(new_context(color_scheme=scheme).new_page(), two_rooms, "/chat/")
    expect(page.locator("room-chat")).to_have_count(2)

    assert violations(page) == []


# Small and large


SIZES = {
    "320 pixels": (320, ""),
    "text of 200 % in a small window": (640, "html { font-size: 200% }"),
    "text of 200 % in a large window": (1280, "html { font-size: 200% }"),
    "zoom of 200 %": (640, "html { zoom: 2 }"),
}
# What sticks out at a side, and what cannot be pressed in its middle because something else is there.
TROUBLE = """() => {
  const root = document.documentElement;
  const trouble = [];
  for (const box of [root, ...document.querySelectorAll("[role=log]")])
    if (box.scrollWidth > box.clientWidth) trouble.push(`${box.className} scrolls sideways`);
  for (const control of document.querySelectorAll("a, button, input:not([type=hidden]), select, textarea, summary")) {
    const style = getComputedStyle(control);
    if (!control.checkVisibility({ visibilityProperty: true }) || style.opacity === "0" || control.disabled) continue;
    const log = control.closest("[role=log]");
    const edges = log?.getBoundingClientRect() ?? { top: 0, bottom: innerHeight };
    const [box] = control.getClientRects();
    if (!box || box.width < 2) continue;
    const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
    const name = control.outerHTML.slice(0, 120);
    if (box.left < -1 || box.right > innerWidth + 1) trouble.push(`sticks out: ${name}`);
    if (y <= edges.top || y >= edges.bottom || y >= innerHeight) continue;
    const found = document.elementFromPoint(x, y);
    const same = found && (control.contains(found) || found.contains(control) || control.labels?.[0]?.contains(found));
    // The pill floats above the messages; they scroll.
    if (!same && !found?.closest('.roomchat-pill')) trouble.push(`covered by ${found?.className}: ${name}`);
  }
  return trouble;
}"""


@pytest.mark.parametrize("size", SIZES)
def test_nothing_sticks_out_or_is_covered(
    example: Server, token: str, new_context: NewContext, browser_name: str, size: str
) -> None:
    width, style = SIZES[size]
    if "zoom" in style and browser_name == "firefox":
        pytest.skip("Firefox measures a window of `zoom` otherwise; its own zoom is a window of 320 pixels")
    page = new_context(viewport={"width": width, "height": 720}).new_page()
    found = {}
    for view, address in VIEWS.items():
        look(page, example, address.format(token=token))
        if style:
            page.evaluate(
                "(style) => { const sheet = new CSSStyleSheet(); sheet.replaceSync(style); document.adoptedStyleSheets.push(sheet); }",
                style,
            )
        if trouble := page.evaluate(TROUBLE):
            found[view] = trouble

    assert found == {}


def test_a_keyboard_on_the_screen_leaves_the_composer_and_the_newest_message_in_sight(
    site: Server, room: str, new_context: NewContext
) -> None:
    seed(site, room, count=60)
    page = joined(new_context(viewport={"width": 390, "height": 844}).new_page(), site, room)
    composer(page).focus()
    # With `interactive-widget=resizes-content` the keyboard makes the window lower.
    assert "interactive-widget=resizes-content" in str(
        page.locator("meta[name=viewport]").get_attribute("content")
    )
    page.set_viewport_size({"width": 390, "height": 420})

    expect(composer(page)).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("button", name="Send")).to_be_in_viewport(ratio=1)
    assert at_bottom(page)


HAS_INSETS = """() => {
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.paddingTop = "env(safe-area-inset-top)";
  const { paddingTop } = getComputedStyle(probe);
  probe.remove();
  return paddingTop === "40px";
}"""


def test_what_is_pressed_lies_within_the_safe_area(site: Server, room: str, page: Page) -> None:
    seed(site, room, count=1)  # with a room in it, the page of all rooms begins higher up
    page.set_viewport_size({"width": 844, "height": 390})
    insets = {"top": 40, "bottom": 30, "left": 50, "right": 60}
    page.context.new_cdp_session(page).send("Emulation.setSafeAreaInsetsOverride", {"insets": insets})
    for address in (f"/chat/{room}/", "/chat/", "/chat/~/search/", "/chat/~/new/", f"/chat/{room}/?before=x"):
        look(page, site, address)
        page.wait_for_function(HAS_INSETS)  # the page receives them some time after it has been loaded
        # In the page, not in the window: a field with the focus may have moved that.
        boxes = page.locator(
            "a:visible, button:visible, textarea:visible, input:visible, h1:visible"
        ).evaluate_all(
            """(items) => items.map((item) => {
              const { left, right, top } = item.getBoundingClientRect();
              return { left, right, top: top + scrollY };
            })"""
        )

        assert min(box["left"] for box in boxes) >= 50, address
        assert max(box["right"] for box in boxes) <= 844 - 60, address
        assert min(box["top"] for box in boxes) >= 40, address
    look(page, site, f"/chat/{room}/")
    send = page.get_by_role("button", name="Send").bounding_box()
    assert send is not None and send["y"] + send["height"] <= 390 - 30


# Colours and motion


def test_with_forced_colours_every_control_can_be_seen(
    example: Server, token: str, new_context: NewContext
) -> None:
    page = new_context(forced_colors="active").new_page()
    for view, address in VIEWS.items():
        look(page, example, address.format(token=token))
        assert page.evaluate("matchMedia('(forced-colors: active)').matches")
        unseen = page.locator(
            "a:visible, button:visible, input:visible, textarea:visible, select:visible"
        ).evaluate_all(
            """(controls) => controls.filter((control) => {
              const style = getComputedStyle(control);
              if (style.opacity === "0") return false;
              let behind = control;
              while (behind && getComputedStyle(behind).backgroundColor === "rgba(0, 0, 0, 0)") behind = behind.parentElement;
              const ground = behind ? getComputedStyle(behind).backgroundColor : "rgb(255, 255, 255)";
              return style.color === ground;
            }).map(({ outerHTML }) => outerHTML.slice(0, 120))"""
        )
        assert unseen == [], view
    enter(page, example, "hall")
    edges = page.locator(".roomchat-bubble:visible").evaluate_all(
        "(bubbles) => bubbles.map((bubble) => getComputedStyle(bubble).borderTopStyle)"
    )
    assert set(edges) == {"solid"}


def test_who_wants_less_motion_sees_none(site: Server, room: str, new_context: NewContext) -> None:
    seed(site, room, count=60)
    moving = """() => [...document.querySelectorAll("body, body *")].flatMap((element) => [null, "::before", "::after"].flatMap((part) => {
      const style = getComputedStyle(element, part);
      const moves = style.transitionDuration.split(", ").some((time) => parseFloat(time) > 0.01)
        || style.animationName !== "none" || style.scrollBehavior === "smooth";
      return moves ? [`${element.localName}.${element.className}${part ?? ""}`] : [];
    }))"""
    still = joined(new_context(reduced_motion="reduce").new_page(), site, room)
    say(still, "mine")
    expect(sent(still)).to_have_count(1)

    assert still.evaluate(moving) == []
    still.goto(f"{site.url}/chat/")
    assert still.evaluate(moving) == []


# Languages


def test_from_right_to_left_everything_is_on_the_other_side(example: Server, new_context: NewContext) -> None:
    sides = {}
    for locale in ("en", "ar"):
        page = look(
            new_context(locale=locale, viewport={"width": 800, "height": 600}).new_page(),
            example,
            "/chat/hall/",
        )
        say(page, "mine")
        expect(sent(page)).to_have_count(1)
        sides[page.locator("html").get_attribute("dir") or "ltr"] = page.evaluate(
            """() => {
              const onLeft = (selector) => {
                const all = document.querySelectorAll(selector);
                const box = all[all.length - 1].getBoundingClientRect();
                return box.left + box.width / 2 < innerWidth / 2;
              };
              return [".roomchat-back", "li[data-mine] .roomchat-bubble", "li:not([data-mine]) .roomchat-avatar", ".roomchat-send"].map(onLeft);
            }"""
        )

    assert sides == {"ltr": [True, False, True, False], "rtl": [False, True, False, True]}


@pytest.mark.parametrize("locale", ["en", "ar"])
def test_each_message_has_the_direction_of_its_own_words(
    site: Server, room: str, new_context: NewContext, locale: str
) -> None:
    room = f"{room}-{locale}"[-40:]
    said = {"hello, world!": "ltr", "مرحبا Busan!": "rtl", "שלום (1)": "rtl", "안녕 مرحبا": "ltr"}
    seed(site, room, *(("Ana", "2026-01-02T12:00:00Z", text) for text in said))
    page = joined(new_context(locale=locale).new_page(), site, room)

    directions = page.locator("li .roomchat-body").evaluate_all(
        "(bodies) => bodies.map((body) => [body.textContent, getComputedStyle(body).direction])"
    )
    assert dict(directions) == said


@pytest.mark.parametrize(
    ("locale", "time"), [("en", r"5:05 p\.m\."), ("de", "17:05"), ("fr", "17:05"), ("ko", r"오후 5:05")]
)
def test_the_clock_is_the_one_that_the_reader_s_language_has(
    site: Server, room: str, new_context: NewContext, locale: str, time: str
) -> None:
    name = f"clock-{locale}"
    seed(site, name, ("Ana", "2026-01-02T16:05:00Z", "tea?"))
    page = joined(new_context(locale=locale, timezone_id="Europe/Berlin").new_page(), site, name)
    shown = page.locator("li time[data-part=time]")

    expect(shown).to_have_text(re.compile(time))
    expect(shown).to_have_attribute("datetime", re.compile(r"^2026-01-02T16:05:00"))
    expect(shown).to_have_attribute("title", re.compile("2026"))


# Who listens


def test_each_new_message_is_announced_once_and_what_was_there_never(
    site: Server, room: str, new_context: NewContext, page: Page
) -> None:
    seed(site, room, count=130)
    # A screen reader announces what is added to a live region.
    page.add_init_script(
        """
        window.announced = [];
        document.addEventListener("DOMContentLoaded", () => {
          const log = document.querySelector("[role=log]");
          new MutationObserver((changes) => {
            if (log.getAttribute("aria-live") !== "polite") return;
            for (const { addedNodes } of changes)
              for (const node of addedNodes)
                if (node.matches?.("li.roomchat-message")) announced.push(node.querySelector(".roomchat-body").textContent);
          }).observe(log, { childList: true, subtree: true });
        });
        """
    )
    joined(page, site, room)
    expect(page.get_by_role("log")).to_have_attribute("aria-live", "polite")
    other = joined(new_context().new_page(), site, room)
    say(other, "hello")
    expect(page.get_by_text("hello", exact=True).last).to_be_in_viewport()
    say(page, "mine")
    expect(sent(page)).to_have_count(1)
    assert page.evaluate("announced") == ["hello", "mine"]
    page.get_by_role("log").evaluate("(log) => log.scrollBy(0, -log.scrollHeight)")
    expect(page.locator("li.roomchat-message").nth(99)).to_be_attached()
    expect(page.get_by_role("log")).to_have_attribute("aria-live", "polite")

    assert page.evaluate("announced") == ["hello", "mine"]


def test_what_is_wrong_is_an_alert_and_what_is_going_on_a_status(site: Server, room: str, page: Page) -> None:
    page.goto(f"{site.url}/chat/?room=a%2Fb")
    expect(page.get_by_role("alert")).to_contain_text("cannot contain")
    page.route_web_socket("**/ws/**", lambda line: line.close(code=4001))
    enter(page, site, room)

    expect(page.get_by_role("status").filter(has_text="Sign in again")).to_be_visible()
    expect(chat(page)).to_have_attribute("data-state", "ended")
