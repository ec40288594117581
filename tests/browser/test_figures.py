"""Costs of the page. docs/topics/page.md describes how each figure is measured, and states its value.

Times are processor times (`threadTicks`), so that a busy machine does not change them.
"""

import gzip
import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from playwright.sync_api import CDPSession, Locator, Page, Route, expect
from websockets.sync.client import connect

from tests.browser.page import (
    NewContext,
    at_bottom,
    chat,
    composer,
    first_visible,
    joined,
    read_up,
    say,
    seed,
)
from tests.services.server import Server
from tests.services.shell import run_at

# Firefox does not report layout shifts, and does not support Chromium's protocol.
pytestmark = pytest.mark.skip_browser("firefox")

# Of the room: the list of rooms beside it puts the room that was written in first, and the pill says another number.
NOTE_SHIFTS = """
  window.shifts = [];
  const inRoom = (node) => {
    const element = node?.nodeType === Node.TEXT_NODE ? node.parentElement : node;
    return element?.closest("room-chat") && !element.closest(".roomchat-pill") ? element : null;
  };
  new PerformanceObserver((list) => {
    for (const { value, sources } of list.getEntries()) {
      const moved = sources.map(({ node }) => inRoom(node)?.outerHTML.slice(0, 80)).filter(Boolean);
      if (moved.length) shifts.push({ value, moved });
    }
  }).observe({ type: "layout-shift", buffered: true });
"""
WIDTH = "(room) => room.offsetWidth"
FRAMES = """(milliseconds) => new Promise((done) => {
  const at = [];
  const note = (now) => {
    at.push(now);
    if (now - at[0] < milliseconds) requestAnimationFrame(note);
    else done(at.slice(1).map((time, index) => time - at[index]));
  };
  requestAnimationFrame(note);
})"""
PER_SECOND = 50
UNDER_WAY = 50  # posts at once that the server has not acknowledged
OWN_WORK_MS = 250  # measured: 110 ms in a second; a `:has()` over the log made it 530
FRAME_MS = 20
MAIN_THREAD_MS = 700  # of every second; the rest of it is what frames may be late by before anybody sees it


class Talker(threading.Thread):
    """Another member, who posts at a given rate."""

    def __init__(self, server: Server, room: str, *, count: int, per_second: float) -> None:
        super().__init__(daemon=True)
        self.address = f"{server.ws_url}/ws/chat/{room}/"
        self.count, self.per_second = count, per_second
        self.acknowledged = 0

    def run(self) -> None:
        with connect(self.address, subprotocols=["roomchat.v1"], max_queue=None) as line:  # type: ignore[list-item]
            begin = time.monotonic()
            for number in range(self.count):
                self._read(line, until=begin + number / self.per_second, acknowledged=number - UNDER_WAY)
                body = f"Message {number} as people write them, with https://example.com/{number}"
                line.send(json.dumps({"type": "post", "id": uuid.uuid4().hex, "body": body}))
            self._read(line, until=0, acknowledged=self.count)

    def _read(self, line: Any, *, until: float, acknowledged: int) -> None:
        while self.acknowledged < acknowledged or time.monotonic() < until:
            wait = 30 if self.acknowledged < acknowledged else max(0, until - time.monotonic())
            try:
                frame = json.loads(line.recv(timeout=wait))
            except TimeoutError:
                assert self.acknowledged >= acknowledged, "The server has stopped answering."
                return
            self.acknowledged += frame["type"] == "ack"


@pytest.fixture
def watched(page: Page) -> Page:
    page.add_init_script(NOTE_SHIFTS)
    return page


@pytest.fixture
def meter(page: Page) -> Iterator["Meter"]:
    session = page.context.new_cdp_session(page)
    yield Meter(page, session)
    session.detach()


class Meter:
    """The counts of Chromium for a page."""

    def __init__(self, page: Page, session: CDPSession) -> None:
        self.page, self.session = page, session
        session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def read(self) -> dict[str, float]:
        found = self.session.send("Performance.getMetrics")["metrics"]
        return {metric["name"]: metric["value"] for metric in found}

    def milliseconds_since(self, before: dict[str, float]) -> dict[str, float]:
        now = self.read()
        names = ("TaskDuration", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration")
        return {name: round((now[name] - before[name]) * 1000, 1) for name in names}

    def memory(self) -> dict[str, float]:
        for _ in range(3):
            self.session.send("HeapProfiler.collectGarbage")
        now = self.read()
        return {name: now[name] for name in ("JSHeapUsedSize", "Nodes", "JSEventListeners")}


def shifts(page: Page) -> list[Any]:
    # Entries are reported after the frame that they concern.
    found: list[Any] = page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(shifts), 50)))"
    )
    return found


def bodies_of(page: Page) -> Locator:
    return page.locator("li .roomchat-body")


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


# Before the script


def test_the_first_message_is_painted_before_any_script_arrives(site: Server, room: str, page: Page) -> None:
    seed(site, room, count=60)
    held: list[Route] = []
    page.route("**/*.js", lambda route: held.append(route))
    page.goto(f"{site.url}/chat/{room}/", wait_until="commit")

    expect(page.get_by_text("Line 60", exact=True)).to_be_in_viewport()
    page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
    assert page.evaluate("customElements.get('room-chat') === undefined")
    assert held
    for route in held:
        route.continue_()
    expect(chat(page)).to_have_attribute("connected", "")


# A slow line

BYTES_PER_SECOND = 20 * 1024
FIRST_VIEW_MS = 2_000
ATTEMPTS = 3  # the line is slow by definition; the machine may be by accident
NOTE_FIRST_VIEW = """
  window.seen = {};
  const look = () => {
    const height = (element) => element?.checkVisibility() && element.getBoundingClientRect().height;
    const isStyled = [...document.styleSheets].some(({ href }) => href?.includes("roomchat"));
    const newest = [...document.querySelectorAll("li .roomchat-body")].find((body) => body.textContent === "Line 60");
    if (isStyled && height(document.querySelector("[data-part=composer]"))) seen.composer ??= performance.now();
    if (isStyled && height(newest)) seen.newest ??= performance.now();
    if (!seen.composer || !seen.newest) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
"""


@pytest.fixture
def compressed(site: Server) -> Iterator[str]:
    """The address of the site behind a proxy that compresses, as in production."""

    class Proxy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = httpx.get(site.url + self.path)
            body = gzip.compress(found.content)
            self.send_response(found.status_code)
            self.send_header("Content-Type", found.headers.get("Content-Type", "text/plain"))
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *about: Any) -> None:
            pass

    with serving(Proxy) as address:
        yield address


def first_view(page: Page, address: str) -> dict[str, float]:
    """Load a page over a slow line; return when composer and newest message are visible, in ms after the first byte."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": 0,
            "downloadThroughput": BYTES_PER_SECOND,
            "uploadThroughput": BYTES_PER_SECOND,
        },
    )
    page.add_init_script(NOTE_FIRST_VIEW)
    page.goto(address, wait_until="commit")
    page.wait_for_function("seen.composer && seen.newest")
    found: dict[str, float] = page.evaluate(
        """() => {
          const [{ responseStart }] = performance.getEntriesByType("navigation");
          return Object.fromEntries(Object.entries(seen).map(([name, at]) => [name, Math.round(at - responseStart)]));
        }"""
    )
    return found


def test_over_a_slow_line_composer_and_newest_message_are_there_within_two_seconds(
    site: Server, room: str, compressed: str, new_context: NewContext, record_property: Any
) -> None:
    seed(site, room, count=60)

    views = []
    while len(views) < ATTEMPTS and not any(max(view.values()) < FIRST_VIEW_MS for view in views):
        context = new_context()
        views.append(first_view(context.new_page(), f"{compressed}/chat/{room}/"))
        context.close()

    record_property("first view over 20 KB/s, ms after the first byte", views)
    print(views)
    assert min(max(view.values()) for view in views) < FIRST_VIEW_MS


# Nothing jumps


@pytest.mark.parametrize("count", [0, 3, 60])
def test_taking_over_a_room_shifts_nothing(site: Server, room: str, watched: Page, count: int) -> None:
    name = f"{room}-{count}"
    seed(site, name, count=count)
    joined(watched, site, name)
    expect(watched.get_by_role("button", name="people here")).to_be_visible()

    assert shifts(watched) == []


@pytest.fixture
def in_two_pieces(site: Server) -> Iterator[tuple[str, threading.Event]]:
    """The address of the site behind a slow link: of a page, what comes after the beginning of the composer waits."""
    rest = threading.Event()

    class Link(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if "/static/" in self.path:
                self.send_response(302)
                self.send_header("Location", site.url + self.path)
                self.end_headers()
                return
            page = httpx.get(site.url + self.path).content
            place = page.index(b'data-part="about"')
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page[:place])
            rest.wait(30)
            self.wfile.write(page[place:])

        def log_message(self, *about: Any) -> None:
            pass

    with serving(Link) as address:
        yield address, rest
        rest.set()


def test_a_page_of_which_a_part_is_still_on_its_way_keeps_the_place_of_the_composer(
    site: Server, room: str, watched: Page, in_two_pieces: tuple[str, threading.Event]
) -> None:
    address, rest = in_two_pieces
    seed(site, room, count=60)
    watched.goto(f"{address}/chat/{room}/", wait_until="commit")
    watched.wait_for_function(
        "performance.getEntriesByName('first-contentful-paint').length && document.querySelector('[data-part=composer]')"
    )
    width = watched.locator("room-chat").evaluate(WIDTH)
    rest.set()
    expect(composer(watched)).to_be_visible()

    # The list of rooms is in the last part, and does not move the room.
    expect(watched.locator(".roomchat-side")).to_be_visible()
    assert shifts(watched) == []
    assert watched.locator("room-chat").evaluate(WIDTH) == width
    watched.locator(".roomchat-side").evaluate("(list) => list.remove()")
    assert watched.locator("room-chat").evaluate(WIDTH) > width


def test_what_arrives_shifts_nothing(site: Server, room: str, watched: Page, new_context: NewContext) -> None:
    seed(site, room, count=60)
    joined(watched, site, room)
    other = joined(new_context().new_page(), site, room)
    expect(watched.get_by_role("button", name="people here")).to_have_text("2people here")
    composer(other).press_sequentially("one")
    expect(watched.locator("[data-part=typing]")).to_contain_text("is typing")
    composer(other).press("Enter")
    say(other, "a long story\n" * 12)
    expect(watched.locator("li.roomchat-message")).to_have_count(52)
    assert at_bottom(watched)

    assert shifts(watched) == []


def test_who_reads_further_up_sees_nothing_shift(
    site: Server, room: str, watched: Page, new_context: NewContext
) -> None:
    seed(site, room, count=60)
    joined(watched, site, room)
    other = joined(new_context().new_page(), site, room)
    read_up(watched, 900)
    before, noted = first_visible(watched), len(shifts(watched))
    for text in ("one", "a long story\n" * 12):
        say(other, text)
    expect(watched.get_by_role("button", name="2 new")).to_be_visible()

    assert first_visible(watched)[0] == before[0]
    assert shifts(watched)[noted:] == []


# Time


@pytest.mark.slow
def test_fifty_messages_a_second_leave_time_in_every_frame(
    site: Server, room: str, page: Page, meter: Meter, record_property: Any
) -> None:
    joined(page, site, room)
    warm_up = Talker(site, room, count=320, per_second=200)
    warm_up.start()
    expect(bodies_of(page).last).to_contain_text("Message 319 ")
    warm_up.join()
    seconds = 8
    talker = Talker(site, room, count=PER_SECOND * seconds, per_second=PER_SECOND)
    before = meter.read()
    talker.start()
    frames = sorted(page.evaluate(FRAMES, seconds * 1000))
    expect(bodies_of(page).last).to_contain_text(f"Message {talker.count - 1} ")
    spent = meter.milliseconds_since(before)
    talker.join()

    a_second = {name: round(time / seconds, 1) for name, time in spent.items()}
    middle, late = frames[len(frames) // 2], frames[len(frames) * 95 // 100]
    record_property("main thread, ms in a second with 50 messages", a_second)
    record_property("frames, ms: median and 95 %", (round(middle, 1), round(late, 1)))
    print(a_second, "frames:", len(frames), round(middle, 1), round(late, 1))
    assert (
        a_second["ScriptDuration"] + a_second["LayoutDuration"] + a_second["RecalcStyleDuration"]
        < OWN_WORK_MS
    )
    # A browser that paints in software spends the rest of its time on as many frames as it can: either it shows them all, or
    # time is left.
    assert middle < FRAME_MS or a_second["TaskDuration"] < MAIN_THREAD_MS


# Memory


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_page_that_has_seen_ten_thousand_messages_is_no_larger_than_after_one_thousand(
    site: Server, room: str, page: Page, meter: Meter, record_property: Any
) -> None:
    joined(page, site, room)
    sizes = []
    for talkers in (1, 9):
        for _ in range(talkers):
            talker = Talker(site, room, count=1_000, per_second=250)
            talker.start()
            talker.join()
        seen = page.locator(f"li[data-seq='{1_000 if talkers == 1 else 10_000}']")
        expect(seen).to_be_attached()
        sizes.append(meter.memory() | {"messages": bodies_of(page).count()})

    record_property("after 1,000 and after 10,000 messages", sizes)
    print(sizes)
    small, large = sizes
    assert large["messages"] <= 450
    assert large["Nodes"] <= 30_000
    assert large["JSHeapUsedSize"] < small["JSHeapUsedSize"] + 1_000_000
    assert large["JSEventListeners"] == pytest.approx(small["JSEventListeners"], abs=50)


# A long room


@pytest.fixture
def long_room(site: Server, room: str) -> str:
    """A room of 10,000 messages, of one line to ten."""
    run_at(
        site,
        f"""
from django_roomchat import log
from django_roomchat.rooms.lookup import ensure_room
from django_roomchat.models import Room
room = ensure_room(Room(name={room!r}, title={room!r}))
for start in range(1, 10_001, 500):
    drafts = [
        log.Draft(None, f"t:{{n // 7 % 5}}", f"Guest {{n // 7 % 5}}", str(n), "user", f"Number {{n}} " + "and so on " * (n * 7 % 90))
        for n in range(start, start + 500)
    ]
    log.append({{room.pk: drafts}})
""",
    )
    return room


@pytest.mark.slow
def test_a_room_of_ten_thousand_messages_scrolls_without_a_jump_or_a_hole(
    site: Server, long_room: str, page: Page, meter: Meter, record_property: Any
) -> None:
    joined(page, site, long_room)
    page.evaluate(
        """() => {
          window.most = 0;
          window.order = [];
          const list = document.querySelector("[data-part=messages]");
          new MutationObserver(() => {
            const shown = [...list.querySelectorAll("li[data-seq]")].map(({ dataset }) => Number(dataset.seq));
            most = Math.max(most, shown.length);
            if (shown.some((seq, index) => index && seq !== shown[index - 1] + 1)) order.push(shown);
          }).observe(list, { childList: true });
        }"""
    )
    log = page.get_by_role("log")
    log.hover()
    before, begin = meter.read(), 10_000
    seen = []
    while begin > 9_000:
        page.mouse.wheel(0, -400)
        begin = page.evaluate(
            """async () => {
              await new Promise(requestAnimationFrame);
              await new Promise(requestAnimationFrame);
              const { top } = document.querySelector("[role=log]").getBoundingClientRect();
              const first = [...document.querySelectorAll("li[data-seq]")].find((item) => item.getBoundingClientRect().bottom > top + 1);
              return Number(first.dataset.seq);
            }"""
        )
        seen.append(begin)
    spent = meter.milliseconds_since(before)

    record_property("main thread, ms for 1,000 messages scrolled by", spent)
    print(spent, page.evaluate("most"), len(seen))
    assert seen == sorted(seen, reverse=True)
    assert page.evaluate("order") == []
    assert page.evaluate("most") <= 500
    assert spent["TaskDuration"] / len(seen) < 50
