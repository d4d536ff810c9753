"""What details say to reports is in the daily sums, and the audit makes it again.

Holds that are let go, and what came off an operator's receivable.
"""

from collections.abc import Sequence

import pytest
import sqlalchemy as sa

from core.catalogue import Catalogue
from core.clock import DAY_MS
from core.ledger.accounts import bank, receivable
from core.ledger.details import DetailKind, moved
from core.report import PAID, RELEASED, WRITTEN_OFF
from store.books import Act
from store.daily import ACTS, write_sums
from store.database import Database
from store.journal import MoFact
from store.schema import DailySum
from tests.store.clerk import clerk_of
from tests.store.journal.desk import MoDesk
from tests.store.test_corrections import HOLD, act
from tests.store.test_daily import TODAY, TOMORROW, a_world, daily_findings


@pytest.fixture
def office(database: Database) -> MoDesk:
    return MoDesk(database, a_world())


def test_a_hold_that_is_let_go_counts_where_its_message_came_in(office: MoDesk) -> None:
    desk = clerk_of(office)
    (id_,) = hold(office, "QUIZ 1")
    office.clock.advance(DAY_MS)

    act(desk, "release", [id_])

    _, *released = office.rows(DailySum)
    assert [(row.day, row.service_id, row.partner_id, row.kind, row.held) for row in released] == [
        (TOMORROW, 2, 2, RELEASED, 0), (TOMORROW, 2, 2, RELEASED, 1)
    ]  # fmt: skip
    assert [(row.count, row.partner_part) for row in released] == [(1, 3_000_000), (0, -3_000_000)]
    assert daily_findings(office) == []


def test_of_what_an_operator_paid_there_is_one_row_however_often(office: MoDesk) -> None:
    for amount in (5_000_000, 2_000_000):
        beta_pays(office, amount)

    (row,) = office.rows(DailySum)

    assert (row.operator_id, row.currency, row.kind, row.count, row.price) == (2, "KZT", PAID, 2, 7_000_000)
    assert daily_findings(office) == []


@pytest.mark.parametrize("kind", [RELEASED, PAID, WRITTEN_OFF])
def test_the_audit_tells_sums_that_no_detail_has_made(office: MoDesk, kind: int) -> None:
    with office.database.write() as connection:
        write_sums(connection, {(TODAY, "RUB", 1, "", 0, 0, kind, 202611, 0, 0): [1, *[0] * 9]}, ACTS)

    (found,) = office.audit()

    assert (found.check, found.row) == ("daily", f"{TODAY}/RUB/1//0/0/{kind}/202611/0/0")
    assert "count 1, its charges sum to 0" in found.sentence


def test_the_audit_tells_what_a_detail_should_have_added(office: MoDesk) -> None:
    (id_,) = hold(office, "QUIZ 1")
    act(clerk_of(office), "release", [id_])
    with office.database.write() as connection:
        connection.execute(sa.delete(DailySum).where(DailySum.kind == RELEASED))

    found = daily_findings(office)

    assert len(found) == 2
    assert found[0].startswith("released, operator 1, short code 4446, service 2, partner 2, booked in 2026-11, RUB")


def beta_pays(office: MoDesk, amount: int) -> None:
    """So many tenge."""
    clerk = clerk_of(office)
    details = moved(DetailKind.OPERATOR_PAID, bank("main"), receivable("beta"), amount, currency="KZT", month=202611)
    paid = Act(f"paid:{amount}", "payment", f"{amount}", clerk.now())
    clerk.run(lambda connection: clerk.books.book(connection, paid, details=details))


def hold(office: MoDesk, *texts: str) -> list[int]:
    """Messages that fraud holds; their ids."""
    facts = [office.mo(text) for text in texts]
    decide = office.decider.decide

    def held(facts: Sequence[MoFact]) -> Catalogue:
        catalogue = decide(facts)
        for fact in facts:
            assert fact.settlement is not None
            fact.settlement.verdict = HOLD
        return catalogue

    office.decider.decide = held  # type: ignore[method-assign]
    office.take(*facts)
    office.decider.decide = decide  # type: ignore[method-assign]
    return [fact.id for fact in facts]
