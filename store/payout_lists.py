"""Payouts as they are looked at: lists of them, one with its steps, and what may be paid to whom now.

list_payouts   by state, partner, method or file; the newest first, or the oldest
list_returnable   paid ones of which a provider may still say that they came back
read_history   what was done to one, when and by whom (store/steps.py), and the entries that it booked
read_due       what a partner has in a currency, and what of it may be paid; places_due, of whom and in which currencies

Rule: reads only. What may be paid is judged again, under a lock, when somebody asks for it (store/payouts.py).
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from core.catalogue import Catalogue, PayoutTarget
from core.clock import HOUR_MS, Instant
from core.ledger.accounts import earnings
from core.payouts import Funds, PayoutState
from store.balances import read_balances
from store.database import Database
from store.funds import Purse, Youth, read_funds, read_youth
from store.payouts import COLUMNS, PayoutRow, row_of
from store.schema import Entry, Payout
from store.steps import Step, read_steps

ASK_AGAIN_MS = 6 * HOUR_MS
"""Between two questions whether one that was paid came back."""
BOOKED = ("approved", "paid", "failed", "returned", "cancelled")
"""The steps that may have an entry, as its key names them."""


@dataclass(frozen=True, slots=True)
class BookedStep:
    """An entry of a payout."""

    entry_id: int
    step: str
    at: Instant


def list_payouts(
    connection: Connection,
    states: Collection[PayoutState] = (),
    *,
    partner_id: int = 0,
    methods: Collection[str] = (),
    file_id: int = 0,
    limit: int = 50,
    oldest_first: bool = False,
) -> Iterator[PayoutRow]:
    """The newest first; without states, and without methods, all of them."""
    query = sa.select(*COLUMNS).order_by(Payout.id if oldest_first else Payout.id.desc()).limit(limit)
    if states:
        query = query.where(Payout.state.in_(sorted(int(state) for state in states)))
    if methods:
        query = query.where(Payout.method.in_(sorted(methods)))
    for column, value in ((Payout.partner_id, partner_id), (Payout.file_id, file_id)):
        query = query.where(column == value) if value else query
    for row in connection.execute(query):
        yield row_of(row)


def list_returnable(
    connection: Connection, returns_ms: Mapping[str, int], now: Instant, *, limit: int
) -> Iterator[PayoutRow]:
    """Those whose turn it is, what was asked about longest ago first; `returns_ms`: for how long, by method."""
    ways = [
        sa.and_(Payout.method == method, Payout.ended_at > now - for_ms)
        for method, for_ms in sorted(returns_ms.items())
        if for_ms > 0
    ]
    if not ways:
        return
    query = sa.select(*COLUMNS).where(Payout.state == int(PayoutState.PAID), sa.or_(*ways))
    its_turn = Payout.asked_at <= now - ASK_AGAIN_MS
    paid_for_a_while = Payout.ended_at <= now - ASK_AGAIN_MS
    query = query.where(Payout.reference != "", its_turn, paid_for_a_while)
    for row in connection.execute(query.order_by(Payout.asked_at, Payout.id).limit(limit)):
        yield row_of(row)


def read_history(connection: Connection, row: PayoutRow) -> tuple[list[Step], list[BookedStep]]:
    """The steps of a payout from the first on, and its entries."""
    steps = read_steps(connection, "payout", row.id, row.requested_at)
    keys = {f"{row.subject}:{step}": step for step in BOOKED}
    entries = sa.select(Entry.id, Entry.key, Entry.at).where(Entry.key.in_(sorted(keys))).order_by(Entry.id)
    return steps, [BookedStep(id_, keys[key], at) for id_, key, at in connection.execute(entries)]


def places_due(
    connection: Connection, catalogue: Catalogue, login: str | None = None
) -> list[tuple[str, str, PayoutTarget | None]]:
    """(login, currency, where it goes) of one partner or of all: wherever it was said, and wherever something is earned
    of which nobody has said where it goes.
    """
    logins = sorted(catalogue.partners) if login is None else [login]
    balances = read_balances(connection, None if login is None else [earnings(login)])
    earned: dict[str, set[str]] = {}
    for one in balances:
        if one.amount > 0:
            earned.setdefault(one.address, set()).add(one.currency)
    found: list[tuple[str, str, PayoutTarget | None]] = []
    for name in logins:
        targets = catalogue.partners[name].payouts
        found += [(name, target.currency, target) for target in targets]
        without = earned.get(earnings(name), set()) - {target.currency for target in targets}
        found += [(name, currency, None) for currency in sorted(without)]
    return found


def read_due(database: Database, catalogue: Catalogue, login: str, currency: str, now: Instant) -> Funds:
    """Raises UserMistake for a partner that is not there, StoreAway."""
    purse = Purse.of(catalogue, login, currency, now)
    youth: Youth = read_youth(database, purse, now)
    with database.read() as connection:
        return read_funds(connection, purse, youth)
