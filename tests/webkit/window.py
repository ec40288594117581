"""A window of WebKit with the chat in it: what a person does and sees there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from selenium.common.exceptions import (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    JavascriptException,
    NoSuchElementException,
    StaleElementReferenceException,
    TimeoutException,
)
from selenium.webdriver import ActionChains, Keys, Remote
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from tests.services.server import Server

WAIT_SECONDS = 60.0
"""How long a test waits for anything on a page; see `WAIT_MS` in tests/browser/conftest.py."""
POLL_SECONDS = 0.03
COMPOSER = "[data-part=input]"
BODIES = "li.roomchat-message .roomchat-body"
SENT = "li[data-mine][data-seq]:not([data-state])"
NOT_YET = (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    JavascriptException,
    NoSuchElementException,
    StaleElementReferenceException,
)


class Window:
    def __init__(self, driver: Remote, site: Server) -> None:
        self.driver = driver
        self.site = site
        self.username: str | None = None

    # Where it is

    def become(self, username: str | None) -> None:
        """Sign in as a user of `PEOPLE`, or be a new guest."""
        if username and username == self.username:
            return
        self.username = username
        self.open("/static/django_roomchat/icon.svg")
        self.driver.delete_all_cookies()
        if username:
            self.driver.add_cookie({"name": "sessionid", "value": f"session-of-{username}"})

    def open(self, path: str) -> None:
        self.driver.get(f"{self.site.url}{path}")

    def enter(self, room: str, query: str = "") -> None:
        self.open(f"/chat/{quote(room)}/{query}")
        self.is_connected()

    def reload(self) -> None:
        self.driver.refresh()
        self.is_connected()

    def is_connected(self) -> None:
        self.sees("room-chat[connected]")

    def resize(self, width: int, height: int) -> None:
        """Give the page, not the window, this size in CSS pixels."""
        inside: list[int] = self.js("() => [innerWidth, innerHeight]")
        if inside == [width, height]:
            return
        outside = self.driver.get_window_size()
        frame = outside["width"] - inside[0], outside["height"] - inside[1]
        self.driver.set_window_size(width + frame[0], height + frame[1])
        self.shows(lambda: self.js("() => [innerWidth, innerHeight]"), [width, height])

    def screenshot(self, path: Path) -> None:
        self.driver.get_screenshot_as_file(str(path))

    # What is seen

    def js(self, function: str, *arguments: Any) -> Any:
        return self.driver.execute_script(f"return ({function})(...arguments)", *arguments)

    def all(self, selector: str) -> list[WebElement]:
        """Return the elements that are shown."""
        found: list[WebElement] = self.js(
            "(css) => [...document.querySelectorAll(css)].filter((one) => one.checkVisibility({ visibilityProperty: true }))",
            selector,
        )
        return found

    def texts(self, selector: str) -> list[str]:
        """Return the texts of the elements that are shown."""
        found: list[str] = self.js(
            "(css) => [...document.querySelectorAll(css)].filter((one) => one.checkVisibility()).map((one) => one.innerText.trim())",
            selector,
        )
        return found

    def value(self, selector: str = COMPOSER) -> str:
        return str(self.js("(css) => document.querySelector(css).value", selector))

    def shows(self, look: Callable[[], Any], wanted: Any) -> None:
        """Wait until `look()` returns a value; the error has the last one."""
        seen: Any = None

        def is_there(_: Remote) -> bool:
            nonlocal seen
            seen = look()
            return bool(seen == wanted)

        try:
            WebDriverWait(self.driver, WAIT_SECONDS, POLL_SECONDS, NOT_YET).until(is_there)
        except TimeoutException:
            raise AssertionError(f"{seen!r} is shown, not {wanted!r}") from None

    def reads(self, selector: str, *texts: str) -> None:
        """Wait until the elements that are shown have these texts."""
        self.shows(lambda: self.texts(selector), list(texts))

    def sees(self, selector: str, count: int = 1) -> WebElement:
        """Wait until a number of elements are shown, and return the first."""
        self.shows(lambda: len(self.all(selector)), count)
        return self.all(selector)[0]

    def sees_picture(self, selector: str, width: int | None = None) -> None:
        """Wait until a picture is loaded, with a width if one is given."""
        self.sees(selector)
        loaded = "(css) => document.querySelector(css).naturalWidth"
        if width is None:
            self.shows(lambda: self.js(loaded, selector) > 0, True)
        else:
            self.shows(lambda: self.js(loaded, selector), width)

    def misses(self, selector: str) -> None:
        """Wait until no such element is shown."""
        self.shows(lambda: len(self.all(selector)), 0)

    def has_focus(self, selector: str) -> None:
        self.shows(lambda: self.js("(css) => document.activeElement?.matches(css)", selector), True)

    # What a person does

    def click(self, selector: str) -> None:
        element = self.sees(selector)
        self._try(element.click)

    def click_at(self, x: int, y: int) -> None:
        actions = ActionChains(self.driver, duration=0)
        actions.w3c_actions.pointer_action.move_to_location(x, y)
        actions.w3c_actions.pointer_action.click()
        actions.perform()

    def hover(self, selector: str) -> None:
        element = self.sees(selector)
        self._try(ActionChains(self.driver, duration=0).move_to_element(element).perform)

    def press(self, *keys: str, holding: str = "") -> None:
        """Press keys one after the other, while others are held."""
        actions = ActionChains(self.driver, duration=0)
        for key in holding:
            actions.key_down(key)
        for key in keys:
            actions.send_keys(key)
        for key in holding:
            actions.key_up(key)
        actions.perform()

    def type(self, text: str, selector: str = COMPOSER) -> None:
        element = self.sees(selector)
        self._try(lambda: element.send_keys(text))

    def say(self, text: str) -> None:
        # The composer is inert until a modal dialog is closed.
        self.misses("dialog:modal")
        self.type(text + Keys.ENTER)

    def menu_of(self, seq: int) -> None:
        """Open the menu of a message."""
        self.hover(f"#m-{seq} .roomchat-bubble")
        self.click(f"#m-{seq} [data-part=actions]")
        self.sees("[data-part=menu]")

    def choose(self, action: str, *, menu: str = "menu") -> None:
        """Choose an entry of an open menu."""
        self.click(f"[data-part={menu}] [data-do={action}]")

    def choose_of_message(self, seq: int, action: str) -> None:
        self.menu_of(seq)
        self.choose(action)

    def choose_of_room(self, action: str) -> None:
        self.click("[data-part=room-actions]")
        self.choose(action, menu="room-menu")

    def menu_of_person(self, name: str) -> None:
        """Open the menu of a person in the open dialog with the people."""
        self.sees("dialog[open][data-part=people]")
        find = """(name) => [...document.querySelectorAll("[data-part=people] section:not([hidden]) li")]
            .find((row) => row.querySelector("[data-part=name]").textContent === name)
            .querySelector("[data-part=person-actions]")"""
        self._try(lambda: self.js(find, name).click())
        self.sees("[data-part=person-menu]")

    def choose_of_person(self, name: str, action: str) -> None:
        self.menu_of_person(name)
        self.choose(action, menu="person-menu")

    def _try(self, act: Callable[[], Any]) -> None:
        """Repeat what the driver refuses while the page still moves."""

        def done(_: Remote) -> bool:
            act()
            return True

        WebDriverWait(self.driver, WAIT_SECONDS, POLL_SECONDS, NOT_YET).until(done)
