"""Events made from rows: quotes and times."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from django_roomchat import log
from django_roomchat.models import Message
from django_roomchat.protocol import Quote
from tests.support.log import append, draft, drafts

pytestmark = pytest.mark.django_db(transaction=True)


def test_messages_are_quoted_by_their_beginnings(room):
    def delete(message):
        message.body, message.deleted_at = "", datetime.now(UTC)
        return True

    append(room, draft("a", body="x" * 200), draft("b", body="gone"))
    log.change(room.pk, 2, delete)

    quotes = log.quotes(room.pk, [1, 2, 3])

    assert quotes == {1: Quote(1, "1", "x" * 140), 2: Quote(2, "1", "", deleted=True)}


def test_times_are_told_in_utc_with_milliseconds(room):
    append(room, *drafts("a"))
    moment = datetime(2026, 11, 21, 19, 0, 0, 123_999, tzinfo=timezone(timedelta(hours=9)))
    Message.objects.update(created_at=moment, edited_at=moment, deleted_at=moment)

    [event] = log.tail("lobby", changes=1).events

    assert (event.at, event.edited_at, event.deleted_at) == ("2026-11-21T10:00:00.123Z",) * 3


def test_times_are_told_where_the_project_uses_no_time_zones(settings, room):
    settings.USE_TZ = False

    [event] = append(room, *drafts("a")).events

    assert datetime.fromisoformat(event.at).utcoffset() == timedelta(0)
