"""How many questions to the database a thing may cost. What is missing here is missing on purpose: fan-out costs none."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_roomchat import log
from django_roomchat.identity import Identity
from django_roomchat.messages.history import read_history
from django_roomchat.messages.post import post_message, post_messages
from django_roomchat.messages.read_markers import mark_read
from django_roomchat.messages.room_list import unread
from django_roomchat.messages.types import NewPost
from django_roomchat.rooms.lookup import enter_room
from tests.support.caches import clear_caches
from tests.support.unread import counting_queries

pytestmark = pytest.mark.django_db(transaction=True)
ANA = Identity("g:ana", "Ana", is_guest=True)


@pytest.fixture(autouse=True)
def _rooms():
    for room in ("one", "two", "three"):
        for number in range(5):
            post_message(room, f"message {number}")
    clear_caches()


def queries(act, *about, **options):
    """The verbs of the statements that it costs, in order."""
    with CaptureQueriesContext(connection) as captured:
        act(*about, **options)
    return [
        query["sql"].split()[0].upper()
        for query in captured
        if not query["sql"].startswith(("SELECT set_config",))
    ]


LIST = 3
# MySQL and MariaDB do not return the rows of an UPDATE.
TAKE = ["UPDATE", "SELECT"] if connection.vendor == "mysql" else ["UPDATE"]
POST = ["BEGIN", *TAKE, "INSERT", "COMMIT"]


def steps(act, *about, **options):
    # SQLite's own way of saying UPDATE … RETURNING over many rooms begins with its WITH.
    return ["UPDATE" if verb == "WITH" else verb for verb in queries(act, *about, **options)]


def test_a_post_costs_one_transaction_of_two_statements():
    first = steps(post_message, "one", "hi", author=ANA)
    second = steps(post_message, "one", "hi", author=ANA)

    assert first == ["SELECT", *POST]
    assert second == POST


def test_many_posts_in_many_rooms_cost_the_same():
    posts = [
        NewPost(ANA, room, "hi", f"{room}{number}")
        for number in range(20)
        for room in ("one", "two", "three")
    ]

    assert steps(post_messages, posts) == ["SELECT", *POST]


def test_a_page_of_history_costs_two():
    assert steps(read_history, "one", by=ANA) == ["SELECT"] * 2
    assert steps(read_history, "one", by=ANA, before=3) == ["SELECT"] * 2


def test_entering_a_room_costs_one():
    assert steps(enter_room, ANA, "one") == ["SELECT"]


def test_catching_up_costs_two_and_a_look_whether_anything_was_pruned():
    epoch = str(read_history("one", by=ANA).epoch)

    assert len(steps(log.read, "one", epoch, 2, limit=500, page=50)) <= 3
    assert len(steps(log.read, "one", "", None, limit=500, page=50)) == 2
    assert len(steps(log.tail, "one", changes=3)) <= 3


def test_a_poll_costs_one_whatever_the_number_of_rooms():
    assert steps(log.states, ["one", "two", "three", "nowhere"]) == ["SELECT"]


@pytest.mark.parametrize("rooms", [3, 200])
def test_a_page_costs_its_history_its_session_where_it_was_left_and_the_list_of_rooms(client, rooms):
    room = client.get("/chat/one/").context["me"]
    for number in range(rooms):
        post_message(f"another {number}", "hi")
        mark_read(f"another {number}", 0, by=room)

    counts = counting_queries(rooms)
    assert len(queries(client.get, "/chat/one/")) <= 4 + LIST + counts
    assert len(queries(client.get, "/chat/one/messages/")) <= 3
    assert len(queries(client.get, "/chat/")) <= 1 + LIST + counts


def test_the_list_that_is_asked_for_again_and_again_costs_three():
    assert steps(unread, ANA) == ["SELECT"] * LIST
