"""The content filter of a project: allow, change, refuse and hold, from Python, over HTTP and through a socket."""

import pytest

from django_roomchat.consumers import ChatConsumer
from django_roomchat.realtime import threads
from django_roomchat.testing import ChatClient
from tests.support.filters import house_filter, say, texts

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _filter(settings):
    settings.ROOMCHAT = {"FILTER": house_filter}


@pytest.mark.parametrize(
    ("word", "cause"),
    [
        ("fail", "RuntimeError: The filter's own trouble."),
        ("empty", "BadText: "),
        ("wrong", "HookError: The filter returned True; it has to return PASS, Change, Refuse or Hold."),
        ("later", "HookError: The filter returned coroutine later (it is asynchronous); it has to return "),
        ("bytes", "HookError: The filter returned Change(body=b'hi'); it has to return "),
        ("number", "HookError: The filter returned Refuse(sentence=5, code='filtered'); it has to return "),
        ("list", "HookError: The filter returned Hold(reason=[]); it has to return "),
    ],
)
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_nothing_passes_where_the_filter_fails(word, cause, caplog):
    assert say(f"{word} now") == (
        "unavailable",
        "The message could not be checked; try again.",
        1.0,
    )
    assert texts() == []
    assert caplog.messages == [
        "The content filter ROOMCHAT['FILTER'] (tests.support.filters.house_filter) failed in room 'lobby'"
    ]
    assert cause in caplog.text


async def test_on_a_socket_a_post_is_filtered_too():
    async with ChatClient(ChatConsumer.as_asgi(), "lobby") as client:
        await client.receive("joined")
        answers = [
            await client.post(body, id=body[0])
            for body in ("change it", "refuse it", "hold it", "fail", "ok")
        ]

    assert [given.get("code", given["type"]) for given in answers] == [
        "ack",
        "rude",
        "held",
        "unavailable",
        "ack",
    ]
    assert "retry_after" not in answers[2]
    assert await threads.in_thread(texts) == ["IT", "ok"]
