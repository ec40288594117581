"""The type of a file is determined by its content, not by its name."""

import itertools

import pytest

from django_roomchat.conf import FILE_TYPES
from django_roomchat.files.content_types import (
    EXTENSIONS,
    HEAD_BYTES,
    corrected_name,
    detect,
    for_chooser,
    in_words,
)
from tests.support.uploads import PDF, SAMPLES, archive, mp4, picture


def test_every_type_has_a_sample():
    assert set(SAMPLES) == set(EXTENSIONS)


def test_every_type_that_is_taken_by_default_can_be_recognised():
    assert set(FILE_TYPES) < set(EXTENSIONS)


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_type_is_recognised_by_its_marks(kind):
    assert detect([SAMPLES[kind]]) == kind


@pytest.mark.parametrize("kind", SAMPLES)
def test_it_does_not_matter_how_the_content_comes_in(kind):
    content = SAMPLES[kind]

    assert detect(content[place : place + 1] for place in range(len(content))) == kind


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\xff\xfb\x90\x64" + bytes(60), "audio/mpeg"),
        (mp4(b"3gp5"), "video/mp4"),
        (archive(), "application/zip"),
        # What a browser would take for a page is a text here.
        (b"<!doctype html><script>alert(1)</script>", "text/plain"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "text/plain"),
        (b"#!/bin/sh\nrm -rf /\n", "text/plain"),
        (b"+ADw-script+AD4-alert(1)", "text/plain"),
        ("\ufeffa,b\r\n1,2\r\n\t\f\x1b[0m".encode(), "text/plain"),
        # None of the types that are known.
        (b"\x7fELF\x02\x01\x01" + bytes(60), "application/octet-stream"),
        (b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska" + bytes(20), "application/octet-stream"),
        (b"caf\xe9", "text/plain; charset=windows-1252"),
        (b"abc\x00def", "application/octet-stream"),
        ("차".encode()[:2], "application/octet-stream"),
        # Two at once are what they begin as.
        (b"GIF89a=1;/*" + bytes(20) + b"*/alert(1)", "image/gif"),
        (picture("JPEG") + archive(evil="x"), "image/jpeg"),
        (PDF + archive(evil="x"), "application/pdf"),
        (b"<script>/*" + PDF, "application/octet-stream"),
    ],
)
def test_what_looks_like_something_else_is_what_it_is(content, kind):
    assert detect([content]) == kind


def test_a_text_is_read_to_its_end():
    assert detect(itertools.repeat(b"lorem ipsum ", 10_000)) == "text/plain"
    assert detect([*itertools.repeat(b"lorem ipsum ", 10_000), b"\0"]) == "application/octet-stream"


def test_what_is_no_text_is_not_read_to_its_end():
    pieces = iter([b"\0" * HEAD_BYTES, b"second", b"third"])

    assert detect(pieces) == "application/octet-stream"
    assert list(pieces) == [b"second", b"third"]


@pytest.mark.parametrize(
    ("name", "kind", "shown"),
    [
        ("cat.jpg", "image/jpeg", "cat.jpg"),
        ("CAT.JPEG", "image/jpeg", "CAT.JPEG"),
        ("cat.png", "image/jpeg", "cat.png.jpg"),
        ("cat", "image/jpeg", "cat.jpg"),
        ("cat.jpg", "text/plain", "cat.jpg.txt"),
        ("notes.md", "text/plain", "notes.md"),
        ("notes", "text/plain", "notes"),
        ("report.docx", "application/zip", "report.docx"),
        ("photo.png", "application/zip", "photo.png.zip"),
        ("song.mp4", "audio/mp4", "song.mp4"),
        ("tool.exe", "application/octet-stream", "tool.exe"),
        ("paper.pdf", "application/octet-stream", "paper.pdf.bin"),
        ("file", "application/pdf", "file.pdf"),
    ],
)
def test_a_name_does_not_say_that_a_file_is_something_else(name, kind, shown):
    assert corrected_name(name, kind) == shown


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("android.m4a", "audio/mp4"),
        ("voice.3gp", "audio/mp4"),
        ("talk.webm", "audio/webm"),
        ("clip.3g2", "video/mp4"),
        ("table.csv", "text/plain; charset=euc-kr"),
        ("report.doc", "application/x-ole-storage"),
        ("memo.hwp", "application/x-ole-storage"),
        ("clip.mov", "video/mp4"),
        ("clip.MP4", "video/quicktime"),
        ("ring.m4r", "audio/mp4"),
        ("data.rar", "application/vnd.rar"),
    ],
)
def test_files_of_phones_and_offices_keep_their_names(name, kind):
    assert corrected_name(name, kind) == name


@pytest.mark.parametrize(
    ("name", "given", "kind", "shown"),
    [
        ("IMG_1.HEIC", "image/heic", "image/jpeg", "IMG_1.jpg"),
        ("photo.avif", "image/avif", "image/webp", "photo.webp"),
        ("photo.jpg", "image/heic", "image/jpeg", "photo.jpg"),
        ("photo.png", "image/heic", "image/jpeg", "photo.png.jpg"),
        ("photo.JPEG", "image/jpeg", "image/jpeg", "photo.JPEG"),
        (".heic", "image/heic", "image/jpeg", ".heic.jpg"),
    ],
)
def test_the_name_of_a_converted_image_has_the_extension_of_its_new_type(name, given, kind, shown):
    assert corrected_name(name, kind, given=given) == shown


@pytest.mark.parametrize(
    ("kinds", "words", "chooser"),
    [
        (["image/png", "text/plain"], "PNG, text files", ["image/png", "text/*", ".png", ".txt", ".csv"]),
        (
            ["application/zip", "application/x-ole-storage"],
            "ZIP, Office documents, old Office documents, HWP",
            ["application/zip", ".zip", ".docx", ".hwpx", ".doc", ".xls", ".hwp"],
        ),
        (["audio/ogg", "video/ogg"], "Ogg", ["audio/ogg", "video/ogg", ".ogg", ".opus", ".ogv"]),
        (["image/heic"], "HEIC", ["image/heic", ".heic", ".heif"]),
    ],
)
def test_accepted_types_are_named_in_words_and_for_the_chooser(kinds, words, chooser):
    assert in_words(kinds) == words
    assert set(chooser) <= set(for_chooser(kinds).split(","))
    assert for_chooser(kinds).count(",.") >= 1


def test_a_chooser_offers_everything_where_everything_is_accepted():
    assert for_chooser(["image/png", "application/octet-stream"]) == ""


def test_every_type_has_a_name_for_users():
    assert [
        kind for kind in EXTENSIONS if kind != "application/octet-stream" and "/" in in_words([kind])
    ] == []
