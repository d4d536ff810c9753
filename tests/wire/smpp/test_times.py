"""SMPP time strings both ways."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.wire.smpp.vectors import vectors
from wire.errors import LocalError, RemoteError
from wire.smpp.times import Absolute, Relative, read_time, write_absolute, write_relative

_ROWS = vectors("smpp_times")


@pytest.mark.parametrize("row", _ROWS, ids=[row["name"] for row in _ROWS])
def test_a_recorded_time_has_its_meaning(row: dict[str, Any]) -> None:
    fields = row["fields"]

    meaning = read_time(bytes.fromhex(row["hex"])[:-1].decode())

    if fields["kind"] == "absolute":
        utc = datetime.fromisoformat(fields["utc"])
        assert meaning == Absolute((utc - datetime.fromisoformat("1970-01-01T00:00Z")) // timedelta(milliseconds=1))
    elif fields["kind"] == "relative":
        assert meaning == Relative(fields["seconds"])
    else:
        assert meaning is None


@given(some.integers(946_684_800_000, 4_102_444_799_999))
def test_a_moment_is_read_as_written_to_the_tenth_of_a_second(moment_ms: int) -> None:
    assert read_time(write_absolute(moment_ms)) == Absolute(moment_ms // 100 * 100)


@given(some.integers(1, 99 * 86_400))
def test_a_duration_is_read_as_written(seconds: int) -> None:
    assert read_time(write_relative(seconds)) == Relative(seconds)


def test_the_zone_behind_utc_is_added() -> None:
    assert read_time("261124031105020-") == read_time("261124081105000+")


@pytest.mark.parametrize("moment", ["000229000000000+", "240229000000000+", "991231235959900+"])
def test_leap_days_and_the_century_s_end_are_moments(moment: str) -> None:
    read = read_time(moment)

    assert isinstance(read, Absolute)
    assert write_absolute(read.ms) == moment


@pytest.mark.parametrize(
    "text",
    ["2611240811", "261124081105000*", "26112408110500x+", "261324081105000+", "230229000000000+", "²" * 15 + "+"],
)
def test_a_broken_time_is_the_peer_s_mistake(text: str) -> None:
    with pytest.raises(RemoteError) as error:
        read_time(text, answer=0x61)

    assert error.value.answer == 0x61


def test_years_and_months_are_taken_as_365_and_30_days() -> None:
    assert read_time("010100000000000R") == Relative(395 * 86_400)


@pytest.mark.parametrize("seconds", [0, -1, 100 * 86_400])
def test_a_duration_that_centres_refuse_is_our_mistake(seconds: int) -> None:
    with pytest.raises(LocalError):
        write_relative(seconds)


@pytest.mark.parametrize("moment_ms", [0, 946_684_799_999, 4_102_444_800_000, 1 << 62])
def test_a_moment_outside_of_two_digits_is_our_mistake(moment_ms: int) -> None:
    with pytest.raises(LocalError):
        write_absolute(moment_ms)
