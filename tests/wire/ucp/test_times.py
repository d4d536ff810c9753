"""UCP's times both ways: day first, no zone."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wire.errors import LocalError, RemoteError
from wire.ucp.times import read_time, write_minute, write_second

local = datetime.fromisoformat

_moments = some.datetimes(local("1970-01-01"), local("2069-12-31T23:59:59"))


@given(_moments)
def test_a_moment_is_read_as_written(moment: datetime) -> None:
    assert read_time(write_second(moment)) == moment.replace(microsecond=0)
    assert read_time(write_minute(moment)) == moment.replace(second=0, microsecond=0)


def test_the_day_stands_first() -> None:
    assert read_time("241126081000") == local("2026-11-24T08:10")
    assert read_time("2612260930") == local("2026-12-26T09:30")
    assert write_second(local("2026-11-24T08:10")) == "241126081000"


def test_years_of_two_digits_are_1970_to_2069() -> None:
    assert [getattr(read_time(f"0101{year}0000"), "year", None) for year in ("00", "69", "70", "96")] == [
        *(2000, 2069, 1970, 1996)
    ]


def test_an_empty_field_is_no_time() -> None:
    assert read_time("") is None


@pytest.mark.parametrize(
    "field", ["24112608100", "2411260810000", "24112608100x", "311126081000", "²411260810", "0000"]
)
def test_a_broken_time_is_the_peer_s_mistake(field: str) -> None:
    with pytest.raises(RemoteError) as error:
        read_time(field)
    with pytest.raises(RemoteError) as other:
        read_time(field, answer=2)

    assert (error.value.answer, other.value.answer) == (22, 2)


@pytest.mark.parametrize("moment", [local("1969-12-31"), local("2070-01-01"), local("2026-01-01T00:00Z")])
def test_a_time_without_a_form_is_our_mistake(moment: datetime) -> None:
    for write in (write_minute, write_second):
        with pytest.raises(LocalError):
            write(moment)
