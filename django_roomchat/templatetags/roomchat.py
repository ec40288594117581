"""Template tags and filters of the chat.

``{% roomchat "lobby" %}`` embeds a room in any page, with its style sheet and script. ``{% roomchat_assets
%}`` places these two elsewhere in the page. Colours and initials are computed here for what the server
renders, and in ``js/src/people/avatars.js`` for what the browser renders. Both follow the same rules;
``tests/browser`` compares them.
"""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from html import unescape
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from django import template
from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.template import Context
from django.templatetags.static import static
from django.urls import NoReverseMatch, Resolver404, get_script_prefix, resolve
from django.utils import timezone
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext, ngettext

from django_roomchat.policy import sanction_errors
from django_roomchat.rooms import system_messages
from django_roomchat.text import emoji, mention_syntax
from django_roomchat.text.links import REL, split
from django_roomchat.views import formats

register = template.Library()

GROUPED_WITHIN = datetime.timedelta(minutes=5)
"""Consecutive messages of one author within this time are shown under one name."""
HUES = 12
"""Number of avatar colours; roomchat.css defines each of them."""

_FNV_OFFSET, _FNV_PRIME = 0x811C9DC5, 0x01000193


# Rooms and their assets ---------------------------------------------------------------------------------------


@register.inclusion_tag("django_roomchat/_room.html", takes_context=True)
def roomchat(context: Context, room: Any) -> dict[str, Any]:
    """Embed a room in a page. *room* is a ``Room`` or the name of one."""
    from django_roomchat.models import Room
    from django_roomchat.views.context import room_page

    request = context.get("request")
    if request is None:
        raise template.TemplateSyntaxError(
            '{% roomchat %} needs the request in the template context: add "django.template.context_processors.request" to the context processors.'
        )
    name = room.name if isinstance(room, Room) else room
    return {**room_page(request, name), "request": request, "csp_nonce": _nonce(context), "embedded": True}


@register.simple_tag(takes_context=True)
def roomchat_assets(context: Context) -> SafeString:
    """Render the style sheet and the script once a page; later uses render nothing."""
    return roomchat_style(context) + roomchat_script(context)


@register.simple_tag(takes_context=True)
def roomchat_style(context: Context) -> SafeString:
    """Render the style sheet once a page."""
    return _once(context, '<link rel="stylesheet" href="{}"{}>\n', "django_roomchat/roomchat.css")


@register.simple_tag(takes_context=True)
def roomchat_script(context: Context) -> SafeString:
    """Render the script once a page. It starts when the page is complete, so a page that renders it last loads the
    style sheet and the messages first on a slow connection.
    """
    return _once(context, '<script type="module" src="{}"{}></script>\n', "django_roomchat/roomchat.js")


def _once(context: Context, html: str, path: str) -> SafeString:
    # The lowest dict of render_context is shared by all templates of one rendering.
    rendering = context.render_context.dicts[0]
    if path in rendering:
        return mark_safe("")
    rendering[path] = "yes"
    nonce = _nonce(context)
    return format_html(html, static(path), format_html(' nonce="{}"', nonce) if nonce is not None else "")


def _nonce(context: Context) -> Any:
    """Return the page's CSP nonce: Django's (6.0 and later), django-csp's, or ``None``.

    Compared with None, because Django's lazy nonce is false until it has been rendered.
    """
    nonce = context.get("csp_nonce")
    request = context.get("request")
    if nonce is None:
        nonce = getattr(request, "_csp_nonce", None)  # what django.middleware.csp.get_nonce() reads
    if nonce is None:
        nonce = getattr(request, "csp_nonce", None)
    return nonce


@register.simple_tag(takes_context=True)
def roomchat_login_url(context: Context) -> str:
    """Return the URL at which a person whose session has ended signs in and returns from; empty if the site
    has no login page.
    """
    try:
        url = resolve_url(settings.LOGIN_URL)
    except NoReverseMatch:
        return ""
    request = context.get("request")
    here = request.get_full_path() if isinstance(request, HttpRequest) else context.get("room_url", "")
    return f"{url}?{urlencode({'next': here})}"


@register.simple_tag(takes_context=True)
def roomchat_sign_in_url(context: Context) -> str:
    """Return the URL of the sign-in page for a link to it; empty if the site has no page at ``LOGIN_URL``."""
    url = roomchat_login_url(context)
    address = urlsplit(url)
    try:
        if not address.netloc:
            resolve(f"/{address.path.removeprefix(get_script_prefix()).lstrip('/')}")
    except Resolver404:
        return ""
    return url


EMOJI_LANGUAGES = ("ar", "de", "en", "es", "fr", "ja", "ko", "pt-br", "zh-hans")
"""Languages with emoji names: the files in ``static/django_roomchat/emoji``, generated by
``js/emoji/names.js``."""
_EMOJI_LANGUAGE_OF = {
    "pt": "pt-br",
    "pt-pt": "pt-br",
    "zh": "zh-hans",
    "zh-cn": "zh-hans",
    "zh-sg": "zh-hans",
}


@register.simple_tag
def roomchat_emoji() -> str:
    """Return the URLs of the emoji names: English, and the page's language if there are names in it."""
    language = get_language() or "en"
    wanted = _EMOJI_LANGUAGE_OF.get(language, language)
    own = wanted if wanted in EMOJI_LANGUAGES else wanted.partition("-")[0]
    names = ("en", own) if own in EMOJI_LANGUAGES else ("en",)
    return " ".join(static(f"django_roomchat/emoji/{name}.json") for name in dict.fromkeys(names))


@register.simple_tag
def roomchat_words() -> dict[str, Any]:
    """Return all strings that the script shows, in the page's language.

    Placeholders stand in braces. A sentence with a number comes with all its plural forms, for ``pluralize`` in
    ``js/src/ui/plurals.js``.
    """
    return {
        "sending": gettext("Sending…"),
        "failed": gettext("Not sent."),
        "failed_identity_changed": gettext(
            "Not sent: you are signed in as a different user. Retry sends it under your current name."
        ),
        "failed_stale": gettext("Not sent: the message has been waiting for more than a day."),
        "failed_files_lost": gettext(
            "Not sent: the page was closed before its files were uploaded. Retry sends it without them."
        ),
        "failed_upload_failed": gettext("Not sent: a file could not be uploaded."),
        "failed_too_big": gettext("Not sent: a file is too big."),
        "files_first": gettext("Waiting for file uploads…"),
        "uploading": gettext("Uploading {name}"),
        "upload_waiting": gettext("Waiting for the network…"),
        "upload_failed": gettext("Upload failed."),
        "too_big": gettext("Too big."),
        "upload_remove": gettext("Remove {name}"),
        "upload_alt": gettext("Description of {name}"),
        "attached": gettext("{name} is attached."),
        "file_empty": gettext("{name} is empty."),
        "file_too_big": gettext("{name} is too big. The limit is {size}."),
        "file_unsupported": gettext("{name} is not accepted here. Accepted: {types}."),
        **_sizes(),
        "formats": formats.script_formats(),
        **_numbered(get_language()),
        "deleted": gettext("Message deleted"),
        "deleted_by": gettext("Message from {name} deleted"),
        "today": gettext("Today"),
        "yesterday": gettext("Yesterday"),
        "newest": gettext("Newest"),
        "older": gettext("Older messages"),
        "newer": gettext("Newer messages"),
        "loading": gettext("Loading…"),
        "room_muted": gettext("Notifications from this room are muted on all your devices."),
        "room_unmuted": gettext("Notifications from this room are on again."),
        "load_failed": gettext("Loading failed. Try again"),
        "offline": gettext("Not connected. Your messages are stored and will be sent later."),
        "ended_4001": gettext("Your session has ended. Your draft is kept."),
        "no_cookies": gettext(
            "This page is in a frame of another site, and your browser sends no cookies from there. The chat works in a window of its own."
        ),
        "open_window": gettext("Open the chat in a new window"),
        "ended_4003": gettext("You no longer have access to this room."),
        "ended_4004": gettext("This room no longer exists."),
        "sign_in": gettext("Sign in again"),
        "reload": gettext("Reload"),
        "typing_one": gettext("{name} is typing…"),
        "typing_two": gettext("{name} and {other} are typing…"),
        "typing_many": gettext("Several people are typing…"),
        "replying": gettext("Reply to {name}"),
        "editing": gettext("Edit message"),
        "edit_deleted": gettext("This message was deleted. Your text can be sent as a new message."),
        "link_copied": gettext("Link copied."),
        "reported": gettext("Report sent. A moderator will review the message from {name}."),
        "banned": gettext("Banned"),
        "banned_until": gettext("Banned until {time}"),
        "muted": gettext("Muted"),
        "muted_until": gettext("Muted until {time}"),
        "ban_done": gettext("{name} is banned."),
        "mute_done": gettext("{name} is muted."),
        "block_done": gettext("{name} is blocked."),
        "unblock_done": gettext("{name} is unblocked."),
        "invitation_any": gettext("for any number of people"),
        "invitation_until": gettext("Expires {time}"),
        "invitation_endless": gettext("Never expires"),
        "saved": gettext("Room settings saved."),
        "left_room": gettext("You have left {room}."),
        "slow": gettext("Slow mode: {time}"),
        "slow_wait": gettext("Next message in {time}"),
        "slow_sends": gettext("Will be sent in {time}"),
        "refused": gettext("Something went wrong. Try again."),
        "refused_offline": gettext("Not connected. Try again in a moment."),
        **sanction_errors.words(),
        **system_messages.words(),
    }


@cache
def _numbered(language: str | None) -> dict[str, Any]:
    """Return the sentences with a number, in the active *language*. Cached, because each one evaluates two
    hundred numbers.
    """
    return {
        "files_too_many": _counted(
            lambda n: ngettext(
                "A message can have at most {count} file.", "A message can have at most {count} files.", n
            )
        ),
        "new": _counted(lambda n: ngettext("{count} new", "{count} new", n)),
        "characters_left": _counted(lambda n: ngettext("{count} left", "{count} left", n)),
        "characters_over": _counted(lambda n: ngettext("{count} too many", "{count} too many", n)),
        "found": _counted(lambda n: ngettext("{count} found", "{count} found", n)),
        "invitation_uses": _counted(lambda n: ngettext("for {count} person", "for {count} people", n)),
    }


def _counted(said: Callable[[int], str]) -> dict[str, Any]:
    """Return the plural forms of a sentence and the form for each number. No language looks at more than the
    last two digits.
    """
    said_of = [said(number) for number in range(200)]
    forms = list(dict.fromkeys(said_of))
    which = "".join(str(forms.index(form)) for form in said_of) if len(forms) > 1 else ""
    return {"forms": forms, "of": which}


@register.filter
def roomchat_line(message: Any) -> str:
    """Return a system message in the reader's language, as ``js/src/timeline/system_lines.js`` does in the
    browser.
    """
    return system_messages.said(message.line)


# Files ----------------------------------------------------------------------------------------------------------

_KIB = 1024
_ROUND_FROM = 10  # larger sizes are shown without decimals
_BOX = (400, 320)
_SMALLEST = 48
_ARCHIVES = re.compile("zip|tar|compressed|rar")


class Box(NamedTuple):
    """Size of a picture in the page, in CSS pixels."""

    width: int
    height: int


@register.filter
def roomchat_kind(file: Any) -> str:
    """Return how a file is shown, as ``fileKind`` in ``js/src/ui/file_size.js``. A picture of unknown size is
    shown as a file.
    """
    if not file:
        return ""
    family = file.type.partition("/")[0]
    if family == "image":
        return "image" if file.width else "file"
    if family in {"video", "audio", "text"}:
        return str(family)
    return "archive" if _ARCHIVES.search(file.type) else "file"


@register.filter
def roomchat_box(file: Any) -> Box | None:
    """Return the size of a picture in the page, as ``boxOf`` in the browser; ``None`` for other files."""
    if roomchat_kind(file) != "image":
        return None
    scale = min(1, _BOX[0] / file.width, _BOX[1] / file.height)
    return Box(*(max(_SMALLEST, int(length * scale + 0.5)) for length in (file.width, file.height)))


@register.filter
def roomchat_size(size: int) -> str:
    """Format a file size in the reader's number format ("1.4 MB"), as ``sizeOf`` in the browser."""
    unit, bytes_of_unit = ("size_kb", _KIB) if size < _KIB * _KIB else ("size_mb", _KIB * _KIB)
    if size < _ROUND_FROM * bytes_of_unit:
        tenths = max(_rounded(size * 10, bytes_of_unit), 1)
    else:
        tenths = _rounded(size, bytes_of_unit) * 10
    return _sizes()[unit].replace("{count}", formats.tenths(tenths))


def _rounded(number: int, divisor: int) -> int:
    """Divide and round half up, as JavaScript does. ``round`` rounds half to even."""
    return (number * 2 + divisor) // (divisor * 2)


def _sizes() -> dict[str, str]:
    return {"size_kb": gettext("{count} KB"), "size_mb": gettext("{count} MB")}


# Messages -------------------------------------------------------------------------------------------------------


class Row(NamedTuple):
    """A message and its relation to the message above it."""

    message: Any
    starts_day: bool
    follows: bool
    starts_new: bool


@register.filter
def roomchat_rows(messages: Iterable[Any], read: int | None = 0) -> Iterator[Row]:
    """Yield messages, given oldest first, each with its relation to the message above it.

    ``starts_day``: a new day begins. ``follows``: it continues the group of its author. ``starts_new``: it is
    the first message of another author after the sequence number *read*, up to which the reader has read.
    """
    above, new_began = None, not read
    for message in messages:
        starts_day = above is None or _day(message.at) != _day(above.at)
        follows = (
            above is not None
            and not starts_day
            and above.author_key == message.author_key
            and above.kind == message.kind
            and message.at - above.at < GROUPED_WITHIN
        )
        starts_new = not new_began and message.seq > read and not message.mine
        new_began = new_began or starts_new
        yield Row(message, starts_day, follows, starts_new)
        above = message


@register.simple_tag(takes_context=True)
def roomchat_message_ids(context: Context) -> str:
    """Return the beginning of the ids of a room's messages. Several rooms can be embedded in one page."""
    if not context.get("embedded"):
        return "m-"
    return f"m-{hashlib.sha256(context['room_name'].encode()).hexdigest()[:8]}-"


class Parts(NamedTuple):
    """The messages of a page in two parts, each oldest first."""

    newest: list[Row]
    """The messages that the page contains first; a slow connection shows them while the rest arrives."""
    earlier: list[Row]


@register.filter
def roomchat_parts(messages: Iterable[Any], read: int | None = 0) -> Parts:
    """Split messages into the newest and the earlier ones, as rows of :func:`roomchat_rows`."""
    rows = list(roomchat_rows(messages, read))
    return Parts(rows[-NEWEST_FIRST:], rows[:-NEWEST_FIRST])


NEWEST_FIRST = 12
"""Number of messages that a page contains before all others."""


def _day(at: datetime.datetime) -> datetime.date:
    return (timezone.localtime(at) if timezone.is_aware(at) else at).date()


@register.filter
def roomchat_hue(key: str) -> int:
    """Return the number of a person's avatar colour. It never changes: FNV-1a of the key."""
    number = _FNV_OFFSET
    for byte in str(key).encode():
        number = (number ^ byte) * _FNV_PRIME & 0xFFFFFFFF
    return number % HUES


@register.filter
def roomchat_initials(name: str) -> str:
    """Return one or two characters for a person's avatar, from the first and the last word of the name, if
    these are words.
    """
    words = str(name).split()
    if not words:
        return ""
    initials = words[0][0]
    if len(words) > 1 and initials.isalpha() and words[-1][0].isalpha():
        initials += words[-1][0]
    return initials.upper()


@register.filter
def roomchat_body(body: str, mentions: Iterable[Any] = ()) -> SafeString:
    """Escape the text of a message, turn its URLs and e-mail addresses into links and mark its mentions."""
    return mark_safe(
        "".join(_link(piece, url) if url else _marked(piece, mentions) for piece, url in split(str(body)))
    )


@register.filter
def roomchat_is_large(body: str) -> bool:
    """Return whether a message is one to three emoji, which the page shows large."""
    return emoji.is_large(str(body))


@register.filter
def roomchat_html(html: str, mentions: Iterable[Any] = ()) -> SafeString:
    """Mark the mentions in the rendered Markdown of a message, except in code and links."""
    if not mentions:
        return mark_safe(html)
    return mark_safe(
        "".join(
            _marked(unescape(piece), mentions) if is_markable else piece
            for piece, is_markable in mention_syntax.split_html(html)
        )
    )


def _marked(text: str, mentions: Iterable[Any]) -> SafeString:
    mine = {mention.name: mention.mine for mention in mentions}
    return mark_safe(
        "".join(
            format_html('<span class="roomchat-mention"{}>{}</span>', _ME if mine[name] else "", piece)
            if name
            else escape(piece)
            for piece, name in mention_syntax.split(text, mine)
        )
    )


_ME = mark_safe(" data-me")


def _link(text: str, url: str) -> SafeString:
    return format_html('<a href="{}" target="_blank" rel="{}">{}</a>', url, REL, text)


register.filter("roomchat_when", formats.short)
register.filter("roomchat_day", formats.day)
register.filter("roomchat_moment", formats.moment)
register.simple_tag(formats.script_formats, name="roomchat_formats")
