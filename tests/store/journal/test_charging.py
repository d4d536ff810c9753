"""Outgoing SMS and money, through the journal on both databases: reserved, charged, returned; once."""

import threading
from dataclasses import replace

import pytest
import sqlalchemy as sa

from core.clock import HOUR_MS, MINUTE_MS
from core.message import MtKind, MtState, ReceiptState
from store.database import Database
from store.journal import MtFact, NewMtFact
from store.processes import retire
from store.schema import Detail, MtMove
from store.schema import Mt as MtRow
from tests.makers import a_catalogue, a_plan, of_every_class
from tests.store.journal.paid import PRICE, RUB, Office, the_catalogue
from tests.store.mt_desk import HandClock


@pytest.fixture
def office(database: Database) -> Office:
    office = Office(database, the_catalogue())
    office.pay_in(10 * RUB)
    return office


# --- paid by the partner -----------------------------------------------------------------------------------


def test_its_price_is_set_aside_until_its_end_and_then_charged_with_vat_and_our_cost(office: Office) -> None:
    mt = office.sent()
    assert office.balances() == {
        "bank:main": 10 * RUB,
        "partner:acme:prepaid": 10 * RUB - PRICE,
        "partner:acme:reserved": PRICE,
    }
    assert office.findings() == []

    office.ends(mt)

    assert office.balances() == {
        "bank:main": 10 * RUB, "partner:acme:prepaid": 10 * RUB - PRICE, "income:outgoing": 1_000_000,
        "tax:vat": 200_000, "expense:outgoing:alpha": 400_000, "operator:alpha:payable": 400_000,
    }  # fmt: skip
    assert office.findings() == []


def test_what_was_not_delivered_goes_back_where_delivered_is_paid(office: Office) -> None:
    office.ends(office.sent(), ReceiptState.FAILED)

    assert office.balances()["partner:acme:prepaid"] == 10 * RUB
    assert "partner:acme:reserved" not in office.balances()
    assert office.balances()["operator:alpha:payable"] == 400_000
    assert office.findings() == []


def test_what_was_submitted_is_paid_where_submission_is(database: Database) -> None:
    office = Office(database, the_catalogue(on="submitted"))
    office.pay_in(10 * RUB)

    office.ends(office.sent(), ReceiptState.FAILED)

    assert office.balances()["partner:acme:prepaid"] == 10 * RUB - PRICE
    assert office.findings() == []


@pytest.mark.parametrize("on", ["submitted", "delivered"])
@pytest.mark.parametrize("state", [MtState.FAILED, MtState.EXPIRED])
def test_what_the_operator_refused_or_never_got_costs_nobody_anything(
    database: Database, on: str, state: MtState
) -> None:
    office = Office(database, the_catalogue(on=on))
    office.pay_in(10 * RUB)

    office.moves(office.ask().mt, state)

    assert office.balances() == {"bank:main": 10 * RUB, "partner:acme:prepaid": 10 * RUB}
    assert office.findings() == []


def test_what_waited_for_a_link_until_it_expired_is_not_paid(database: Database) -> None:
    office = Office(database, the_catalogue(on="submitted"))
    office.pay_in(10 * RUB)
    fact = NewMtFact(replace(office.an_mt(), state=MtState.QUEUED))
    office.write(fact)

    office.advance(HOUR_MS + MINUTE_MS)
    office.write(office.look())

    assert office.balances() == {"bank:main": 10 * RUB, "partner:acme:prepaid": 10 * RUB}
    assert office.findings() == []


def test_a_receipt_that_comes_again_changes_nothing(office: Office) -> None:
    mt = office.sent()
    for _ in range(3):
        office.ends(mt)

    assert len(office.charges()) == 2
    assert office.findings() == []


def test_a_receipt_before_the_answer_is_paid_once(office: Office) -> None:
    mt = office.ask().mt
    office.receipt("early")
    office.accepted(mt, "early")

    assert [kind for kind, *_ in office.charges()] == [4, 5]
    assert office.findings() == []


def test_an_unknown_one_went_back_and_a_late_receipt_takes_nothing_more(office: Office) -> None:
    mt = office.sent()
    office.unknown(mt)
    assert office.balances()["partner:acme:prepaid"] == 10 * RUB
    before = office.balances()

    office.ends(mt)

    assert office.balances() == before
    assert office.findings() == []


def test_a_cost_for_what_is_delivered_comes_with_a_late_receipt(database: Database) -> None:
    office = Office(database, the_catalogue(cost_on="delivered"))
    office.pay_in(10 * RUB)
    mt = office.sent()
    office.unknown(mt)
    assert "operator:alpha:payable" not in office.balances()

    office.ends(mt)

    assert office.balances()["operator:alpha:payable"] == 400_000
    assert office.findings() == []


def test_parts_are_counted_and_the_price_falls_with_the_tenth(database: Database) -> None:
    office = Office(database, the_catalogue())
    office.pay_in(100 * RUB)

    facts = [office.ask(parts=9), office.ask(parts=3), office.ask(parts=1)]

    assert [fact.mt.price for fact in facts] == [9 * PRICE, 3 * PRICE, 900_000]
    for fact in facts:
        office.accepted(fact.mt, *[f"k{fact.mt.id}-{part}" for part in range(fact.mt.parts)])
        for part in range(fact.mt.parts):
            office.receipt(f"k{fact.mt.id}-{part}")
    assert office.findings() == []


def test_more_than_there_is_is_refused_and_nothing_of_it_stays(database: Database) -> None:
    office = Office(database, the_catalogue())
    office.pay_in(2 * PRICE)
    facts = [NewMtFact(office.an_mt()) for _ in range(3)]

    office.write(*facts)

    assert [fact.refused for fact in facts] == ["", "", "overdrawn"]
    with database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(MtRow)).scalar() == 2
        assert connection.execute(sa.select(sa.func.count()).select_from(Detail)).scalar() == 3
    assert "partner:acme:prepaid" not in office.balances()
    assert office.findings() == []


def test_credit_is_used_exactly_and_what_goes_back_can_be_spent_again(database: Database) -> None:
    office = Office(database, the_catalogue(limit=PRICE))
    mt = office.sent()
    assert office.ask().refused == "overdrawn"

    office.ends(mt, ReceiptState.FAILED)

    assert office.ask().refused == ""
    assert office.findings() == []


def test_without_a_price_it_is_refused(database: Database) -> None:
    office = Office(
        database, a_catalogue(plans=(replace(a_plan(), versions=(replace(a_plan().versions[0], mt_price=()),)),))
    )

    assert office.ask().refused == "no_price"
    assert office.ask(partner_id=77).refused == "no_price"


def test_one_that_was_on_its_way_when_its_process_died_is_not_sent_again(office: Office) -> None:
    mt = office.ask().mt
    with office.database.read() as connection:
        process_id = connection.execute(sa.select(MtRow.process_id).where(MtRow.id == mt.id)).scalar_one()
    retire(office.database, process_id, office.clock.now())

    other = Office(office.database, office.catalogue, office.clock)
    assert other.outbox.mts(10, of_every_class(1)) == []
    other.write(other.look())

    with office.database.read() as connection:
        state = connection.execute(sa.select(MtRow.state).where(MtRow.id == mt.id)).scalar_one()
        told = connection.execute(sa.select(MtMove.reason).where(MtMove.mt_id == mt.id)).scalars().all()
    assert state == MtState.UNKNOWN
    assert any("not sent again" in reason for reason in told)
    assert other.findings() == []


def test_two_processes_spend_one_balance_to_the_last_part_and_not_beyond(database: Database) -> None:
    catalogue = the_catalogue()
    clock = HandClock()
    Office(database, catalogue, clock).pay_in(20 * 900_000 + 10 * PRICE)
    start = threading.Barrier(4)
    refused: list[str] = []
    failed: list[BaseException] = []

    def run() -> None:
        office = Office(database, catalogue, clock)
        start.wait()
        try:
            for _ in range(4):
                facts = [NewMtFact(office.an_mt()) for _ in range(3)]
                office.write(*facts)
                refused.extend(fact.refused for fact in facts)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failed == []
    assert refused.count("") == 30
    assert refused.count("overdrawn") == 18
    office = Office(database, catalogue, clock)
    assert "partner:acme:prepaid" not in office.balances()
    assert office.findings() == []


# --- free --------------------------------------------------------------------------------------------------


def test_a_free_reply_costs_us_what_the_operator_takes(office: Office) -> None:
    mt = office.submitted("k1")
    assert office.charges() == []

    office.receipt("k1")

    assert office.charges() == [(5, 2, "", 0)]
    assert office.balances()["expense:outgoing:alpha"] == 400_000
    assert office.findings() == []
    assert mt.kind is MtKind.FREE


@pytest.mark.parametrize(
    ("parts", "taken"),
    [
        ([(1, "", MtState.UNKNOWN), (2, "", MtState.FAILED), (3, "", MtState.FAILED)], 1),
        ([(1, "k1", MtState.SUBMITTED), (2, "", MtState.UNKNOWN), (3, "", MtState.FAILED)], 2),
    ],
)
def test_the_operator_takes_only_what_it_has_or_may_have_of_a_long_text(
    office: Office, parts: list[tuple[int, str, MtState]], taken: int
) -> None:
    mt = office.ask(parts=3).mt
    office.write(MtFact(mt, MtState.UNKNOWN, office.clock.now(), None, "no answer", parts))

    assert office.balances()["expense:outgoing:alpha"] == taken * 400_000
    assert office.findings() == []


def test_over_an_operator_that_takes_nothing_a_free_reply_is_no_charge(database: Database) -> None:
    office = Office(database, the_catalogue(cost=0))
    office.submitted("k1")
    office.receipt("k1")

    assert office.charges() == []
    assert office.findings() == []


def test_what_is_told_after_time_has_ended_it_opens_nothing_again(office: Office) -> None:
    mt = office.ask().mt
    office.unknown(mt)
    assert office.state(mt) is MtState.UNKNOWN
    balances = office.balances()

    office.accepted(mt, "late")
    office.receipt("late")

    assert office.state(mt) is MtState.UNKNOWN
    assert office.balances() == balances
    assert office.findings() == []
    assert "submitted, told after its end" in [why for _, _, why in office.history(mt)]
