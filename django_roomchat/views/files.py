"""Views for uploads and downloads."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import add_never_cache_headers
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST

from django_roomchat import identity
from django_roomchat.errors import BadValue, ChatError
from django_roomchat.files import http
from django_roomchat.messages import attachments
from django_roomchat.policy import rate_limits
from django_roomchat.views.common import counted, json_error, json_response


@csrf_exempt  # checked after the size limit is set: the CSRF check reads the whole form
@transaction.non_atomic_requests
@require_POST
@never_cache
def files(request: HttpRequest, room_name: str) -> HttpResponse:
    """Upload a file, for a message that refers to it later."""
    try:
        http.limit_form(request, 1)
        return _files(request, room_name)
    except ChatError as error:
        return json_error(error)


@csrf_protect
def _files(request: HttpRequest, room_name: str) -> HttpResponse:
    try:
        [given] = http.uploaded_files(request, "file") or [None]
        if given is None:
            raise BadValue("Send a multipart/form-data request with a file field named “file”.")
        who, address = identity.who(request), rate_limits.address_of(request)
        with rate_limits.coming_from(address):
            made = attachments.attach_file(room_name, given, by=who)
        return json_response(attachments.shown(made), status=201)
    except ChatError as error:
        return json_error(error)


@transaction.non_atomic_requests
@require_http_methods(["DELETE"])
@never_cache
def file(request: HttpRequest, room_name: str, file_id: uuid.UUID) -> HttpResponse:
    """Delete an uploaded file that no message refers to."""
    try:
        with counted("FRAMES", request) as who:
            attachments.cancel_upload(who, room_name, file_id)
        return HttpResponse(status=204)
    except ChatError as error:
        return json_error(error)


@require_http_methods(["GET", "HEAD"])
def download(request: HttpRequest, room_name: str, file_id: uuid.UUID, file_name: str) -> HttpResponseBase:
    """Serve a file of a message to anyone who may enter the room."""
    return _hand_out(request, room_name, file_id)


@require_http_methods(["GET", "HEAD"])
def thumb(request: HttpRequest, room_name: str, file_id: uuid.UUID) -> HttpResponseBase:
    """Serve the thumbnail of an image."""
    return _hand_out(request, room_name, file_id, is_thumb=True)


def _hand_out(
    request: HttpRequest, room_name: str, file_id: uuid.UUID, *, is_thumb: bool = False
) -> HttpResponseBase:
    try:
        found = attachments.file_of(identity.who(request), room_name, file_id)
        return http.serve(request, found, is_thumb=is_thumb)
    except ChatError as error:
        response = json_error(error)
        add_never_cache_headers(response)
        return response
