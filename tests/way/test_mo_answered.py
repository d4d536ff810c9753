"""An MO goes all the way: charged, dispatched, answered, receipted."""

from pathlib import Path

import pytest

from core.message import Heard, MtState
from store import schema
from store.database import Database, connect
from tests import services
from tests.way.office import Office, run


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return connect(services.fresh_sqlite(tmp_path))


def test_a_message_is_charged_dispatched_and_answered(database: Database) -> None:
    async def story() -> Office:
        office = Office(database)
        office.open()
        office.receives("GAME 7")
        await office.flow()
        office.receipt("1A")
        await office.flow()
        office.way.cancel()
        return office

    office = run(story)

    (mo,) = office.rows(schema.Mo)
    assert (mo.price, mo.vat, mo.operator_part, mo.partner_part, mo.ours) == (
        12_000_000,
        2_000_000,
        5_000_000,
        3_000_000,
        2_000_000,
    )
    assert office.heard == [("GAME 7", Heard.TAKEN)]
    assert [(job.body, job.share, job.attempt) for job in office.partner.called] == [("7", 3_000_000, 1)]
    (mt,) = office.rows(schema.Mt)
    assert (mt.text, mt.state, mt.reply_to, mt.key) == ("thank you", MtState.DELIVERED, mo.id, "1A")
    (callback,) = office.rows(schema.Callback)
    assert (callback.state, callback.due_at, callback.attempt) == (1, None, 1)
    postings = [(row.debit_id, row.credit_id, row.amount) for row in office.rows(schema.Posting)]
    addresses = {row.id: row.address for row in office.rows(schema.Account)}
    assert sorted((addresses[d], addresses[c], amount) for d, c, amount in postings) == [
        ("operator:alpha:receivable", "income:margin", 2_000_000),
        ("operator:alpha:receivable", "partner:acme:earnings", 3_000_000),
    ]


def test_the_ledger_of_one_message_passes_the_audit(database: Database) -> None:
    async def story() -> Office:
        office = Office(database)
        office.open()
        office.receives("GAME 7")
        office.receives("NOTHING OF OURS")
        await office.flow()
        office.way.cancel()
        return office

    office = run(story)

    assert office.audit() == []
    assert [mo.reason for mo in office.rows(schema.Mo)] == ["", "no_prefix"]
