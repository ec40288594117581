"""Views of the pages outside a room: the index, the form for a new room, the search."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from django_roomchat import identity
from django_roomchat.errors import BadRoomName, ChatError
from django_roomchat.rooms import lookup
from django_roomchat.rooms.create import create_room
from django_roomchat.views.common import counted, error_page, set_retry_after, warn_about_frame
from django_roomchat.views.context import index_page, new_room_page, room_url, search_page


@require_GET
@never_cache
def index(request: HttpRequest) -> HttpResponse:
    """The list of rooms, with a form to open a room by its name."""
    warn_about_frame(request)
    typed = request.GET.get("room")
    if typed is None:
        return render(request, "django_roomchat/index.html", index_page(request))
    try:
        return HttpResponseRedirect(room_url(lookup.room_of(typed)))
    except BadRoomName as error:
        context = index_page(request, typed=typed, error=error.detail)
        return render(request, "django_roomchat/index.html", context, status=error.status)


@transaction.non_atomic_requests
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def new_room(request: HttpRequest) -> HttpResponse:
    """The form that creates a room and redirects to it."""
    try:
        return _make_room(request) if request.method == "POST" else _show_new_room(request)
    except ChatError as error:
        return error_page(request, error)


def _make_room(request: HttpRequest) -> HttpResponse:
    typed = request.POST
    title, visibility = typed.get("title", ""), typed.get("visibility", "open")
    flags = {"listed": "listed" in typed, "announcement": "announcement" in typed}
    try:
        with counted("FRAMES", request) as who:
            made = create_room(
                title,
                by=who,
                visibility=visibility,  # type: ignore[arg-type]  # another one is refused
                is_listed=flags["listed"],
                is_announcement=flags["announcement"],
            )
    except ChatError as error:
        said = {"error": error.detail, "is_taken": error.code == "taken"}
        return _show_new_room(request, error.status, title=title, visibility=visibility, **flags, **said)
    return HttpResponseRedirect(room_url(made), status=303)


def _show_new_room(request: HttpRequest, status: int = 200, **typed: Any) -> HttpResponse:
    context = new_room_page(identity.who(request), **typed)
    return render(request, "django_roomchat/new_room.html", context, status=status)


@transaction.non_atomic_requests
@require_GET
@never_cache
def search(request: HttpRequest) -> HttpResponse:
    """The search page."""
    try:
        context, refusal = search_page(request)
    except ChatError as error:
        return error_page(request, error)
    response = render(request, "django_roomchat/search.html", context)
    if refusal is not None:
        response.status_code = refusal.status
        set_retry_after(response, refusal)
    patch_vary_headers(response, ["Cookie"])
    return response
