"""Fingerprints of drafts."""

import pytest

from django_roomchat.protocol import FileToPost
from tests.support.log import draft

FILE = FileToPost("f1", "a tree")


def test_a_retry_has_the_same_fingerprint():
    assert draft("a", "hi").fingerprint == draft("a", "hi").fingerprint


@pytest.mark.parametrize(
    "other",
    [
        draft("a", "ho"),
        draft("a", "hi", reply_to=1),
        draft("a", "hi", files=(FILE,)),
    ],
)
def test_another_content_has_another_fingerprint(other):
    assert draft("a", "hi").fingerprint != other.fingerprint


def test_the_description_of_a_file_is_part_of_the_content():
    one, other = (draft("a", files=(FileToPost("f1", alt),)) for alt in ("a tree", "a house"))

    assert one.fingerprint != other.fingerprint


def test_a_text_that_the_filter_changed_has_the_fingerprint_of_the_text_as_typed():
    assert draft("a", "***", typed="rude").fingerprint == draft("a", "rude").fingerprint


def test_the_slow_mode_and_the_rendered_data_are_not_part_of_the_content():
    rendered = draft("a", "hi", data={"html": "<p>hi</p>"}, slow_seconds=5)

    assert rendered.fingerprint == draft("a", "hi").fingerprint


def test_author_and_client_id_identify_a_message_of_a_room():
    assert draft("a", author="u:2").once == ("u:2", "a")
