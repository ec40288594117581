"""Signatures of webhooks, as the Standard Webhooks specification defines them."""

import time
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from django_roomchat.webhooks.outgoing import (
    make_webhook,
)
from django_roomchat.webhooks.signatures import new_secret, sign, verify_signature
from tests.support.webhooks import CLOSED

pytestmark = pytest.mark.django_db
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_a_signature_is_that_of_the_standard():
    """The example of the specification of Standard Webhooks."""
    headers = sign(b'{"test": 2432232314}', SECRET, id="msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp=1614265330)

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


NOW = 1795286400


def signed(**changes):
    headers = sign(b"{}", SECRET, id="a", timestamp=NOW)
    return {name.title(): value for name, value in (headers | changes).items()}


@pytest.mark.parametrize(
    ("headers", "answer"),
    [
        (signed(), True),
        (signed(**{"webhook-signature": f"v1,xx {signed()['Webhook-Signature']}"}), True),
        (sign(b"{}", SECRET, id="a", timestamp=NOW - 290), True),
        (sign(b"{}", SECRET, id="a", timestamp=NOW + 290), True),
        ({}, False),
        (signed(**{"webhook-id": "b"}), False),
        (signed(**{"webhook-timestamp": "now"}), False),
        (signed(**{"webhook-timestamp": "1614265330"}), False),
        (signed(**{"webhook-signature": "v1,x\udc80"}), False),
        (sign(b"{}", SECRET, id="a", timestamp=NOW - 310), False),
        (sign(b"{}", SECRET, id="a", timestamp=NOW + 310), False),
        (sign(b"{}", f"whsec_{'A' * 32}", id="a", timestamp=NOW), False),
    ],
)
def test_only_what_is_signed_with_the_secret_and_fresh_is_true(monkeypatch, headers, answer):
    monkeypatch.setattr(time, "time", lambda: NOW)

    assert verify_signature(b"{}", headers, SECRET) is answer


def test_the_standard_library_accepts_what_is_signed():
    secret, body = new_secret(), '{"type": "events", "text": "방 🎉"}'

    headers = sign(body.encode(), secret, id="msg_1", timestamp=int(time.time()))

    assert Webhook(secret).verify(body, headers) == {"type": "events", "text": "방 🎉"}


@pytest.mark.parametrize(
    ("header", "value"),
    [("webhook-id", "msg_2"), ("webhook-timestamp", "1"), ("webhook-signature", "v1,eA==")],
)
def test_the_standard_library_rejects_what_was_changed(header, value):
    secret = new_secret()
    headers = sign(b"{}", secret, id="msg_1", timestamp=int(time.time()))

    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify("{}", headers | {header: value})


def test_what_the_standard_library_signs_is_accepted():
    secret, now = new_secret(), datetime.now(UTC)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", now, "{}"),
    }

    assert verify_signature(b"{}", headers, secret)
    assert not verify_signature(b"{ }", headers, secret)


def test_two_secrets_are_two():
    first, second = make_webhook("lobby", CLOSED), make_webhook("lobby", CLOSED)

    assert first.secret != second.secret
