"""Helpers shared by the views: error pages, JSON responses and query parameters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_noop as _

from django_roomchat import identity
from django_roomchat.errors import BadValue, ChatError, Unsupported
from django_roomchat.identity import Identity
from django_roomchat.policy import rate_limits
from django_roomchat.realtime import handlers
from django_roomchat.rooms import lookup
from django_roomchat.throttled_logging import warn_throttled

_TITLES = {
    "bad_room_name": _("Invalid room name"),
    "banned": _("Banned from this room"),
    "members_only": _("Members only"),
    "no_such_invitation": _("Invitation not valid"),
    "no_such_room": _("Room not found"),
    "sign_in": _("Sign-in required"),
}
_TITLES_OF_STATUS = {
    403: _("Access denied"),
    404: _("Page not found"),
    413: _("Too much data"),
    429: _("Too many requests"),
    503: _("Temporarily unavailable"),
}


def error_page(request: HttpRequest, error: ChatError) -> HttpResponse:
    title = _TITLES.get(error.code) or _TITLES_OF_STATUS.get(error.status) or _("Invalid request")
    context = {
        "title": gettext(title),
        "error": error.detail,
        "code": error.code,
        "index_url": reverse("roomchat:index"),
    }
    response = render(request, "django_roomchat/error.html", context, status=error.status)
    set_retry_after(response, error)
    return response


def warn_about_frame(request: HttpRequest) -> None:
    """Log a page that is requested in a frame which stays empty, or in which the browser sends no cookies.

    The browser gives no reason to the user in the first case, and the page only with JavaScript in the second.
    """
    if request.headers.get("Sec-Fetch-Dest") not in _FRAMES:
        return
    origin = request.headers.get("Sec-Fetch-Site")
    allowed = settings.X_FRAME_OPTIONS.upper() if _FRAME_OPTIONS in settings.MIDDLEWARE else ""
    if allowed == "DENY" or (allowed == "SAMEORIGIN" and origin != "same-origin"):
        warn_throttled(
            "frame options",
            "%r was requested in a frame. Unless the view is exempt, X-Frame-Options = %r keeps the frame empty; see “In an iframe” in the documentation of templates.",
            request.path,
            allowed,
        )
    elif origin == "cross-site" and settings.SESSION_COOKIE_SAMESITE != "None":
        warn_throttled(
            "frame cookies",
            "%r was requested in a frame of another site, where browsers send no session cookie with SESSION_COOKIE_SAMESITE = %r; see “In an iframe” in the documentation of templates.",
            request.path,
            settings.SESSION_COOKIE_SAMESITE,
        )


_FRAMES = {"iframe", "frame", "embed", "object"}
_FRAME_OPTIONS = "django.middleware.clickjacking.XFrameOptionsMiddleware"


def set_retry_after(response: HttpResponse, error: ChatError) -> None:
    """Set the header ``Retry-After`` of a response with an error that can be retried."""
    if error.retry_after is not None:
        response["Retry-After"] = str(max(1, round(error.retry_after)))


@contextmanager
def counted(what: rate_limits.What, request: HttpRequest, room_name: str = "") -> Iterator[Identity]:
    """Identify the sender of a request and apply the rate limits."""
    who, address = identity.who(request), rate_limits.address_of(request)
    if what == "POSTS":
        # The limit shared by all processes is checked with the post itself, as for a post from a socket.
        rate_limits.spend_local(what, who, address, lookup.canonical_name(room_name))
    else:
        rate_limits.spend(what, who, address)
    with rate_limits.coming_from(address):
        yield who


def json_error(error: ChatError) -> HttpResponse:
    frame = handlers.error_frame(error, get_language())
    sanction = {"until": frame.until, "reason": frame.reason}
    told = {"code": frame.code, "detail": frame.detail} | {name: it for name, it in sanction.items() if it}
    response = json_response({"error": told}, status=error.status)
    set_retry_after(response, error)
    return response


def json_text(request: HttpRequest) -> str:
    if request.content_type != "application/json":
        # This also protects against CSRF: a form of another site can send text/plain, but not JSON.
        raise Unsupported("Send JSON, with Content-Type: application/json.")
    return request.body.decode(errors="surrogateescape")


def seq_parameter(request: HttpRequest, *names: str) -> dict[str, int]:
    """Return the sequence number in the query string, if there is one: the first of *names* that is given."""
    for name in names:
        if typed := request.GET.get(name):
            if not (typed.isascii() and typed.isdecimal() and len(typed) <= 16):
                raise BadValue(
                    f"“{name}” must be the sequence number of a message, a whole number, not {typed[:20]!r}."
                )
            return {name: int(typed)}
    return {}


def json_response(content: Any, status: int = 200) -> HttpResponse:
    response = HttpResponse(msgspec.json.encode(content), status=status, content_type="application/json")
    patch_vary_headers(response, ["Cookie"])
    return response
