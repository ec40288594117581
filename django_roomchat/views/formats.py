"""Dates, times and numbers in the formats of the site, for templates and for the script.

The script does not use the browser's own formats, because the times of a page would then change when the script
takes over. It receives Django's formats, which a site can change with ``FORMAT_MODULE_PATH``, and the names that
they need. ``js/src/ui/formats.js`` is the equivalent of this module; ``tests/shared/formats.json`` tests both.
"""

from __future__ import annotations

import datetime
import re
from typing import Any

from django.conf import settings
from django.utils import dateformat, formats, timezone
from django.utils.translation import gettext

_MONTHS = [datetime.datetime(2001, month, 1) for month in range(1, 13)]
_WEEKDAYS = [datetime.datetime(2001, 1, day) for day in range(1, 8)]  # from Monday
_HALVES = [datetime.datetime(2001, 1, 1, hour) for hour in (0, 12)]
_DAYS = [datetime.datetime(2001, 1, day) for day in range(1, 32)]
_NAMED = dict.fromkeys("FMNbE", _MONTHS) | dict.fromkeys("Dl", _WEEKDAYS) | {"a": _HALVES, "A": _HALVES}
_NAMED |= {"P": _HALVES, "S": _DAYS}
"""Letters of formats that stand for words, with times that have all of these words. The words of P are
“midnight” and “noon”.
"""


def time(at: datetime.datetime) -> str:
    """Return the time of the day."""
    return formats.date_format(_local(at), "TIME_FORMAT")


def day(at: datetime.datetime) -> str:
    """Return “Today”, “Yesterday” or the date."""
    age = _age(at)
    return gettext("Today") if age == 0 else gettext("Yesterday") if age == 1 else date(at)


def date(at: datetime.datetime) -> str:
    """Return the date."""
    return formats.date_format(_local(at), "DATE_FORMAT")


def short(at: datetime.datetime) -> str:
    """Return the time of today, the weekday of the last week, otherwise the date."""
    age = _age(at)
    return formats.date_format(
        _local(at), "TIME_FORMAT" if not age else "D" if 0 < age < 7 else "SHORT_DATE_FORMAT"
    )


def moment(at: datetime.datetime) -> str:
    """Return date, time and time zone. The script leaves out the zone, which is the reader's own."""
    local = _local(at)
    return f"{formats.date_format(local, 'DATETIME_FORMAT')} {dateformat.format(local, 'T')}".strip()


def tenths(number: int) -> str:
    """Return a number that is given in tenths, without decimals if it has none."""
    whole, rest = divmod(number, 10)
    return formats.number_format(f"{whole}.{rest}" if rest else whole, force_grouping=True)


def script_formats() -> dict[str, Any]:
    """Return the formats and names of the active language for ``Formats`` in ``js/src/ui/formats.js``."""
    patterns = {
        "time": pieces(formats.get_format("TIME_FORMAT")),
        "date": pieces(formats.get_format("DATE_FORMAT")),
        "shortDate": pieces(formats.get_format("SHORT_DATE_FORMAT")),
        "moment": pieces(formats.get_format("DATETIME_FORMAT")),
        "weekday": pieces("D"),
    }
    used = {letter for pattern in patterns.values() for letter in pattern[1::2]}
    grouping = formats.get_format("NUMBER_GROUPING")
    return patterns | {
        "names": names(used),
        "decimal": formats.get_format("DECIMAL_SEPARATOR"),
        "thousand": formats.get_format("THOUSAND_SEPARATOR"),
        "grouping": [grouping] if isinstance(grouping, int) else list(grouping),
    }


def pieces(pattern: str) -> list[str]:
    """Split a format into texts and, at the odd indexes, letters."""
    return [
        piece if index % 2 else re.sub(r"\\(.)", r"\1", piece)
        for index, piece in enumerate(dateformat.re_formatchars.split(str(pattern)))
    ]


def names(letters: set[str]) -> dict[str, list[str]]:
    """Return the words for which these letters stand: months, weekdays, halves of the day."""
    wanted = letters | ({"a"} if "P" in letters else set())
    return {
        letter: [dateformat.format(at, letter) for at in _NAMED[letter]]
        for letter in sorted(wanted)
        if letter in _NAMED
    }


def _local(at: datetime.datetime) -> datetime.datetime:
    return timezone.localtime(at) if timezone.is_aware(at) else at


def _age(at: datetime.datetime) -> int:
    """Return how many days ago a time was."""
    # With USE_TZ = False, times of the protocol are aware all the same.
    today = timezone.localdate() if settings.USE_TZ and timezone.is_aware(at) else datetime.date.today()
    return (today - _local(at).date()).days
