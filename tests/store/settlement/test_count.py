"""Files that only count, on both databases."""

from pathlib import Path

import pytest

from core.settlement import RunState, Verdict
from store.database import Database
from store.settlement.match import match
from tests.store.settlement.office import COUNTS, COUNTS_HEADER, RUB, Office

EVENING = 10 * 3600
"""22:00 UTC of the 15th: the 16th in Moscow."""


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Office:
    return Office(database, tmp_path, COUNTS)


def test_days_are_the_operators_and_every_difference_is_told(office: Office) -> None:
    for n in range(5):
        office.mo(after=n, number=f"790011122{n:02d}")
    for n in range(3):
        office.mo(after=EVENING + n, number=f"790011122{n:02d}")
    office.mo(code="7733", after=EVENING + 10)
    path = office.csv(
        COUNTS_HEADER,
        [
            ["2024-10-15", "4446", 4, "12.00", "20.00"], ["2024-10-16", "4446", 5, "12.00", "25.00"],
            ["2024-10-16", "7733", 1, "20.00", "8.00"], ["2024-10-17", "4446", 2, "12.00", "10.00"],
        ],
    )  # fmt: skip

    run = office.matched(path)

    assert [(r.line, r.verdict.word, r.count, r.ours // RUB, r.due // RUB) for r in office.rows(run)] == [
        (0, "missing_there", 1, 5, -5),
        (2, "matched", 4, 20, 0),
        (3, "missing_here", 5, 15, 10),
        (4, "price_differs", 1, 10, -2),
        (5, "missing_here", 2, 0, 10),
    ]
    assert office.sums(run)["missing_here"] == (2, 20 * RUB)
    before = office.rows(run)
    match(office.database, run)
    assert office.rows(run) == before


def test_what_is_missing_there_is_a_loss_since_nobody_knows_which_message_it_is(office: Office) -> None:
    for n in range(5):
        office.mo(after=n, number=f"790011122{n:02d}")
    run = office.matched(office.csv(COUNTS_HEADER, [["2024-10-15", "4446", 3, "12.00", "15.00"]]))
    office.later()

    approved = office.approve(run, Verdict.MISSING_THERE)

    assert (approved.posted, approved.state) == (1, RunState.POSTED)
    assert office.details(run) == [("written_off", 10 * RUB, "as agreed")]
    assert office.balances()["operator:alpha:receivable"] == 15 * RUB
    assert office.balances()["expense:loss"] == 10 * RUB
    assert office.journal.audit() == []


def test_long_messages_count_as_their_sms_and_given_back_ones_do_not_count(office: Office) -> None:
    office.mo(parts=3)

    run = office.matched(office.csv(COUNTS_HEADER, [["2024-10-15", "4446", 3, "12.00", "15.00"]]))

    assert office.verdicts(run) == [(2, "matched")]


def test_refused_ones_are_a_column_of_their_own(office: Office) -> None:
    office.relayout(COUNTS.replace("zone", 'refused = "state", refused_marks = "no money", zone'))
    for n in range(3):
        office.mo(after=n, number=f"790011122{n:02d}")

    run = office.matched(
        office.csv(
            [*COUNTS_HEADER, "state"],
            [["2024-10-15", "4446", 1, "12.00", "", "no money"], ["2024-10-15", "4446", 2, "12.00", "10.00", "ok"]],
        )
    )

    assert [(row.verdict.word, row.due // RUB) for row in office.rows(run)] == [("refused_there", -5), ("matched", 0)]
