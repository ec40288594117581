"""Webhook signatures as specified by https://www.standardwebhooks.com. Libraries for many languages can
verify them.

This module uses only the standard library, so a receiver without Django can import it.
"""

from __future__ import annotations

import hmac
import secrets
import time
from base64 import b64decode, b64encode
from collections.abc import Mapping

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
SECRET_PREFIX = "whsec_"
TOLERANCE_SECONDS = 300
"""Maximum difference between a delivery's timestamp and the receiver's clock, in seconds. Protects against
replay."""


def new_secret() -> str:
    """Generate a random secret for a webhook."""
    return SECRET_PREFIX + b64encode(secrets.token_bytes(32)).decode()


def sign(body: bytes, secret: str, *, id: str, timestamp: int) -> dict[str, str]:
    """Return the signature headers of a delivery.

    Args:
        body: the request body as sent.
        secret: the webhook's secret.
        id: the delivery's id.
        timestamp: time of sending, in seconds since 1970.
    """
    return {ID: id, TIMESTAMP: str(timestamp), SIGNATURE: f"v1,{_digest(body, secret, id, str(timestamp))}"}


def verify_signature(
    body: bytes, headers: Mapping[str, str], secret: str, *, tolerance_seconds: float = TOLERANCE_SECONDS
) -> bool:
    """Verify the signature and timestamp of a webhook request. For receivers of webhooks.

    Args:
        body: the request body as received.
        headers: the request headers, such as Django's ``request.headers``.
        secret: the webhook's secret.
        tolerance_seconds: maximum difference between the request's timestamp and this machine's clock, in
            seconds.

    Returns:
        Whether the request was signed with *secret*, and recently.
    """
    given = {name.lower(): value for name, value in headers.items()}
    id, timestamp, signatures = (given.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE))
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
        return False
    if abs(time.time() - int(timestamp)) > tolerance_seconds:
        return False
    right = f"v1,{_digest(body, secret, id, timestamp)}".encode()
    # While a secret is being replaced, the header has a signature with each of the two secrets.
    return any(hmac.compare_digest(right, one.encode(errors="replace")) for one in signatures.split(" "))


def _digest(body: bytes, secret: str, id: str, timestamp: str) -> str:
    key = b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = b".".join([id.encode(errors="replace"), timestamp.encode(), body])
    return b64encode(hmac.digest(key, signed, "sha256")).decode()
