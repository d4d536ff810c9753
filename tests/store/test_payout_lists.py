"""Payouts as they are looked at, on both databases: those that are asked for, and one with all its steps."""

import pytest

from core.payouts import PayoutState
from store.database import Database
from store.payout_files import export
from store.payout_lists import list_payouts, read_history
from tests.store.cashier import RUB, Till, a_till, asked, ours


@pytest.fixture
def till(database: Database) -> Till:
    till = a_till(database)
    till.earn(2)
    for key in ("a", "b", "c"):
        asked(till.payouts(), 20 * RUB, key=key)
    return till


def numbers(till: Till, **wanted: object) -> list[int]:
    with till.database.read() as connection:
        return [row.id for row in list_payouts(connection, **wanted)]  # type: ignore[arg-type]


def test_the_newest_come_first_or_the_oldest_and_the_limit_counts_what_is_wanted(till: Till) -> None:
    till.payouts().cancel(1, author="ada", reason="x")

    assert numbers(till) == [3, 2, 1]
    assert numbers(till, states=(PayoutState.REQUESTED,), limit=1) == [3]
    assert numbers(till, states=(PayoutState.REQUESTED,), oldest_first=True, limit=1) == [2]
    assert numbers(till, methods={"bank", "yookassa"}, limit=2, oldest_first=True) == [1, 2]
    assert numbers(till, methods={"yookassa"}) == []


def test_a_payout_has_its_steps_with_their_persons_and_its_entries(till: Till) -> None:
    payouts = till.payouts(second_above=10 * RUB)
    payouts.approve(2, approver="ada")
    payouts.approve(2, approver="ben")
    export(till.clerk(), ours(), currency="RUB", author="olga", key="f", numbers=[2])
    payouts.paid(2, author="ada", reference="4711")
    row = payouts.returned(2, author="olga", reason="no such account")

    with till.database.read() as connection:
        steps, entries = read_history(connection, row)

    assert [(step.who, step.before, step.after, step.about) for step in steps] == [
        ("partner:acme", "", "requested", ""),
        ("ada", "requested", "requested", ""),
        ("ben", "requested", "approved", ""),
        ("olga", "approved", "sent", ""),
        ("ada", "sent", "paid", "4711"),
        ("olga", "paid", "returned", "no such account"),
    ]
    assert [entry.step for entry in entries] == ["approved", "paid", "returned"]
