"""Attachments: chosen, pasted or dropped, sent with a message, and opened.

The content security policy of these pages allows neither `blob:` nor `data:`.
"""

import json
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from tests.browser.files import (
    attach,
    choose,
    complaints,
    field,
    hand_over,
    is_painted,
    page,
    pair,
    picture,
    ready,
    send,
    site,
    size_of,
    strip,
    text,
)
from tests.browser.page import (
    TOUCH_TARGET_PX,
    NewContext,
    anatomy,
    chat,
    enter,
    first_visible,
    joined,
    sent,
    violations,
)
from tests.services.server import Server

__all__ = ["complaints", "page", "pair", "site"]  # fixtures


# With a message


@pytest.mark.firefox
def test_chosen_files_go_with_the_message_and_another_window_shows_them(pair: tuple[Page, Page]) -> None:
    ana, bo = pair
    attach(ana, picture("cat.png"), text("notes.txt"))
    ana.get_by_label("Description of cat.png").fill("A cat on a wall")
    send(ana, "look")

    expect(strip(ana)).to_have_count(0)
    expect(bo.locator("#m-1 .roomchat-body")).to_have_text("look")
    image = bo.get_by_role("img", name="A cat on a wall")
    is_painted(image)
    assert size_of(image) == (300, 200)
    row = bo.locator("#m-1").get_by_role("link", name="notes.txt")
    expect(row).to_have_text("notes.txt 0.1 KB")
    assert bo.request.get(str(row.evaluate("(link) => link.href"))).text() == "milk and bread"


def test_a_message_may_be_nothing_but_files(pair: tuple[Page, Page]) -> None:
    ana, bo = pair
    send(ana)
    attach(ana, picture())
    send(ana)

    is_painted(bo.locator("#m-1").get_by_role("img", name="cat.png"))
    expect(bo.locator("#m-1 .roomchat-bubble")).to_be_hidden()
    expect(bo.locator("li.roomchat-message")).to_have_count(1)


def test_server_and_browser_render_the_same_files_alike(pair: tuple[Page, Page]) -> None:
    ana, bo = pair
    attach(ana, picture("<cat>.png", size=(800, 100)), text(), picture("dog.jpg", kind="jpeg"))
    send(ana, "look")
    expect(bo.locator("#m-1 img")).to_have_count(2)
    shown = anatomy(bo)
    bo.reload()
    expect(chat(bo)).to_have_attribute("connected", "")

    assert anatomy(bo) == shown


@pytest.mark.firefox
def test_a_picture_takes_its_place_before_it_is_there(
    pair: tuple[Page, Page], site: Server, room: str
) -> None:
    ana, bo = pair
    held: list[Route] = []
    bo.route("**/thumb", lambda route: held.append(route))
    attach(ana, picture("large.png", size=(1300, 1000)))
    send(ana, "below")
    image = bo.get_by_role("img", name="large.png")
    expect(image).to_be_visible()
    before = first_visible(bo), size_of(image)
    held.pop().continue_()
    is_painted(image)

    assert (first_visible(bo), size_of(image)) == before
    assert size_of(image) == (400, 308)


def test_a_reload_keeps_the_message_and_what_lies_ready(pair: tuple[Page, Page]) -> None:
    ana, bo = pair
    attach(ana, picture("first.png"))
    send(ana)
    expect(sent(ana)).to_have_count(1)
    attach(ana, picture("second.png"))
    ana.get_by_label("Description of second.png").fill("The second one")
    ana.reload()

    is_painted(ana.get_by_role("img", name="first.png"))
    expect(strip(ana)).to_have_count(1)
    is_painted(strip(ana).locator("img"))
    expect(ana.get_by_label("Description of second.png")).to_have_value("The second one")
    expect(chat(ana)).to_have_attribute("connected", "")
    send(ana, "after the reload")
    is_painted(bo.get_by_role("img", name="The second one"))
    ana.reload()
    expect(sent(ana)).to_have_count(2)
    expect(strip(ana)).to_have_count(0)


def test_what_is_deleted_takes_its_files_along(pair: tuple[Page, Page]) -> None:
    ana, bo = pair
    attach(ana, picture())
    send(ana)
    image = bo.get_by_role("img", name="cat.png")
    expect(image).to_be_visible()
    address = str(bo.locator("[data-part=picture]").evaluate("(link) => link.href"))
    assert bo.request.get(address).status == 200
    ana.evaluate("() => document.querySelector('room-chat').session.request({ type: 'delete', seq: 1 })")

    expect(bo.locator("#m-1 .roomchat-body")).to_have_text("Message deleted")
    expect(image).to_have_count(0)
    assert bo.request.get(address).status == 404


def test_an_answer_to_nothing_but_files_names_them(pair: tuple[Page, Page]) -> None:
    ana, bo = pair
    attach(ana, text("notes.txt"), text("more.txt"))
    send(ana)
    expect(bo.locator("#m-1 .roomchat-file")).to_have_count(2)
    bo.locator("#m-1").hover()
    bo.locator("#m-1").get_by_role("button", name="Actions").click()
    bo.get_by_role("menuitem", name="Reply").click()
    expect(bo.locator("[data-part=about-text]")).to_have_text("notes.txt, more.txt")
    send(bo, "thanks")

    expect(ana.locator("#m-2 [data-part=quote-body]")).to_have_text("notes.txt, more.txt")


# Choosing, pasting and dropping


def test_what_was_chosen_before_the_script_came_is_attached(page: Page, site: Server, room: str) -> None:
    held: list[Route] = []
    page.route("**/files.js", lambda route: held.append(route), times=1)
    page.goto(f"{site.url}/chat/{room}/", wait_until="domcontentloaded")  # in Firefox, "load" waits for it
    expect(chat(page)).to_have_attribute("connected", "")
    choose(page, text())
    expect(strip(page)).to_have_count(0)
    held.pop().continue_()

    expect(strip(page)).to_contain_text("notes.txt")


def test_without_that_script_there_is_no_button_and_one_can_still_talk(
    page: Page, site: Server, room: str
) -> None:
    expect(page.get_by_label("Attach files")).to_be_visible()
    page.route("**/files.js", lambda route: route.abort())
    joined(page, site, room)

    expect(page.get_by_label("Attach files")).to_have_count(0)
    send(page, "hello")
    expect(sent(page)).to_have_count(1)


def test_a_pasted_picture_is_attached(page: Page) -> None:
    hand_over(page, "paste", picture("image.png"))

    expect(strip(page)).to_contain_text("image.png")
    expect(strip(page).locator("canvas")).to_be_visible()


def test_a_pasted_text_with_its_picture_stays_a_text(page: Page) -> None:
    page.locator("[data-part=input]").evaluate(
        """(input) => {
          const copied = new DataTransfer();
          copied.items.add("1\\t2", "text/plain");
          copied.items.add("<table></table>", "text/html");
          copied.items.add(new File(["x"], "image.png", { type: "image/png" }));
          const event = new ClipboardEvent("paste", { bubbles: true, cancelable: true, clipboardData: copied });
          window.pasted = input.dispatchEvent(event);
        }"""
    )

    assert page.evaluate("window.pasted") is True
    expect(strip(page)).to_have_count(0)


def test_files_are_dropped_on_a_place_that_shows_itself(page: Page) -> None:
    target = page.get_by_text("Drop files here")
    expect(target).to_be_hidden()
    hand_over(page, "dragenter", picture(), on="[role=log]")
    expect(target).to_be_visible()
    hand_over(page, "dragleave", picture(), on="room-chat")
    expect(target).to_be_hidden()
    hand_over(page, "dragover", picture(), on="[role=log]")
    expect(target).to_be_visible()
    hand_over(page, "drop", picture("dropped.png"), on="[role=log]")

    expect(target).to_be_hidden()
    expect(strip(page)).to_contain_text("dropped.png")


def test_the_button_is_there_as_long_as_one_may(page: Page, site: Server, room: str) -> None:
    lines: list[WebSocketRoute] = []

    def listen(line: WebSocketRoute) -> None:
        line.connect_to_server()
        lines.append(line)

    page.route_web_socket("**/ws/**", listen)
    ready(page, site, room)
    expect(page.get_by_label("Attach files")).to_be_visible()
    lines[-1].send(json.dumps({"type": "rights", "room": room, "can": ["post"], "title": room}))
    expect(page.get_by_label("Attach files")).to_be_hidden()
    hand_over(page, "paste", picture())
    expect(strip(page)).to_have_count(0)
    lines[-1].send(json.dumps({"type": "rights", "room": room, "can": ["post", "attach"], "title": room}))

    expect(page.get_by_label("Attach files")).to_be_visible()


# Opening


def test_a_picture_is_looked_at_large_with_keys_and_given_back(page: Page) -> None:
    attach(page, picture("one.png"), picture("two.png", colour="navy"))
    send(page)
    links = page.locator("#m-1 [data-part=picture]")
    expect(links).to_have_count(2)
    links.first.focus()
    page.keyboard.press("Enter")
    box = page.get_by_role("dialog", name="Image")
    is_painted(box.get_by_role("img", name="one.png"))
    expect(box.get_by_role("button", name="Previous image")).to_be_hidden()
    page.keyboard.press("ArrowRight")
    is_painted(box.get_by_role("img", name="two.png"))
    expect(box.get_by_role("button", name="Next image")).to_be_hidden()
    with page.expect_download() as download:
        box.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "two.png"
    page.keyboard.press("Escape")

    expect(box).to_be_hidden()
    expect(links.first).to_be_focused()


def test_where_the_policy_forbids_players_the_file_is_still_there(
    page: Page, site: Server, room: str, new_context: NewContext, browser_name: str
) -> None:
    sound = b"RIFF\x2c\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data\x08\x00\x00\x00"
    watching = ready(new_context().new_page(), site, room)
    attach(page, {"name": "bell.wav", "mimeType": "audio/x-wav", "buffer": sound + bytes(8)})
    send(page)

    expect(watching.locator("#m-1").get_by_role("link", name="bell.wav")).to_be_visible()
    if browser_name == "firefox":  # which asks the policy when somebody wants to hear it
        expect(watching.locator("audio")).to_have_count(1)
        watching.locator("audio").evaluate("(player) => player.play().catch(() => {})")
    expect(watching.locator("audio")).to_have_count(0)


# Accessibility and small screens


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_strip_the_files_and_the_picture(
    site: Server, room: str, scheme: Any, new_context: NewContext
) -> None:
    page = ready(new_context(color_scheme=scheme).new_page(), site, f"{room}-{scheme}")
    attach(page, picture("one.png"), picture("two.png"), text())
    send(page, "look")
    expect(sent(page)).to_have_count(1)
    choose(page, picture("three.png"), text("program.txt", b"\x7fELF" + bytes(range(256))))
    expect(strip(page).get_by_role("alert").filter(has_text="not accepted")).to_be_visible()
    hand_over(page, "dragenter", picture(), on="[role=log]")
    assert violations(page) == []
    hand_over(page, "dragleave", picture(), on="room-chat")
    page.locator("#m-1 [data-part=picture]").first.click()
    expect(page.get_by_role("dialog", name="Image")).to_be_visible()

    assert violations(page) == []


def test_a_phone_of_320_pixels_has_room_for_files(site: Server, room: str, new_context: NewContext) -> None:
    page = ready(new_context(viewport={"width": 320, "height": 640}, has_touch=True).new_page(), site, room)
    button = page.get_by_role("button", name="Send")
    attach(page, picture(f"{'long' * 30}.png", size=(2000, 700)), text(f"{'long' * 30}.txt"))
    field(page).fill("look")
    button.click()
    expect(sent(page)).to_have_count(1)
    attach(page, picture("portrait.png", size=(500, 1500)))
    button.click()
    expect(sent(page)).to_have_count(2)
    attach(page, picture(), text(), text("more.txt"))

    widths = page.evaluate(
        "[document.documentElement, document.querySelector('[role=log]')].map((box) => box.scrollWidth - box.clientWidth)"
    )
    assert widths == [0, 0]
    for control in page.locator(
        "form button:visible, form input:visible, #m-1 .roomchat-files a:visible"
    ).all():
        assert min(size_of(control)) >= TOUCH_TARGET_PX, control.evaluate("(element) => element.outerHTML")


def test_what_is_said_of_a_picture_can_be_scrolled_with_the_keys_if_it_is_long(page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    attach(page, picture("short.png"), picture(f"{'long ' * 30}.png"))
    send(page)
    links = page.locator("#m-1 [data-part=picture]")
    expect(links).to_have_count(2)
    links.last.click()
    title = page.locator("[data-part=lightbox-title]")
    expect(title).to_have_attribute("tabindex", "0")
    assert violations(page) == []
    title.focus()
    page.keyboard.press("End")
    page.wait_for_function("(title) => title.scrollTop > 0", arg=title.element_handle())
    page.get_by_role("button", name="Previous image").click()

    expect(title).to_have_text("short.png")
    expect(title).to_have_attribute("tabindex", "-1")


def test_a_screenshot_of_a_long_page_stays_readable(pair: tuple[Page, Page]) -> None:
    ana, bo = pair
    attach(ana, picture("page.png", size=(1280, 10_000)))
    send(ana)
    bo.locator("#m-1 [data-part=picture]").click()
    # Its own width, where the window would have room for a twelfth of it.
    shown = bo.locator("[data-part=lightbox-image]")
    expect(shown).to_have_js_property("naturalWidth", 1280)
    scroller = bo.locator("[data-part=lightbox-scroller]")
    widths = [shown.evaluate("(image) => image.clientWidth"), scroller.evaluate("(box) => box.clientWidth")]
    assert widths[0] == min(1280, widths[1])
    bo.bring_to_front()
    scroller.focus()
    bo.keyboard.press("End")
    bo.wait_for_function("(box) => box.scrollTop > 5_000", arg=scroller.element_handle())
    assert violations(bo) == []
    bo.reload()
    link = bo.locator("#m-1 [data-part=picture]")
    with bo.expect_response("**/page.png") as stored:
        link.click()

    assert Image.open(BytesIO(stored.value.body())).size == (1280, 10_000)


# Without a script


def test_without_a_script_files_go_with_the_form_and_lead_to_themselves(
    site: Server, room: str, new_context: NewContext
) -> None:
    page = enter(new_context(java_script_enabled=False).new_page(), site, room)
    choose(page, picture("plain.png"), text())
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("img", name="plain.png")).to_be_visible()
    expect(page.locator("#m-1").get_by_role("link", name="notes.txt")).to_be_visible()
    page.get_by_role("img", name="plain.png").click()

    page.wait_for_url("**/plain.png")
