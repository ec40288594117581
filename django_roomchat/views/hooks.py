"""View that receives the requests of incoming hooks."""

from __future__ import annotations

import msgspec
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from django_roomchat import protocol
from django_roomchat.conf import config
from django_roomchat.errors import ChatError
from django_roomchat.files import http
from django_roomchat.policy import rate_limits
from django_roomchat.views.common import json_error, json_response, json_text
from django_roomchat.webhooks import incoming


class _HookPost(msgspec.Struct):
    text: str
    name: str | None = None
    id: str | None = None


@csrf_exempt  # the request is authenticated by its URL, not by a cookie
@transaction.non_atomic_requests
@require_POST
@never_cache
def hook(request: HttpRequest, token: str) -> HttpResponse:
    """Post a message through an incoming webhook, with JSON or a form."""
    try:
        http.limit_form(request, 0)
        through = incoming.hook_of(token)
        # Not limited by IP address: the programs of many sites share the addresses of the services that run
        # them.
        rate_limits.spend("POSTS", incoming.author_of(through), "", through.room.name)
        said = _said_by_program(request)
        posted = incoming.post_through(through, said.text, name=said.name, id=said.id)
        return json_response({"id": posted.id, "seq": posted.seq, "duplicate": posted.duplicate}, status=201)
    except ChatError as error:
        return json_error(error)


def _said_by_program(request: HttpRequest) -> _HookPost:
    if request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        form = request.POST
        http.uploaded_files(request, "file")  # raises if the form has one
        return _HookPost(form.get("text", ""), form.get("name"), form.get("id"))
    return protocol.decode_body(json_text(request), _HookPost, config().FRAME_MAX_BYTES)
