"""Moments, days and months, in UTC and in the zones of plans."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import DAY_MS, Instant, datetime_of, day_of, instant_of, iso_of, month_of, month_text

# Ids begin in 2020 and last until 2089 (core.ids).
instants = st.integers(1_577_836_800_000, 3_776_000_000_000)
ZONES = ["UTC", "Europe/Moscow", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Kiritimati"]


def at(text: str) -> Instant:
    return instant_of(datetime.fromisoformat(text))


@given(instant=instants)
def test_a_moment_goes_to_a_datetime_and_back(instant: Instant) -> None:
    assert instant_of(datetime_of(instant)) == instant
    assert at(iso_of(instant)) == instant


def test_a_moment_is_written_in_utc_with_milliseconds() -> None:
    assert iso_of(1_795_507_865_007) == "2026-11-24T08:11:05.007Z"


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00.000Z", "1969-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"])
def test_moments_long_ago_and_far_ahead_are_written_alike(text: str) -> None:
    assert iso_of(at(text)) == text


def test_a_fraction_of_a_millisecond_is_cut_off() -> None:
    assert instant_of(datetime(1970, 1, 1, 0, 0, 0, 1_999, tzinfo=UTC)) == 1


def test_a_datetime_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        instant_of(datetime(2026, 1, 1))  # noqa: DTZ001 (what is refused)


@pytest.mark.parametrize(
    ("text", "zone", "month"),
    [
        ("2026-10-31T20:59:59.999Z", "Europe/Moscow", 202610),
        ("2026-10-31T21:00:00Z", "Europe/Moscow", 202611),
        ("2026-10-31T21:00:00Z", "UTC", 202610),
        ("2026-11-01T03:59:59.999Z", "America/New_York", 202610),
        ("2026-11-01T04:00:00Z", "America/New_York", 202611),
        ("2026-12-31T18:14:59.999Z", "Asia/Kathmandu", 202612),
        ("2026-12-31T18:15:00Z", "Asia/Kathmandu", 202701),
        ("2026-10-31T10:00:00Z", "Pacific/Kiritimati", 202611),
    ],
)
def test_a_month_begins_at_midnight_of_its_zone(text: str, zone: str, month: int) -> None:
    assert month_of(at(text), zone) == month


@given(instant=instants, zone=st.sampled_from(ZONES))
def test_month_and_day_are_those_of_the_calendar(instant: Instant, zone: str) -> None:
    local = datetime_of(instant).astimezone(ZoneInfo(zone))

    assert month_of(instant, zone) == int(local.strftime("%Y%m"))
    assert day_of(instant, zone) == int(local.strftime("%Y%m%d"))


@given(instant=instants, zone=st.sampled_from(ZONES), later=st.integers(0, 40 * DAY_MS))
def test_a_later_moment_is_never_in_an_earlier_month(instant: Instant, zone: str, later: int) -> None:
    assert month_of(instant, zone) <= month_of(instant + later, zone)


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        month_of(0, "Europe/Atlantis")


def test_a_month_is_written_with_a_dash() -> None:
    assert month_text(202611) == "2026-11"
    assert month_text(99_901) == "0999-01"
