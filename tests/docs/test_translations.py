"""Every word of every language: all there, none doubtful, each with the forms that its language has for numbers."""

import gettext
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from django.utils import translation
from django.utils.translation import ngettext

from tests.services.server import ROOT
from tests.support.sentences import PACKAGE, Sentence, sentences

LANGUAGES = ["ar", "de", "es", "fr", "ja", "ko", "pt_BR", "zh_Hans"]
"""All but English, in which the sources are written."""

SAID = sentences()


def catalog(language: str) -> Catalog:
    with (PACKAGE / "locale" / language / "LC_MESSAGES" / "django.po").open("rb") as file:
        return read_po(file, locale=language)


def messages(language: str) -> list[Message]:
    return [message for message in catalog(language) if message.id]


def original(message: Message) -> Sentence:
    return tuple(message.id) if message.pluralizable else (message.id,)


def forms(message: Message) -> tuple[str, ...]:
    return tuple(message.string) if message.pluralizable else (message.string,)


def marks(text: str) -> list[str]:
    """The values and the markup that a translation must contain."""
    return sorted(re.findall(r"%\(\w+\)[sd]|\{\w+\}|<[^>]*>", text))


def test_all_languages_are_here() -> None:
    assert sorted(path.name for path in (PACKAGE / "locale").iterdir()) == LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_there_and_no_other(language: str) -> None:
    assert {original(message) for message in messages(language)} == SAID


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_is_missing_or_doubtful(language: str) -> None:
    missing = [message.id for message in messages(language) if message.fuzzy or not all(forms(message))]

    assert missing == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_left_of_older_sentences(language: str) -> None:
    assert list(catalog(language).obsolete) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_number_has_the_form_of_its_language(language: str) -> None:
    counts = {len(forms(message)) for message in messages(language) if message.pluralizable}

    # With a form more or fewer than the language's rule requires, a wrong form would be shown.
    assert counts == {catalog(language).num_plurals}


@pytest.mark.parametrize("language", LANGUAGES)
def test_values_and_markup_are_carried_over(language: str) -> None:
    lost = [
        message.id
        for message in messages(language)
        if not message.pluralizable and marks(message.string) != marks(message.id)
    ]

    assert lost == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_form_for_a_number_names_nothing_that_is_not_there(language: str) -> None:
    # In Arabic, one and two are written without a digit.
    invented = [
        message.id
        for message in messages(language)
        if message.pluralizable
        for form in forms(message)
        if not set(marks(form)) <= set(marks(message.id[1]))
    ]

    assert invented == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_shipped_was_compiled_from_what_is_written(language: str) -> None:
    with (PACKAGE / "locale" / language / "LC_MESSAGES" / "django.mo").open("rb") as file:
        shipped = gettext.GNUTranslations(file)

    assert [
        message.id
        for message in messages(language)
        if not message.pluralizable and shipped.gettext(message.id) != message.string
    ] == []


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "en",
            ["0 messages rejected.", "1 message rejected.", "2 messages rejected.", "11 messages rejected."],
        ),
        (
            "de",
            [
                "0 Nachrichten abgelehnt.",
                "1 Nachricht abgelehnt.",
                "2 Nachrichten abgelehnt.",
                "11 Nachrichten abgelehnt.",
            ],
        ),
        ("fr", ["0 message refusé.", "1 message refusé.", "2 messages refusés.", "11 messages refusés."]),
        (
            "ko",
            [
                "메시지 0개를 거절했습니다.",
                "메시지 1개를 거절했습니다.",
                "메시지 2개를 거절했습니다.",
                "메시지 11개를 거절했습니다.",
            ],
        ),
        ("ar", ["لم تُرفض أي رسالة.", "رُفضت رسالة واحدة.", "رُفضت رسالتان.", "رُفضت 11 رسالة."]),
    ],
    ids=["en", "de", "fr", "ko", "ar"],
)
def test_numbers_are_told_as_people_say_them(language: str, said: list[str]) -> None:
    with translation.override(language):
        told = [
            ngettext("%(count)d message rejected.", "%(count)d messages rejected.", count) % {"count": count}
            for count in (0, 1, 2, 11)
        ]

    assert told == said


def test_the_languages_are_named_in_the_documentation() -> None:
    page = Path(ROOT / "docs" / "howto" / "languages.md").read_text()

    assert set(re.findall(r"^\| `([\w-]+)` \|", page, re.MULTILINE)) == {
        "en",
        *(translation.to_language(name) for name in LANGUAGES),
    }
