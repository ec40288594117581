from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from django.core.handlers.asgi import ASGIRequest
from django.db import Error as DatabaseError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.translation import gettext_noop as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from django_roomchat import identity, page, protocol
from django_roomchat.conf import config
from django_roomchat.errors import BadRoomName, BadValue, ChatError, Held, TryAgain, Unsupported
from django_roomchat.files import http
from django_roomchat.identity import Identity, guests, sessions, tickets
from django_roomchat.messages import attachments
from django_roomchat.messages.history import read_history
from django_roomchat.messages.post import post_message
from django_roomchat.messages.types import Posted
from django_roomchat.models import Attachment
from django_roomchat.policy import rate_limits
from django_roomchat.realtime import event_stream, handlers
from django_roomchat.realtime.threads import in_thread
from django_roomchat.rooms import invitations, lookup
from django_roomchat.rooms.create import create_room
from django_roomchat.throttled_logging import warn_throttled
from django_roomchat.webhooks import incoming


@require_GET
@never_cache
def index(request: HttpRequest) -> HttpResponse:
    """The list of rooms, with a form to open a room by its name."""
    typed = request.GET.get("room")
    if typed is None:
        return render(request, "django_roomchat/index.html", page.index_page(request))
    try:
        return HttpResponseRedirect(page.room_url(lookup.room_of(typed)))
    except BadRoomName as error:
        context = page.index_page(request, typed=typed, error=error.detail)
        return render(request, "django_roomchat/index.html", context, status=error.status)


@transaction.non_atomic_requests
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def new_room(request: HttpRequest) -> HttpResponse:
    """The form that creates a room and redirects to it."""
    try:
        return _make_room(request) if request.method == "POST" else _show_new_room(request)
    except ChatError as error:
        return _error_page(request, error)


def _make_room(request: HttpRequest) -> HttpResponse:
    typed = request.POST
    title, visibility = typed.get("title", ""), typed.get("visibility", "open")
    flags = {"listed": "listed" in typed, "announcement": "announcement" in typed}
    try:
        with _counted("FRAMES", request) as who:
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
    return HttpResponseRedirect(page.room_url(made), status=303)


def _show_new_room(request: HttpRequest, status: int = 200, **typed: Any) -> HttpResponse:
    context = page.new_room_page(identity.who(request), **typed)
    return render(request, "django_roomchat/new_room.html", context, status=status)


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
    try:
        if request.method == "POST":
            http.read_at_most(request, config().ATTACHMENTS_PER_MESSAGE)
    except ChatError as error:
        return _error_page(request, error)
    return _room(request, room_name)


@csrf_protect
def _room(request: HttpRequest, room_name: str) -> HttpResponse:
    try:
        if request.method == "POST":
            return _post_form(request, room_name)
        return _show_room(request, room_name, places=_places(request, "before", "after", "at"))
    except ChatError as error:
        return _error_page(request, error)


def _error_page(request: HttpRequest, error: ChatError) -> HttpResponse:
    context = {"error": error.detail, "code": error.code, "index_url": reverse("roomchat:index")}
    return render(request, "django_roomchat/error.html", context, status=error.status)


def _post_form(request: HttpRequest, room_name: str) -> HttpResponse:
    body = request.POST.get("body", "")
    try:
        id = request.POST.get("id") or uuid.uuid4().hex
        with _counted("POSTS", request, room_name) as who:
            posted = _post_with_files(who, room_name, body, id, http.files_of(request, "files"))
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
        sent += (attachments.attach_file(room_name, one, author=who) for one in given)
        return post_message(room_name, body, author=who, id=id, files=sent)
    except Held:
        raise
    except ChatError:
        # The form is shown again without the files: browsers do not restore file inputs.
        for one in sent:
            attachments.take_back(who, room_name, one.pk)
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
    context = page.room_page(request, room_name, **(places or {}), draft=draft, error=detail)
    response = render(request, "django_roomchat/room.html", context, status=error.status if error else 200)
    patch_vary_headers(response, ["Cookie"])
    return response


@require_GET
@never_cache
def search(request: HttpRequest) -> HttpResponse:
    """The search page."""
    try:
        context = page.search_page(request)
    except ChatError as error:
        return _error_page(request, error)
    response = render(
        request, "django_roomchat/search.html", context, status=400 if context["error"] else 200
    )
    patch_vary_headers(response, ["Cookie"])
    return response


@transaction.non_atomic_requests
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def messages(request: HttpRequest, room_name: str) -> HttpResponse:
    """The history of a room as JSON. A POST of JSON posts a message."""
    try:
        if request.method == "POST":
            return _post_json(request, room_name)
        who = identity.who(request)
        history = read_history(who, room_name, **_places(request, "before", "after", "around"))
        return _json(page.history_json(history))
    except ChatError as error:
        return _json_error(error)


@csrf_exempt  # checked after the size limit is set: the CSRF check reads the whole form
@transaction.non_atomic_requests
@require_POST
@never_cache
def files(request: HttpRequest, room_name: str) -> HttpResponse:
    """Upload a file, for a message that refers to it later."""
    try:
        http.read_at_most(request, 1)
        return _files(request, room_name)
    except ChatError as error:
        return _json_error(error)


@csrf_protect
def _files(request: HttpRequest, room_name: str) -> HttpResponse:
    try:
        [given] = http.files_of(request, "file") or [None]
        if given is None:
            raise BadValue("Send a multipart/form-data request with a file field named “file”.")
        who, address = identity.who(request), rate_limits.address_of(request)
        with rate_limits.coming_from(address):
            made = attachments.attach_file(room_name, given, author=who)
        return _json(attachments.shown(made), status=201)
    except ChatError as error:
        return _json_error(error)


@transaction.non_atomic_requests
@require_http_methods(["DELETE"])
@never_cache
def file(request: HttpRequest, room_name: str, file_id: uuid.UUID) -> HttpResponse:
    """Delete an uploaded file that no message refers to."""
    try:
        with _counted("FRAMES", request) as who:
            attachments.take_back(who, room_name, file_id)
        return HttpResponse(status=204)
    except ChatError as error:
        return _json_error(error)


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
        response = _json_error(error)
        add_never_cache_headers(response)
        return response


@transaction.non_atomic_requests
@require_POST
@never_cache
def frames(request: HttpRequest, room_name: str = "") -> HttpResponse:
    """Perform one frame of ``roomchat.v1`` sent as JSON, for clients without a socket, and return the answer."""
    try:
        frame = protocol.decode(_json_text(request), config().FRAME_MAX_BYTES)
        if isinstance(frame, protocol.ChooseName):
            return _json(_choose_name(request, room_name, frame))
        what: rate_limits.What = "POSTS" if isinstance(frame, protocol.Post) else "FRAMES"
        with _counted(what, request, getattr(frame, "room", "") or room_name) as who:
            return _json(handlers.perform(who, room_name, frame))
    except ChatError as error:
        return _json_error(error)


@transaction.non_atomic_requests
@require_GET
@never_cache
async def events(request: HttpRequest, room_name: str) -> HttpResponseBase:
    """The events of a room, as server-sent events or, with ``wait``, as the response to a long poll."""
    try:
        epoch, since = _position(request)
        who, bond = await in_thread(_bond, request)
        waits = request.GET.get("wait")
        is_asgi = isinstance(request, ASGIRequest)
        if waits is None and not is_asgi:
            raise BadValue(
                "Server-sent events need ASGI, and this server uses WSGI. Poll with ?wait=25.",
                code="no_streams",
            )
        if waits is not None and not is_asgi:
            return _told(await event_stream.look(who, room_name, epoch, since, _seconds(waits)))
        stream = await event_stream.open_stream(who, bond, room_name, epoch, since)
        if waits is not None:
            return _told(await stream.poll(_seconds(waits)))
    except ChatError as error:
        return _json_error(error)
    except DatabaseError as error:
        warn_throttled("database", "The database failed for an event stream: %r", error)
        return _json_error(TryAgain(_("The database is not responding; try again.")))
    response = StreamingHttpResponse(stream.events(), content_type="text/event-stream")
    # Compression and buffering would delay the events: GZipMiddleware, nginx, proxies of mobile networks.
    response["Content-Encoding"] = "identity"
    response["X-Accel-Buffering"] = "no"
    response["Cache-Control"] = "no-store, no-transform"
    return response


def _bond(request: HttpRequest) -> tuple[Identity, sessions.SessionBinding]:
    who = identity.who(request)
    rate_limits.spend("JOINS", who, rate_limits.address_of(request))
    return who, sessions.bind_session(who, getattr(request, "session", None))


def _position(request: HttpRequest) -> tuple[str, int | None]:
    """Return the client's cursor: from ``Last-Event-ID`` when a browser reconnects, else from the query
    string.
    """
    epoch, _colon, since = request.headers.get("Last-Event-ID", "").rpartition(":")
    if not epoch:
        epoch, since = request.GET.get("epoch", ""), request.GET.get("since", "")
    known = since.isascii() and since.isdecimal() and len(since) <= 16
    return epoch, int(since) if known else None


def _seconds(typed: str) -> float:
    if not (typed.isascii() and typed.isdecimal() and len(typed) <= 4):
        raise BadValue(f"“wait” must be a whole number of seconds, not {typed[:20]!r}.")
    return min(float(typed), event_stream.WAIT_MAX_SECONDS)


def _told(frames: list[str]) -> HttpResponse:
    return _json({"frames": [msgspec.Raw(frame.encode()) for frame in frames]})


def _choose_name(request: HttpRequest, room_name: str, frame: protocol.ChooseName) -> protocol.Done:
    with _counted("FRAMES", request) as who:
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
        return _json({"ticket": made, "seconds": config().TICKET_SECONDS})
    except ChatError as error:
        return _json_error(error)


@transaction.non_atomic_requests
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """The page of an invitation link. A GET accepts nothing, because link previews also send one."""
    who = identity.who(request)
    try:
        room = invitations.invitation_of(token).room
    except ChatError as error:
        return _error_page(request, error)
    refusal: ChatError | None = None
    if request.method == "POST":
        try:
            return HttpResponseRedirect(page.room_url(invitations.accept_invitation(token, who)), status=303)
        except ChatError as error:
            refusal = error
    context = {"room_title": room.title, "me": who, "error": refusal.detail if refusal else None}
    status = refusal.status if refusal else 200
    response = render(request, "django_roomchat/invitation.html", context, status=status)
    # The URL is the secret and must not be sent to other sites. With no referrer at all, a browser would post
    # the form with “Origin: null”, which Django rejects.
    response["Referrer-Policy"] = "same-origin"
    return response


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
        through = incoming.hook_of(token)
        # Not limited by IP address: the programs of many sites share the addresses of the services that run
        # them.
        rate_limits.spend("POSTS", incoming.speaker(through), "", through.room.name)
        said = _said_by_program(request)
        posted = incoming.post_through(through, said.text, name=said.name, id=said.id)
        return _json({"id": posted.id, "seq": posted.seq, "duplicate": posted.duplicate}, status=201)
    except ChatError as error:
        return _json_error(error)


def _said_by_program(request: HttpRequest) -> _HookPost:
    if request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        form = request.POST
        return _HookPost(form.get("text", ""), form.get("name"), form.get("id"))
    return protocol.decode_body(_json_text(request), _HookPost, config().FRAME_MAX_BYTES)


@contextmanager
def _counted(what: rate_limits.What, request: HttpRequest, room_name: str = "") -> Iterator[Identity]:
    """Identify the sender of a request and apply the rate limits."""
    who, address = identity.who(request), rate_limits.address_of(request)
    if what == "POSTS":
        # The limit shared by all processes is checked with the post itself, as for a post from a socket.
        rate_limits.spend_local(what, who, address, lookup.canonical_name(room_name))
    else:
        rate_limits.spend(what, who, address)
    with rate_limits.coming_from(address):
        yield who


def _json_error(error: ChatError) -> HttpResponse:
    response = _json({"error": {"code": error.code, "detail": error.detail}}, status=error.status)
    if error.retry_after is not None:
        response["Retry-After"] = str(max(1, round(error.retry_after)))
    return response


class _JSONPost(msgspec.Struct):
    id: str
    body: str
    reply_to: protocol.Position | None = None
    files: list[protocol.FileToPost] = []


def _post_json(request: HttpRequest, room_name: str) -> HttpResponse:
    said = protocol.decode_body(_json_text(request), _JSONPost, config().FRAME_MAX_BYTES)
    with _counted("POSTS", request, room_name) as who:
        posted = post_message(
            room_name, said.body, author=who, id=said.id, reply_to=said.reply_to, files=said.files
        )
    return _json({"id": posted.id, "seq": posted.seq, "duplicate": posted.duplicate}, status=201)


def _json_text(request: HttpRequest) -> str:
    if request.content_type != "application/json":
        # This also protects against CSRF: a form of another site can send text/plain, but not JSON.
        raise Unsupported("Send JSON, with Content-Type: application/json.")
    return request.body.decode(errors="surrogateescape")


def _places(request: HttpRequest, *names: str) -> dict[str, int]:
    """Return the sequence number in the query string, if there is one: the first of *names* that is given."""
    for name in names:
        if typed := request.GET.get(name):
            if not (typed.isascii() and typed.isdecimal() and len(typed) <= 16):
                raise BadValue(
                    f"“{name}” must be the sequence number of a message, a whole number, not {typed[:20]!r}."
                )
            return {name: int(typed)}
    return {}


def _json(content: Any, status: int = 200) -> HttpResponse:
    response = HttpResponse(msgspec.json.encode(content), status=status, content_type="application/json")
    patch_vary_headers(response, ["Cookie"])
    return response
