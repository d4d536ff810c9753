"""Months and days of an operator's file, in the zone that it is written in.

month_bounds  where a calendar month begins, and where the next one does
day_start     the midnight that a moment's day begins with
"""

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from core.clock import MINUTE_MS, Instant, Month, datetime_of, instant_of

_QUARTER_MS = 15 * MINUTE_MS


def month_bounds(month: Month, zone: str) -> tuple[Instant, Instant]:
    """[first moment, first moment of the next month)."""
    number = month // 100 * 12 + month % 100 - 1
    first, after = (datetime(n // 12, n % 12 + 1, 1, tzinfo=ZoneInfo(zone)) for n in (number, number + 1))
    return instant_of(first), instant_of(after)


def day_start(at: Instant, zone: str) -> Instant:
    """A midnight. Offsets are multiples of a quarter of an hour, so no day begins inside one."""
    return _day_of_quarter(at // _QUARTER_MS, zone)


@lru_cache(maxsize=4096)
def _day_of_quarter(quarter: int, zone: str) -> Instant:
    local = datetime_of(quarter * _QUARTER_MS).astimezone(ZoneInfo(zone))
    # Read anew in the zone: where the clock was changed since midnight, its offset was another one then.
    return instant_of(datetime(local.year, local.month, local.day, tzinfo=ZoneInfo(zone)))
