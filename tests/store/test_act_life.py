"""A message's life names the acts and settlements that moved its money, with who asked, why, and who agreed."""

from pathlib import Path

import pytest

from core.settlement.verdicts import Verdict
from core.top_ups import Told
from store.act_life import read_acts_about
from store.acts import Acts, Draft
from store.database import Database
from store.life import ActLife
from store.messages import read_life
from store.payments import Payments
from tests.store.cashier import a_till
from tests.store.clerk import clerk_of
from tests.store.journal.desk import MoDesk
from tests.store.settlement.office import Office
from tests.store.settlement.test_approve import a_row
from tests.store.test_acts import RUB, a_charge_back, accept, two_partners


@pytest.fixture
def office(database: Database) -> MoDesk:
    return MoDesk(database, two_partners())


def acts_about(database: Database, message_id: int) -> tuple[ActLife, ...]:
    with database.read() as connection:
        life = read_life(connection, message_id)
    assert life is not None
    return life.acts


def test_acts_about_a_payment_are_those_that_name_it_and_were_asked_for_since_it_came(database: Database) -> None:
    till = a_till(database)
    for number in (1, 2):
        Payments(till.clerk()).take(Told("yoomoney", f"op-{number}", "77", 100 * RUB, 98 * RUB, "RUB"))
    acts = Acts(till.clerk(), 0)
    for number in (1, 2):
        acts.propose(Draft("assign_payment", "olga", "they wrote", values={"payment": number, "partner": "acme"}))
    done = acts.approve(2, "ada")

    with database.read() as connection:
        (told,) = read_acts_about(connection, ["assign_payment"], "payment", 2, since=done.at)
        assert read_acts_about(connection, ["assign_payment"], "payment", 2, since=done.at + 1) == ()
        assert read_acts_about(connection, ["convert"], "payment", 2, since=0) == ()
        (waits,) = read_acts_about(connection, ["assign_payment"], "payment", 1, since=0)

    assert (told.id, told.author, told.approver, told.entry_id) == (2, "olga", "ada", done.entry_id)
    assert (waits.id, waits.state, waits.approver, waits.entry_id) == (1, "waits for a second person", "", None)


def test_a_charge_back_is_told_with_who_asked_why_and_who_agreed(office: MoDesk) -> None:
    first, second, other = accept(office, "GAME 1", "GAME 2", "GAME 3")
    acts = Acts(clerk_of(office), 6 * RUB)
    act = acts.ask(a_charge_back(first, second))
    done = acts.approve(act.id, "ada")

    (told,) = acts_about(office.database, first)

    assert (told.id, told.kind, told.state, told.entry_id) == (act.id, "charge_back", "done", done.entry_id)
    assert (told.author, told.reason, told.approver) == ("olga", "complaint 17", "ada")
    assert acts_about(office.database, other) == ()


def test_a_refund_that_we_pay_is_told_too(office: MoDesk) -> None:
    (first,) = accept(office, "GAME 1")
    Acts(clerk_of(office), 100 * RUB).ask(Draft("refund", "olga", "our mistake", (first,), {"paid_by": "us"}))

    assert [(one.kind, one.author, one.reason) for one in acts_about(office.database, first)] == [
        ("refund", "olga", "our mistake")
    ]


def test_one_that_waits_is_told_as_well(office: MoDesk) -> None:
    (first,) = accept(office, "GAME 1")
    acts = Acts(clerk_of(office), 0)
    act = acts.ask(a_charge_back(first))
    waits = acts_about(office.database, first)
    assert [(one.state, one.entry_id) for one in waits] == [("waits for a second person", None)]

    acts.refuse(act.id, "ada", "no complaint")

    assert [(one.state, one.approver) for one in acts_about(office.database, first)] == [("refused", "ada")]


def test_a_settlement_is_told_with_who_approved_it_and_why(database: Database, tmp_path: Path) -> None:
    office = Office(database, tmp_path)
    mo = office.mo()
    run = office.matched(office.russian(a_row(9000)))
    office.later()
    office.approve(run, Verdict.MISSING_THERE)

    (told,) = acts_about(database, mo)

    assert (told.id, told.kind, told.author, told.approver, told.reason) == (
        run, "settlement", "olga", "ada", "as agreed",
    )  # fmt: skip
