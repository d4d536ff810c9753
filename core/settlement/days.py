"""Days of an operator's file, in the zone that it is written in.

day_start     the midnight that a moment's day begins with
day_end       the midnight that it ends with
"""

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from core.clock import HOUR_MS, MINUTE_MS, Instant, datetime_of, instant_of

_QUARTER_MS = 15 * MINUTE_MS


def day_start(at: Instant, zone: str) -> Instant:
    """A midnight. Offsets are multiples of a quarter of an hour, so no day begins inside one."""
    return _day_of_quarter(at // _QUARTER_MS, zone)


def day_end(start: Instant, zone: str) -> Instant:
    """The next midnight. A day has 23 to 25 hours, so 30 hours behind its beginning it is the next one everywhere."""
    return day_start(start + 30 * HOUR_MS, zone)


@lru_cache(maxsize=4096)
def _day_of_quarter(quarter: int, zone: str) -> Instant:
    local = datetime_of(quarter * _QUARTER_MS).astimezone(ZoneInfo(zone))
    # Read anew in the zone: where the clock was changed since midnight, its offset was another one then.
    return instant_of(datetime(local.year, local.month, local.day, tzinfo=ZoneInfo(zone)))
