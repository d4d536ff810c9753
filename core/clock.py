"""Moments, days and months.

Instant    a moment: whole milliseconds since 1970-01-01T00:00:00Z (UTC)
Clock      where moments come from; handed in, never asked for globally
month_of   the calendar month of a moment in a time zone, as YYYYMM; month_start, month_end, month_bounds back again
next_month, months_back, months_between   months reckoned with

Rule: an Instant is for what is written down; durations come from `Clock.monotonic_ms`.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol, TypeAlias
from zoneinfo import ZoneInfo

Instant: TypeAlias = int
Month: TypeAlias = int
"""A calendar month as YYYYMM: 202611. Sorts by time."""

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Offsets of time zones have been multiples of a quarter of an hour since 1972, so no month starts inside one.
_QUARTER_MS = 15 * MINUTE_MS


class Clock(Protocol):
    """The time, as the process that runs us sees it."""

    def now(self) -> Instant:
        """The wall clock, for what is written down. May jump."""
        ...

    def monotonic_ms(self) -> int:
        """Milliseconds since any fixed moment, for durations. Never jumps."""
        ...


def datetime_of(instant: Instant) -> datetime:
    """The same moment as an aware datetime in UTC."""
    return _EPOCH + timedelta(milliseconds=instant)


def instant_of(moment: datetime) -> Instant:
    """The same moment in milliseconds; `moment` must be aware. Fractions of a millisecond are cut off."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone")
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def iso_of(instant: Instant) -> str:
    """ISO 8601 in UTC with milliseconds: `2026-11-24T08:11:05.700Z`."""
    return f"{_iso_second(instant // SECOND_MS)}.{instant % SECOND_MS:03d}Z"


@lru_cache(maxsize=256)
def _iso_second(second: int) -> str:
    """Everything before the fraction. Moments of one second come together, each callback has one: saves 2 µs of 2.2."""
    return datetime_of(second * SECOND_MS).isoformat(timespec="seconds").removesuffix("+00:00")


def month_of(instant: Instant, zone: str = "UTC") -> Month:
    """The calendar month of a moment in a time zone, YYYYMM (billing.md, section 3).

    Raises zoneinfo.ZoneInfoNotFoundError for an unknown zone.
    """
    return _month_of_quarter(instant // _QUARTER_MS, zone)


@lru_cache(maxsize=4096)
def _month_of_quarter(quarter: int, zone: str) -> Month:
    local = datetime_of(quarter * _QUARTER_MS).astimezone(ZoneInfo(zone))
    return local.year * 100 + local.month


def day_of(instant: Instant, zone: str = "UTC") -> int:
    """The calendar day of a moment in a time zone, YYYYMMDD."""
    local = datetime_of(instant).astimezone(ZoneInfo(zone))
    return local.year * 10_000 + local.month * 100 + local.day


def month_text(month: Month) -> str:
    """202611 → `2026-11`."""
    return f"{month // 100:04d}-{month % 100:02d}"


def next_month(month: Month) -> Month:
    """202612 → 202701."""
    return months_back(month, -1)


def months_back(month: Month, how_many: int) -> Month:
    """So many months before."""
    number = month // 100 * 12 + month % 100 - 1 - how_many
    return number // 12 * 100 + number % 12 + 1


def months_between(first: Month, last: Month) -> int:
    """How many months later; below zero when it is earlier."""
    return (last // 100 - first // 100) * 12 + last % 100 - first % 100


def month_start(month: Month, zone: str = "UTC") -> Instant:
    """The first moment of a month, in a time zone."""
    return instant_of(datetime(month // 100, month % 100, 1, tzinfo=ZoneInfo(zone)))


def month_end(month: Month, zone: str = "UTC") -> Instant:
    """The first moment after a month, in a time zone."""
    return month_start(next_month(month), zone)


def month_bounds(month: Month, zone: str = "UTC") -> tuple[Instant, Instant]:
    """[first moment, first moment of the next month)."""
    return month_start(month, zone), month_end(month, zone)
