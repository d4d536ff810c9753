"""Forms as they come over the wire."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner_api.payments.forms import is_same, plain, read_amount, read_form
from tests.payment_peers import encoded


@given(st.dictionaries(st.text("abc_&=+ ж", min_size=1, max_size=8), st.text(max_size=20), max_size=8))
def test_what_was_encoded_is_read(fields: dict[str, str]) -> None:
    assert read_form(encoded(fields)) == fields


@pytest.mark.parametrize(
    "body", [b"a=1&a=2", b"a=1&b=2&a=1", "ж=1".encode(), b"&".join([b"a%d=1" % n for n in range(101)])]
)
def test_a_form_that_says_two_things_or_too_many_is_none(body: bytes) -> None:
    assert read_form(body) is None


@given(st.binary(max_size=200))
def test_no_octets_break_the_reading(body: bytes) -> None:
    read_form(body)


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("100", 100_000_000), ("100.5", 100_500_000), ("0.000001", 1), ("", None), ("-1", None), ("+1", None),
        ("1e3", None), ("1,5", None), ("0.0000001", None), ("nan", None), ("٣", None), ("9" * 30, None),
    ],
)  # fmt: skip
def test_an_amount_is_digits(text: str, micros: int | None) -> None:
    assert read_amount(text) == micros


def test_signatures_are_compared_whatever_their_case_and_letters() -> None:
    assert is_same("ABCDEF01", "abcdef01")
    assert not is_same("", "ab")
    assert not is_same("ж\udcff", "ab")


def test_what_cannot_be_printed_is_not_kept() -> None:
    assert plain("a\nb\udcffc", 4) == "a?b?"
