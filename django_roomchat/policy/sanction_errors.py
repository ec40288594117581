"""Errors for muted and banned people: what is restricted, until when, why, and what they can still do."""

from __future__ import annotations

from datetime import datetime

from django.utils import dateformat, formats, timezone
from django.utils.functional import lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from django_roomchat.errors import Forbidden
from django_roomchat.policy.roles import Sanction

_SENTENCES = {
    "muted": _("You are muted in this room. You can read, but not post. A moderator can end this."),
    "muted_until": _("You are muted in this room until {time}. Until then you can read, but not post."),
    "banned": _("You are banned from this room. A moderator can end this."),
    "banned_until": _("You are banned from this room until {time}. After that, you can enter it again."),
}
_REASON = _("Reason: {reason}")


def muted(mute: Sanction) -> Forbidden:
    """Return the error for a muted person who wants to post. It may succeed after the end of the mute."""
    detail = _lazy_detail("muted", mute)
    return Forbidden(
        detail, code="muted", retry_after=mute.seconds_left, until=mute.until, reason=mute.reason
    )


def banned(ban: Sanction) -> Forbidden:
    """Return the error for a banned person who wants to enter."""
    return Forbidden(_lazy_detail("banned", ban), code="banned", until=ban.until, reason=ban.reason)


def words() -> dict[str, str]:
    """Return the sentences for the script, which writes the time in the reader's time zone."""
    return {f"you_{name}": gettext(text) for name, text in _SENTENCES.items()} | {"reason": gettext(_REASON)}


def _detail(code: str, sanction: Sanction) -> str:
    if sanction.until is None:
        said = gettext(_SENTENCES[code])
    else:
        said = gettext(_SENTENCES[f"{code}_until"]).replace("{time}", _moment(sanction.until))
    return f"{said} {gettext(_REASON).replace('{reason}', sanction.reason)}" if sanction.reason else said


_lazy_detail = lazy(_detail, str)


def _moment(at: datetime) -> str:
    """Return date, time and time zone; only the browser knows the reader's own."""
    local = timezone.localtime(at) if timezone.is_aware(at) else at
    return f"{formats.date_format(local, 'DATETIME_FORMAT')} {dateformat.format(local, 'T')}".strip()
