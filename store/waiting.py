"""What still waits when a month is closed: nothing is in the way, but a person should know (billing.md, section 9).

read_waiting   pending charges, money in suspense, holds, messages and payouts under way, settlements, months of
               operators that nobody has settled, acts
Waiting        one of them

What is decided later is booked into the first open month.

Rule: reads only.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import Month
from core.settlement.verdicts import RunState
from core.tariff.charge import ChargeState
from core.tariff.rate import NO_TARIFF
from store import schema
from store.settlement.unfiled import read_unfiled

PENDING = "pending"
SUSPENSE = "suspense"
HELD = "held"
RESERVED = "reserved"
PAYOUT = "payout"
SETTLEMENT = "settlement"
NO_FILE = "no_file"
ACT = "act"
SAID = {
    NO_TARIFF: "messages without a tariff: load it, and they are rated",
    PENDING: "premium SMS without a receipt yet",
    SUSPENSE: "in suspense, nobody's yet",
    HELD: "withheld by fraud, not decided yet; see: tollbridge message --parked --reason held",
    RESERVED: "set aside for outgoing SMS on their way",
    PAYOUT: "in payouts under way",
    SETTLEMENT: "settlements with operators that are not finished",
    NO_FILE: "owed by an operator of which no file is staged",
    ACT: "acts that wait for a second person",
}
_OPEN_RUNS = (RunState.STAGING, RunState.STAGED, RunState.MATCHED, RunState.APPROVED)


class Standing(Protocol):
    """An account with what stands on it at the month's end."""

    @property
    def address(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def closing(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Waiting:
    """So many of a kind, and what they amount to; `count` 0 where only the amount is known, `currency` "" for none.
    `about` names what is one of its kind.
    """

    kind: str
    count: int = 0
    amount: int = 0
    currency: str = ""
    about: str = ""

    @property
    def says(self) -> str:
        """What it is, for a person."""
        return f"{SAID[self.kind]}{': ' if self.about else ''}{self.about}"


def read_waiting(connection: Connection, accounts: Iterable[Standing], month: Month) -> list[Waiting]:
    """All that waits at the end of a month."""
    found = [*_unposted(connection, month), *_standing(accounts)]
    run, act = schema.SettlementRun, schema.Act
    for kind, table, where in (
        (SETTLEMENT, run, (run.state.in_([int(state) for state in _OPEN_RUNS]), run.month <= month)),
        (ACT, act, (act.state == 0,)),
    ):
        count = connection.execute(sa.select(sa.func.count()).select_from(table).where(*where)).scalar_one()
        found += [Waiting(kind, count)] if count else []
    for one in read_unfiled(connection, month):
        found.append(Waiting(NO_FILE, 0, one.owed, one.currency, f"{one.operator}, {one.when}"))
    places = list(SAID)
    return sorted(found, key=lambda one: (places.index(one.kind), one.currency, one.about))


def _unposted(connection: Connection, month: Month) -> Iterator[Waiting]:
    """Charges that are pending. What is not posted names no entry, and that has an index."""
    mo, charge = schema.Mo, schema.Charge
    tables: tuple[tuple[str, Any], ...] = ((NO_TARIFF, mo), (PENDING, charge))
    for kind, table in tables:
        query = sa.select(table.currency, sa.func.count(), sa.func.sum(table.price)).where(
            table.entry_id.is_(None), table.charge_state == int(ChargeState.PENDING), table.month <= month
        )
        for currency, count, price in connection.execute(query.group_by(table.currency)):
            yield Waiting(kind, count, int(price), currency)


def _standing(accounts: Iterable[Standing]) -> Iterator[Waiting]:
    """Sums over accounts of a kind."""
    sums: dict[tuple[str, str], int] = {}
    for one in accounts:
        words = one.address.split(":")
        kind = words[-1] if words[0] == "partner" else words[0]
        if kind in {SUSPENSE, HELD, RESERVED, PAYOUT} and one.closing:
            sums[kind, one.currency] = sums.get((kind, one.currency), 0) + one.closing
    for (kind, currency), amount in sums.items():
        yield Waiting(kind, 0, amount, currency)
