"""Files: chosen, pasted or dropped, sent with a message, and looked at.

All of it under a strict content security policy, which allows neither `blob:` nor `data:`.
"""

import base64
import json
import shutil
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import ConsoleMessage, FilePayload, Locator, Page, Route, WebSocketRoute, expect

from tests.browser.page import (
    TOUCH_TARGET_PX,
    NewContext,
    anatomy,
    chat,
    enter,
    failed,
    first_visible,
    joined,
    pending,
    sent,
    violations,
)
from tests.services.server import Server

Image = pytest.importorskip("PIL.Image")

UPLOADS = "**/files/"
LIMITS = {"ATTACHMENT_MAX_BYTES": 400_000, "ATTACHMENTS_PER_MESSAGE": 3}


@pytest.fixture(scope="module")
def site(_migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that takes files: three with a message, and of 400,000 bytes at most."""
    folder = tmp_path_factory.mktemp("site")
    copied = shutil.copy(_migrated_sqlite, folder / "site.sqlite3")
    server = Server(
        folder / "server.log",
        database_url=f"sqlite:///{copied}",
        settings="tests.browser.files_settings",
        roomchat=LIMITS,
        env={"MEDIA_ROOT": str(folder / "media")},
    )
    server.start()
    yield server
    server.stop()


@pytest.fixture
def complaints() -> list[str]:
    """What the browsers of a test have found wrong."""
    return []


@pytest.fixture
def pair(
    site: Server, room: str, new_context: NewContext, complaints: list[str]
) -> Iterator[tuple[Page, Page]]:
    """Two people in a room, whose browsers have nothing to complain about."""
    pages = new_context().new_page(), new_context().new_page()
    for page in pages:
        page.on("console", lambda message: note(complaints, message))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        ready(page, site, room)
    yield pages
    assert complaints == []


@pytest.fixture
def page(page: Page, site: Server, room: str) -> Page:
    """One person in a room."""
    return ready(page, site, room)


def ready(page: Page, site: Server, room: str) -> Page:
    """In a room, with the script that comes after the page."""
    joined(page, site, room)
    page.evaluate("() => import(document.querySelector('room-chat').dataset.filesSrc).then(() => undefined)")
    return page


def note(complaints: list[str], message: ConsoleMessage) -> None:
    if message.type == "error":
        complaints.append(message.text)


def picture(
    name: str = "cat.png", *, size: tuple[int, int] = (300, 200), kind: str = "png", colour: str = "teal"
) -> FilePayload:
    made = BytesIO()
    Image.new("RGB", size, colour).save(made, kind)
    return {"name": name, "mimeType": f"image/{kind}", "buffer": made.getvalue()}


def text(name: str = "notes.txt", content: bytes = b"milk and bread") -> FilePayload:
    return {"name": name, "mimeType": "text/plain", "buffer": content}


def choose(page: Page, *files: FilePayload) -> None:
    page.get_by_label("Attach files").set_input_files(list(files))


def attach(page: Page, *files: FilePayload) -> None:
    """Choose files, and wait until the server has them."""
    choose(page, *files)
    expect(strip(page).and_(page.locator("[data-state=done]"))).to_have_count(len(files))


def strip(page: Page) -> Locator:
    """The files above the field."""
    return page.locator(".roomchat-upload")


def field(page: Page) -> Locator:
    return page.locator("[data-part=input]")


def send(page: Page, words: str = "") -> None:
    field(page).fill(words)
    field(page).press("Enter")


def hand_over(page: Page, event: str, file: FilePayload, *, on: str = "[data-part=input]") -> None:
    """Paste or drop a file, or drag it there, as far as a page can tell."""
    page.locator(on).evaluate(
        """(target, { event, name, type, content }) => {
          const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
          const files = new DataTransfer();
          files.items.add(new File([bytes], name, { type }));
          const about = { bubbles: true, cancelable: true, composed: true };
          const made = event === "paste" ? new ClipboardEvent(event, about) : new DragEvent(event, { ...about, dataTransfer: files });
          if (event === "paste") Object.defineProperty(made, "clipboardData", { value: files }); // Firefox takes none
          target.dispatchEvent(made);
        }""",
        {
            "event": event,
            "name": file["name"],
            "type": file["mimeType"],
            "content": base64.b64encode(file["buffer"]).decode(),
        },
    )


def is_painted(image: Locator) -> None:
    """The picture is there, and not only its place."""
    expect(image).to_have_js_property("complete", value=True)
    assert image.evaluate("(image) => image.naturalWidth") > 0


def size_of(box: Locator) -> tuple[float, float]:
    found = box.bounding_box()
    assert found is not None
    return found["width"], found["height"]


def hold(page: Page) -> Callable[[], Route]:
    """Keep the next upload from arriving. What is returned gives it free, to be answered."""
    held: list[Route] = []
    page.route(UPLOADS, lambda route: held.append(route), times=1)
    return held.pop


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


# Ways in


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


# On their way


def test_an_upload_shows_how_far_it_is(page: Page) -> None:
    line = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 100_000}
    line.send("Network.emulateNetworkConditions", slow)
    choose(page, text("long.txt", b"word " * 70_000))
    bar = page.get_by_role("progressbar", name="Uploading long.txt")

    expect(bar).to_be_visible()
    # Asked for in the page itself: the policy forbids what wait_for_function() does.
    page.evaluate(
        """() => new Promise((done) => {
          const bar = document.querySelector(".roomchat-upload progress");
          const look = () => (0 < bar.value && bar.value < 1 ? done() : requestAnimationFrame(look));
          look();
        })"""
    )
    line.send("Network.emulateNetworkConditions", {**slow, "uploadThroughput": -1})
    expect(bar).to_be_hidden()
    expect(page.locator("[data-part=attach-status]")).to_have_text("long.txt is attached.")


def test_an_upload_can_be_cancelled_on_its_way_and_thrown_away_afterwards(page: Page) -> None:
    hold(page)
    choose(page, text("one.txt"))
    expect(page.get_by_role("progressbar")).to_be_visible()
    with page.expect_event("requestfailed"):
        page.get_by_role("button", name="Remove one.txt").click()
    expect(strip(page)).to_have_count(0)
    expect(field(page)).to_be_focused()
    attach(page, text("two.txt"))
    with page.expect_response(lambda response: response.request.method == "DELETE") as taken_back:
        page.get_by_role("button", name="Remove two.txt").click()

    assert taken_back.value.ok
    expect(strip(page)).to_have_count(0)


def test_a_failed_upload_says_why_and_can_be_tried_again(page: Page) -> None:
    refusal = {"error": {"code": "rate_limited", "detail": "Not so many at once."}}
    page.route(UPLOADS, lambda route: route.fulfill(status=429, json=refusal), times=1)
    choose(page, picture())
    expect(strip(page).get_by_role("alert")).to_have_text("Not so many at once.")
    send(page, "look")
    expect(strip(page).get_by_role("button", name="Retry")).to_be_focused()
    expect(pending(page)).to_have_count(0)
    page.keyboard.press("Enter")
    expect(strip(page).and_(page.locator("[data-state=done]"))).to_have_count(1)
    field(page).press("Enter")

    expect(sent(page)).to_have_count(1)
    is_painted(page.get_by_role("img", name="cat.png"))


def test_what_the_server_finds_inside_is_told(page: Page) -> None:
    choose(page, text("program.txt", b"\x7fELF" + bytes(range(256))))

    expect(strip(page).get_by_role("alert")).to_have_text("Files of this type are not accepted here.")
    expect(strip(page).get_by_role("button", name="Retry")).to_be_hidden()


def test_an_upload_goes_on_when_the_network_is_back(page: Page) -> None:
    page.route(UPLOADS, lambda route: route.abort(), times=1)
    choose(page, text())

    expect(strip(page)).to_contain_text("Waiting for the network…")
    expect(strip(page)).to_contain_text("0.1 KB")
    expect(strip(page)).to_have_attribute("data-state", "done")


def test_what_cannot_be_taken_is_told_before_it_is_sent(page: Page) -> None:
    uploads: list[str] = []
    page.on("request", lambda request: uploads.append(request.url) if request.method == "POST" else None)
    bitmap: FilePayload = {"name": "old.bmp", "mimeType": "image/bmp", "buffer": b"BM"}
    choose(page, text("long.txt", b"x" * 400_001), text("empty.txt", b""), bitmap)

    for told in (
        "long.txt is too big. The limit is 391 KB.",
        "empty.txt is empty.",
        "Files of this type are not accepted: old.bmp.",
    ):
        expect(page.locator("[data-part=notice]")).to_contain_text(told)
    expect(strip(page)).to_have_count(0)
    assert uploads == []


def test_what_is_too_many_is_told_and_the_rest_is_taken(page: Page) -> None:
    choose(page, *(text(f"{number}.txt") for number in range(4)))

    expect(page.locator("[data-part=notice]")).to_contain_text("A message can have at most 3 files.")
    expect(strip(page)).to_have_count(3)


def test_a_big_photo_is_made_smaller_before_it_is_sent(page: Page) -> None:
    photo = picture("holiday.jpg", size=(4000, 3000), kind="jpeg")
    with page.expect_response(UPLOADS) as uploaded:
        choose(page, photo)

    answer: dict[str, Any] = uploaded.value.json()
    assert (answer["width"], answer["height"], answer["type"]) == (2560, 1920, "image/jpeg")


def test_a_message_waits_for_its_files_and_those_behind_it_wait_with_it(pair: tuple[Page, Page]) -> None:
    ana, bo = pair
    release = hold(ana)
    choose(ana, picture())
    expect(strip(ana)).to_have_count(1)
    send(ana, "first")
    send(ana, "second")
    expect(strip(ana)).to_have_count(0)
    expect(pending(ana)).to_have_count(2)
    expect(pending(ana).first.get_by_role("progressbar", name="Uploading cat.png")).to_be_visible()
    expect(pending(ana).first.locator("canvas")).to_be_visible()
    expect(pending(ana).first).to_contain_text("Waiting for file uploads…")
    release().continue_()

    expect(bo.locator("li .roomchat-body")).to_have_text(["first", "second"])
    expect(sent(ana).locator(".roomchat-body")).to_have_text(["first", "second"])
    is_painted(ana.get_by_role("img", name="cat.png"))
    expect(ana.locator("canvas")).to_have_count(0)


def test_a_message_that_waits_for_its_files_can_be_taken_back(page: Page) -> None:
    hold(page)
    choose(page, picture())
    send(page, "first")
    with page.expect_event("requestfailed"):
        pending(page).get_by_role("button", name="Delete").click()
    say_after = "second"
    send(page, say_after)

    expect(sent(page).locator(".roomchat-body")).to_have_text([say_after])
    expect(page.locator("li.roomchat-message")).to_have_count(1)


def test_a_message_whose_file_is_refused_has_failed_and_can_be_sent_again(page: Page) -> None:
    release = hold(page)
    choose(page, picture())
    send(page, "look")
    expect(pending(page)).to_have_count(1)
    release().fulfill(status=503, json={"error": {"code": "unavailable", "detail": "Not just now."}})
    expect(failed(page)).to_contain_text("Not just now.")
    failed(page).get_by_role("button", name="Retry").click()

    expect(sent(page)).to_have_count(1)
    is_painted(sent(page).get_by_role("img", name="cat.png"))


def test_a_page_that_is_closed_during_an_upload_keeps_the_words(page: Page) -> None:
    hold(page)
    choose(page, picture())
    send(page, "important words")
    expect(pending(page)).to_have_count(1)
    asked: list[str] = []
    page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.reload()

    expect(failed(page)).to_contain_text("important words")
    expect(failed(page)).to_contain_text("the page was closed before its files were uploaded")
    assert asked == ["beforeunload"]
    failed(page).get_by_role("button", name="Retry").click()
    expect(sent(page).locator(".roomchat-body")).to_have_text(["important words"])


# Looked at


def test_a_picture_is_looked_at_large_with_keys_and_given_back(page: Page) -> None:
    attach(page, picture("one.png"), picture("two.png", colour="navy"))
    send(page)
    links = page.locator("#m-1 [data-part=picture]")
    expect(links).to_have_count(2)
    links.first.focus()
    page.keyboard.press("Enter")
    box = page.get_by_role("dialog", name="Picture")
    is_painted(box.get_by_role("img", name="one.png"))
    expect(box.get_by_role("button", name="Previous picture")).to_be_hidden()
    page.keyboard.press("ArrowRight")
    is_painted(box.get_by_role("img", name="two.png"))
    expect(box.get_by_role("button", name="Next picture")).to_be_hidden()
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


# For everybody


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
    expect(page.get_by_role("dialog", name="Picture")).to_be_visible()

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
    page.get_by_role("button", name="Previous picture").click()

    expect(title).to_have_text("short.png")
    expect(title).to_have_attribute("tabindex", "-1")


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
