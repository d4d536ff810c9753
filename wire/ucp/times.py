"""UCP's times: DDMMYYhhmm (VP, DDT, MVP) and DDMMYYhhmmss (SCTS, DSCTS), day first.

read_time(field)             -> a datetime without a zone, or None for ""
write_minute, write_second   of such a datetime

Rule: they are local to the centre and tell no zone. Whoever knows the centre's zone makes moments of them; a VP is a
moment, not a duration (sheet, pitfalls 2 and 3).

Source: sheet section 3. Years of two digits are 1970 to 2069: the document's own examples are of 1996.
"""

from datetime import datetime

from wire.errors import LocalError, RemoteError
from wire.ucp.codes import EC_TIME_INVALID

_PIVOT = 70


def read_time(field: str, answer: int = EC_TIME_INVALID) -> datetime | None:
    """The meaning of a time field. A broken one raises RemoteError with `answer`."""
    if not field:
        return None
    if len(field) not in (10, 12) or not (field.isascii() and field.isdigit()):
        raise RemoteError("a time is not of 10 or 12 digits", answer=answer)
    day, month, year, hour, minute, second = (int(field[at : at + 2] or 0) for at in range(0, 12, 2))
    year += 1900 if year >= _PIVOT else 2000
    try:
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001  # the centre's own time, of no known zone
    except ValueError as error:
        raise RemoteError("a time is no moment of any calendar", answer=answer) from error


def write_minute(moment: datetime) -> str:
    """DDMMYYhhmm, seconds left out: a validity ends a little early rather than late."""
    return _checked(moment).strftime("%d%m%y%H%M")


def write_second(moment: datetime) -> str:
    """DDMMYYhhmmss."""
    return _checked(moment).strftime("%d%m%y%H%M%S")


def _checked(moment: datetime) -> datetime:
    if moment.tzinfo is not None:
        raise LocalError("a time with a zone; UCP's are local to the centre")
    if not 1900 + _PIVOT <= moment.year < 2000 + _PIVOT:
        raise LocalError(f"the year {moment.year} has no two digits")
    return moment
