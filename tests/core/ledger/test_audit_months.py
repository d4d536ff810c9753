"""L11 and L12: what is found when a closed month, a statement or a number is not as the postings have it."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ledger.audit_months import (
    CLOSING,
    OPENING,
    FrozenRow,
    LineRow,
    MonthTotals,
    StatementRow,
    check_frozen,
    check_statements,
)
from core.statement import BALANCES, LineKind

OCTOBER, NOVEMBER, DECEMBER = 202610, 202611, 202612
MARGIN, EARNINGS, HELD = 1, 2, 3
ACCOUNTS = {("acme", "RUB"): {"earnings": EARNINGS, "held": HELD}}
PLACES = {MARGIN: ("income:margin", "RUB"), EARNINGS: ("partner:acme:earnings", "RUB")}


def totals(*postings: tuple[int, int, int, int]) -> MonthTotals:
    """Of (debit, credit, month, amount), the last closed month being November."""
    found = MonthTotals(NOVEMBER)
    for posting in postings:
        found.add(*posting)
    return found


def a_statement(month: int = OCTOBER, number: int = 1, *, opening: int = 0, moved: int = 5) -> StatementRow:
    """Of acme: one line of what moved its earnings."""
    lines = (
        LineRow("earnings", OPENING, opening),
        LineRow("earnings", "mo", moved),
        LineRow("earnings", CLOSING, opening + moved),
    )
    return StatementRow(f"2026-{number:06d}", "acme", "RUB", month, opening, moved, opening + moved, 0, 0, lines)


BOOKED = totals((MARGIN, EARNINGS, OCTOBER, 5), (MARGIN, EARNINGS, NOVEMBER, 7), (EARNINGS, MARGIN, DECEMBER, 3))


def said(statements: Sequence[StatementRow], booked: MonthTotals = BOOKED, last: int = 2, **more: Any) -> list[str]:
    found = check_statements(statements, booked, ACCOUNTS, begun=more.get("begun", {}), last_numbers={"2026": last})
    return [finding.sentence for finding in found]


# --- L11 ------------------------------------------------------------------------------------------------------


@given(
    postings=st.lists(
        st.tuples(st.integers(1, 4), st.integers(5, 8), st.sampled_from((OCTOBER, NOVEMBER)), st.integers(1, 10**15)),
        max_size=20,
    )
)
def test_what_was_frozen_as_posted_is_as_it_should_be(postings: list[tuple[int, int, int, int]]) -> None:
    booked = totals(*postings)
    frozen = [FrozenRow(month, id_, *sums) for month, own in booked.months.items() for id_, sums in own.items()]

    assert list(check_frozen(frozen, booked, lambda _: ("income:margin", "RUB"))) == []
    for row in frozen:
        others = [one for one in frozen if one is not row]
        (finding,) = check_frozen(others, booked, lambda _: ("income:margin", "RUB"))
        assert (finding.check, finding.row) == ("L11", f"{row.month}/{row.account_id}")


def test_what_was_added_to_a_frozen_month_is_found_on_both_its_accounts() -> None:
    frozen = [FrozenRow(OCTOBER, MARGIN, 5, 0), FrozenRow(OCTOBER, EARNINGS, 0, 5)]
    booked = totals((MARGIN, EARNINGS, OCTOBER, 5), (MARGIN, EARNINGS, OCTOBER, 2_000_000))

    assert [finding.sentence for finding in check_frozen(frozen, booked, PLACES.__getitem__)] == [
        "income:margin in 2026-10: debits frozen 0.000005, posted 2.000005 RUB",
        "partner:acme:earnings in 2026-10: credits frozen 0.000005, posted 2.000005 RUB",
    ]


# --- L12 ------------------------------------------------------------------------------------------------------


def test_statements_that_go_on_from_each_other_are_as_they_should_be() -> None:
    assert said([a_statement(), a_statement(NOVEMBER, 2, opening=5, moved=7)]) == []


def test_a_month_in_which_nothing_moved_goes_on_too() -> None:
    booked = totals((MARGIN, EARNINGS, OCTOBER, 5))

    assert said([a_statement(), a_statement(NOVEMBER, 2, opening=5, moved=0)], booked) == []


def test_the_words_of_lines_are_those_of_statements() -> None:
    assert {OPENING, CLOSING} == {kind.value for kind in BALANCES}
    assert (LineKind.OPENING.value, LineKind.CLOSING.value) == (OPENING, CLOSING)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"opening": 1}, "acme in 2026-10: opening of earnings 0.000001 RUB, the ledger has 0.00"),
        ({"movement": 6}, "acme in 2026-10: movement of earnings 0.000006 RUB, the ledger has 0.000005"),
        ({"closing": 6}, "acme in 2026-10: closing of earnings 0.000006 RUB, the ledger has 0.000005"),
        ({"due": 9}, "acme in 2026-10: due of earnings 0.000009 RUB, the ledger has 0.00"),
    ],
)
def test_a_figure_of_its_own_is_held_against_the_ledger(wrong: dict[str, Any], sentence: str) -> None:
    assert said([a_statement()._replace(**wrong), a_statement(NOVEMBER, 2, opening=5, moved=7)]) == [sentence]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (LineRow("earnings", "mo", 1), "lines of earnings 0.000006 RUB, the ledger has 0.000005"),
        (LineRow("earnings", OPENING, 1), "opening of earnings 0.000001 RUB, the ledger has 0.00"),
        (LineRow("earnings", CLOSING, 1), "closing of earnings 0.000006 RUB, the ledger has 0.000005"),
        (LineRow("held", "mo", 1), "lines of held 0.000001 RUB, the ledger has 0.00"),
        (LineRow("prepaid", "payment", 1), "lines of prepaid 0.000001 RUB, the ledger has 0.00"),
    ],
)
def test_a_line_too_many_is_found_on_its_account(line: LineRow, sentence: str) -> None:
    row = a_statement()

    found = said([row._replace(lines=(*row.lines, line)), a_statement(NOVEMBER, 2, opening=5, moved=7)])

    assert found == [f"acme in 2026-10: {sentence}"]


def test_an_account_that_began_with_something_goes_on_from_there() -> None:
    booked = totals((MARGIN, EARNINGS, OCTOBER, 5))

    assert said([a_statement(opening=100)], booked, last=1, begun={EARNINGS: 100}) == []


def test_whose_accounts_moved_without_a_statement_is_told() -> None:
    assert said([a_statement()], last=1) == ["acme has none in RUB, and its accounts moved"]
    assert said([a_statement(NOVEMBER, 1, opening=5, moved=7)], last=1) == [
        "acme has none in RUB, and its accounts moved"
    ]


@pytest.mark.parametrize(
    ("numbers", "last", "sentence"),
    [
        ((1, 3), 3, "the number before it is 2026-000001"),
        ((2, 3), 3, "the number before it is 2026-000000"),
        ((1, 2), 3, "it stands at 3, the last statement of 2026 has the number 2"),
    ],
)
def test_a_gap_in_the_numbers_is_found(numbers: tuple[int, int], last: int, sentence: str) -> None:
    rows = [a_statement(number=numbers[0]), a_statement(NOVEMBER, numbers[1], opening=5, moved=7)]

    assert said(rows, last=last) == [sentence]


def test_a_number_of_no_series_is_found() -> None:
    rows = [a_statement(number=1), a_statement(NOVEMBER, 2, opening=5, moved=7)._replace(number="seven")]

    assert said(rows, last=1) == ["its number is of no series"]


def test_a_month_whose_statement_comes_after_a_later_ones_is_found() -> None:
    rows = [a_statement(), a_statement(NOVEMBER, 2, opening=5, moved=7), a_statement(number=3)]

    assert "a statement of it was issued after those of 2026-11" in said(rows, last=3)
