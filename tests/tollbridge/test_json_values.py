"""Amounts in --json: decimal strings wherever they stand, and nothing else changes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import MICROS_MAX, MICROS_MIN, parse_micros
from tollbridge.json_values import AMOUNTS, in_major_units, print_json

NAMES = st.sampled_from(sorted(AMOUNTS))
MICROS = st.integers(MICROS_MIN, MICROS_MAX)


@given(NAMES, MICROS)
def test_an_amount_is_a_text_that_is_read_back_to_the_millionth(name: str, micros: int) -> None:
    (written,) = in_major_units([{"deep": [{name: micros}]}])[0]["deep"]

    assert parse_micros(written[name]) == micros


@pytest.mark.parametrize(
    "value",
    [
        {"operator": "alpha", "partner": "acme", "held": True, "amount": None, "month": 202410, "parts": 2},
        {"id": 7, "referral_id": 3, "source": "79001112233", "messages": ["911742853120000000"]},
    ],
)
def test_words_marks_and_numbers_of_something_else_stay(value: dict[str, Any]) -> None:
    assert in_major_units(value) == value


def test_letters_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    print_json(in_major_units({"reason": "жалоба", "amount": 2_500_000}))

    out = capsys.readouterr().out
    assert "жалоба" in out
    assert json.loads(out) == {"reason": "жалоба", "amount": "2.50"}
