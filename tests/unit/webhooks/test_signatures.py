"""Signatures of webhooks, as the Standard Webhooks specification defines them."""

import time

import pytest

from django_roomchat.webhooks.outgoing import (
    make_webhook,
)
from django_roomchat.webhooks.signatures import sign, verify_signature
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


def test_two_secrets_are_two():
    first, second = make_webhook("lobby", CLOSED), make_webhook("lobby", CLOSED)

    assert first.secret != second.secret
