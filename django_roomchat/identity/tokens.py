"""Secret tokens in URLs. The database stores only their digests, so that a leaked copy of it opens nothing."""

from __future__ import annotations

import hashlib


def digest(token: str) -> str:
    """Return the digest under which a token is stored: its SHA-256 in hexadecimal digits."""
    # A token that comes from a URL may contain surrogates. No stored token does.
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
