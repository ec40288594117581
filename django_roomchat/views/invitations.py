"""View of an invitation link."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from django_roomchat import identity
from django_roomchat.errors import ChatError
from django_roomchat.rooms import invitations
from django_roomchat.views.common import error_page
from django_roomchat.views.context import room_url


@transaction.non_atomic_requests
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """The page of an invitation link. A GET accepts nothing, because link previews also send one."""
    who = identity.who(request)
    try:
        room = invitations.invitation_of(token).room
    except ChatError as error:
        return error_page(request, error)
    refusal: ChatError | None = None
    if request.method == "POST":
        try:
            return HttpResponseRedirect(room_url(invitations.accept_invitation(token, by=who)), status=303)
        except ChatError as error:
            refusal = error
    context = {"room_title": room.title, "me": who, "error": refusal.detail if refusal else None}
    status = refusal.status if refusal else 200
    response = render(request, "django_roomchat/invitation.html", context, status=status)
    # The URL is the secret and must not be sent to other sites. With no referrer at all, a browser would post
    # the form with “Origin: null”, which Django rejects.
    response["Referrer-Policy"] = "same-origin"
    return response
