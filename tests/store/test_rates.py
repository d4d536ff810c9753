"""Rates of conversion: read, loaded all or nothing, looked up by the moment; one that is there never changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UserMistake
from core.ledger.details import RATE_ONE
from store.conversions import Asked, convert
from store.database import Database
from store.rates import Rate, list_rates, load_rates, parse_rate, rate_at, rate_text, read_rates
from tests.makers import NOON
from tests.store.cashier import RUB, a_till

DAY = 86_400_000
TODAY = NOON - DAY // 2
HEAD = "source,target,valid_from,rate,origin\n"


def put(database: Database, *lines: str) -> int:
    rates = read_rates(HEAD + "\n".join(lines) + "\n", "rates.csv")
    with database.write() as connection:
        return load_rates(connection, rates)


def rates_of(database: Database) -> list[str]:
    with database.read() as connection:
        return [rate.text for rate in list_rates(connection)]


@given(st.integers(1, 2**63 - 1))
def test_every_rate_is_written_and_read_back_exactly(rate: int) -> None:
    assert parse_rate(rate_text(rate)) == rate


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("0", "above 0"),
        ("9223372.1", "below 9223372"),
        ("0.0000000000001", "more than 12 decimals"),
        *((text, "is not a decimal number") for text in ("1e3", "-1", "1,5", "", "٣")),
    ],
)
def test_a_rate_that_is_none_says_why(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_rate(text)


def test_zeros_behind_the_decimals_do_not_matter() -> None:
    assert parse_rate("97.5000000000000000") == 975 * RATE_ONE // 10


def test_the_rate_that_holds_is_the_last_that_has_begun(database: Database) -> None:
    put(database, "EUR,RUB,2026-11-01,97.5,ECB", "EUR,RUB,2026-11-24T12:00:00Z,98.25,ECB", "EUR,RUB,2027-01-01,99,ECB")

    with database.read() as connection:
        assert rate_at(connection, "EUR", "RUB", NOON - 1).rate == 975 * RATE_ONE // 10
        assert rate_at(connection, "EUR", "RUB", NOON).text == ("1 EUR = 98.25 RUB of 2026-11-24T12:00:00.000Z (ECB)")
        with pytest.raises(UserMistake, match="there is no rate from RUB to EUR yet; load one"):
            rate_at(connection, "RUB", "EUR", NOON)
        with pytest.raises(UserMistake, match="there is no rate from EUR to RUB yet"):
            rate_at(connection, "EUR", "RUB", 1)


def test_the_same_file_again_changes_nothing(database: Database) -> None:
    lines = ("EUR,RUB,2026-11-01,97.5,ECB", "USD,RUB,2026-11-01,90,ECB")

    assert put(database, *lines) == 2
    assert put(database, *lines) == 0
    assert len(rates_of(database)) == 2


def test_another_value_for_the_same_moment_is_refused_and_nothing_of_the_file_is_taken(database: Database) -> None:
    put(database, "EUR,RUB,2026-11-01,97.5,ECB")

    with pytest.raises(UserMistake, match=r"there is a rate of this moment already, 97\.5; a new rate begins"):
        put(database, "USD,RUB,2026-11-01,90,ECB", "EUR,RUB,2026-11-01,97.6,ECB")
    with pytest.raises(UserMistake, match="of this moment already"):
        put(database, "USD,RUB,2026-11-01,90,ECB", "USD,RUB,2026-11-01T00:00:00Z,91,ECB")

    assert rates_of(database) == ["1 EUR = 97.5 RUB of 2026-11-01T00:00:00.000Z (ECB)"]


def test_a_rate_that_would_have_held_for_what_was_converted_already_is_refused(database: Database) -> None:
    till = a_till(database)
    till.earn(1)
    put(database, "RUB,EUR,2026-11-01,0.01,ECB")
    convert(till.clerk(), Asked("acme", 10 * RUB, "RUB", "ada", "", "k"), "EUR", account="earnings")

    with pytest.raises(UserMistake, match=r"an older rate was used on 2026-11-24T12:00:00\.000Z already; begin"):
        put(database, "RUB,EUR,2026-11-20,0.02,ECB")

    assert put(database, "RUB,EUR,2026-11-25,0.02,ECB", "EUR,RUB,2026-11-20,100,ECB") == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "rates.csv:1: there is no column source; the first line must be"),
        ("source,target,rate\n", "rates.csv:1: there is no column valid_from"),
        (HEAD.replace("origin", "who"), "rates.csv:1: there is an unknown column 'who'"),
        (HEAD + "EUR,RUB,2026-11-01,97.5\n", "rates.csv:2: has not as many fields"),
        (HEAD + "EUR,RUB,2026-11-01,97.5,a,b\n", "rates.csv:2: has not as many fields"),
        (
            HEAD + "EUR,RUB,2026-11-01,97.5,a\nEURO,RUB,2026-11-01,1,a\n",
            "rates.csv:3: source: 'EURO' is not a currency",
        ),
        (HEAD + "EUR,EUR,2026-11-01,1,a\n", "rates.csv:2: target: is EUR too"),
        (HEAD + "EUR,RUB,01.11.2026,1,a\n", "rates.csv:2: valid_from must be a day or a moment"),
        (HEAD + "EUR,RUB,1026-11-01,1,a\n", "rates.csv:2: valid_from must be a day or a moment"),
        (HEAD + "EUR,RUB,2026-11-01,many,a\n", "rates.csv:2: the rate is not a decimal number"),
        (HEAD + 'EUR,RUB,2026-11-01,"1,a\n', "rates.csv:2: is no CSV"),
    ],
)
def test_a_line_that_is_wrong_is_named(text: str, sentence: str) -> None:
    with pytest.raises(UserMistake) as mistake:
        read_rates(text, "rates.csv")

    assert str(mistake.value).startswith(sentence)


def test_a_file_of_a_spreadsheet_with_empty_lines_and_spaces_is_read() -> None:
    rates = read_rates("\ufeffsource, target ,valid_from,rate\r\n EUR , RUB ,2026-11-24, 97.5 \r\n,,,\r\n", "f")

    assert rates == [Rate("EUR", "RUB", TODAY, 975 * RATE_ONE // 10)]
