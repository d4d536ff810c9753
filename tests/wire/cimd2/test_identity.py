"""CIMD2: destination and time stamp in place of a message id."""

import pytest

from wire.cimd2.identity import key_of, keys_of, stamp_of

STAMP = "261124081000"


@pytest.mark.parametrize("submitted", ["+237670000001", "237670000001", "00237670000001", "670000001"])
@pytest.mark.parametrize("reported", ["+237670000001", "237670000001", "0670000001"])
def test_the_key_is_the_same_however_the_destination_is_written(submitted: str, reported: str) -> None:
    assert key_of(submitted, STAMP) == key_of(reported, STAMP) == f"{STAMP}/70000001"


def test_a_report_finds_the_message_whose_answer_named_no_destination() -> None:
    assert keys_of("237670000001", STAMP) == (f"{STAMP}/70000001", f"{STAMP}/")
    assert key_of("", STAMP) in keys_of("237670000001", STAMP)
    assert keys_of("", STAMP) == (f"{STAMP}/",)


def test_without_a_time_stamp_there_is_no_key() -> None:
    assert key_of("237670000001", "") == ""


def test_other_seconds_and_other_handsets_are_other_messages() -> None:
    keys = {key_of("237670000001", STAMP), key_of("237670000001", "261124081001"), key_of("237670000002", STAMP)}

    assert len(keys) == 3


def test_a_key_tells_its_time_stamp_and_another_protocols_tells_none() -> None:
    assert stamp_of(key_of("237670000001", STAMP)) == stamp_of(key_of("", STAMP)) == STAMP
    assert [stamp_of(key) for key in ("", STAMP, "M0001", f"{STAMP}0/1", "yesterday.../1")] == [""] * 5
