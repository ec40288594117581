"""A server that accepts files, its fixtures, and actions that attach files to a message."""

import base64
import shutil
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from playwright.sync_api import ConsoleMessage, FilePayload, Locator, Page, Route, expect

from tests.browser.page import NewContext, joined
from tests.services.server import Server

Image = pytest.importorskip("PIL.Image")

UPLOADS = "**/files/"
LIMITS = {"ATTACHMENT_MAX_BYTES": 400_000, "ATTACHMENTS_PER_MESSAGE": 3}


@pytest.fixture(scope="module")
def site(_migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that accepts three files in a message, each of at most 400,000 bytes."""
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
    """Errors that the browsers of a test have logged."""
    return []


@pytest.fixture
def pair(
    site: Server, room: str, new_context: NewContext, complaints: list[str]
) -> Iterator[tuple[Page, Page]]:
    """The pages of two users in a room. The test fails if one of them logs an error."""
    pages = new_context().new_page(), new_context().new_page()
    for page in pages:
        page.on("console", lambda message: note(complaints, message))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        ready(page, site, room)
    yield pages
    assert complaints == []


@pytest.fixture
def page(page: Page, site: Server, room: str) -> Page:
    """The page of one user in a room."""
    return ready(page, site, room)


def ready(page: Page, site: Server, room: str) -> Page:
    """Enter a room, and wait for the script of attachments, which is loaded after the page."""
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
    """Choose files, and wait until they are uploaded."""
    choose(page, *files)
    expect(strip(page).and_(page.locator("[data-state=done]"))).to_have_count(len(files))


def strip(page: Page) -> Locator:
    """Return the locator of the attached files above the text field."""
    return page.locator(".roomchat-upload")


def field(page: Page) -> Locator:
    return page.locator("[data-part=input]")


def send(page: Page, words: str = "") -> None:
    field(page).fill(words)
    field(page).press("Enter")


def hand_over(page: Page, event: str, file: FilePayload, *, on: str = "[data-part=input]") -> None:
    """Dispatch the events of a pasted, dragged or dropped file."""
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
    """Assert that an image is loaded."""
    expect(image).to_have_js_property("complete", value=True)
    assert image.evaluate("(image) => image.naturalWidth") > 0


def size_of(box: Locator) -> tuple[float, float]:
    found = box.bounding_box()
    assert found is not None
    return found["width"], found["height"]


def hold(page: Page) -> Callable[[], Route]:
    """Hold the next upload, and return a function that returns its route, to be continued or answered."""
    held: list[Route] = []
    page.route(UPLOADS, lambda route: held.append(route), times=1)
    return held.pop
