"""One id, however it is spelled."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.wire.smpp.vectors import vectors
from wire.smpp.message_ids import ID_MODES, message_id_key, receipt_key, response_key

_ROWS = vectors("smpp_message_ids")


@pytest.mark.parametrize("row", _ROWS, ids=[row["name"] for row in _ROWS])
def test_a_recorded_pair_matches_as_told(row: dict[str, Any]) -> None:
    fields = row["fields"]

    ours = response_key(fields["submit_sm_resp_id"], fields["mode"])
    theirs = receipt_key(fields["receipt_id"], fields["mode"])

    assert (ours == theirs) is fields["match"]


@given(some.integers(0, 10**38))
def test_a_number_is_one_id_in_either_base(number: int) -> None:
    assert response_key(f"{number:x}", "resp_hex_receipt_dec") == receipt_key(f"{number:010}", "resp_hex_receipt_dec")
    assert response_key(f"{number}", "resp_dec_receipt_hex") == receipt_key(f"{number:08X}", "resp_dec_receipt_hex")


@given(some.text(max_size=80), some.sampled_from(sorted(ID_MODES)))
def test_any_spelling_has_a_key(spelling: str, mode: str) -> None:
    assert response_key(spelling, mode) == response_key(spelling, mode)
    assert isinstance(receipt_key(spelling, mode), str)


def test_an_id_that_is_no_number_is_taken_as_a_string() -> None:
    uuid = "9d9e69eb-52a7-4a4d-a380-8bce7c11f4cd"

    assert response_key(uuid, "resp_hex_receipt_dec") == receipt_key(uuid.upper(), "resp_hex_receipt_dec")


@pytest.mark.parametrize(("spelling", "key"), [("000", "0"), ("", ""), (" 0a ", "A"), ("00x1", "X1"), ("0x1F", "X1F")])
def test_leading_zeros_and_case_do_not_count(spelling: str, key: str) -> None:
    assert message_id_key(spelling) == key


@pytest.mark.parametrize("spelling", ["1_0", "+10", "１０", "-10", "1e3"])
def test_only_plain_digits_are_a_number(spelling: str) -> None:
    assert message_id_key(spelling, "dec") == spelling.upper()


def test_a_hex_id_may_carry_its_prefix() -> None:
    assert message_id_key("0x1F", "hex") == "31"
