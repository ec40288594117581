"""Actions and locators of the chat page, for the browser tests."""

import json
from collections.abc import Callable
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from tests.services.server import Server
from tests.services.shell import run_at

TOUCH_TARGET_PX = 44
Start = Callable[..., Server]
NewContext = Callable[..., BrowserContext]


def seed(server: Server, room: str, *said: tuple[str, str, str], count: int = 0) -> None:
    """Store messages, as (author, ISO time, text), after *count* numbered messages of Ana."""
    lines = [("Ana", f"2026-01-02T{10 + n // 60:02}:{n % 60:02}:00Z", f"Line {n + 1}") for n in range(count)]
    run_at(
        server,
        f"""
import json, uuid
from datetime import datetime
from django_roomchat import post_message
from django_roomchat.identity import Identity
from django_roomchat.models import Message
for name, at, body in json.loads({json.dumps(json.dumps([*lines, *said]))}):
    author = Identity("t:" + name, name)
    seq = post_message({room!r}, body, author=author, id=str(uuid.uuid4())).seq
    Message.objects.filter(room__name={room!r}, seq=seq).update(created_at=datetime.fromisoformat(at))
""",
    )


def enter(page: Page, server: Server, room: str, *, query: str = "") -> Page:
    page.goto(f"{server.url}/chat/{room}/{query}")
    return page


def joined(page: Page, server: Server, room: str) -> Page:
    enter(page, server, room)
    expect(chat(page)).to_have_attribute("connected", "")
    return page


def chat(page: Page) -> Locator:
    return page.locator("room-chat")


def composer(page: Page) -> Locator:
    return page.get_by_role("textbox")


def say(page: Page, text: str) -> None:
    # The composer is inert until a modal dialog closes, and the keys would go to the dialog.
    expect(page.locator("dialog:modal")).to_have_count(0)
    composer(page).fill(text)
    composer(page).press("Enter")


def bodies(page: Page) -> list[str]:
    return page.locator("li .roomchat-body").all_inner_texts()


def sent(page: Page) -> Locator:
    return page.locator("li[data-mine][data-seq]")


def pending(page: Page) -> Locator:
    return page.locator("li[data-state=pending]")


def failed(page: Page) -> Locator:
    return page.locator("li[data-state=failed]")


def first_visible(page: Page) -> list[Any]:
    """Return the id of the first visible message and its vertical position."""
    found: list[Any] = page.evaluate(
        """() => {
          const { top } = document.querySelector("[role=log]").getBoundingClientRect();
          const message = [...document.querySelectorAll("li[data-seq]")].find((item) => item.getBoundingClientRect().bottom > top + 1);
          return [message.id, message.getBoundingClientRect().top];
        }"""
    )
    return found


def read_up(page: Page, pixels: int) -> None:
    log = page.get_by_role("log")
    log.evaluate(
        "(log, pixels) => new Promise((done) => { log.onscrollend = done; log.scrollBy(0, -pixels); })",
        pixels,
    )


def at_bottom(page: Page) -> bool:
    inside: bool = page.evaluate(
        """() => {
          const log = document.querySelector("[role=log]").getBoundingClientRect();
          const last = [...document.querySelectorAll("li.roomchat-message")].at(-1).getBoundingClientRect();
          return last.bottom <= log.bottom + 1;
        }"""
    )
    return inside


def release(page: Page, held: list[Route]) -> None:
    """Continue the first of the requests that a route holds, as soon as the route has it."""
    while not held:
        page.evaluate("undefined")  # what is on its way from the browser comes before its answer
    held[0].continue_()


def anatomy(page: Page) -> list[str]:
    """Return the markup of the messages, without times, which `seed` changes after the event was sent, and without read markers."""
    found: list[str] = page.locator("li.roomchat-message").evaluate_all(
        """(items) => items.map((item) => {
          const copy = item.cloneNode(true);
          copy.querySelectorAll("time").forEach((time) => time.replaceWith("time"));
          for (const name of ["data-starts-day", "data-follows", "data-starts-new"]) copy.removeAttribute(name);
          const sorted = (element) => [...element.attributes].map(({ name, value }) => `${name}=${value}`).sort().join(" ");
          return [copy, ...copy.querySelectorAll("*")].map((element) => `${element.localName} ${sorted(element)}`).join("\\n") + copy.textContent.replace(/\\s+/g, " ");
        })"""
    )
    return found


def places(page: Page) -> list[int]:
    """Return the sequence numbers of the messages on the page, in their order."""
    found: list[int] = page.locator("li.roomchat-message").evaluate_all(
        "(items) => items.map((item) => Number(item.dataset.seq))"
    )
    return found


def numbers(first: int, last: int) -> list[int]:
    return list(range(first, last + 1))


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['html']}" for rule in found for node in rule["nodes"]]


def look_away(page: Page) -> None:
    """Make the page invisible, as if the user had switched to another tab."""
    page.evaluate(
        """() => {
          Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )


def look_back(page: Page) -> None:
    page.evaluate(
        """() => {
          delete document.visibilityState;
          document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )


def add_style_sheet(page: Page, href: str, place: str = "prepend") -> None:
    """Put a style sheet of the site before or behind the package's. It replaces the one that was put there before."""
    page.evaluate(
        """([href, place]) => new Promise((done) => {
          document.querySelector("[data-framework]")?.remove();
          const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href, onload: done });
          link.dataset.framework = "";
          document.head[place](link);
        })""",
        [href, place],
    )
