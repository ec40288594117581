"""What the templates need beyond Django's own tags.

``{% roomchat "lobby" %}`` puts a room into any page, with its style and script; ``{% roomchat_assets %}`` puts these two where you want them.

Colours and initials are computed here for what the server renders and in ``js/src/people/avatars.js`` for what the browser renders.
Both follow the same rules; ``tests/browser`` compares them.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from html import unescape
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django import template
from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.template import Context
from django.templatetags.static import static
from django.urls import NoReverseMatch
from django.utils import formats, timezone
from django.utils.formats import number_format
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext, ngettext

from django_roomchat import calls, lines
from django_roomchat.links import REL, pieces

register = template.Library()

GROUPED_WITHIN = datetime.timedelta(minutes=5)
"""Messages of one author this close together stand under one name."""
HUES = 12
"""How many colours people have; roomchat.css defines each."""

_ASSETS_DONE = "django_roomchat assets"
_FNV_OFFSET, _FNV_PRIME = 0x811C9DC5, 0x01000193


# Rooms and their assets ---------------------------------------------------------------------------------------


@register.inclusion_tag("django_roomchat/_room.html", takes_context=True)
def roomchat(context: Context, room: Any) -> dict[str, Any]:
    """A room, in the middle of any page: a ``Room``, or the name of one."""
    from django_roomchat.models import Room
    from django_roomchat.page import room_page

    request = context.get("request")
    if request is None:
        raise template.TemplateSyntaxError(
            '{% roomchat %} needs the request to know who is looking: add "django.template.context_processors.request" to the context processors.'
        )
    name = room.name if isinstance(room, Room) else room
    return {**room_page(request, name), "request": request, "csp_nonce": _nonce(context), "embedded": True}


@register.simple_tag(takes_context=True)
def roomchat_assets(context: Context) -> SafeString:
    """The style sheet and the script, the first time that a page asks for them."""
    # The bottom of render_context is the one dict that all templates of one rendering share.
    rendering = context.render_context.dicts[0]
    if _ASSETS_DONE in rendering:
        return mark_safe("")
    rendering[_ASSETS_DONE] = "yes"
    nonce = _nonce(context)
    attribute = format_html(' nonce="{}"', nonce) if nonce is not None else ""
    return format_html(
        '<link rel="stylesheet" href="{}"{}>\n<script type="module" src="{}"{}></script>',
        static("django_roomchat/roomchat.css"),
        attribute,
        static("django_roomchat/roomchat.js"),
        attribute,
    )


def _nonce(context: Context) -> Any:
    """The page's CSP nonce: Django's (6.0 and later), django-csp's, or none.

    Compared with None, because Django's is false until somebody has rendered it.
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
    """Where a person whose session is over signs in, and comes back from; empty if the site has no such page."""
    try:
        url = resolve_url(settings.LOGIN_URL)
    except NoReverseMatch:
        return ""
    request = context.get("request")
    here = request.get_full_path() if isinstance(request, HttpRequest) else context.get("room_url", "")
    return f"{url}?{urlencode({'next': here})}"


EMOJI_LANGUAGES = ("ar", "de", "en", "es", "fr", "ja", "ko", "pt-br", "zh-hans")
"""In which there are names of emoji: the files in ``static/django_roomchat/emoji``, made by ``js/emoji/names.js``."""
_EMOJI_LANGUAGE_OF = {
    "pt": "pt-br",
    "pt-pt": "pt-br",
    "zh": "zh-hans",
    "zh-cn": "zh-hans",
    "zh-sg": "zh-hans",
}


@register.simple_tag
def roomchat_emoji() -> str:
    """Addresses of the names of emoji: the English ones and, where there are such, those of the page's language."""
    language = get_language() or "en"
    wanted = _EMOJI_LANGUAGE_OF.get(language, language)
    own = wanted if wanted in EMOJI_LANGUAGES else wanted.partition("-")[0]
    names = ("en", own) if own in EMOJI_LANGUAGES else ("en",)
    return " ".join(static(f"django_roomchat/emoji/{name}.json") for name in dict.fromkeys(names))


@register.simple_tag
def roomchat_words() -> dict[str, Any]:
    """Everything that the script says, in the page's language.

    Figures stand in braces. A sentence with a number comes with all of its forms, for ``counted`` in ``js/src/ui/plurals.js``.
    """
    return {
        "sending": gettext("Sending…"),
        "failed": gettext("Not sent."),
        "failed_identity_changed": gettext(
            "Not sent: you are somebody else now. Retry sends it in your present name."
        ),
        "failed_stale": gettext("Not sent: it has been waiting for more than a day."),
        "failed_files_lost": gettext(
            "Not sent: the page was closed before its files had arrived. Retry sends it without them."
        ),
        "failed_upload_failed": gettext("Not sent: a file could not be uploaded."),
        "failed_too_big": gettext("Not sent: a file is too big."),
        "files_first": gettext("Waiting for its files…"),
        "uploading": gettext("Uploading {name}"),
        "upload_waiting": gettext("Waiting for the network…"),
        "upload_failed": gettext("Could not be uploaded."),
        "too_big": gettext("Too big."),
        "upload_remove": gettext("Remove {name}"),
        "upload_alt": gettext("Description of {name}"),
        "attached": gettext("{name} is attached."),
        "file_empty": gettext("{name} is empty."),
        "file_too_big": gettext("{name} is too big: at most {size}."),
        "file_unsupported": gettext("{name} is of a kind that is not taken here."),
        **_sizes(),
        **_numbered(get_language()),
        "deleted": gettext("Message deleted"),
        "today": gettext("Today"),
        "yesterday": gettext("Yesterday"),
        "newest": gettext("Newest"),
        "older": gettext("Older messages"),
        "newer": gettext("Newer messages"),
        "loading": gettext("Loading…"),
        "room_muted": gettext("Muted: no notifications from this room, on all of your devices."),
        "room_unmuted": gettext("No longer muted."),
        "load_failed": gettext("Could not be loaded. Try again"),
        "offline": gettext("Not connected. What you write is kept and will be sent."),
        "ended_4001": gettext("Your session is over. What you wrote is kept."),
        "ended_4003": gettext("You cannot be in this room any more."),
        "ended_4004": gettext("This room does not exist any more."),
        "ended_4400": gettext("This page is out of date."),
        "ended_4409": gettext("This room is open in another window."),
        "sign_in": gettext("Sign in again"),
        "reload": gettext("Reload"),
        "typing_one": gettext("{name} is typing…"),
        "typing_two": gettext("{name} and {other} are typing…"),
        "typing_many": gettext("Several people are typing…"),
        "replying": gettext("Answer to {name}"),
        "editing": gettext("Edit message"),
        "link_copied": gettext("Link copied."),
        "reported": gettext("Reported. A moderator will look at it."),
        "banned": gettext("Banned"),
        "banned_until": gettext("Banned until {time}"),
        "muted": gettext("Muted"),
        "muted_until": gettext("Muted until {time}"),
        "ban_done": gettext("Banned."),
        "mute_done": gettext("Muted."),
        "invitation_any": gettext("for any number of people"),
        "invitation_until": gettext("Until {time}"),
        "invitation_endless": gettext("Without end"),
        "saved": gettext("Saved."),
        "left_room": gettext("You are no member of this room any more."),
        "slow": gettext("Slow mode: {time}"),
        "slow_wait": gettext("Next message in {time}"),
        "slow_sends": gettext("Will be sent in {time}"),
        "refused": gettext("That did not work. Try again."),
        "refused_offline": gettext("Not connected. Try again in a moment."),
        **lines.words(),
    }


@cache
def _numbered(language: str | None) -> dict[str, Any]:
    """Sentences with a number, in the active *language*. Made once for each: every one asks for two hundred numbers."""
    return {
        "files_too_many": _counted(
            lambda n: ngettext(
                "At most {count} file goes with a message.", "At most {count} files go with a message.", n
            )
        ),
        "new": _counted(lambda n: ngettext("{count} new", "{count} new", n)),
        "characters_left": _counted(lambda n: ngettext("{count} left", "{count} left", n)),
        "characters_over": _counted(lambda n: ngettext("{count} too many", "{count} too many", n)),
        "found": _counted(lambda n: ngettext("{count} found", "{count} found", n)),
        "invitation_uses": _counted(lambda n: ngettext("for {count} person", "for {count} people", n)),
    }


def _counted(said: Callable[[int], str]) -> dict[str, Any]:
    """The forms of a sentence, and which of them each number has: no language asks for more than the last two digits."""
    said_of = [said(number) for number in range(200)]
    forms = list(dict.fromkeys(said_of))
    which = "".join(str(forms.index(form)) for form in said_of) if len(forms) > 1 else ""
    return {"forms": forms, "of": which}


@register.filter
def roomchat_line(message: Any) -> str:
    """What the system says, in the reader's language; ``js/src/timeline/system_lines.js`` does the same in the browser."""
    return lines.said(message.line)


# Files ----------------------------------------------------------------------------------------------------------

_KIB = 1024
_ROUND_FROM = 10  # from here on nobody asks for tenths
_BOX = (400, 320)
_SMALLEST = 48
_ARCHIVES = re.compile("zip|tar|compressed|rar")


class Box(NamedTuple):
    """The room that a picture takes in the page."""

    width: int
    height: int


@register.filter
def roomchat_kind(file: Any) -> str:
    """What a file is to those who look, as ``kindOf`` in ``js/src/ui/file_size.js``: a picture of unknown size is shown as a file."""
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
    """The room that a picture takes, as ``boxOf`` in the browser; nothing for other files."""
    if roomchat_kind(file) != "image":
        return None
    scale = min(1, _BOX[0] / file.width, _BOX[1] / file.height)
    return Box(*(max(_SMALLEST, int(length * scale + 0.5)) for length in (file.width, file.height)))


@register.filter
def roomchat_size(size: int) -> str:
    """How large, in the reader's numbers ("1.4 MB"), as ``sizeOf`` in the browser."""
    if size < _KIB * _KIB:
        unit, number = "size_kb", max(size / _KIB, 0.1)
    else:
        unit, number = "size_mb", size / _KIB / _KIB
    shown = round(number, 1) if number < _ROUND_FROM else round(number)
    text = number_format(int(shown) if shown == int(shown) else shown, force_grouping=True)
    return _sizes()[unit].replace("{count}", text)


def _sizes() -> dict[str, str]:
    return {"size_kb": gettext("{count} KB"), "size_mb": gettext("{count} MB")}


# Messages -------------------------------------------------------------------------------------------------------


class Row(NamedTuple):
    """A message and what it is to the one above it."""

    message: Any
    starts_day: bool
    follows: bool
    starts_new: bool


@register.filter
def roomchat_rows(messages: Iterable[Any], read: int | None = 0) -> Iterator[Row]:
    """Messages, oldest first, each with what it is to the one above it.

    Does a new day begin? Does it go on what its author just said? Is it the first of those that others have said after the place
    *read*, where the reader was before?
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


def _day(at: datetime.datetime) -> datetime.date:
    return (timezone.localtime(at) if timezone.is_aware(at) else at).date()


@register.filter
def roomchat_hue(key: str) -> int:
    """The number of somebody's colour, the same for ever: FNV-1a of the key."""
    number = _FNV_OFFSET
    for byte in str(key).encode():
        number = (number ^ byte) * _FNV_PRIME & 0xFFFFFFFF
    return number % HUES


@register.filter
def roomchat_initials(name: str) -> str:
    """One or two characters for somebody's picture: of the first and the last word, as far as these are words."""
    words = str(name).split()
    if not words:
        return ""
    initials = words[0][0]
    if len(words) > 1 and initials.isalpha() and words[-1][0].isalpha():
        initials += words[-1][0]
    return initials.upper()


@register.filter
def roomchat_body(body: str, mentions: Iterable[Any] = ()) -> SafeString:
    """The text of a message with its http and https addresses made into links, those whom it calls marked, everything else escaped."""
    return mark_safe(
        "".join(_link(piece) if is_link else _marked(piece, mentions) for piece, is_link in pieces(str(body)))
    )


@register.filter
def roomchat_html(html: str, mentions: Iterable[Any] = ()) -> SafeString:
    """What Markdown has made of a message, with those whom it calls marked, but not in code and links."""
    if not mentions:
        return mark_safe(html)
    made, inside = [], 0
    for place, piece in enumerate(_TAG.split(html)):
        if place % 2:  # a tag
            if piece.strip("</>").partition(" ")[0] in _UNMARKED:
                inside += -1 if piece.startswith("</") else 1
            made.append(piece)
        else:
            made.append(piece if inside else _marked(unescape(piece), mentions))
    return mark_safe("".join(made))


_TAG = re.compile("(<[^>]*>)")
_UNMARKED = ("a", "code", "pre")


def _marked(text: str, mentions: Iterable[Any]) -> SafeString:
    mine = {mention.name: mention.mine for mention in mentions}
    return mark_safe(
        "".join(
            format_html('<span class="roomchat-mention"{}>{}</span>', _ME if mine[name] else "", piece)
            if name
            else escape(piece)
            for piece, name in calls.pieces(text, mine)
        )
    )


_ME = mark_safe(" data-me")


def _link(url: str) -> SafeString:
    return format_html('<a href="{}" target="_blank" rel="{}">{}</a>', url, REL, url)


@register.filter
def roomchat_when(at: datetime.datetime) -> str:
    """When it was, as short as can be: the time if it was today, the day of the last week, else the date.

    ``js/src/timeline/calendar.js`` does the same by the reader's clock.
    """
    local = timezone.localtime(at) if timezone.is_aware(at) else at
    today = timezone.localdate() if timezone.is_aware(at) else datetime.date.today()
    age = (today - local.date()).days
    return formats.date_format(
        local, "TIME_FORMAT" if not age else "D" if 0 < age < 7 else "SHORT_DATE_FORMAT"
    )
