"""Times: "yymmddhhmmss" by the centre's clock, and GSM's codes for how long from now.

read_time(text, zone)         -> milliseconds since 1970, UTC
write_time(moment_ms, zone)   rounded down to the second
minutes_of(code)              how long a relative validity is; None for -1, which leaves it to the centre
validity_code(minutes)        the longest that is not longer; the shortest there is for less

Rule: no zone stands on the wire, and no mark of summer time: the link's owner knows the centre's zone. An hour that
comes twice is the first of the two; one that never comes is read as if the clock had not been moved.

Source: sheet section 4; 3GPP TS 23.040, 9.2.3.12.1.
"""

from bisect import bisect_right
from datetime import UTC, datetime, timedelta, tzinfo

from wire.cimd2.codes import BAD_VALIDITY
from wire.errors import LocalError, RemoteError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_HOUR = 60
_DAY = 24 * _HOUR
_WEEK = 7 * _DAY

_MINUTES = (
    *((code + 1) * 5 for code in range(144)),
    *(12 * _HOUR + (code - 143) * 30 for code in range(144, 168)),
    *((code - 166) * _DAY for code in range(168, 197)),
    *((code - 192) * _WEEK for code in range(197, 256)),
)


def read_time(text: str, zone: tzinfo, *, answer: int = BAD_VALIDITY) -> int:
    """The moment that the centre's clock shows so. A broken one raises RemoteError with `answer`."""
    if len(text) != 12 or not (text.isascii() and text.isdigit()):
        raise RemoteError("a time has twelve digits", answer=answer)
    year, month, day, hour, minute, second = (int(text[at : at + 2]) for at in range(0, 12, 2))
    try:
        return (datetime(2000 + year, month, day, hour, minute, second, tzinfo=zone) - _EPOCH) // _MS
    except (ValueError, OverflowError) as error:
        raise RemoteError(f"{text} is no moment of any calendar", answer=answer) from error


def write_time(moment_ms: int, zone: tzinfo) -> str:
    """What the centre's clock shows at that moment."""
    try:
        moment = (_EPOCH + timedelta(milliseconds=moment_ms)).astimezone(zone)
    except (OverflowError, ValueError) as error:
        raise LocalError(f"{moment_ms} ms is outside of every calendar") from error
    if not 2000 <= moment.year <= 2099:
        raise LocalError(f"the year {moment.year} has no two digits")
    return f"{moment:%y%m%d%H%M%S}"


def minutes_of(code: int) -> int | None:
    """Minutes of a relative validity, or of a relative first delivery."""
    if code == -1:
        return None
    if not 0 <= code <= 255:
        raise RemoteError(f"{code} is no relative validity", answer=BAD_VALIDITY)
    return _MINUTES[code]


def validity_code(minutes: int) -> int:
    """The code that comes nearest to so many minutes without going beyond them; five minutes are the least."""
    return max(0, bisect_right(_MINUTES, minutes) - 1)
