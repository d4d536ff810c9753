"""Money events with keys, as the world outside sends them: again, when it has heard nothing.

Firm       processes on one database that may die; `does` one event, `restarts` after a crash
KINDS      the events: MO, held ones too, outgoing SMS and what becomes of it, acts, payments, payouts, conversions,
           operators' money and files, a month's end
picture    what a ledger says: balances, charges, details, volumes, balances with a floor, statements

An event is (kind, n, of): its own number, by which its key is made, and the number of an earlier one that it is about.

Rule: what an event needs of an earlier one is found in the database by its key, never in the memory of a process.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa

from core.catalogue import Catalogue, Limit, MtTier, OutgoingCost, Prefix
from core.clock import DAY_MS, HOUR_MS, iso_of, month_end
from core.errors import UserMistake
from core.ids import Ids
from core.message import Mo, Mt, MtKind, MtState, Receipt, ReceiptState
from core.settlement.verdicts import RunState, Verdict
from core.top_ups import Told
from fraud.counters import MemoryCounts
from store import processes, schema
from store.acts import Acts, Draft
from store.audit import audit
from store.balances import read_balances
from store.closing import close
from store.conversions import Asked, convert, use_earnings
from store.desk import Desk
from store.journal import Fact, Journal, MoFact, MtFact, NewMtFact, ReceiptFact
from store.life import Idempotency, Remembered
from store.messages import read_remembered
from store.payments import Payments
from store.payout_files import export
from store.payouts import Payouts
from store.rates import load_rates, read_rates
from store.settlement.approve import approve
from store.settlement.match import match
from store.settlement.paid import book_payment
from store.settlement.stage import stage
from tests.makers import a_link, a_tariff, an_operator_with_cost
from tests.makers_money import moment
from tests.partner_api.rows import add
from tests.simulation.faults import Fault, FaultyDatabase
from tests.store.cashier import a_till_catalogue, ours
from tests.store.mt_desk import SUBSCRIBER, WORDS, HandClock
from traffic.settle import Book, Settler

RUB = 1_000_000
Event = tuple[str, int, int]
NOVEMBER = 202611
START = moment("2026-11-30T23:50:00Z")
"""Ten minutes before November ends, an event a second."""
LAYOUT = {
    "key": "id", "number": "msisdn", "short_code": "sc", "time": ["at"], "amount": "paid", "amounts": "payout",
}  # fmt: skip
"""Of an operator's files."""
RATES = "source,target,valid_from,rate,origin\nRUB,EUR,2026-11-01,0.010101010101,ECB\n"
ALONE = 10**12
"""What one person may move alone here."""


def a_firm() -> Catalogue:
    """acme earns 60.00 by a message, pays 1.20 a part, from the fourth on 0.90; money goes to its bank. From 7000 a
    premium MT is 240.00. All that comes in for bolt is held.
    """
    world = a_till_catalogue()
    (version,) = world.plans["standard"].versions
    premium = replace(a_tariff(id=2, short_code="7000", price="240.00"), charges="mt")
    version = replace(version, mt_price=(MtTier(0, 1_200_000), MtTier(3, 900_000)), mt_on="delivered", mt_vat=200_000)
    return replace(
        world,
        plans={"standard": replace(world.plans["standard"], versions=(version,))},
        operators={"alpha": an_operator_with_cost(OutgoingCost(1, 0, 400_000, "submitted"))},
        links={"alpha-1": a_link(options={"premium_on": "delivered"})},
        tariffs={**world.tariffs, ("7000", "alpha"): (premium,)},
        prefixes={**world.prefixes, 2: Prefix(2, "4446", "QUIZ", 2)},
        limits=(Limit(1, "partner", "bolt", "count", DAY_MS, 0, "hold"),),
        partners={**world.partners, "acme": replace(world.partners["acme"], credit_limit=2 * RUB)},
    )


class Firm:
    """The processes of a ledger, and whoever deals with them."""

    def __init__(self, database: FaultyDatabase) -> None:
        self.database = database
        self.clock = HandClock(START)
        self.catalogue = a_firm()
        self.fault = Fault.NONE
        """What happens at the next commit, and that one only."""
        database.next_fault = self._next
        with database.write() as connection:
            load_rates(connection, read_rates(RATES, "rates.csv"))
            alpha = {"code": "alpha", "name": "Alpha", "country": "RU", "currency": "RUB", "settlement": LAYOUT}
            add(connection, schema.Operator, id=1, **alpha)
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
        return self._arrive(n, ["NOTHING" if place == 2 else "GAME 7" for place in range(1 + of % 3)])

    def holds(self, n: int, _: int) -> bool:
        """An MO that a limit holds."""
        return self._arrive(n, ["QUIZ 7"])

    def _arrive(self, n: int, texts: list[str]) -> bool:
        operator, link = self.catalogue.operators["alpha"], self.catalogue.links["alpha-1"]
        facts: list[Fact] = []
        for place, text in enumerate(texts):
            key = f"m{n}.{place}"
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

    def sends(self, n: int, of: int, kind: MtKind = MtKind.STANDARD) -> bool:
        """An outgoing SMS by the partner's API, with an Idempotency-Key."""
        with self.database.read() as connection:
            if read_remembered(connection, 1, f"t{n}") is not None:
                return True
        now = self.clock.now()
        mt = Mt(
            self._ids.next(now), "alpha-1", 1, 1, "7000" if kind is MtKind.PREMIUM else "Acme", SUBSCRIBER, "hello",
            1 + of % 3, now, 0, 1, MtState.SUBMITTING, now + HOUR_MS, kind=kind,
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
                ReceiptFact(Receipt("alpha-1", 1, 1, (key,), state, WORDS[state], "000", SUBSCRIBER, mt.source, now))
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

    # --- November's end ----------------------------------------------------------------------------------

    def _in_december(self) -> None:
        self.clock.advance(max(0, month_end(NOVEMBER) - self.clock.now()))

    def closes(self, _: int, __: int) -> bool:
        """November, in its first second after."""
        self._in_december()
        with self.database.read() as connection:
            is_closed = connection.execute(sa.select(schema.ClosedMonth.month)).scalar() == NOVEMBER
        if not is_closed:
            close(self.desk, NOVEMBER, "ada")
        return True

    def stages(self, n: int, of: int) -> bool:
        """A file of November: the messages of an event, one that we do not have, and none of the others."""
        self._in_december()
        with self.database.read() as connection:
            mo = schema.Mo
            ours_ = connection.execute(sa.select(mo.operator_key).where(mo.operator_key.like(f"m{of}.%"))).scalars()
            rows = [f"{key},{SUBSCRIBER},4446,{iso_of(START)},100.00" for key in sorted(ours_)]
        rows.append(f"x{n},{SUBSCRIBER},4446,{iso_of(START)},{n}.00")
        with TemporaryDirectory() as folder:
            path = Path(folder) / f"{n}.csv"
            path.write_text("\n".join(("id,msisdn,sc,at,paid", *rows)), encoding="utf-8")
            staged = stage(
                self.database, path, operator="alpha", month=NOVEMBER, author="olga", now=self.clock.now()
            )  # fmt: skip
        # What is matched again would be held against what became of the messages since then.
        if staged.state is RunState.STAGED:
            match(self.database, staged.run)
        return True

    def settles(self, _: int, of: int) -> bool:
        """A person approves what is in the file of an event."""
        run = schema.SettlementRun
        with self.database.read() as connection:
            found = connection.execute(sa.select(run.id, run.state).where(run.file_name == f"{of}.csv")).first()
        if found is None:
            return False
        if found.state != RunState.POSTED:
            approve(
                self.desk, found.id, (Verdict.MISSING_THERE, Verdict.MISSING_HERE), by="ada", reason="agreed",
                second_person_above=ALONE,
            )  # fmt: skip
        return True

    def findings(self) -> list[str]:
        """What `tollbridge check` finds."""
        with self.database.read() as connection:
            return [f"{one.check}: {one.sentence}" for _, some in audit(connection, self.catalogue) for one in some]


Step = Callable[[Firm, int, int], bool]
KINDS: Mapping[str, Step] = {
    "mo": Firm.receives,
    "charge back": lambda firm, n, of: firm.acts("charge_back", n, firm.message(of)),
    "hold": Firm.holds,
    "release": lambda firm, n, of: firm.acts("release", n, firm.message(of)),
    "refuse": lambda firm, n, of: firm.acts("refuse_hold", n, firm.message(of)),
    "refund": lambda firm, n, of: firm.acts("refund", n, firm.message(of), **({"paid_by": "us"} if n % 2 else {})),
    "assign": lambda firm, n, of: firm.acts("assign", n, firm.message(of, 2), partner="acme"),
    "adjust": Firm.adjusts,
    "send": Firm.sends,
    "premium": lambda firm, n, of: firm.sends(n, of, MtKind.PREMIUM),
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
    "file": Firm.stages,
    "settle": Firm.settles,
    "close": Firm.closes,
}

_CHARGE = (
    "charge_state", "reason", "currency", "price", "vat", "operator_part", "partner_part", "referral_part", "ours",
    "suspense", "base", "volume_before", "month", "held",
)  # fmt: skip
_STATEMENT = ("number", "partner_id", "currency", "month", "opening", "movement", "closing", "young", "due")


def picture(database: FaultyDatabase) -> dict[str, Any]:
    """What a ledger says, without what another run would number otherwise.

    A volume of nothing is none: an SMS that was refused may have been the first to look at its month's.
    """
    mo, charge, detail, volume = schema.Mo, schema.Charge, schema.Detail, schema.Volume
    frozen, settled = schema.FrozenTotal, schema.SettlementRow
    with database.read() as connection:

        def rows(query: sa.Select[*tuple[Any, ...]]) -> list[tuple[Any, ...]]:
            return sorted(tuple(row) for row in connection.execute(query))

        return {
            "balances": {(one.address, one.currency): one.amount for one in read_balances(connection) if one.amount},
            "messages": rows(sa.select(mo.operator_key, *(getattr(mo, name) for name in _CHARGE))),
            "charges": rows(sa.select(charge.kind, *(getattr(charge, name) for name in _CHARGE))),
            "details": rows(sa.select(detail.kind, detail.currency, detail.amount, detail.month)),
            "volumes": rows(
                sa.select(volume.partner_id, volume.plan_version_id, volume.volume, volume.parts).where(
                    sa.or_(volume.volume != 0, volume.parts != 0)
                )
            ),
            "payouts": rows(sa.select(schema.Payout.key, schema.Payout.state, schema.Payout.amount)),
            "payments": rows(sa.select(schema.Payment.reference, schema.Payment.state, schema.Payment.amount)),
            "statements": rows(sa.select(*(getattr(schema.Statement, name) for name in _STATEMENT))),
            "frozen": rows(
                sa.select(schema.Account.address, schema.Account.currency, frozen.debits, frozen.credits).where(
                    schema.Account.id == frozen.account_id
                )
            ),
            "settled": rows(sa.select(settled.verdict, settled.decision, settled.ours, settled.due)),
            "outgoing": rows(sa.select(schema.Mt.state, schema.Mt.parts, schema.Mt.price, schema.Mt.parts_before)),
        }
