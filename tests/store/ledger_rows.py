"""A ledger made of rows: accounts, entries, postings, and as many charged MO as a test wants.

post        an entry with its postings
a_ledger    a catalogue's worth of MO, each charged, in entries of 100; the audit finds nothing in it
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import Connection

from core.catalogue import Catalogue
from core.clock import Instant
from core.ids import first_id_at
from core.ledger import entry as ledger
from core.ledger.accounts import INCOME_MARGIN, earnings, receivable
from store.bulk import bulk_insert
from store.database import Database
from store.journal.rows import CHARGE_COLUMNS, MO_COLUMNS
from store.schema import Account, DailySum, Entry, Mo, Posting, Volume
from tests.makers import NOON, a_catalogue, a_plan

MONTH = 202611
_POSTING = ("entry_id", "debit_id", "credit_id", "currency", "amount", "month")
_ENTRY = ("id", "key", "digest", "kind", "at")
PRICE, VAT, OPERATOR, PARTNER, OURS = 12_000_000, 2_000_000, 5_000_000, 3_000_000, 2_000_000


def post(
    connection: Connection, at: Instant, postings: Sequence[tuple[int, int, int, int]], *, entry_id: int = 0
) -> int:
    """(debit, credit, amount, month) each, in one entry; its id."""
    entry_id = entry_id or first_id_at(at)
    addresses = {row.id: row.address for row in connection.execute(sa.select(Account.id, Account.address))}
    named = ((addresses.get(d, str(d)), addresses.get(c, str(c)), amount, month) for d, c, amount, month in postings)
    digest = ledger.Entry(
        "", tuple(ledger.Posting(d, c, "RUB", amount, month) for d, c, amount, month in named)
    ).digest()
    bulk_insert(connection, Entry, _ENTRY, [(entry_id, f"batch:{entry_id}", digest, "batch", at)])
    rows = [(entry_id, debit, credit, "RUB", amount, month) for debit, credit, amount, month in postings]
    bulk_insert(connection, Posting, _POSTING, rows)
    return entry_id


def a_ledger(database: Database, messages: int) -> Catalogue:
    """So many MO of acme at 12.00; a multiple of 100."""
    with database.write() as connection:
        accounts = [receivable("alpha"), earnings("acme"), INCOME_MARGIN]
        for id_, address in enumerate(accounts, 1):
            connection.execute(sa.insert(Account).values(id=id_, address=address, currency="RUB"))
        for number in range(0, messages, 100):
            entry_id = first_id_at(NOON + number)
            post(connection, NOON + number, [(1, 2, 100 * PARTNER, MONTH), (1, 3, 100 * OURS, MONTH)])
            bulk_insert(connection, Mo, MO_COLUMNS, [_an_mo(entry_id + place + 1, entry_id) for place in range(100)])
        volume = {"partner_id": 1, "plan_version_id": 1, "month": MONTH, "volume": 5_000_000 * messages, "parts": 0}
        connection.execute(sa.insert(Volume).values(**volume))
        if messages:
            connection.execute(sa.insert(DailySum).values(**_daily_sum(messages)))
    return a_catalogue(plans=[a_plan(tiers=(("0", "0.60"),))])


def _daily_sum(messages: int) -> dict[str, int | str]:
    """All of them are of one day."""
    key: dict[str, int | str] = {
        "day": 20261124,
        "currency": "RUB",
        "operator_id": 1,
        "short_code": "4446",
        "service_id": 0,
        "kind": 1,
        "referral_id": 0,
        "held": 0,
    }
    each = {
        "count": 1, "parts": 1, "price": PRICE, "vat": VAT, "operator_part": OPERATOR, "partner_part": PARTNER,
        "referral_part": 0, "ours": OURS, "suspense": 0, "base": 5_000_000,
    }  # fmt: skip
    return {**key, "partner_id": 1, "month": MONTH, "slot": 1, **{name: messages * one for name, one in each.items()}}


def _an_mo(id_: int, entry_id: int) -> tuple[object, ...]:
    # One share for every volume, so that the volume before makes no difference to what a message earns.
    charge = {
        "charge_state": 2, "reason": "", "partner_id": 1, "currency": "RUB", "price": PRICE, "vat": VAT,
        "operator_part": OPERATOR, "partner_part": PARTNER, "ours": OURS, "base": 5_000_000, "tariff_id": 1,
        "vat_id": 1, "plan_version_id": 1, "referral_before": None, "month": MONTH, "entry_id": entry_id,
    }  # fmt: skip
    own = {
        "id": id_, "source": "79001112233", "short_code": "4446", "text": "GAME " + "7" * 60, "parts": 1,
        "operator_id": 1, "link_id": 1, "operator_key": "", "accepted_at": NOON, "verdict_reason": "",
    }  # fmt: skip
    assert set(charge) <= set(CHARGE_COLUMNS)
    return tuple((own | charge).get(name, 0) for name in MO_COLUMNS)
