"""Sound and video are told apart by the tracks of their container."""

import pytest

from django_roomchat.files.content_types import detect
from tests.support.uploads import box, movie, mp4, webm


@pytest.mark.parametrize(
    "content",
    [
        mp4(b"isom", b"isom", b"iso2", tracks=[b"soun"]),
        mp4(b"mp42", tracks=[b"soun"]),
        mp4(b"3gp4", tracks=[b"soun", b"soun"]),
        # A phone writes the list of tracks last.
        mp4(b"isom", tracks=[b"soun"], before=box(b"mdat", bytes(20_000))),
        mp4(
            b"isom", tracks=[b"soun"], before=b"\0\0\0\1mdat" + (16 + 5_000).to_bytes(8, "big") + bytes(5_000)
        ),
        mp4(b"qt  ", tracks=[b"soun"]),
        movie(b"soun"),
        mp4(b"M4B ", tracks=[b"soun", b"vide"]),
    ],
)
def test_an_mp4_with_sound_only_is_sound(content):
    assert detect([content]) == "audio/mp4"
    assert detect(content[place : place + 7] for place in range(0, len(content), 7)) == "audio/mp4"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (mp4(b"isom", tracks=[b"soun", b"vide"]), "video/mp4"),
        (mp4(b"mp42", tracks=[b"vide"], before=box(b"mdat", bytes(20_000))), "video/mp4"),
        (mp4(b"isom", tracks=[b"soun"])[:60], "video/mp4"),
        (webm(2), "audio/webm"),
        (webm(2, 2), "audio/webm"),
        (webm(1, 2), "video/webm"),
        (webm(2, 1), "video/webm"),
        (webm(1), "video/webm"),
    ],
)
def test_a_film_is_a_video_and_a_recording_of_a_browser_is_what_it_has(content, kind):
    assert detect([content]) == kind


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (mp4(b"XAVC", b"XAVC", b"mp42", b"iso2"), "video/mp4"),
        (mp4(b"f4v ", b"isom"), "video/mp4"),
        (mp4(b"NDSC", b"isom", b"avc1"), "video/mp4"),
        (mp4(b"3g2a", b"3g2a"), "video/mp4"),
        (mp4(b"XYZW", b"ABCD", b"iso5"), "video/mp4"),
        (mp4(b"XYZW", b"ABCD", b"qt  "), "video/quicktime"),
        (movie(b"vide", b"soun"), "video/quicktime"),
        (box(b"wide") + box(b"mdat", bytes(9_000)) + movie(b"vide"), "video/quicktime"),
        (box(b"mdat", bytes(9_000)) + movie(b"vide"), "video/quicktime"),
        (mp4(b"avis", b"avif", b"iso8"), "image/avif"),
        (mp4(b"mif1", b"avif", b"miaf"), "image/avif"),
        (mp4(b"heic", b"mif1", b"iso8"), "image/heic"),
        (mp4(b"mif1", b"mif1", b"heic"), "image/heic"),
        (mp4(b"heix", b"MiHB"), "image/heic"),
        (mp4(b"mif1", b"miaf"), "application/octet-stream"),
        # No video, though one of its brands is.
        (mp4(b"crx ", b"isom"), "application/octet-stream"),
        (mp4(b"XYZW", b"ABCD"), "application/octet-stream"),
        (box(b"free", bytes(50)), "application/octet-stream"),
        (b"Get free coffee", "text/plain"),
    ],
)
def test_brands_behind_the_first_count_and_old_films_need_none(content, kind):
    assert detect([content]) == kind
