"""What a user may type, and the one form in which it is kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ussd.inputs import Input, read_input


@pytest.mark.parametrize(
    ("written", "typed", "kept"),
    [
        ("digits 11..13", "04040404040", "04040404040"),
        ("digits 11..13", " 0404 0404-040 ", "04040404040"),
        ("digits 11..13", "٠٤٠٤٠٤٠٤٠٤٠", "04040404040"),
        ("digits 11..13", "0404", None),
        ("digits 11..13", "0404040404O", None),
        ("money 500..100000", "500", "500"),
        ("money 500..100000", "1 000,50", "1000.50"),
        ("money 500..100000", "499.99", None),
        ("money 500..100000", "100000.01", None),
        ("money 0.50..2", "0.5", "0.50"),
        ("money 500..100000", "-600", None),
        ("money 500..100000", "1e3", None),
        ("text 1..5", " ab ", "ab"),
        ("text 1..5", "abcdef", None),
        ("text 1..5", "  ", None),
        ("phone", "+254 711 000001", "254711000001"),
        ("phone", "00254711000001", "254711000001"),
        ("phone", "abc", None),
    ],
)
def test_an_input_is_kept_in_one_form_or_not_at_all(written: str, typed: str, kept: str | None) -> None:
    found = read_input(written)

    assert isinstance(found, Input)
    assert found.accept(typed) == kept


@pytest.mark.parametrize(
    "written", ["", "digits", "digits 5..3", "digits 0..0", "digits 1.5..3", "money a..b", "text 1..500", "number 1..2"]
)
def test_an_input_that_accepts_nothing_is_told_with_its_remedy(written: str) -> None:
    found = read_input(written)

    assert isinstance(found, str)
    assert "write" in found or "no more than" in found


@given(
    typed=st.text(max_size=200), written=st.sampled_from(["digits 1..13", "money 1..99999.99", "text 1..160", "phone"])
)
def test_no_answer_is_longer_than_was_reckoned_with(typed: str, written: str) -> None:
    found = read_input(written)
    assert isinstance(found, Input)

    kept = found.accept(typed)

    assert kept is None or (0 < len(kept) <= found.longest and "\n" not in kept)
    assert kept is None or found.accept(kept) == kept
