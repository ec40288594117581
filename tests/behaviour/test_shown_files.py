"""Files of a message: kind, size and thumbnail, in Python as in JavaScript."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.template import Context, Template
from django.test import Client
from django.utils import translation

from django_roomchat.protocol import File
from django_roomchat.templatetags import roomchat as tags

# The tests of the page's scripts read the same file.
FILES = json.loads((Path(__file__).parent.parent / "shared" / "files.json").read_text())


def file(type: str = "application/pdf", *, name: str = "plan.pdf", bytes: int = 3072, **more: Any) -> File:
    return File(id="f", name=name, type=type, bytes=bytes, url="/chat/lobby/files/f/plan.pdf", **more)


def rendered(shown: File | None) -> str:
    page = Template('{% include "django_roomchat/_file.html" %}').render(Context({"file": shown}))
    return " ".join(page.split())


@pytest.mark.parametrize("case", FILES, ids=lambda case: f"{case['type']} {case['bytes']}")
def test_kind_size_and_place_of_a_file_are_those_of_the_browser(case: dict[str, Any]) -> None:
    shown = file(case["type"], bytes=case["bytes"], width=case.get("width"), height=case.get("height"))
    box = tags.roomchat_box(shown)

    assert tags.roomchat_kind(shown) == case["kind"]
    assert tags.roomchat_size(shown.bytes) == case["size"]
    assert (list(box) if box else None) == case.get("box")


def test_a_size_has_the_reader_s_numbers() -> None:
    with translation.override("de"):
        assert tags.roomchat_size(1_468_006).startswith("1,4")


def test_a_picture_is_a_link_to_itself_which_says_what_it_shows() -> None:
    picture = file("image/png", name="<cat>.png", width=800, height=400, thumb="/thumb", alt='A "cat"')

    page = rendered(picture)
    assert '<a class="roomchat-picture" data-part="picture" href="/chat/lobby/files/f/plan.pdf">' in page
    assert (
        '<img src="/thumb" width="400" height="200" alt="A &quot;cat&quot;" loading="lazy" decoding="async">'
        in page
    )
    assert 'data-name="&lt;cat&gt;.png"' in page


def test_a_small_picture_is_shown_itself_and_called_by_its_name() -> None:
    page = rendered(file("image/png", name="dot.png", width=60, height=60))

    assert '<img src="/chat/lobby/files/f/plan.pdf" width="60" height="60" alt="dot.png"' in page


def test_a_file_without_an_address_leads_nowhere() -> None:
    nowhere = File(id="f", name="plan.pdf", type="application/pdf", bytes=3072, url="")

    assert "plan.pdf" in rendered(nowhere)
    assert "href" not in rendered(nowhere)
    assert "href" in rendered(file())


def test_the_browser_clones_what_the_server_renders() -> None:
    """Each kind has its part in the template for the browser, and nothing of it has an address."""
    cloned = rendered(None)

    for kind in ("image", "video", "audio", "text", "archive", "file"):
        assert f'data-for="{kind}"' in cloned
    assert "src=" not in cloned
    assert "href" not in cloned


@pytest.mark.django_db
def test_there_is_a_button_where_there_is_a_place_for_files(
    client: Client, settings: LazySettings, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    with_place = client.get("/chat/lobby/").content.decode()
    settings.MEDIA_ROOT = ""
    without = client.get("/chat/lobby/").content.decode()

    for part in ('name="files"', "files.js", "data-files-url", 'enctype="multipart/form-data"'):
        assert part in with_place
        assert part not in without
    assert 'name="body"' in without
