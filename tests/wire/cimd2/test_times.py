"""The centre's clock and relative validities."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wire.cimd2 import minutes_of, read_time, validity_code, write_time
from wire.errors import LocalError, RemoteError

_DOUALA = ZoneInfo("Africa/Douala")
_BERLIN = ZoneInfo("Europe/Berlin")


def _ms(text: str) -> int:
    return (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def test_a_time_is_year_first_and_by_the_centre_s_clock() -> None:
    assert read_time("261124081000", UTC) == _ms("2026-11-24T08:10:00Z")
    assert read_time("261124081000", _DOUALA) == _ms("2026-11-24T07:10:00Z")
    assert write_time(_ms("2026-11-24T07:10:00.999Z"), _DOUALA) == "261124081000"
    assert read_time("000229000000", UTC) == _ms("2000-02-29T00:00:00Z")


@given(some.integers(946_684_800, 4_102_444_799))
def test_a_moment_is_read_as_written_to_the_second(seconds: int) -> None:
    assert read_time(write_time(1000 * seconds + 500, UTC), UTC) == 1000 * seconds


def test_an_hour_that_comes_twice_is_the_first() -> None:
    assert read_time("261025023000", _BERLIN) == _ms("2026-10-25T00:30:00Z")


@pytest.mark.parametrize("text", ["", "2611240810", "2611240810001", "26112408100x", "261324081000", "²" * 12])
def test_a_broken_time_is_the_peer_s_mistake(text: str) -> None:
    with pytest.raises(RemoteError) as error:
        read_time(text, UTC, answer=401)

    assert error.value.answer == 401


@pytest.mark.parametrize("moment_ms", [0, 946_684_799_999, 4_102_444_800_000, 1 << 62])
def test_a_moment_outside_of_two_digits_is_our_mistake(moment_ms: int) -> None:
    with pytest.raises(LocalError):
        write_time(moment_ms, UTC)


@given(some.integers(0, 255))
def test_a_code_is_found_again_by_its_minutes(code: int) -> None:
    minutes = minutes_of(code)

    assert minutes is not None
    assert validity_code(minutes) == code
    assert code == 0 or validity_code(minutes - 1) == code - 1


@given(some.integers(5, 1_000_000))
def test_a_validity_is_never_longer_than_was_asked(minutes: int) -> None:
    found = minutes_of(validity_code(minutes))

    assert found is not None
    assert found <= minutes


def test_the_shortest_validity_is_five_minutes_and_the_centre_s_own_is_none() -> None:
    assert [validity_code(minutes) for minutes in (-3, 0, 4, 5, 9, 10)] == [0, 0, 0, 0, 0, 1]
    assert minutes_of(-1) is None
    for code in (-2, 256):
        with pytest.raises(RemoteError):
            minutes_of(code)
