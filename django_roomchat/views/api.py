"""JSON API: history, frames, tickets."""

from __future__ import annotations

import msgspec
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from django_roomchat import identity, protocol
from django_roomchat.conf import config
from django_roomchat.errors import ChatError
from django_roomchat.identity import tickets
from django_roomchat.messages.history import read_history
from django_roomchat.policy import rate_limits
from django_roomchat.realtime import handlers
from django_roomchat.rooms import lookup
from django_roomchat.views.common import counted, json_error, json_response, json_text, seq_parameter
from django_roomchat.views.context import history_json


@transaction.non_atomic_requests
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def messages(request: HttpRequest, room_name: str) -> HttpResponse:
    """The history of a room as JSON. A POST of JSON posts a message."""
    try:
        if request.method == "POST":
            return _post_json(request, room_name)
        who = identity.who(request)
        history = read_history(room_name, by=who, **seq_parameter(request, "before", "after", "around"))
        return json_response(history_json(history))
    except ChatError as error:
        return json_error(error)


@transaction.non_atomic_requests
@require_POST
@never_cache
def frames(request: HttpRequest, room_name: str = "") -> HttpResponse:
    """Perform one frame of ``roomchat.v1`` sent as JSON, for clients without a socket, and return the answer."""
    try:
        return json_response(
            _perform(request, room_name, protocol.decode(json_text(request), config().FRAME_MAX_BYTES))
        )
    except ChatError as error:
        return json_error(error)


def _perform(request: HttpRequest, room_name: str, frame: protocol.ClientFrame) -> protocol.ServerFrame:
    own = lookup.room_name(room_name) if room_name else None
    who = identity.who(request)
    caller = handlers.Caller(
        who,
        rate_limits.address_of(request),
        lambda: getattr(request, "session", None),
        lambda: [] if own is None else [lookup.enter_room(who, own)],
    )
    return handlers.perform(caller, protocol.room_of(frame, own, config().ROOM_NAME_MAX_LENGTH), frame)


@transaction.non_atomic_requests
@require_POST
@never_cache
def ticket(request: HttpRequest) -> HttpResponse:
    """Create a ticket for a socket that cannot send the cookie of this request."""
    try:
        with counted("TICKETS", request) as who:
            made = tickets.make_ticket(request, user=who.user)
        return json_response({"ticket": made, "seconds": config().TICKET_SECONDS})
    except ChatError as error:
        return json_error(error)


class _JSONPost(msgspec.Struct):
    id: str
    body: str
    reply_to: protocol.Position | None = None
    files: list[protocol.FileToPost] = []


def _post_json(request: HttpRequest, room_name: str) -> HttpResponse:
    said = protocol.decode_body(json_text(request), _JSONPost, config().FRAME_MAX_BYTES)
    frame = protocol.Post(id=said.id, body=said.body, reply_to=said.reply_to, files=said.files)
    ack = _perform(request, room_name, frame)
    assert isinstance(ack, protocol.Ack)
    return json_response({"id": ack.id, "seq": ack.seq, "duplicate": ack.duplicate}, status=201)
