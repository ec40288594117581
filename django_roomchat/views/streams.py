"""Views of the HTTP fallback: server-sent events and long polling."""

from __future__ import annotations

import msgspec
from django.core.handlers.asgi import ASGIRequest
from django.db import Error as DatabaseError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_noop as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from django_roomchat import identity, protocol
from django_roomchat.errors import BadValue, ChatError, TryAgain
from django_roomchat.identity import Identity, sessions
from django_roomchat.policy import rate_limits
from django_roomchat.realtime import event_stream
from django_roomchat.realtime.threads import in_thread
from django_roomchat.throttled_logging import warn_throttled
from django_roomchat.views.common import json_error, json_response


@transaction.non_atomic_requests
@require_GET
@never_cache
async def events(request: HttpRequest, room_name: str) -> HttpResponseBase:
    """The events of a room, as server-sent events or, with ``wait``, as the response to a long poll."""
    try:
        epoch, since = _position(request)
        address = rate_limits.address_of(request)
        who, binding = await in_thread(_binding, request, address)
        waits = request.GET.get("wait")
        is_asgi = isinstance(request, ASGIRequest)
        if waits is None and not is_asgi:
            raise BadValue(
                "Server-sent events need ASGI, and this server uses WSGI. Poll with ?wait=25.",
                code="no_streams",
            )
        if waits is not None and not is_asgi:
            return _frames_response(
                await event_stream.poll_log(who, room_name, epoch, since, _seconds(waits), address)
            )
        stream = await event_stream.open_stream(who, binding, room_name, epoch, since, address)
        if waits is not None:
            return _frames_response(await stream.poll(_seconds(waits)))
    except ChatError as error:
        return json_error(error)
    except DatabaseError as error:
        warn_throttled("database", "The database failed for an event stream: %r", error)
        return json_error(TryAgain(_("The database is not responding; try again.")))
    response = StreamingHttpResponse(stream.events(), content_type="text/event-stream")
    # Compression and buffering would delay the events: GZipMiddleware, nginx, proxies of mobile networks.
    response["Content-Encoding"] = "identity"
    response["X-Accel-Buffering"] = "no"
    response["Cache-Control"] = "no-store, no-transform"
    return response


def _binding(request: HttpRequest, address: str) -> tuple[Identity, sessions.SessionBinding]:
    who = identity.who(request)
    rate_limits.spend("JOINS", who, address)
    return who, sessions.bind_session(who, getattr(request, "session", None))


def _position(request: HttpRequest) -> tuple[str, int | None]:
    """Return the client's cursor: from ``Last-Event-ID`` when a browser reconnects, else from the query
    string.
    """
    epoch, _colon, since = request.headers.get("Last-Event-ID", "").rpartition(":")
    if not epoch:
        epoch, since = request.GET.get("epoch", ""), request.GET.get("since", "")
    return protocol.cursor_of(epoch, since)


def _seconds(typed: str) -> float:
    if not (typed.isascii() and typed.isdecimal() and len(typed) <= 4):
        raise BadValue(f"“wait” must be a whole number of seconds, not {typed[:20]!r}.")
    return min(float(typed), event_stream.WAIT_MAX_SECONDS)


def _frames_response(frames: list[str]) -> HttpResponse:
    return json_response({"frames": [msgspec.Raw(frame.encode()) for frame in frames]})
