"""The output of the template tags, without a browser."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.http import HttpRequest
from django.template import Context, Template, TemplateSyntaxError
from django.test import RequestFactory, override_settings
from django.utils import translation

import django_roomchat
from django_roomchat.templatetags import roomchat as tags

START = datetime(2026, 1, 2, 10, tzinfo=UTC)


@pytest.fixture
def request_of_a_guest(rf: RequestFactory) -> HttpRequest:
    request = rf.get("/page/?tab=1")
    request.session = SessionStore()
    return request


def render(template: str, **context: Any) -> str:
    return Template("{% load roomchat %}" + template).render(Context(context))


def said(minutes: float = 0, *, by: str = "a", kind: str = "user") -> SimpleNamespace:
    return SimpleNamespace(at=START + timedelta(minutes=minutes), author_key=by, kind=kind)


# The tags


@pytest.mark.django_db
def test_a_room_brings_its_style_and_script_once_into_a_page(request_of_a_guest: HttpRequest) -> None:
    page = render("{% roomchat 'Lobby' %}{% roomchat 'kitchen' %}", request=request_of_a_guest)

    assert page.count("<room-chat ") == 2
    assert (
        len(re.findall(r'<link rel="stylesheet" href="/static/django_roomchat/roomchat[^"]*css">', page)) == 1
    )
    assert (
        len(
            re.findall(r'<script type="module" src="/static/django_roomchat/roomchat[^"]*js"></script>', page)
        )
        == 1
    )


@pytest.mark.django_db
def test_a_room_that_is_embedded_leads_nowhere_else(request_of_a_guest: HttpRequest) -> None:
    page = render("{% roomchat 'Lobby' %}", request=request_of_a_guest)

    assert "roomchat-back" not in page
    assert '<h2 class="roomchat-title"><bdi data-part="title">Lobby</bdi></h2>' in page


def test_a_room_without_a_request_says_what_to_do() -> None:
    with pytest.raises(TemplateSyntaxError, match="context_processors.request"):
        render("{% roomchat 'lobby' %}")


def test_two_pages_have_the_script_each() -> None:
    template = Template("{% load roomchat %}{% roomchat_assets %}")

    assert [template.render(Context()).count("<script") for _ in range(2)] == [1, 1]


class UnusedNonce(str):
    """Like Django's lazy nonce: false until it has been rendered."""

    def __bool__(self) -> bool:
        return False


@pytest.mark.parametrize(
    "context",
    [
        {"csp_nonce": UnusedNonce("n0nce")},
        {"request": SimpleNamespace(_csp_nonce=UnusedNonce("n0nce"))},
        {"request": SimpleNamespace(csp_nonce="n0nce")},
    ],
    ids=["Django's, by its context processor", "Django's, by its middleware", "django-csp's"],
)
def test_style_and_script_carry_the_nonce_of_the_page(context: dict[str, Any]) -> None:
    assert render("{% roomchat_assets %}", **context).count(' nonce="n0nce"') == 2


@pytest.mark.django_db
def test_an_embedded_room_carries_the_nonce_too(request_of_a_guest: HttpRequest) -> None:
    page = render("{% roomchat 'lobby' %}", request=request_of_a_guest, csp_nonce=UnusedNonce("n0nce"))

    assert page.count(' nonce="n0nce"') == 2


def test_signing_in_leads_back_to_the_page(request_of_a_guest: HttpRequest) -> None:
    url = render("{% roomchat_login_url %}", request=request_of_a_guest)

    assert url == "/accounts/login/?next=%2Fpage%2F%3Ftab%3D1"


@override_settings(LOGIN_URL="there-is-no-such-view")
def test_a_site_without_a_sign_in_page_has_no_address_for_it() -> None:
    assert render("{% roomchat_login_url %}") == ""


@pytest.mark.django_db
@override_settings(USE_THOUSAND_SEPARATOR=True)
def test_numbers_that_a_script_reads_are_not_dressed_up(request_of_a_guest: HttpRequest) -> None:
    assert 'data-body-max="4000"' in render("{% roomchat 'lobby' %}", request=request_of_a_guest)


@pytest.mark.django_db
@override_settings(
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {"string_if_invalid": "BROKEN"},
        }
    ]
)
def test_the_templates_name_nothing_that_is_not_there(request_of_a_guest: HttpRequest) -> None:
    assert "BROKEN" not in render("{% roomchat 'lobby' %}", request=request_of_a_guest)


# Words


def test_the_script_speaks_the_page_s_language() -> None:
    with translation.override("ko"):
        korean = tags.roomchat_words()

    assert korean["today"] == "오늘"
    assert [key for key, word in korean.items() if word == tags.roomchat_words()[key]] == []


def test_a_sentence_with_a_number_comes_in_all_its_forms() -> None:
    with translation.override("en"):
        word = tags._counted(lambda n: f"{{count}} {'day' if n == 1 else 'days'}")

    assert word == {"forms": ["{count} days", "{count} day"], "of": "01" + 198 * "0"}


@pytest.mark.parametrize(
    ("language", "own"),
    [
        ("en", []),
        ("en-gb", []),
        ("ko", ["ko"]),
        ("es-mx", ["es"]),
        ("pt", ["pt-br"]),
        ("pt-br", ["pt-br"]),
        ("zh-hans", ["zh-hans"]),
        ("zh-hant", []),
        ("ast", []),
    ],
)
def test_emoji_have_english_names_and_those_of_the_page_s_language(language: str, own: list[str]) -> None:
    with translation.override(language):
        urls = render("{% roomchat_emoji %}").split()

    assert urls == [f"/static/django_roomchat/emoji/{name}.json" for name in ["en", *own]]


def test_the_names_of_emoji_are_there_in_each_language_that_is_offered() -> None:
    folder = Path(django_roomchat.__file__).parent / "static" / "django_roomchat" / "emoji"

    assert tuple(sorted(path.stem for path in folder.glob("*.json"))) == tags.EMOJI_LANGUAGES


# Messages


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no link", "no link"),
        ("<b> & 'so'", "&lt;b&gt; &amp; &#x27;so&#x27;"),
        ("see https://example.com/a?b=1&c=2 now", "see [https://example.com/a?b=1&amp;c=2] now"),
        ("(https://example.com/a_(b)), yes", "([https://example.com/a_(b)]), yes"),
        ("여기https://example.com。", "여기[https://example.com]。"),
        ("javascript:alert(1) xhttp://a.example ftp://a.example", None),
        ("https:// http://...", None),
        ('https://example.com/"><script>', "[https://example.com/]&quot;&gt;&lt;script&gt;"),
    ],
)
def test_addresses_become_links_and_nothing_else_becomes_markup(text: str, expected: str | None) -> None:
    html = tags.roomchat_body(text)
    readable = re.sub(
        r'<a href="([^"]*)" target="_blank" rel="noopener noreferrer nofollow ugc">\1</a>', r"[\1]", html
    )

    assert readable == (text if expected is None else expected)


def test_the_colour_of_a_person_never_changes() -> None:
    assert [tags.roomchat_hue(key) for key in ("", "a", "u:12", "g:한국어")] == [1, 4, 9, 4]


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("Ana Silva", "AS"),
        ("Guest 4821", "G"),
        ("김민수", "김"),
        ("山田 由紀", "山由"),
        ("🎉 party", "🎉"),
        ("ana", "A"),
        (" ", ""),
    ],
)
def test_initials_are_of_the_first_and_the_last_word(name: str, initials: str) -> None:
    assert tags.roomchat_initials(name) == initials


@pytest.mark.parametrize(
    ("above", "below", "follows"),
    [
        (said(), said(4.9), True),
        (said(), said(5), False),
        (said(), said(1, by="b"), False),
        (said(), said(1, kind="system"), False),
        (said(14 * 60 - 1), said(14 * 60), False),
    ],
    ids=["soon", "later", "somebody else", "the room itself", "the next day"],
)
def test_a_message_goes_on_what_its_author_just_said(above: Any, below: Any, follows: bool) -> None:
    assert [row.follows for row in tags.roomchat_rows([above, below])] == [False, follows]


def test_each_day_starts_once() -> None:
    rows = tags.roomchat_rows([said(), said(1), said(24 * 60), said(24 * 60 + 1)])

    assert [row.starts_day for row in rows] == [True, False, True, False]


def test_a_day_is_that_of_the_site_s_time_zone() -> None:
    with override_settings(TIME_ZONE="Asia/Seoul"):
        rows = list(tags.roomchat_rows([said(0), said(5 * 60)]))

    assert [row.starts_day for row in rows] == [True, True]
