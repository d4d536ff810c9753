"""Payouts on both databases: asked for, approved by others, paid, returned; never more than is due, never twice."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from core.clock import DAY_MS
from core.errors import StoreConflict, UserMistake
from core.payouts import IS_UNDER_WAY, PayoutState
from store.database import Database
from store.folding import fold_some
from store.payout_files import export
from store.payout_schedule import request_due
from store.payouts import COLUMNS, Ended, PayoutRow, Payouts, row_of
from store.schema import AuditLog, Detail, Entry
from tests.store.cashier import RUB, Till, a_sent_one, a_till, asked, hold_one, ours, take_earnings
from tests.store.test_corrections import act

EARNED = "partner:acme:earnings"
ON_ITS_WAY = "partner:acme:payout"


@pytest.fixture
def till(database: Database) -> Till:
    """acme has earned 120.00 RUB."""
    till = a_till(database)
    till.earn(2)
    return till


def test_what_is_approved_leaves_the_earnings_and_what_is_paid_leaves_the_bank(till: Till) -> None:
    sent = a_sent_one(till)
    assert till.balances()[EARNED] == 70 * RUB
    assert till.balances()[ON_ITS_WAY] == 50 * RUB

    paid = till.payouts().paid(sent.id, author="olga", reference="bank 4711")

    assert (paid.state, paid.reference, paid.approver) == (PayoutState.PAID, "bank 4711", "olga")
    assert ON_ITS_WAY not in till.balances()
    assert till.balances()["bank:main"] == -50 * RUB
    assert till.findings() == []


def test_each_step_has_its_entry_its_detail_and_its_line_in_the_audit_log(till: Till) -> None:
    till.payouts().paid(a_sent_one(till).id, author="ada")

    with till.database.read() as connection:
        keys = list(connection.execute(sa.select(Entry.key).where(Entry.kind == "payout").order_by(Entry.id)).scalars())
        details = connection.execute(sa.select(Detail.kind, Detail.subject, Detail.author, Detail.partner_id)).all()
        log = connection.execute(
            sa.select(AuditLog.who, AuditLog.after).where(AuditLog.subject == "payout").order_by(AuditLog.id)
        ).all()

    assert sorted(keys) == ["payout:1:approved", "payout:1:paid"]
    assert sorted(details) == [("payout", "payout:1", "olga", 1), ("payout_paid", "payout:1", "ada", 1)]
    assert [(who, after["state"]) for who, after in log] == [
        ("partner:acme", "requested"), ("olga", "approved"), ("olga", "sent"), ("ada", "paid"),
    ]  # fmt: skip


def test_without_an_amount_all_that_is_due_is_asked_for(till: Till) -> None:
    assert asked(till.payouts(), None).amount == 120 * RUB


def test_more_than_is_due_is_refused_with_what_is(till: Till) -> None:
    with pytest.raises(UserMistake, match=r"acme: 120\.00 RUB may be paid of 120\.00 earned"):
        asked(till.payouts(), 121 * RUB)


def test_what_was_asked_for_is_not_there_a_second_time(till: Till) -> None:
    payouts = till.payouts()
    asked(payouts, 100 * RUB)

    with pytest.raises(
        UserMistake, match=r"20\.00 RUB may be paid of 120\.00 earned \(100\.00 are asked for already\)"
    ):
        asked(payouts, 50 * RUB, key="k2")


def test_an_amount_has_the_digits_of_its_currency(till: Till) -> None:
    with pytest.raises(UserMistake, match=r"RUB is paid with 2 decimals, or fewer; write 1\.23"):
        asked(till.payouts(), 1_234_567)


def test_the_rest_below_a_minor_unit_stays_on_the_account(database: Database) -> None:
    till = a_till(database)
    till.earn(1)
    take_earnings(till.clerk(), 1)

    row = till.payouts().approve(asked(till.payouts(), None).id, approver="ada")

    assert row.amount == 60 * RUB - 10_000
    assert till.balances()[EARNED] == 9_999


@pytest.mark.parametrize("amount", [0, -RUB])
def test_nothing_is_no_amount(till: Till, amount: int) -> None:
    with pytest.raises(UserMistake, match="write an amount above zero"):
        asked(till.payouts(), amount)


def test_the_same_key_is_the_same_payout_and_other_content_under_it_is_an_error(till: Till) -> None:
    payouts = till.payouts()
    first = asked(payouts)

    assert asked(payouts) == first
    with pytest.raises(StoreConflict, match="take another key"):
        asked(payouts, 51 * RUB)


@pytest.mark.parametrize("step", ["cancel", "failed", "returned"])
def test_the_key_of_one_that_is_over_and_not_paid_is_told_and_another_key_asks_anew(till: Till, step: str) -> None:
    payouts = till.payouts()
    if step == "cancel":
        asked(payouts)
    else:
        a_sent_one(till)
    getattr(payouts, step)(1, author="ada", reason="no such account")
    state = payouts.read(1).state.name.lower()

    with pytest.raises(Ended) as ended:
        asked(payouts)

    assert str(ended.value) == (
        f"the key 'k1' stands for payout 1 of 50.00 RUB, which is {state}: no such account; take another key"
    )
    assert asked(payouts, key="k2").id == 2


@pytest.mark.parametrize("key", ["", "k" * 81])
def test_a_key_has_the_length_that_can_be_stored(till: Till, key: str) -> None:
    with pytest.raises(UserMistake, match="--key must have 1 to 80 letters"):
        asked(till.payouts(), key=key)


def test_the_key_of_one_that_was_paid_stands_for_it_for_good(till: Till) -> None:
    paid = till.payouts().paid(a_sent_one(till).id, author="ada")

    assert asked(till.payouts()) == paid


def test_a_partner_without_an_account_for_the_currency_is_told_where_to_add_it(till: Till) -> None:
    with pytest.raises(UserMistake, match=r"nobody has said where RUB of bolt goes; add it to `payout`"):
        till.payouts().request("bolt", "RUB", None, author="olga", key="k")
    with pytest.raises(UserMistake, match="there is no partner 'nobody'"):
        till.payouts().request("nobody", "RUB", None, author="olga", key="k")


def test_who_asked_does_not_approve(till: Till) -> None:
    payouts = till.payouts()
    row = asked(payouts, author="olga")

    with pytest.raises(UserMistake, match="was asked for by olga: somebody else must approve it"):
        payouts.approve(row.id, approver="olga")

    assert payouts.approve(row.id, approver="ada").state is PayoutState.APPROVED


def test_above_the_limit_two_people_approve(till: Till) -> None:
    payouts = till.payouts(second_above=40 * RUB)
    row = asked(payouts)

    assert payouts.approve(row.id, approver="ada").state is PayoutState.REQUESTED
    assert payouts.approve(row.id, approver="ada").state is PayoutState.REQUESTED
    assert till.balances()[EARNED] == 120 * RUB
    done = payouts.approve(row.id, approver="olga")

    assert (done.state, done.approver, done.second_approver) == (PayoutState.APPROVED, "ada", "olga")
    assert till.balances()[EARNED] == 70 * RUB
    assert till.findings() == []


def test_up_to_the_limit_one_person_does(till: Till) -> None:
    payouts = till.payouts(second_above=50 * RUB)

    assert payouts.approve(asked(payouts).id, approver="ada").state is PayoutState.APPROVED


def test_approving_again_moves_nothing_and_another_person_is_told(till: Till) -> None:
    payouts = till.payouts()
    row = payouts.approve(asked(payouts).id, approver="ada")

    assert payouts.approve(row.id, approver="ada") == row
    with pytest.raises(UserMistake, match="is approved; only what is requested may become approved"):
        payouts.approve(row.id, approver="olga")
    assert till.balances()[EARNED] == 70 * RUB


def test_what_was_taken_back_meanwhile_is_not_paid(till: Till) -> None:
    payouts = till.payouts()
    row = asked(payouts, 100 * RUB)
    take_earnings(till.clerk(), 30 * RUB)

    with pytest.raises(UserMistake, match=r"only 90\.00 are due now; cancel it and ask for less"):
        payouts.approve(row.id, approver="ada")

    assert ON_ITS_WAY not in till.balances()


def test_an_account_below_zero_gets_nothing(till: Till) -> None:
    take_earnings(till.clerk(), 150 * RUB)

    with pytest.raises(UserMistake, match=r"below zero: -30\.00 RUB; nothing is due until it has recovered"):
        asked(till.payouts())
    with pytest.raises(UserMistake, match="below zero"):
        asked(till.payouts(), None)


def test_what_is_younger_than_the_hold_back_is_not_paid(database: Database) -> None:
    till = a_till(database, hold_days=30)
    till.earn(1)
    till.clock.advance(20 * DAY_MS)
    till.earn(1)

    with pytest.raises(UserMistake, match=r"0\.00 RUB may be paid of 120\.00 earned \(120\.00 are too young"):
        asked(till.payouts(), None)
    till.clock.advance(11 * DAY_MS)
    assert asked(till.payouts(), None).amount == 60 * RUB
    till.clock.advance(20 * DAY_MS)
    assert asked(till.payouts(), None, key="k2").amount == 60 * RUB


def test_what_is_young_and_taken_back_counts_once(database: Database) -> None:
    till = a_till(database, hold_days=30)
    till.earn(1)
    till.clock.advance(31 * DAY_MS)
    young = till.earn(2)
    act(till.clerk(), "charge_back", young[:1])

    assert till.balances()[EARNED] == 120 * RUB
    assert asked(till.payouts(), None).amount == 60 * RUB
    assert till.findings() == []


def test_less_than_the_minimum_is_not_paid_out(database: Database) -> None:
    till = a_till(database, minimum=100 * RUB)
    till.earn(1)
    with pytest.raises(UserMistake, match=r"less than the minimum of 100\.00 is not paid out"):
        asked(till.payouts(), None)
    till.earn(1)

    with pytest.raises(UserMistake, match=r"less than the minimum of 100\.00 is not paid out"):
        asked(till.payouts(), 99 * RUB)
    assert asked(till.payouts(), 100 * RUB).amount == 100 * RUB


def test_what_fraud_holds_is_named_and_not_paid(till: Till) -> None:
    hold_one(till)

    with pytest.raises(UserMistake, match=r"120\.00 RUB may be paid of 120\.00 earned \(60\.00 are held"):
        asked(till.payouts(), 130 * RUB)


def test_failed_and_cancelled_ones_are_the_partners_again(till: Till) -> None:
    sent = a_sent_one(till)
    payouts = till.payouts()

    failed = payouts.failed(sent.id, author="olga", reason="account closed")
    second = payouts.approve(asked(payouts, 120 * RUB, key="k2").id, approver="olga")
    cancelled = payouts.cancel(second.id, author="olga", reason="wrong month")
    third = payouts.cancel(asked(payouts, 10 * RUB, key="k3").id, author="acme", reason="changed my mind")

    assert (failed.state, failed.error) == (PayoutState.FAILED, "account closed")
    assert (cancelled.state, third.state) == (PayoutState.CANCELLED, PayoutState.CANCELLED)
    assert till.balances()[EARNED] == 120 * RUB
    assert ON_ITS_WAY not in till.balances()
    assert till.findings() == []


def test_returned_twice_is_booked_once(till: Till) -> None:
    sent = a_sent_one(till)
    payouts = till.payouts()
    payouts.paid(sent.id, author="olga")

    first = payouts.returned(sent.id, author="olga", reason="no such account")
    again = payouts.returned(sent.id, author="ada", reason="again")

    assert first == again
    assert till.balances() == {
        "operator:alpha:receivable": 200 * RUB, "income:margin": 80 * RUB, EARNED: 120 * RUB,
    }  # fmt: skip
    assert till.findings() == []


def test_one_that_comes_back_without_having_been_told_as_paid(till: Till) -> None:
    sent = a_sent_one(till)

    till.payouts().returned(sent.id, author="olga", reason="refused by the bank")

    assert till.balances()[EARNED] == 120 * RUB
    assert "bank:main" not in till.balances()
    assert till.findings() == []


def test_what_came_back_is_as_old_as_it_was(database: Database) -> None:
    till = a_till(database, hold_days=30)
    till.earn(1)
    till.clock.advance(31 * DAY_MS)
    payouts = till.payouts()
    payouts.approve(asked(payouts, None).id, approver="ada")
    payouts.cancel(1, author="ada", reason="again")

    assert asked(payouts, None, key="k2").amount == 60 * RUB


@pytest.mark.parametrize(
    ("state", "step"),
    [("requested", "paid"), ("requested", "failed"), ("requested", "returned"), ("paid", "failed"), ("paid", "cancel")],
)
def test_a_step_that_does_not_follow_is_refused_and_says_what_it_follows(till: Till, state: str, step: str) -> None:
    payouts = till.payouts()
    if state == "paid":
        payouts.paid(a_sent_one(till).id, author="olga")
    else:
        asked(payouts)
    before = till.balances()

    with pytest.raises(UserMistake, match=f"is {state}; only what is "):
        getattr(payouts, step)(1, author="olga", **({} if step == "paid" else {"reason": "x"}))

    assert till.balances() == before


def test_a_payout_that_is_not_there(till: Till) -> None:
    with pytest.raises(UserMistake, match="there is no payout 99; `tollbridge payout list` shows them"):
        till.payouts().approve(99, approver="ada")


def test_folded_sums_change_nothing_about_what_is_due(till: Till) -> None:
    till.clock.advance(DAY_MS)
    while fold_some(till.database, till.clock.now()):
        pass
    till.earn(1)

    assert asked(till.payouts(), None).amount == 180 * RUB


def test_what_is_on_schedule_is_asked_for_once_a_month(database: Database) -> None:
    till = a_till(database, schedule="monthly", minimum=100 * RUB)
    till.earn(1)
    desk = till.clerk()
    ((who, why),) = request_due(Payouts(desk), desk)
    assert who == "acme"
    assert "less than the minimum" in str(why)
    till.earn(1)

    ((_, first),) = request_due(Payouts(desk), desk)
    ((_, again),) = request_due(Payouts(desk), desk)

    assert isinstance(first, PayoutRow)
    assert (first.amount, first.author, first.key) == (120 * RUB, "schedule", "schedule:2026-11:acme:RUB")
    assert again == first


def test_of_a_month_whose_payout_is_cancelled_it_is_told_how_to_ask_anew(database: Database) -> None:
    till = a_till(database, schedule="monthly")
    till.earn(1)
    desk = till.clerk()
    list(request_due(Payouts(desk), desk))
    Payouts(desk).cancel(1, author="ada", reason="wrong account")

    assert list(request_due(Payouts(desk), desk)) == [
        (
            "acme",
            "payout 1 of 60.00 RUB, that of 2026-11, is cancelled: wrong account; ask anew: "
            "tollbridge payout request acme RUB --by NAME",
        )
    ]


def test_a_payout_keeps_the_account_for_which_it_was_asked(till: Till) -> None:
    row = asked(till.payouts())
    acme = till.catalogue.partners["acme"]
    till.use(replace(till.catalogue, partners={**till.catalogue.partners, "acme": replace(acme, payouts=())}))

    assert row.details["account"] == "40702810412345678901"
    with till.database.read() as connection:
        (stored,) = connection.execute(sa.select(*COLUMNS)).all()
    assert row_of(stored) == row


def test_the_payout_balance_is_the_sum_of_what_is_under_way(till: Till) -> None:
    payouts = till.payouts()
    for key in ("a", "b", "c"):
        payouts.approve(asked(payouts, 20 * RUB, key=key).id, approver="ada")
    payouts.cancel(2, author="ada", reason="x")
    export(till.clerk(), ours(), currency="RUB", author="ada", key="f", numbers=[1])
    payouts.paid(1, author="ada")

    with till.database.read() as connection:
        rows = [row_of(row) for row in connection.execute(sa.select(*COLUMNS))]
    under_way = sum(row.amount for row in rows if row.state in IS_UNDER_WAY)
    assert till.balances()[ON_ITS_WAY] == under_way == 20 * RUB
