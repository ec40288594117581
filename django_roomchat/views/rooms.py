"""View of the page of a room."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from django_roomchat.conf import config
from django_roomchat.errors import BadRoomName, ChatError, Held
from django_roomchat.files import http
from django_roomchat.identity import Identity
from django_roomchat.messages import attachments
from django_roomchat.messages.post import post_message
from django_roomchat.messages.types import Posted
from django_roomchat.models import Attachment
from django_roomchat.views.common import counted, error_page, seq_parameter, warn_about_frame
from django_roomchat.views.context import room_page


# A post is a transaction of its own: with ATOMIC_REQUESTS, the response would confirm a message that is not
# committed yet.
@csrf_exempt  # checked after the size limit is set: the CSRF check reads the whole form
@transaction.non_atomic_requests
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def room(request: HttpRequest, room_name: str) -> HttpResponse:
    """The page of a room with its newest messages, or those around a sequence number. A POST of the form
    posts a message, with files.
    """
    warn_about_frame(request)
    try:
        if request.method == "POST":
            http.limit_form(request, config().ATTACHMENTS_PER_MESSAGE)
    except ChatError as error:
        return error_page(request, error)
    return _room(request, room_name)


@csrf_protect
def _room(request: HttpRequest, room_name: str) -> HttpResponse:
    try:
        if request.method == "POST":
            return _post_form(request, room_name)
        return _show_room(request, room_name, places=seq_parameter(request, "before", "after", "at"))
    except ChatError as error:
        return error_page(request, error)


def _post_form(request: HttpRequest, room_name: str) -> HttpResponse:
    body = request.POST.get("body", "")
    try:
        id = request.POST.get("id") or uuid.uuid4().hex
        with counted("POSTS", request, room_name) as who:
            posted = _post_with_files(who, room_name, body, id, http.uploaded_files(request, "files"))
    except BadRoomName:
        raise
    except Held as error:
        return _show_room(request, room_name, error=error)
    except ChatError as error:
        return _show_room(request, room_name, draft=body, error=error)
    return HttpResponseRedirect(f"{reverse('roomchat:room', args=[posted.room])}#m-{posted.seq}", status=303)


def _post_with_files(who: Identity, room_name: str, body: str, id: str, given: list[Any]) -> Posted:
    sent: list[Attachment] = []
    try:
        sent += (attachments.attach_file(room_name, one, by=who) for one in given)
        return post_message(room_name, body, author=who, id=id, files=sent)
    except Held:
        raise
    except ChatError:
        # The form is shown again without the files: browsers do not restore file inputs.
        for one in sent:
            attachments.cancel_upload(who, room_name, one.pk)
        raise


def _show_room(
    request: HttpRequest,
    room_name: str,
    *,
    places: dict[str, int] | None = None,
    draft: str = "",
    error: ChatError | None = None,
) -> HttpResponse:
    detail = error.detail if error else None
    context = room_page(request, room_name, **(places or {}), draft=draft, error=detail)
    response = render(request, "django_roomchat/room.html", context, status=error.status if error else 200)
    patch_vary_headers(response, ["Cookie"])
    return response
