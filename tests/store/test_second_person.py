"""Where money moves there is a name, and a reason where one is asked for: in the store, whatever door they come by."""

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.clock import Month
from core.errors import UserMistake
from core.payouts import PayoutState
from core.settlement import RunState, Verdict
from core.top_ups import PaymentState, Told
from store.acts import ActRefused, Acts, Draft
from store.database import Database
from store.payments import Payments, read_payment
from store.payout_files import export
from store.payouts import Payouts
from store.schema import Act, AuditLog, Payout, SettlementRun
from store.settlement.approve import approve, dismiss
from store.settlement.look import standing
from store.settlement.paid import book_payment
from store.settlement.stage import stage
from store.steps import read_steps
from tests.store.cashier import RUB, Till, a_sent_one, a_till, asked, ours
from tests.store.settlement.office import Office
from tests.store.settlement.test_approve import a_row, a_run

NOBODY = ("", " \t", "\u200b", "\u2800", "\u3164", "x" * 81)
SILENCE = ("", "  ", "\u200b", "\u00ad\u2800")
OLGA = ("olga p.", "OLGA P.", " olga  p.", "\uff4flga p.")


@pytest.fixture
def till(database: Database) -> Till:
    """acme has earned 120.00 RUB."""
    till = a_till(database)
    till.earn(2)
    return till


def refuses(what: str, *doors: Callable[[], object]) -> None:
    for place, door in enumerate(doors):
        with pytest.raises(UserMistake, match=f"^{what}"):
            pytest.fail(f"door {place} let it through: {door()}")


def parked(till: Till) -> Payments:
    payments = Payments(till.clerk())
    payments.take(Told("yoomoney", "op-1", "77", 100 * RUB, 98 * RUB, "RUB"))
    return payments


# --- payouts ----------------------------------------------------------------------------------------------


def test_nobody_asks_for_a_payout_agrees_sends_or_ends_it(till: Till) -> None:
    row, payouts = a_sent_one(till), till.payouts()
    number = asked(payouts, 20 * RUB, key="k2").id

    for name in NOBODY:
        refuses(
            "--by: ",
            lambda: asked(payouts, author=name, key=f"of {name}"[:20]),  # noqa: B023
            lambda: payouts.approve(number, approver=name),  # noqa: B023
            lambda: payouts.cancel(number, author=name, reason="x"),  # noqa: B023
            lambda: payouts.begin_sending(number, author=name),  # noqa: B023
            lambda: payouts.sent(number, author=name, reference="r"),  # noqa: B023
            lambda: payouts.paid(row.id, author=name),  # noqa: B023
            lambda: payouts.failed(row.id, author=name, reason="x"),  # noqa: B023
            lambda: payouts.returned(row.id, author=name, reason="x"),  # noqa: B023
            lambda: export(till.clerk(), ours(), currency="RUB", author=name, key="f2"),  # noqa: B023
        )

    assert (payouts.read(row.id), payouts.read(number).state) == (row, PayoutState.REQUESTED)


def test_money_is_not_a_partners_again_without_a_reason(till: Till) -> None:
    row, payouts = a_sent_one(till), till.payouts()
    number = asked(payouts, 20 * RUB, key="k2").id

    for reason in SILENCE:
        refuses(
            "--reason: it is empty; say why",
            lambda: payouts.cancel(number, author="ada", reason=reason),  # noqa: B023
            lambda: payouts.failed(row.id, author="ada", reason=reason),  # noqa: B023
            lambda: payouts.returned(row.id, author="ada", reason=reason),  # noqa: B023
        )

    assert payouts.read(row.id) == row
    long = payouts.failed(row.id, author="ada", reason="the bank: " + "x" * 300)
    assert (long.state, len(long.error)) == (PayoutState.FAILED, 200)


def test_one_person_in_other_letters_is_neither_who_agrees_nor_the_second(till: Till) -> None:
    payouts: Payouts = till.payouts(second_above=40 * RUB)
    number = asked(payouts, author=OLGA[0]).id

    for name in OLGA:
        with pytest.raises(UserMistake, match="somebody else must approve it"):
            payouts.approve(number, approver=name)
    for name in ("ada", " ADA", "Ada\n"):
        assert payouts.approve(number, approver=name).state is PayoutState.REQUESTED

    done = payouts.approve(number, approver=" ben ")
    assert (done.state, done.approver, done.second_approver) == (PayoutState.APPROVED, "ada", "ben")
    assert payouts.approve(number, approver="BEN") == done


def test_what_nobody_asked_for_before_is_cancelled_and_nobody_counts_as_the_first_of_two(till: Till) -> None:
    payouts = till.payouts(second_above=40 * RUB)
    number = asked(payouts, author="olga").id
    with till.database.write() as connection:
        connection.execute(sa.update(Payout).values(approver=" "))

    assert payouts.approve(number, approver="ada").state is PayoutState.REQUESTED
    assert payouts.approve(number, approver="ben").state is PayoutState.APPROVED

    other = asked(payouts, 20 * RUB, author="olga", key="k2").id
    with till.database.write() as connection:
        connection.execute(sa.update(Payout).where(Payout.id == other).values(author="\u200b"))
    with pytest.raises(UserMistake, match="was asked for without a name: cancel it, and let somebody ask for it anew"):
        payouts.approve(other, approver="ada")


# --- payments ---------------------------------------------------------------------------------------------


def test_a_parked_payment_is_assigned_and_closed_by_a_name_with_a_reason(till: Till) -> None:
    payments = parked(till)

    for name in NOBODY:
        refuses(
            "--by: ",
            lambda: payments.assign(1, "acme", author=name, reason="x"),  # noqa: B023
            lambda: payments.close(1, author=name, reason="x"),  # noqa: B023
        )
    for reason in (*SILENCE, "x" * 201):
        refuses(
            "--reason: it is ",
            lambda: payments.assign(1, "acme", author="ada", reason=reason),  # noqa: B023
            lambda: payments.close(1, author="ada", reason=reason),  # noqa: B023
        )

    with till.database.read() as connection:
        assert read_payment(connection, 1).state is PaymentState.PARKED
        assert connection.execute(sa.select(AuditLog.id).where(AuditLog.subject == "payment")).first() is None


def test_what_people_decided_of_a_payment_is_read_with_who_and_why(till: Till) -> None:
    parked(till).assign(1, "acme", author=" olga  p.", reason=" they wrote ")

    with till.database.read() as connection:
        row = read_payment(connection, 1)
        (step,) = read_steps(connection, "payment", 1, row.received_at)
        assert read_steps(connection, "payment", 2, row.received_at) == []
    assert (step.who, step.before, step.after, step.about) == ("olga p.", "parked", "booked", "they wrote")


# --- settlement -------------------------------------------------------------------------------------------


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Office:
    return Office(database, tmp_path)


OCTOBER: Month = 202410


def test_nobody_stages_decides_or_books_what_an_operator_sends(office: Office) -> None:
    run, now = a_run(office), office.clock.now()
    file = office.russian(a_row(7), name="new.csv")
    classes, clerk, database = [Verdict.MISSING_HERE], office.clerk, office.database

    for name in NOBODY:
        refuses(
            "--by: ",
            lambda: stage(database, file, operator="alpha", month=OCTOBER, author=name, now=now),  # noqa: B023
            lambda: approve(clerk, run, classes, by=name, reason="x", second_person_above=0),  # noqa: B023
            lambda: dismiss(database, run, None, by=name, reason="x", now=now),  # noqa: B023
            lambda: book_payment(clerk, "alpha", RUB, bank="main", reference="1", by=name),  # noqa: B023
        )
    for reason in (*SILENCE, "x" * 201):
        refuses(
            "--reason: it is ",
            lambda: approve(clerk, run, classes, by="ada", reason=reason, second_person_above=0),  # noqa: B023
            lambda: dismiss(database, run, None, by="ada", reason=reason, now=now),  # noqa: B023
        )

    with database.read() as connection:
        assert standing(connection, run).run.state is RunState.MATCHED
    assert office.entries(run) == []


def test_who_staged_a_file_is_the_same_in_other_letters_and_nobody_may_be_anybody(office: Office) -> None:
    run = a_run(office)
    with office.database.write() as connection:
        connection.execute(sa.update(SettlementRun).values(author=OLGA[0]))

    for name in OLGA:
        with pytest.raises(UserMistake, match=r"more than 4\.00: another person than olga p\., who staged it"):
            office.approve(run, Verdict.MISSING_HERE, by=name, above=4 * RUB)
    with office.database.write() as connection:
        connection.execute(sa.update(SettlementRun).values(author="\u2800"))
    with pytest.raises(UserMistake, match="nobody knows who staged it; dismiss it, and stage the file again"):
        office.approve(run, Verdict.MISSING_HERE, by="OLGA", above=4 * RUB)

    assert office.entries(run) == []


# --- acts -------------------------------------------------------------------------------------------------


def test_an_act_that_nobody_asked_for_is_agreed_to_by_nobody_and_refused(office: Office) -> None:
    acts = Acts(office.clerk, 4 * RUB)
    values: dict[str, str | int] = {"operator": "alpha", "amount": 5 * RUB, "bank": "main", "reference": "PO 17"}
    number = acts.ask(Draft("pay_operator", "olga", "October", values=values)).id
    with office.database.write() as connection:
        connection.execute(sa.update(Act).values(author="\u2800"))

    for name in ("ada", *OLGA):
        with pytest.raises(ActRefused, match=r"^nobody knows who asked for it; refuse it, and ask for it anew$"):
            acts.approve(number, name)
    assert office.balances() == {}
    assert acts.refuse(number, " ada ", " asked by nobody ").approver == "ada"
