"""One process's outgoing SMS that somebody pays, on a real database.

the_catalogue   acme pays 1.20 a part, from the tenth on 0.90; from 7000 a premium MT is 12.00
Office          MtDesk with balances, charges and the audit

Rule: whatever is written is written by the journal; money comes in by a desk.
"""

from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from core.catalogue import Catalogue, MtTier, OutgoingCost, Plan
from core.clock import DAY_MS, HOUR_MS, MINUTE_MS
from core.message import Mt, MtKind, MtState, ReceiptState
from store.audit import audit
from store.balances import read_balances
from store.database import Database
from store.journal import MtFact, NewMtFact
from store.schema import Charge
from tests.makers import a_catalogue, a_link, a_partner, a_plan, a_tariff, an_operator_with_cost
from tests.store.clerk import a_clerk, pay_in
from tests.store.mt_desk import SUBSCRIBER, HandClock, MtDesk

RUB = 1_000_000
PRICE = 1_200_000


def the_catalogue(
    *,
    on: str = "delivered",
    cost: int = 400_000,
    cost_on: str = "submitted",
    premium_on: str = "delivered",
    limit: int = 0,
) -> Catalogue:
    """acme pays 1.20 a part, from the tenth on 0.90; from 7000 a premium MT is 12.00."""
    plan = a_plan()
    version = replace(plan.versions[0], mt_price=(MtTier(0, PRICE), MtTier(10, 900_000)), mt_on=on, mt_vat=200_000)
    operator = an_operator_with_cost(OutgoingCost(1, 0, cost, cost_on)) if cost else an_operator_with_cost()
    return a_catalogue(
        operators=(operator,),
        links=(a_link(options={"premium_on": premium_on}),),
        tariffs=(a_tariff(), replace(a_tariff(id=2, short_code="7000"), charges="mt")),
        plans=(Plan(1, "standard", "RUB", (version,)),),
        partners=(replace(a_partner(), credit_limit=limit),),
    )


class Office(MtDesk):
    """MT that somebody pays."""

    def __init__(self, database: Database, catalogue: Catalogue, clock: HandClock | None = None) -> None:
        super().__init__(database, clock)
        self.decider.present = catalogue
        self.catalogue = catalogue

    def pay_in(self, amount: int, key: str = "p1") -> None:
        pay_in(a_clerk(self.database, self.catalogue, self.clock), key, "acme", amount)

    def an_mt(self, kind: MtKind = MtKind.STANDARD, *, parts: int = 1, source: str = "Acme", partner_id: int = 1) -> Mt:
        now = self.clock.now()
        source = "7000" if kind is MtKind.PREMIUM else source
        return Mt(
            self._ids.next(now), "alpha-1", 1, 1, source, SUBSCRIBER, "hello", parts, now, 0, partner_id,
            MtState.SUBMITTING, now + HOUR_MS, kind=kind,
        )  # fmt: skip

    def ask(self, kind: MtKind = MtKind.STANDARD, **values: Any) -> NewMtFact:
        """A new one, written."""
        fact = NewMtFact(self.an_mt(kind, **values))
        self.write(fact)
        return fact

    def sent(self, kind: MtKind = MtKind.STANDARD, **values: Any) -> Mt:
        """One that the operator accepted."""
        mt = self.ask(kind, **values).mt
        self.accepted(mt, f"k{mt.id}")
        return mt

    def ends(self, mt: Mt, state: ReceiptState = ReceiptState.DELIVERED) -> None:
        self.receipt(f"k{mt.id}", state)

    def moves(self, mt: Mt, state: MtState) -> None:
        self.write(MtFact(mt, state, self.clock.now(), error="told so"))

    def unknown(self, mt: Mt) -> None:
        """Nothing was heard of it until a day after its validity."""
        self.advance(DAY_MS + HOUR_MS + MINUTE_MS)
        self.write(self.look())

    def balances(self) -> dict[str, int]:
        with self.database.read() as connection:
            return {line.address: line.amount for line in read_balances(connection) if line.amount}

    def charges(self) -> list[tuple[int, int, str, int]]:
        """(kind, state, reason, price) in their order."""
        columns = Charge.kind, Charge.charge_state, Charge.reason, Charge.price
        with self.database.read() as connection:
            rows = connection.execute(sa.select(*columns).order_by(Charge.id))
            return [(row[0], row[1], row[2], row[3]) for row in rows]

    def findings(self) -> list[str]:
        with self.database.read() as connection:
            return [f"{f.check} {f.sentence}" for _, found in audit(connection, self.catalogue) for f in found]
