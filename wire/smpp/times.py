"""SMPP time strings: "YYMMDDhhmmsstnnp", 16 characters, or none.

read_time(text)            -> Absolute (ms since 1970, UTC), Relative (seconds from now), or None for ""
write_absolute(moment_ms)  UTC with "000+", as Kannel does: no centre misreads it
write_relative(seconds)    days, hours, minutes, seconds; some centres refuse years and months other than 0

Rule: no clock here. Whoever knows what time it is turns a Relative into a moment.

Source: SMPP 3.4, 7.1.1; sheet section 7.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from wire.errors import LocalError, RemoteError
from wire.smpp.status import RINVEXPIRY

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_DAY_S = 86_400
# The document leaves open how long a relative month is; nobody bills by it.
_MONTH_S = 30 * _DAY_S
_YEAR_S = 365 * _DAY_S
_DAYS_MAX = 99


@dataclass(frozen=True, slots=True)
class Absolute:
    """A moment: milliseconds since 1970, UTC; to the tenth of a second."""

    ms: int


@dataclass(frozen=True, slots=True)
class Relative:
    """So many seconds from the moment at which the centre reads it."""

    seconds: int


def read_time(text: str, answer: int = RINVEXPIRY) -> Absolute | Relative | None:
    """The meaning of a time field. A broken one raises RemoteError with `answer` (0x61 or 0x62)."""
    if not text:
        return None
    if len(text) != 16 or not (text[:15].isascii() and text[:15].isdigit()) or text[15] not in "+-R":
        raise RemoteError(f"{text!r} is no SMPP time", answer=answer)
    year, month, day, hour, minute, second = (int(text[at : at + 2]) for at in range(0, 12, 2))
    if text[15] == "R":
        clock_s = hour * 3600 + minute * 60 + second
        return Relative(year * _YEAR_S + month * _MONTH_S + day * _DAY_S + clock_s)
    try:
        local = datetime(2000 + year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise RemoteError(f"{text!r} is no moment of any calendar", answer=answer) from error
    # Local time = UTC + quarters for "+": SMPP 3.4, 7.1.1.
    quarters = int(text[13:15])
    ahead_ms = quarters * 900_000 if text[15] == "+" else -quarters * 900_000
    return Absolute((local - _EPOCH) // _MS + int(text[12]) * 100 - ahead_ms)


def write_absolute(moment_ms: int) -> str:
    """A moment in UTC, rounded down to the tenth of a second."""
    try:
        moment = _EPOCH + timedelta(milliseconds=moment_ms)
    except OverflowError as error:
        raise LocalError(f"{moment_ms} ms is outside of every calendar") from error
    if not 2000 <= moment.year <= 2099:
        raise LocalError(f"the year {moment.year} has no two digits")
    return f"{moment:%y%m%d%H%M%S}{moment_ms // 100 % 10}00+"


def write_relative(seconds: int) -> str:
    """A duration of 1 second to 99 days. Zero is refused by some centres with 0x62, so by us at once."""
    days, rest = divmod(seconds, _DAY_S)
    if not seconds > 0 or days > _DAYS_MAX:
        raise LocalError(f"a relative time of {seconds} s; 1 s to {_DAYS_MAX} days can be written")
    return f"0000{days:02}{rest // 3600:02}{rest // 60 % 60:02}{rest % 60:02}000R"
