"""The checker finds every kind of violation, in one written history each."""

from typing import Any

import pytest

from tests.faults.checker import (
    DUPLICATED,
    INDETERMINATE,
    LOST,
    OK,
    REORDERED,
    UNEXPECTED,
    History,
    Post,
    Row,
    Shown,
    View,
    check,
)


def post(id: str, invoked: float, acked: float | None, seq: int | None, **more: Any) -> Post:
    return Post("ann", "lobby", id, f"says {id}", invoked, acked, seq, **more)


def row(id: str, seq: int, **more: Any) -> Row:
    return Row(
        **{"room": "lobby", "seq": seq, "rev": seq, "author": "ann", "id": id, "body": f"says {id}"} | more
    )


def shown(id: str, seq: int, **more: Any) -> Shown:
    return Shown(**{"seq": seq, "rev": seq, "author": "ann", "id": id, "body": f"says {id}"} | more)


def view(*messages: Shown, **more: Any) -> View:
    cursor = max((message.rev for message in messages), default=0)
    return View(
        **{
            "member": "ben",
            "room": "lobby",
            "cursor": cursor,
            "messages": {message.seq: message for message in messages},
            "applied": sorted(message.rev for message in messages),
        }
        | more
    )


def good() -> History:
    return History(
        posts=[post("a", 1, 2, 1), post("b", 3, 4, 2)],
        views=[view(shown("a", 1), shown("b", 2))],
        rows=[row("a", 1), row("b", 2)],
        heads={"lobby": 2},
    )


def test_a_history_in_which_all_is_well_has_no_violations():
    verdict = check(good())

    assert (dict(verdict.classes), verdict.violations) == ({OK: 2}, [])


def test_an_acknowledged_post_that_is_not_stored_is_lost():
    history = good()
    history.posts.append(post("c", 5, 6, 3))

    verdict = check(history)

    assert verdict.classes[LOST] == 1
    assert verdict.violations == ["ann's c in lobby was acknowledged at 3 and is not stored"]


def test_a_post_that_is_stored_twice_is_duplicated():
    history = good()
    history.rows.append(row("b", 3))
    history.heads["lobby"] = 3

    assert check(history).classes[DUPLICATED] == 1


def test_a_post_that_a_page_shows_twice_is_duplicated():
    history = good()
    history.views[0].messages[3] = shown("b", 3)

    assert check(history).classes[DUPLICATED] == 1


def test_a_post_that_stands_before_one_acknowledged_earlier_is_reordered():
    history = good()
    history.posts = [post("b", 1, 2, 2), post("a", 3, 4, 1)]

    verdict = check(history)

    assert verdict.classes[REORDERED] == 1
    assert "stands before something that was acknowledged before it was said" in verdict.violations[0]


def test_posts_that_overlapped_may_stand_either_way():
    history = good()
    history.posts = [post("b", 1, 4, 2), post("a", 2, 3, 1)]

    assert check(history).holds


@pytest.mark.parametrize(
    ("posts", "rows"),
    [
        pytest.param([], [row("x", 1)], id="stored and posted by nobody"),
        pytest.param([post("x", 1, None, None, refused="banned")], [row("x", 1)], id="refused and stored"),
        pytest.param([post("x", 1, 2, 7)], [row("x", 1)], id="acknowledged at another place"),
        pytest.param([post("x", 1, 2, 1)], [row("x", 1, body="other words")], id="another text"),
    ],
)
def test_what_nobody_asked_for_is_unexpected(posts, rows):
    verdict = check(History(posts=posts, rows=rows, heads={"lobby": 1}))

    assert verdict.classes[UNEXPECTED] == 1
    assert len(verdict.violations) == 1


@pytest.mark.parametrize("stored", [True, False])
def test_a_post_that_nobody_answered_may_be_stored_or_not(stored):
    history = History(posts=[post("x", 1, None, None)])
    if stored:
        history.rows, history.heads = [row("x", 1)], {"lobby": 1}

    verdict = check(history)

    assert dict(verdict.classes) == {INDETERMINATE: 1}
    assert verdict.holds


def test_a_post_that_was_refused_and_is_not_stored_is_ok():
    assert dict(check(History(posts=[post("x", 1, None, None, refused="too_big")])).classes) == {OK: 1}


def test_a_post_whose_first_answer_was_lost_counts_as_recovered():
    history = good()
    history.posts[0].attempts, history.posts[1].attempts = 3, 1

    assert check(history).recovered == 1


@pytest.mark.parametrize(
    ("seen", "violation"),
    [
        pytest.param(view(shown("a", 1)), "ben in lobby stands at 1, and the room at 2", id="behind"),
        pytest.param(
            view(shown("b", 2)), "ben in lobby misses 1 messages, the first at 1", id="hole at the beginning"
        ),
        pytest.param(
            view(shown("a", 1), cursor=2), "ben in lobby misses 1 messages, the first at 2", id="missed"
        ),
        pytest.param(
            view(shown("a", 1), shown("b", 2), shown("z", 3)),
            "ben in lobby shows 1 messages that are not stored, the first at 3",
            id="a phantom",
        ),
        pytest.param(
            view(shown("a", 1), shown("b", 2), applied=[2, 1]),
            "ben in lobby applied changes out of their order",
            id="out of order",
        ),
        pytest.param(
            view(shown("a", 1, body="other words"), shown("b", 2)), "ben in lobby shows", id="another text"
        ),
        pytest.param(view(shown("b", 1), shown("a", 2)), "ben in lobby shows", id="places changed"),
    ],
)
def test_a_view_that_is_not_the_databases_is_named(seen, violation):
    history = good()
    history.views = [seen]

    assert any(found.startswith(violation) for found in check(history).violations)


def test_a_view_that_started_over_need_not_have_what_came_before():
    history = good()
    history.views = [view(shown("b", 2), since=1)]

    assert check(history).holds


def test_a_socket_that_was_closed_may_stand_behind_but_may_not_have_holes():
    history = good()
    history.views = [view(shown("a", 1), is_live=False), view(shown("b", 2), is_live=False)]

    assert check(history).violations == ["ben in lobby misses 1 messages, the first at 1"]


def test_a_message_that_was_changed_after_a_view_ended_may_be_missing_there():
    """A frame has the latest state of each message, so one that changes is read once, in the place of its change."""
    history = good()
    history.rows = [row("a", 1, rev=3, changes=1, deleted=True, body=""), row("b", 2)]
    history.posts[0].changes = [(None, True)]
    history.heads = {"lobby": 3}
    history.views = [view(shown("b", 2), is_live=False)]

    assert check(history).violations == []


@pytest.mark.parametrize(
    ("rows", "head", "violation"),
    [
        ([row("a", 1), row("b", 3)], 3, "lobby: the head is 3, and 2 changes are stored"),
        ([row("a", 1), row("b", 2)], 1, "lobby: the number 2 is above the head 1"),
        ([row("a", 1), row("b", 1)], 2, "lobby: a number is there twice"),
        ([], 1, "lobby: the head is 1, and nothing is stored"),
    ],
)
def test_numbers_that_do_not_add_up_are_named(rows, head, violation):
    history = History(
        posts=[post(stored.id, 1 + stored.seq, 1 + stored.seq, stored.seq) for stored in rows],
        rows=rows,
        heads={"lobby": head},
    )

    assert violation in check(history).violations


def test_a_pruned_room_is_only_numbered_above_its_floor():
    history = History(posts=[post("c", 1, 2, 3)], rows=[row("c", 3)], heads={"lobby": 3}, floors={"lobby": 2})

    assert check(history).holds


@pytest.mark.parametrize(
    ("changes", "stored", "expected"),
    [
        pytest.param([("new", True)], {"body": "new"}, OK, id="acknowledged and there"),
        pytest.param([("new", True)], {}, LOST, id="acknowledged and not there"),
        pytest.param([("new", False)], {}, OK, id="nobody answered, not there"),
        pytest.param([("new", False)], {"body": "new"}, OK, id="nobody answered, there"),
        pytest.param([("new", True), (None, True)], {"body": "", "deleted": True}, OK, id="deleted"),
        pytest.param([("new", True), (None, True)], {"body": "new"}, LOST, id="the deletion is not there"),
    ],
)
def test_an_acknowledged_edit_is_there_at_the_end(changes, stored, expected):
    edited = post("x", 1, 2, 1, changes=changes)
    count = int(bool(stored))
    rows = [row("x", 1, rev=1 + count, changes=count, **stored)]

    assert dict(check(History(posts=[edited], rows=rows, heads={"lobby": 1 + count})).classes) == {
        expected: 1
    }
