"""Money events with keys, as the world outside sends them: again, when it has heard nothing.

Firm       processes on one database that may die; `does` one event, `restarts` after a crash
KINDS      the events: MO, outgoing SMS and what becomes of it, acts, payments, payouts, conversions, operators' money
picture    what a ledger says: balances, charges, details, volumes, balances with a floor

An event is (kind, n, of): its own number, by which its key is made, and the number of an earlier one that it is about.

Rule: what an event needs of an earlier one is found in the database by its key, never in the memory of a process.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from core.catalogue import Catalogue, MtTier, OutgoingCost
from core.clock import HOUR_MS
from core.errors import UserMistake
from core.ids import Ids
from core.message import Mo, Mt, MtKind, MtState, Receipt, ReceiptState
from core.top_ups import Told
from fraud.counters import MemoryCounts
from store import processes, schema
from store.acts import Acts, Draft
from store.audit import audit
from store.balances import read_balances
from store.conversions import Asked, convert, use_earnings
from store.desk import Desk
from store.journal import Fact, Journal, MoFact, MtFact, NewMtFact, ReceiptFact
from store.life import Idempotency, Remembered
from store.messages import read_remembered
from store.payments import Payments
from store.payout_files import export
from store.payouts import Payouts
from store.rates import load_rates, read_rates
from store.settlement.paid import book_payment
from tests.makers import a_link, an_operator_with_cost
from tests.simulation.faults import Fault, FaultyDatabase
from tests.store.cashier import a_till_catalogue, ours
from tests.store.mt_desk import SUBSCRIBER, WORDS, HandClock
from traffic.settle import Book, Settler

RUB = 1_000_000
Event = tuple[str, int, int]
RATES = "source,target,valid_from,rate,origin\nRUB,EUR,2026-11-01,0.010101010101,ECB\n"
ALONE = 10**12
"""What one person may move alone here."""


def a_firm() -> Catalogue:
    """acme earns 60.00 by a message, pays 1.20 a part, from the fourth on 0.90; money goes to its bank."""
    world = a_till_catalogue()
    (version,) = world.plans["standard"].versions
    version = replace(version, mt_price=(MtTier(0, 1_200_000), MtTier(3, 900_000)), mt_on="delivered", mt_vat=200_000)
    return replace(
        world,
        plans={"standard": replace(world.plans["standard"], versions=(version,))},
        operators={"alpha": an_operator_with_cost(OutgoingCost(1, 0, 400_000, "submitted"))},
        partners={**world.partners, "acme": replace(world.partners["acme"], credit_limit=2 * RUB)},
    )


class Firm:
    """The processes of a ledger, and whoever deals with them."""

    def __init__(self, database: FaultyDatabase) -> None:
        self.database = database
        self.clock = HandClock()
        self.catalogue = a_firm()
        self.fault = Fault.NONE
        """What happens at the next commit, and that one only."""
        database.next_fault = self._next
        with database.write() as connection:
            load_rates(connection, read_rates(RATES, "rates.csv"))
        self._made: dict[int, Mt] = {}
        self.restarts()

    def _next(self) -> Fault:
        fault, self.fault = self.fault, Fault.NONE
        return fault

    def restarts(self) -> None:
        """All processes are new; nothing of the old ones is left but what is in the database."""
        me = processes.register(self.database, roles="links", now=self.clock.now())
        ids = Ids(me.slot, after=me.after)
        settler = Settler(
            Book.of(self.catalogue), MemoryCounts(), ids, self.clock, holds=lambda _: True,
            is_crowded=lambda _: False, probe=lambda: None,
        )  # fmt: skip
        self._ids = ids
        self.journal = Journal(self.database, settler, process_id=me.id, ids=ids, clock=self.clock, lease_ms=30_000)
        person = processes.register(self.database, roles="desk", now=self.clock.now())
        self.desk = Desk(
            self.database, lambda: self.catalogue, self.clock, Ids(person.slot, after=person.after), person.id
        )

    def does(self, event: Event) -> bool:
        """Whether it could be done, now or before. Raises what the database does to it."""
        self.clock.advance(1000)
        kind, n, of = event
        try:
            return KINDS[kind](self, n, of)
        except UserMistake:
            return False

    # --- messages --------------------------------------------------------------------------------------

    def receives(self, n: int, of: int) -> bool:
        """Some MO by the operator's ids; every third leads nowhere."""
        operator, link = self.catalogue.operators["alpha"], a_link()
        facts: list[Fact] = []
        for place in range(1 + of % 3):
            key = f"m{n}.{place}"
            text = "NOTHING" if place == 2 else "GAME 7"
            mo = Mo(
                self._ids.next(self.clock.now()), link.name, link.id, operator, SUBSCRIBER, "4446", text, 1,
                self.clock.now(), 1 + n * 10 + place, key,
            )  # fmt: skip
            facts.append(MoFact(mo, link))
        self.journal.write(facts)
        return True

    def message(self, n: int, place: int = 0) -> int:
        """The id of an MO, 0 where there is none."""
        query = sa.select(schema.Mo.id).where(schema.Mo.operator_key == f"m{n}.{place}")
        with self.database.read() as connection:
            return int(connection.execute(query).scalar() or 0)

    def sends(self, n: int, of: int) -> bool:
        """An outgoing SMS by the partner's API, with an Idempotency-Key."""
        with self.database.read() as connection:
            if read_remembered(connection, 1, f"t{n}") is not None:
                return True
        now = self.clock.now()
        mt = Mt(
            self._ids.next(now), "alpha-1", 1, 1, "Acme", SUBSCRIBER, "hello", 1 + of % 3, now, 0, 1,
            MtState.SUBMITTING, now + HOUR_MS, kind=MtKind.STANDARD,
        )  # fmt: skip
        self._made[mt.id] = mt

        def answer(mt_id: int, parts: int) -> Remembered:
            return Remembered("d", 202, json.dumps({"id": mt_id, "parts": parts}))

        fact = NewMtFact(mt, Idempotency(f"t{n}", "d", answer))
        self.journal.write([fact])
        return not fact.refused

    def sent(self, n: int) -> Mt | None:
        """The outgoing SMS of a number, as its link has it."""
        with self.database.read() as connection:
            known = read_remembered(connection, 1, f"t{n}")
        return None if known is None else self._made[json.loads(known.body)["id"]]

    def submits(self, _: int, of: int) -> bool:
        """To the operator, which takes it."""
        mt = self.sent(of)
        if mt is None:
            return False
        with self.database.read() as connection:
            state = connection.execute(sa.select(schema.Mt.state).where(schema.Mt.id == mt.id)).scalar()
        if state == MtState.SUBMITTING:
            mt.keys = [f"k{mt.id}.{part}" for part in range(mt.parts)]
            parts = [(place, key, MtState.SUBMITTED) for place, key in enumerate(mt.keys, 1)] if mt.parts > 1 else []
            self.journal.write([MtFact(mt, MtState.SUBMITTED, self.clock.now(), parts=parts)])
        return True

    def is_told(self, n: int, of: int) -> bool:
        """Receipts of the operator, one for each part; it may tell them again."""
        mt = self.sent(of)
        if mt is None or not mt.keys:
            return False
        state = ReceiptState.DELIVERED if n % 2 else ReceiptState.FAILED
        now = self.clock.now()
        self.journal.write(
            [
                ReceiptFact(Receipt("alpha-1", 1, 1, (key,), state, WORDS[state], "000", SUBSCRIBER, "Acme", now))
                for key in mt.keys
            ]
        )
        return True

    # --- people and banks ------------------------------------------------------------------------------

    def acts(self, kind: str, n: int, message: int, **values: str | int) -> bool:
        """A person, with a key."""
        if kind != "adjust" and not message:
            return False
        draft = Draft(kind, "olga", "asked for", (message,) if message else (), values, key=f"a{n}")
        return bool(Acts(self.desk, ALONE).ask(draft).entry_id)

    def adjusts(self, n: int, of: int) -> bool:
        """Something for the trouble."""
        amount = 1 + of * 1000
        return self.acts(
            "adjust", n, 0, debit="expense:loss", credit="partner:acme:earnings", currency="RUB", amount=amount
        )

    def is_paid(self, n: int, of: int) -> bool:
        """A provider tells of a payment."""
        payments = Payments(self.desk)
        with self.database.read() as connection:
            top_up = connection.execute(sa.select(schema.TopUp.id).where(schema.TopUp.amount == n * RUB)).scalar()
        number = top_up or payments.begin(1, "yoomoney", "RUB", n * RUB)
        payments.take(Told("yoomoney", f"op{n}", str(number), n * RUB, n * RUB - of, "RUB"))
        return True

    def asks(self, n: int, of: int) -> bool:
        """For a payout of some of its earnings."""
        Payouts(self.desk).request("acme", "RUB", (1 + of) * RUB, author="partner:acme", key=f"p{n}")
        return True

    def payout(self, n: int) -> int:
        """The number of a payout by its key, 0 for none."""
        with self.database.read() as connection:
            query = sa.select(schema.Payout.id).where(schema.Payout.key == f"p{n}")
            return int(connection.execute(query).scalar() or 0)

    def on_payout(self, of: int, does: Callable[[Payouts, int], object]) -> bool:
        """A step of one."""
        number = self.payout(of)
        if number:
            does(Payouts(self.desk), number)
        return bool(number)

    def exports(self, n: int, _: int) -> bool:
        """All that is approved."""
        export(self.desk, ours(), currency="RUB", author="olga", key=f"f{n}")
        return True

    def converts(self, n: int, of: int) -> bool:
        """Some earnings."""
        convert(self.desk, Asked("acme", (1 + of) * RUB, "RUB", "ada", "asked", f"c{n}"), "EUR", account="earnings")
        return True

    def uses(self, n: int, of: int) -> bool:
        """Earnings, for SMS."""
        use_earnings(self.desk, Asked("acme", (1 + of) * RUB, "RUB", "ada", "asked", f"u{n}"))
        return True

    def operator_pays(self, n: int, of: int) -> bool:
        """Some of what it owes."""
        book_payment(self.desk, "alpha", (1 + of) * RUB, bank="main", reference=f"r{n}", by="olga")
        return True

    def findings(self) -> list[str]:
        """What `tollbridge check` finds."""
        with self.database.read() as connection:
            return [f"{one.check}: {one.sentence}" for _, some in audit(connection, self.catalogue) for one in some]


Step = Callable[[Firm, int, int], bool]
KINDS: Mapping[str, Step] = {
    "mo": Firm.receives,
    "charge back": lambda firm, n, of: firm.acts("charge_back", n, firm.message(of)),
    "assign": lambda firm, n, of: firm.acts("assign", n, firm.message(of, 2), partner="acme"),
    "adjust": Firm.adjusts,
    "send": Firm.sends,
    "submit": Firm.submits,
    "receipt": Firm.is_told,
    "pay in": Firm.is_paid,
    "ask": Firm.asks,
    "approve": lambda firm, _, of: firm.on_payout(of, lambda all_, one: all_.approve(one, approver="olga")),
    "export": Firm.exports,
    "paid": lambda firm, _, of: firm.on_payout(of, lambda all_, one: all_.paid(one, author="olga")),
    "returned": lambda firm, _, of: firm.on_payout(of, lambda all_, one: all_.returned(one, author="olga", reason="x")),
    "convert": Firm.converts,
    "use": Firm.uses,
    "operator pays": Firm.operator_pays,
}

_CHARGE = (
    "charge_state", "reason", "currency", "price", "vat", "operator_part", "partner_part", "referral_part", "ours",
    "suspense", "base", "volume_before", "month", "held",
)  # fmt: skip


def picture(database: FaultyDatabase) -> dict[str, Any]:
    """What a ledger says, without what another run would number otherwise."""
    mo, charge, detail, volume = schema.Mo, schema.Charge, schema.Detail, schema.Volume
    with database.read() as connection:

        def rows(query: sa.Select[*tuple[Any, ...]]) -> list[tuple[Any, ...]]:
            return sorted(tuple(row) for row in connection.execute(query))

        return {
            "balances": {(one.address, one.currency): one.amount for one in read_balances(connection) if one.amount},
            "messages": rows(sa.select(mo.operator_key, *(getattr(mo, name) for name in _CHARGE))),
            "charges": rows(sa.select(charge.kind, *(getattr(charge, name) for name in _CHARGE))),
            "details": rows(sa.select(detail.kind, detail.currency, detail.amount, detail.month)),
            "volumes": rows(sa.select(volume.partner_id, volume.plan_version_id, volume.volume, volume.parts)),
            "payouts": rows(sa.select(schema.Payout.key, schema.Payout.state, schema.Payout.amount)),
            "payments": rows(sa.select(schema.Payment.reference, schema.Payment.state, schema.Payment.amount)),
            "outgoing": rows(sa.select(schema.Mt.state, schema.Mt.parts, schema.Mt.price, schema.Mt.parts_before)),
        }
