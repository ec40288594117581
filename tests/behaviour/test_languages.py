"""Sentences reach people in the language of their page, whichever way they come."""

import pytest
from django.test import override_settings

from django_roomchat.errors import BadText
from django_roomchat.testing import ChatClient
from tests.asgi import application

pytestmark = pytest.mark.django_db(transaction=True)

TOO_LONG = "메시지는 최대 3자입니다. 지금은 4자입니다."


@override_settings(ROOMCHAT={"BODY_MAX_LENGTH": 3})
def test_a_refused_post_is_explained_in_korean_over_http(client):
    answer = client.post(
        "/chat/lobby/messages/",
        {"id": "1", "body": "long"},
        content_type="application/json",
        headers={"accept-language": "ko"},
    )

    assert answer.json() == {"error": {"code": "bad_text", "detail": TOO_LONG}}


@override_settings(ROOMCHAT={"BODY_MAX_LENGTH": 3})
@pytest.mark.parametrize(
    "header",
    [(b"accept-language", b"ko,en;q=0.5"), (b"cookie", b"django_language=ko")],
    ids=["header", "cookie"],
)
async def test_a_refused_post_is_explained_in_korean_over_the_socket(header):
    async with ChatClient(application, "lobby", headers=[header]) as client:
        answer = await client.post("long", id="1")

    assert answer["detail"] == TOO_LONG


async def test_a_guest_of_a_korean_page_has_a_korean_name():
    async with ChatClient(application, "lobby", headers=[(b"accept-language", b"ko")]) as client:
        you = (await client.receive("welcome"))["you"]

    assert you["name"].startswith("손님 ")


def test_a_percent_sign_in_a_sentence_without_values_is_left_alone():
    assert BadText("100% wrong").detail == str(BadText("100% wrong")) == "100% wrong"
