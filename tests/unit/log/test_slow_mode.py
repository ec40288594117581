"""Slow mode: the time of an author's previous text, and the rejection of one that comes too early."""

from datetime import timedelta

import pytest
from django.utils import timezone

from django_roomchat import log
from django_roomchat.identity import Identity
from django_roomchat.messages.post import post_message
from django_roomchat.models import Message, Room

ANA, BO, CYD = (Identity(f"u:{name.lower()}", name) for name in ("Ana", "Bo", "Cyd"))
NOW = timezone.now()


@pytest.mark.django_db
def test_an_edit_is_a_text_like_a_post():
    for author in (ANA, ANA, BO):
        post_message("lobby", "hi", author=author)
    for seq, posted, edited in ((1, 90, 10), (2, 50, None), (3, 30, None)):
        edited_at = None if edited is None else NOW - timedelta(seconds=edited)
        Message.objects.filter(seq=seq).update(
            created_at=NOW - timedelta(seconds=posted), edited_at=edited_at
        )

    assert log.last_written(Room.objects.get().pk, [ANA.key, BO.key, CYD.key]) == {
        ANA.key: NOW - timedelta(seconds=10),
        BO.key: NOW - timedelta(seconds=30),
    }


def test_the_rejection_contains_the_remaining_time():
    rejection = log.too_soon(60, NOW - timedelta(seconds=20), NOW)

    assert (rejection.code, rejection.retry_after) == ("rate_limited", 40.1)


@pytest.mark.parametrize("before", [None, NOW - timedelta(seconds=60)])
def test_a_text_in_time_is_not_rejected(before):
    assert log.too_soon(60, before, NOW) is None
