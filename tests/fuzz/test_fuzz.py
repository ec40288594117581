"""Every input is answered with a typed error or a frame, and no other client is affected."""

import json
import os
from itertools import islice

import pytest

from django_roomchat.consumers import ChatConsumer
from django_roomchat.messages.post import apost_message
from django_roomchat.models import Message
from django_roomchat.testing import ChatClient
from tests.fuzz.decoder import play
from tests.fuzz.frames import Frames

DECODED = 20_000
"""The environment `fuzz` of tox decodes a million."""
SENT = int(os.environ.get("ROOMCHAT_TEST_FUZZ_SENT", "4000"))
APPLICATION = ChatConsumer.as_asgi()


def test_the_decoders_answer_with_chat_errors_only():
    answers = play(seed=0, count=DECODED)

    assert sum(answers.values()) == 2 * DECODED
    # Fuzz that never gets anywhere finds nothing.
    assert {
        "Post",
        "Join",
        "Ping",
        "TutorialPost",
        "bad_json",
        "bad_frame",
        "bad_value",
        "bad_text",
        "bad_room_name",
    } <= set(answers)


def test_a_seed_makes_the_same_frames_again():
    assert list(islice(Frames(3), 500)) == list(islice(Frames(3), 500))


@pytest.mark.parametrize("tutorial", [False, True], ids=["roomchat.v1", "tutorial"])
@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(120 + SENT)
async def test_a_socket_answers_every_frame_and_another_socket_receives_only_stored_posts(
    tutorial, caplog, settings
):
    # During a long run the client is not slow, and receives only messages.
    settings.ROOMCHAT = {"PING_SECONDS": 36_000, "UNSEEN_MAX_BYTES": 2**40}
    async with (
        ChatClient(APPLICATION, "lobby") as control,
        ChatClient(APPLICATION, "lobby", tutorial=tutorial) as bad,
    ):
        await control.receive("joined")
        heard: dict[int, str] = {}
        cursor = 0
        for number, sent in enumerate(islice(Frames(5), SENT)):
            await (bad.send_bytes(sent) if isinstance(sent, bytes) else bad.send_text(sent))
            if number % 100 == 99:
                await _answered(bad, tutorial, number)
                last = f"after {number}"
                await apost_message("lobby", last)
                while last not in heard.values():
                    frame = await control.receive()
                    assert (frame["type"], frame["prev"]) == ("events", cursor)
                    cursor = frame["head"]
                    heard |= {event["seq"]: event["body"] for event in frame["events"]}
                await control.send({"type": "seen", "heads": {"lobby": cursor}})
        stored = {
            seq: body
            async for seq, body in Message.objects.filter(room__name="lobby").values_list("seq", "body")
        }

    assert heard == stored
    assert len(stored) > 3 * SENT / 100
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


async def _answered(client, tutorial, number):
    """Wait until everything that was sent is: what one socket posts to one room is stored in its order."""
    last = f"last {number}"
    if tutorial:
        await client.send_text(json.dumps({"message": last}))
        while (await client.receive())["message"] != last:
            pass
    else:
        await client.send_text(json.dumps({"type": "post", "id": last.replace(" ", "-"), "body": last}))
        while (await client.receive()).get("id") != last.replace(" ", "-"):
            pass
