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
from django_roomchat.identity import guests, tickets
from django_roomchat.messages.history import read_history
from django_roomchat.messages.post import post_message
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
        frame = protocol.decode(json_text(request), config().FRAME_MAX_BYTES)
        if isinstance(frame, protocol.ChooseName):
            return json_response(_choose_name(request, room_name, frame))
        what: rate_limits.What = "POSTS" if isinstance(frame, protocol.Post) else "FRAMES"
        with counted(what, request, getattr(frame, "room", "") or room_name) as who:
            return json_response(handlers.perform(who, room_name, frame))
    except ChatError as error:
        return json_error(error)


def _choose_name(request: HttpRequest, room_name: str, frame: protocol.ChooseName) -> protocol.Done:
    with counted("FRAMES", request) as who:
        pass
    rooms = [lookup.enter_room(who, room_name)] if room_name else []
    guests.choose_name(who, frame.name, getattr(request, "session", None), rooms)
    return protocol.Done(frame.id)


@transaction.non_atomic_requests
@require_POST
@never_cache
def ticket(request: HttpRequest) -> HttpResponse:
    """Create a ticket for a socket that cannot send the cookie of this request."""
    try:
        made = tickets.make_ticket(request, user=identity.who(request).user)
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
    with counted("POSTS", request, room_name) as who:
        posted = post_message(
            room_name, said.body, author=who, id=said.id, reply_to=said.reply_to, files=said.files
        )
    return json_response({"id": posted.id, "seq": posted.seq, "duplicate": posted.duplicate}, status=201)
