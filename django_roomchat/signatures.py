"""Signatures of webhooks, as of https://www.standardwebhooks.com: libraries for many languages know them.

This module needs the standard library only, so that a receiver without Django can use it.
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
"""How far a delivery's clock may be from the receiver's. An older delivery may be one that somebody repeats."""


def new_secret() -> str:
    """A secret for a webhook."""
    return SECRET_PREFIX + b64encode(secrets.token_bytes(32)).decode()


def sign(body: bytes, secret: str, *, id: str, timestamp: int) -> dict[str, str]:
    """The headers of a delivery.

    Args:
        body: as it is sent.
        secret: of the webhook.
        id: of the delivery.
        timestamp: when it is sent, in seconds since 1970.
    """
    return {ID: id, TIMESTAMP: str(timestamp), SIGNATURE: f"v1,{_digest(body, secret, id, str(timestamp))}"}


def verify_signature(
    body: bytes, headers: Mapping[str, str], secret: str, *, tolerance_seconds: float = TOLERANCE_SECONDS
) -> bool:
    """Whether a delivery comes from the chat, and now. For receivers of webhooks.

    Args:
        body: of the request, as it came.
        headers: of the request, such as Django's ``request.headers``.
        secret: of the webhook.
        tolerance_seconds: how far its clock may be from ours.
    """
    given = {name.lower(): value for name, value in headers.items()}
    id, timestamp, signatures = (given.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE))
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
        return False
    if abs(time.time() - int(timestamp)) > tolerance_seconds:
        return False
    right = f"v1,{_digest(body, secret, id, timestamp)}".encode()
    # While a secret is replaced, there is a signature with each.
    return any(hmac.compare_digest(right, one.encode(errors="replace")) for one in signatures.split(" "))


def _digest(body: bytes, secret: str, id: str, timestamp: str) -> str:
    key = b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = b".".join([id.encode(errors="replace"), timestamp.encode(), body])
    return b64encode(hmac.digest(key, signed, "sha256")).decode()
