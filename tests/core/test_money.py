"""Amounts: read exactly or refused, written back the same, rounded by the rule that is named."""

from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import (
    AMOUNT_MAX,
    CURRENCIES,
    MICROS_MAX,
    MICROS_MIN,
    MILLION,
    PRICE_MAX,
    VOLUME_MAX,
    BadAmount,
    Money,
    floor_share,
    floor_to_minor,
    format_micros,
    minor_digits,
    parse_fraction,
    parse_micros,
    round_half_even,
)

amounts = st.integers(MICROS_MIN, MICROS_MAX)


def test_what_may_come_in_can_be_added_up_in_64_bits() -> None:
    assert PRICE_MAX * 9_000_000 <= MICROS_MAX
    assert AMOUNT_MAX * 9_000 <= MICROS_MAX
    assert VOLUME_MAX + 1_000_000 * PRICE_MAX <= MICROS_MAX


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("12.00", 12_000_000),
        ("0", 0),
        ("-0", 0),
        ("0.000001", 1),
        ("-0.000001", -1),
        ("+5", 5_000_000),
        (".5", 500_000),
        ("5.", 5_000_000),
        (" 7 ", 7_000_000),
        ("007", 7_000_000),
        ("12.5000000000", 12_500_000),
        ("9223372036854.775807", MICROS_MAX),
        ("-9223372036854.775808", MICROS_MIN),
    ],
)
def test_an_amount_is_read_exactly(text: str, micros: int) -> None:
    assert parse_micros(text) == micros


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("12.0000001", "more_than_six_decimals"),
        ("0.00000000000000001", "more_than_six_decimals"),
        ("9223372036854.775808", "too_large"),
        ("-9223372036854.775809", "too_large"),
        ("1" * 60, "too_large"),
        ("1" * 61, "not_an_amount"),
        ("", "not_an_amount"),
        (".", "not_an_amount"),
        ("-", "not_an_amount"),
        ("--1", "not_an_amount"),
        ("1.2.3", "not_an_amount"),
        ("1,50", "not_an_amount"),
        ("1_000", "not_an_amount"),
        ("1 000", "not_an_amount"),
        ("0x10", "not_an_amount"),
        ("NaN", "not_an_amount"),
        ("Infinity", "not_an_amount"),
        ("１２", "not_an_amount"),
        ("1e3", "not_an_amount"),
        ("1e-999999999", "not_an_amount"),
        ("0e-999999999", "not_an_amount"),
        ("twelve", "not_an_amount"),
    ],
)
def test_what_is_no_amount_is_refused_with_a_word_for_it(text: str, code: str) -> None:
    with pytest.raises(BadAmount) as caught:
        parse_micros(text)

    assert caught.value.code == code


@given(micros=amounts, digits=st.integers(0, 6))
def test_an_amount_that_is_written_is_read_back(micros: int, digits: int) -> None:
    text = format_micros(micros, digits=digits)

    assert parse_micros(text) == micros
    assert Decimal(text) * MILLION == micros


@pytest.mark.parametrize(
    ("micros", "digits", "text"),
    [
        (2_500_000, 2, "2.50"),
        (2_500_000, 0, "2.5"),
        (2_000_000, 0, "2"),
        (-1, 2, "-0.000001"),
        (0, 2, "0.00"),
        (1_250_000, 3, "1.250"),
    ],
)
def test_an_amount_has_at_least_the_decimals_of_its_currency(micros: int, digits: int, text: str) -> None:
    assert format_micros(micros, digits=digits) == text


@pytest.mark.parametrize(("text", "fraction"), [("0", 0), ("0.20", 200_000), ("1", MILLION), ("0.123456", 123_456)])
def test_a_fraction_lies_between_nothing_and_all(text: str, fraction: int) -> None:
    assert parse_fraction(text) == fraction


@pytest.mark.parametrize("text", ["1.000001", "-0.1", "20"])
def test_what_is_no_fraction_is_refused(text: str) -> None:
    with pytest.raises(BadAmount) as caught:
        parse_fraction(text)

    assert caught.value.code == "not_a_fraction"


@given(micros=amounts, fraction=st.integers(0, MILLION))
def test_a_share_is_floored_towards_minus_infinity(micros: int, fraction: int) -> None:
    exact = Decimal(micros * fraction).scaleb(-6)

    assert floor_share(micros, fraction) == int(exact.to_integral_value(ROUND_FLOOR))


@given(numerator=st.integers(-(10**9), 10**9), denominator=st.integers(1, 10**4))
def test_a_half_is_rounded_to_the_even_neighbour(numerator: int, denominator: int) -> None:
    # Fraction.__round__ rounds halves to even.
    assert round_half_even(numerator, denominator) == round(Fraction(numerator, denominator))


@pytest.mark.parametrize(("numerator", "even"), [(5, 2), (7, 4), (-5, -2), (-7, -4), (4, 2)])
def test_halves_below_zero_go_to_the_even_one_too(numerator: int, even: int) -> None:
    assert round_half_even(numerator, 2) == even == int((Decimal(numerator) / 2).to_integral_value(ROUND_HALF_EVEN))


@pytest.mark.parametrize(("currency", "digits"), [("RUB", 2), ("JPY", 0), ("TND", 3), ("CLF", 4), ("XXX", 2)])
def test_minor_units_are_those_of_iso_4217(currency: str, digits: int) -> None:
    assert minor_digits(currency) == digits


@pytest.mark.parametrize(
    ("micros", "currency", "floored"),
    [
        (1_234_567_891, "RUB", 1_234_560_000),
        (98_765_432_109, "JPY", 98_765_000_000),
        (12_345_678, "TND", 12_345_000),
        (-1, "RUB", -10_000),
    ],
)
def test_what_is_paid_is_floored_to_the_minor_unit(micros: int, currency: str, floored: int) -> None:
    assert floor_to_minor(micros, currency) == floored


def test_money_adds_and_subtracts_in_one_currency_only() -> None:
    assert Money(5, "RUB") + Money(7, "RUB") == Money(12, "RUB")
    assert Money(5, "RUB") - Money(7, "RUB") == Money(-2, "RUB")
    with pytest.raises(AssertionError):
        Money(5, "RUB") + Money(7, "JPY")
    with pytest.raises(AssertionError):
        Money(5, "RUB") - Money(7, "JPY")


def test_money_is_written_with_its_currency() -> None:
    assert str(Money(12_500_000, "RUB")) == "12.50 RUB"


def test_a_currency_is_three_capitals() -> None:
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in CURRENCIES)
    assert {"RUB", "JPY", "TND", "EUR", "XCG"} <= CURRENCIES
