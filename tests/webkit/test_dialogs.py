"""Dialogs, menus, private rooms, dark colours and small windows in Safari's engine."""

from collections.abc import Callable

import pytest
from selenium.webdriver import Keys
from selenium.webdriver.support.select import Select

from tests.browser.club import make_club
from tests.services.server import Server
from tests.services.shell import run_at
from tests.webkit.window import BODIES, SENT, Window

OPEN = "dialog[open]"
LAYOUT = """() => {
  const dialog = [...document.querySelectorAll("dialog[open]")].at(-1);
  const body = dialog.querySelector(".roomchat-dialog-body");
  const { top, right, bottom, left } = dialog.getBoundingClientRect();
  const isFull = dialog.offsetHeight + 1 >= parseFloat(getComputedStyle(dialog).maxHeight);
  return {
    scrolls: Boolean(body) && !isFull && body.scrollHeight > body.clientHeight,
    sideways: Boolean(body) && body.scrollWidth > body.clientWidth,
    isWindow: top <= 4,
    fits: left >= 0 && top >= 0 && right <= innerWidth + 0.01 && bottom <= innerHeight + 0.01,
  };
}"""
"""Whether the dialog fills the window, whether its body scrolls below its greatest height, and whether it is visible as a whole."""
GOOD = {"scrolls": False, "sideways": False, "fits": True}


def make_lively_club(site: Server, room: str) -> str:
    name = make_club(site, room, ("ana", "welcome"), ("mo", "first"), ("mo", "pinned"))
    run_at(
        site,
        f"""
from django.contrib.auth.models import User
from django_roomchat import edit_message, mute, pin_message
ana, mo, kim = (User.objects.get(username=name) for name in ("ana", "mo", "kim"))
edit_message({room!r}, 2, "second", by=mo)
pin_message({room!r}, 3, by=ana)
mute({room!r}, kim, reason="A reason with many words. " * 8)
""",
    )
    return name


def dialogs(window: Window) -> dict[str, Callable[[], None]]:
    """How an owner opens each dialog of a room of :func:`make_lively_club`."""

    def of_person(action: str) -> Callable[[], None]:
        def open_it() -> None:
            window.choose_of_room("people")
            window.choose_of_person("Mo Salah", action)

        return open_it

    return {
        "people": lambda: window.click("[data-part=present]"),
        "block": of_person("block"),
        "mute": of_person("mute"),
        "ban": of_person("ban"),
        "remove": of_person("remove"),
        "search": lambda: window.press("k", holding=Keys.CONTROL),
        "pinned": lambda: window.choose_of_room("pinned"),
        "invite": lambda: window.choose_of_room("invite"),
        "settings": lambda: window.choose_of_room("settings"),
        "leave": lambda: window.choose_of_room("leave"),
        "help": lambda: window.choose_of_room("help"),
        "notifications": lambda: window.choose_of_room("notify"),
        "edits": lambda: window.choose_of_message(2, "edits"),
        "report": lambda: window.choose_of_message(2, "report"),
        "dialog": lambda: (window.open("/chat/"), window.click("[data-part=open]"))[-1],
    }


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (320, 568)])
def test_each_dialog_is_as_high_as_its_content_and_closed_by_a_click_beside_it(
    site: Server, ana: Window, room: str, width: int, height: int
) -> None:
    name = make_lively_club(site, f"{room}-{width}")
    ana.resize(width, height)
    ana.enter(name)
    found = {}
    for part, open_it in dialogs(ana).items():
        open_it()
        ana.sees(f"{OPEN}[data-part={part}]")
        found[part] = ana.js(LAYOUT)
        if found[part].pop("isWindow"):
            ana.press(Keys.ESCAPE)
        else:
            ana.click_at(width // 2, 4)
        ana.misses(f"{OPEN}[data-part={part}]")
        if ana.all(OPEN):
            ana.press(Keys.ESCAPE)
        ana.misses(OPEN)

    assert found == dict.fromkeys(found, GOOD)


def test_every_dialog_of_the_page_is_among_those(site: Server, ana: Window, room: str) -> None:
    ana.enter(make_lively_club(site, room))

    parts = ana.js("() => [...document.querySelectorAll('dialog')].map((one) => one.dataset.part)")
    assert set(parts) == {*dialogs(ana), "lightbox"}


def test_a_guest_chooses_a_name(ana: Window, kim: Window, room: str) -> None:
    ana.become(None)
    ana.enter(room)
    kim.enter(room)
    ana.click("[data-part=rename]")
    ana.sees(f"{OPEN}[data-part=guest-name]")
    assert ana.js(LAYOUT) == {**GOOD, "isWindow": False}
    ana.press("a", holding=Keys.CONTROL)
    ana.type("Bo" + Keys.ENTER, f"{OPEN} [name=name]")
    ana.misses(OPEN)
    ana.say("It is me")

    kim.reads(".roomchat-author", "Bo")


def test_menus_are_used_with_the_keyboard_and_return_the_focus(site: Server, ana: Window, room: str) -> None:
    ana.enter(make_lively_club(site, room))
    ana.click("[data-part=room-actions]")
    ana.has_focus("[data-part=room-menu] [data-do=pinned]")
    ana.press(Keys.ARROW_DOWN)
    ana.has_focus("[data-part=room-menu] [data-do=people]")
    ana.press(Keys.ENTER)
    ana.sees(f"{OPEN}[data-part=people]")
    ana.press(Keys.ESCAPE)
    ana.misses(OPEN)
    ana.has_focus("[data-part=room-actions]")

    ana.js("() => document.querySelector('[data-part=log]').focus()")
    ana.press(Keys.ARROW_UP)
    ana.has_focus("#m-3")
    ana.press(Keys.ENTER)
    ana.sees("[data-part=menu]")
    ana.press(Keys.END)
    ana.has_focus("[data-part=menu] [data-do=delete]")
    ana.press(Keys.ESCAPE)
    ana.misses("[data-part=menu]")
    ana.has_focus("#m-3")

    ana.click("[data-part=present]")
    ana.menu_of_person("Mo Salah")
    ana.press(Keys.ESCAPE)
    ana.misses("[data-part=person-menu]")
    ana.sees(f"{OPEN}[data-part=people]")
    ana.has_focus("[data-part=people-members] [data-part=person-actions]")


def test_a_dialog_returns_the_focus_where_a_click_gives_no_focus(
    site: Server, ana: Window, room: str
) -> None:
    ana.enter(make_lively_club(site, room))
    # WebKitGTK focuses a clicked button; Safari on a Mac does not.
    ana.js("() => document.addEventListener('mouseup', () => document.activeElement.blur(), true)")
    for opener, part in (("[data-part=present]", "people"), ("[data-part=open]", "dialog")):
        ana.click(opener)
        ana.sees(f"{OPEN}[data-part={part}]")
        ana.press(Keys.ESCAPE)
        ana.misses(OPEN)

        ana.has_focus(opener)


def test_an_invitation_leads_into_a_private_room(ana: Window, kim: Window) -> None:
    ana.open("/chat/")
    ana.click("new-room [data-part=open]")
    ana.type("Trip to Busan", f"{OPEN} [name=title]")
    ana.click(f"{OPEN} [value=private]")
    ana.click(f"{OPEN} [type=submit]")
    ana.is_connected()
    address = ana.driver.current_url
    kim.open(address.removeprefix(ana.site.url))
    kim.sees("[role=alert]")
    ana.choose_of_room("invite")
    Select(ana.sees(f"{OPEN} [name=role]")).select_by_value("moderator")
    ana.click(f"{OPEN} [type=submit]")
    link = ana.sees("[data-part=invite-link]").get_property("value")
    ana.press(Keys.ESCAPE)

    kim.driver.get(str(link))
    kim.click("form [type=submit]")
    kim.is_connected()
    kim.say("Here I am")

    assert kim.driver.current_url == address
    ana.reads(BODIES, "Here I am")


def test_dark_colours_are_followed(site: Server, ana: Window, kim: Window, room: str) -> None:
    make_club(site, room, ("ana", "Good evening"))
    colours = """() => [document.querySelector("room-chat"), document.querySelector(".roomchat-bubble")]
        .map((one) => [getComputedStyle(one).color, getComputedStyle(one).backgroundColor])"""
    found = []
    for window in (ana, kim):
        window.enter(room)
        found.append(window.js(colours))

    light, dark = found
    assert light != dark


def test_at_320_pixels_everything_is_within_the_window(
    site: Server, ana: Window, kim: Window, room: str
) -> None:
    name = make_lively_club(site, room)
    long = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
    ana.resize(320, 568)
    for path in (f"/chat/{name}/", "/chat/", "/chat/~/new/", "/chat/~/search/?q=pinned"):
        ana.open(path)
        overflow = ana.js("() => document.documentElement.scrollWidth - innerWidth")
        assert (path, overflow) == (path, 0)
    ana.enter(name)
    ana.say(f"{long} https://example.com/{long}")
    ana.sees(SENT, 2)

    outside = ana.js(
        """() => [...document.querySelectorAll("button, a, textarea, .roomchat-bubble")].filter((one) => {
          const { left, right } = one.getBoundingClientRect();
          const edge = 3; // the touch area of an icon is larger than its picture
          return one.checkVisibility({ visibilityProperty: true }) && (left < -edge || right > innerWidth + edge);
        }).map((one) => one.outerHTML)"""
    )
    assert outside == []
