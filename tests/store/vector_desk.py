"""The facts of billing_entries.json done by those who do them: the journal, acts, payouts, payments, conversions.

VectorDesk   a case's world on a real database: `book` a batch → what it posted; balances, volumes, what was refused
FACTS        how each fact of the vectors is done

A batch of the vectors is one entry; here it may be several, of the journal and of people. What they post is summed, as
one entry would.

Rule: nothing is decided here. Amounts of payouts and conversions are asked for as the vectors have them, and refused
where the real ones refuse.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import sqlalchemy as sa

from core.catalogue import Catalogue, PayoutTarget
from core.clock import DAY_MS, HOUR_MS, MINUTE_MS
from core.ids import Ids
from core.ledger.corrections import settle
from core.ledger.details import RATE_ONE, About, DetailKind, converted, moved
from core.message import Callback, Mt, MtKind, MtState, Receipt, ReceiptState
from core.top_ups import Told
from store import processes
from store.acts import Acts, Draft
from store.audit import audit
from store.balances import read_balances
from store.books import Act
from store.conversions import Asked, use_earnings
from store.database import Database
from store.desk import Desk
from store.journal import Journal, MoFact, MtFact, NewMtFact, OverdueFact, ReceiptFact
from store.journal.overdue import find_overdue
from store.payments import Payments
from store.payout_files import export
from store.payouts import Payouts
from store.schema import Account, ClosedMonth, Entry, Posting, Volume
from store.settlement.paid import book_payment
from tests.makers import a_link
from tests.makers_money import World, micros, moment
from tests.store.cashier import ACME_RUB, ours
from tests.store.mt_desk import SUBSCRIBER, WORDS, HandClock, Nobody

RECEIPTS = {
    "delivered": ReceiptState.DELIVERED,
    "failed": ReceiptState.FAILED,
    "expired": ReceiptState.EXPIRED,
}
EVERYTHING = 10**12
"""What one person may move alone here."""
Fact = Mapping[str, Any]


class Judge(Nobody):
    """Decides as the vectors say: whose an MO is, whether it is held, whether it leads nowhere."""

    def __init__(self, desk: "VectorDesk") -> None:
        super().__init__()
        self._desk = desk

    def decide(self, facts: Sequence[MoFact]) -> Catalogue:
        for fact in facts:
            fact.settlement = replace(self._desk.settlements[fact.mo.id], mo=fact.mo)
        return self._desk.catalogue

    def catalogue(self) -> Catalogue:
        return self._desk.catalogue

    def job(self, fact: MoFact) -> Callback | None:
        return None


class VectorDesk:
    """One case."""

    def __init__(self, database: Database, world: Any, case: Mapping[str, Any]) -> None:
        self.database = database
        self.given = case.get("given", {})
        self.world = World(world, self.given)
        self.clock = HandClock(min(moments_of(case), default=moment("2026-10-15T12:00:00Z")))
        self._kinds = {fact["fact"] for batch in case["batches"] for fact in batch["facts"]}
        facts = [fact for batch in case["batches"] for fact in batch["facts"]]
        self._rule = next((self._mt_on(fact) for fact in facts if fact["fact"] == "mt"), "submitted")
        self._premium = {fact["price"] for fact in facts if fact["fact"] == "premium_mt"}
        self.settlements: dict[int, Any] = {}
        self.ids: dict[str, int] = {}
        self.mts: dict[str, Mt] = {}
        self.refused: list[str] = []
        me = processes.register(database, roles="links", now=self.clock.now())
        self._ids = Ids(me.slot, after=me.after)
        self.journal = Journal(
            database, Judge(self), process_id=me.id, ids=self._ids, clock=self.clock, lease_ms=30_000
        )
        person = processes.register(database, roles="desk", now=self.clock.now())
        self.desk = Desk(database, lambda: self.catalogue, self.clock, Ids(person.slot, after=person.after), person.id)
        self._closed()

    def _mt_on(self, fact: Fact) -> str:
        """By which rule outgoing SMS cost us: the vectors' operators have none of their own, so that of the plan."""
        (plan,) = self.world.catalogue.partners[fact["partner"]].plans
        return self.world.catalogue.plans[plan.plan].versions[0].mt_on

    def _closed(self) -> None:
        with self.database.write() as connection:
            for month in self.given.get("closed", ()):
                values = {"month": int(month.replace("-", "")), "closed_at": self.clock.now()}
                connection.execute(sa.insert(ClosedMonth).values(**values))

    @property
    def catalogue(self) -> Catalogue:
        """The world as it is now, with what the vectors leave out: a link, where money goes, when a sender costs."""
        world = self.world.catalogue
        costs = {"mt", "free_reply"} & self._kinds
        operators = {
            code: replace(one, costs=tuple(replace(cost, cost_on=self._rule) for cost in one.costs) if costs else ())
            for code, one in world.operators.items()
        }
        target = PayoutTarget(1, "RUB", "bank", ACME_RUB, "request")
        partners = {login: replace(one, payouts=(target,)) for login, one in world.partners.items()}
        tariffs = {
            (code, operator): tuple(replace(one, charges="mt" if code in self._premium else "mo") for one in some)
            for (code, operator), some in world.tariffs.items()
        }
        links = {"alpha-1": a_link(options={"premium_on": "delivered"})}
        return replace(world, operators=operators, partners=partners, tariffs=tariffs, links=links)

    # --- a batch ---------------------------------------------------------------------------------------

    def book(self, batch: Mapping[str, Any]) -> list[list[Any]]:
        """Do a batch; what was posted, in the vectors' form."""
        before = self._last_posting()
        waiting: list[Fact] = []
        for fact in batch["facts"]:
            if fact["fact"] == "mo":
                waiting.append(fact)
                continue
            self._accept(waiting, batch["key"])
            waiting = []
            self._go_on_to(fact)
            FACTS[fact["fact"]](self, fact)
        self._accept(waiting, batch["key"])
        return self._posted(before)

    def _go_on_to(self, fact: Fact) -> None:
        if "at" in fact:
            self.clock.advance(max(0, moment(fact["at"]) - self.clock.now()))

    def _accept(self, facts: Sequence[Fact], key: str) -> None:
        """MO, in one batch of the journal; the same again is the operator's redelivery."""
        arrived = []
        for fact in facts:
            self._go_on_to(fact)
            settlement = self.world.settlement(fact)
            mo = replace(settlement.mo, id=self._ids.next(self.clock.now()), key=f"{key}/{fact['id']}")
            self.settlements[mo.id] = settlement
            self.ids.setdefault(fact["id"], mo.id)
            arrived.append(MoFact(mo, self.catalogue.links["alpha-1"]))
        if arrived:
            self.journal.write(arrived)

    def book_under_the_last_key(self, batch: Mapping[str, Any]) -> None:
        """What a batch says, as the entry that was booked last. Raises StoreConflict where that says something else."""
        with self.database.read() as connection:
            last = connection.execute(sa.select(Entry.key, Entry.kind).order_by(Entry.id.desc())).first()
        assert last is not None
        act = Act(last.key, last.kind, repr(batch["facts"]), self.clock.now())
        self.desk.run(lambda connection: self.desk.books.book(connection, act))

    def _last_posting(self) -> int:
        with self.database.read() as connection:
            return connection.execute(sa.select(sa.func.coalesce(sa.func.max(Posting.id), 0))).scalar_one()

    def _posted(self, before: int) -> list[list[Any]]:
        sums: dict[tuple[str, str, str], int] = {}
        with self.database.read() as connection:
            names = {id_: address for id_, address in connection.execute(sa.select(Account.id, Account.address))}
            query = sa.select(Posting.debit_id, Posting.credit_id, Posting.currency, Posting.amount)
            for debit, credit, currency, amount in connection.execute(query.where(Posting.id > before)):
                place = (names[debit], names[credit], currency)
                sums[place] = sums.get(place, 0) + amount
        return [[*place, amount] for place, amount in sorted(sums.items())]

    # --- what came of it -------------------------------------------------------------------------------

    def balances(self) -> dict[str, dict[str, int]]:
        """By currency and address, those that are not zero."""
        found: dict[str, dict[str, int]] = {}
        with self.database.read() as connection:
            for line in read_balances(connection):
                if line.amount:
                    found.setdefault(line.currency, {})[line.address] = line.amount
        return found

    def volumes(self) -> dict[str, int]:
        """As the vectors name them: partner/plan/month; those that are not zero."""
        logins = {one.id: one.login for one in self.catalogue.partners.values()}
        plans = {version.id: plan.name for plan in self.catalogue.plans.values() for version in plan.versions}
        query = sa.select(Volume.partner_id, Volume.plan_version_id, Volume.month, Volume.volume)
        with self.database.read() as connection:
            return {
                f"{logins[partner]}/{plans[plan]}/{month // 100}-{month % 100:02d}": volume
                for partner, plan, month, volume in connection.execute(query)
                if volume
            }

    def findings(self) -> list[str]:
        """What `tollbridge check` finds."""
        with self.database.read() as connection:
            return [f"{one.check}: {one.sentence}" for _, some in audit(connection, self.catalogue) for one in some]

    # --- messages and what people do with them ---------------------------------------------------------

    def act(self, kind: str, fact: Fact, **values: str) -> None:
        """A person does it."""
        draft = Draft(kind, "olga", f"as the vectors say: {fact['id']}", (self.ids[fact["id"]],), values)
        done = Acts(self.desk, EVERYTHING).ask(draft)
        assert done.entry_id, done

    def change_plan(self, fact: Fact) -> None:
        """From now on."""
        self.world.change_plan(fact["partner"], fact["plan"], self.clock.now() + 1)
        self.clock.advance(1)

    # --- outgoing SMS ----------------------------------------------------------------------------------

    def an_mt(self, fact: Fact, kind: MtKind, *, source: str = "Acme", parts: int = 1) -> Mt:
        """Accepted from its partner; nothing is sent yet."""
        now, catalogue = self.clock.now(), self.catalogue
        partner_id = catalogue.partners[fact["partner"]].id if "partner" in fact else 0
        operator_id = catalogue.operators[fact["operator"]].id
        mt = Mt(
            self._ids.next(now), "alpha-1", 1, operator_id, source, SUBSCRIBER, "hello", parts, now, 0, partner_id,
            MtState.SUBMITTING, now + HOUR_MS, kind=kind,
        )  # fmt: skip
        new = NewMtFact(mt)
        self.journal.write([new])
        if new.refused:
            assert new.refused == "overdrawn", new
            self.refused.append(fact["id"])
        else:
            self.mts[fact["id"]], self.ids[fact["id"]] = mt, mt.id
        return mt

    def submitted(self, mt: Mt) -> None:
        """The operator took it, each part by an id."""
        mt.keys = [f"k{mt.id}.{part}" for part in range(mt.parts)]
        parts = [(place, key, MtState.SUBMITTED) for place, key in enumerate(mt.keys, 1)] if mt.parts > 1 else []
        self.journal.write([MtFact(mt, MtState.SUBMITTED, self.clock.now(), parts=parts)])

    def ends(self, fact: Fact, state: str) -> None:
        """Its receipts come; or none ever does; or the operator had refused it."""
        mt = self.mts[fact["id"]]
        if state == "rejected":
            # It never left: nothing that an operator has had is rejected.
            for new in (MtState.QUEUED, MtState.REJECTED):
                self.journal.write([MtFact(mt, new, self.clock.now(), error="no link reaches the number")])
            return
        self.submitted(mt)
        if state == "unknown":
            self.clock.advance(DAY_MS + HOUR_MS + MINUTE_MS)
            with self.database.read() as connection:
                overdue = find_overdue(connection, self.clock.now(), 10)
            assert mt.id in overdue, fact
            self.journal.write([OverdueFact([mt.id], self.clock.now())])
            return
        told = RECEIPTS[state]
        for key in mt.keys:
            receipt = Receipt(
                "alpha-1", 1, mt.operator_id, (key,), told, WORDS[told], "000", SUBSCRIBER, mt.source, self.clock.now()
            )  # fmt: skip
            self.journal.write([ReceiptFact(receipt)])

    def premium_mt(self, fact: Fact) -> None:
        """From a short code whose tariff has this price."""
        self.world.tariff(fact["price"], fact["operator"])
        self.an_mt(fact, MtKind.PREMIUM, source=fact["price"])

    def free_reply(self, fact: Fact) -> None:
        """It arrives: what it costs us is booked at its end."""
        self.an_mt(fact, MtKind.FREE, parts=fact["parts"])
        self.ends(fact, "delivered")

    # --- money -----------------------------------------------------------------------------------------

    def transfer(self, fact: Fact) -> None:
        """By who moves money between two such accounts."""
        places = tuple(address.split(":")[-1 if address.startswith(("partner", "operator")) else 0] for address in
                       (fact["debit"], fact["credit"]))  # fmt: skip
        TRANSFERS[places](self, fact, micros(fact["amount"]))

    def pays_in(self, fact: Fact, amount: int) -> None:
        """By the bank, which no provider tells: a person books it."""
        self._by_a_person(DetailKind.PAYMENT, fact, amount)

    def _by_a_person(self, kind: DetailKind, fact: Fact, amount: int) -> None:
        month = 202610
        details = moved(
            kind, fact["debit"], fact["credit"], amount, currency=fact["currency"], month=month,
            about=About(partner_id=1, author="olga"),
        )  # fmt: skip
        act = Act(f"{kind.value}:{self.desk.next_id()}", kind.value, repr(fact), self.clock.now())
        self.desk.run(lambda connection: self.desk.books.book(connection, act, details=details))

    def pays_by_provider(self, fact: Fact, amount: int) -> None:
        """The provider tells it, twice."""
        login, name = fact["credit"].split(":")[1], fact["debit"].split(":")[1]
        payments = Payments(self.desk)
        number = payments.begin(self.catalogue.partners[login].id, name, fact["currency"], amount)
        for _ in range(2):
            payments.take(Told(name, "op-1", str(number), amount, amount, fact["currency"]))

    def asks_for_payout(self, fact: Fact, amount: int) -> None:
        """All that is due, which is what the vectors say; another person agrees."""
        login = fact["debit"].split(":")[1]
        payouts = Payouts(self.desk)
        row = payouts.request(login, fact["currency"], None, author=f"partner:{login}", key="k1")
        assert row.amount == amount, row
        payouts.approve(row.id, approver="olga")

    def is_paid_out(self, fact: Fact, amount: int) -> None:
        """By the bank's file."""
        export(self.desk, ours(), currency=fact["currency"], author="olga", key="f1")
        assert Payouts(self.desk).paid(1, author="olga").amount == amount

    def uses_earnings(self, fact: Fact, amount: int) -> None:
        """For outgoing SMS."""
        login = fact["debit"].split(":")[1]
        use_earnings(self.desk, Asked(login, amount, fact["currency"], "ada", "for SMS", "k1"))

    def operator_pays(self, fact: Fact, amount: int) -> None:
        """And the bank says so."""
        operator = fact["credit"].split(":")[1]
        book_payment(self.desk, operator, amount, bank=fact["debit"].split(":")[1], reference="1", by="olga")

    def convert(self, fact: Fact) -> None:
        """As the vectors have it, by whoever books: `store.conversions.convert` takes no more than was earned."""
        details = converted(
            fact["debit"], fact["from_currency"], fact["credit"], fact["to_currency"], micros(fact["amount"]),
            rate=int(Fraction(fact["rate"]) * RATE_ONE), month=202610, about=About(author="olga"),
        )  # fmt: skip
        act = Act("converted", "convert", repr(fact), self.clock.now())
        self.desk.run(lambda connection: self.desk.books.book(connection, act, details=details))

    def is_written_off(self, fact: Fact, amount: int) -> None:
        """What a settlement's approval books for what the operator pays less."""
        operator = fact["credit"].split(":")[1]
        details = settle(
            DetailKind.WRITTEN_OFF, operator, -amount, currency=fact["currency"], month=202610,
            about=About(author="olga"),
        )  # fmt: skip
        act = Act("settled", "settlement", repr(fact), self.clock.now())
        self.desk.run(lambda connection: self.desk.books.book(connection, act, details=details))


TRANSFERS: dict[tuple[str, ...], Callable[[VectorDesk, Fact, int], None]] = {
    ("bank", "prepaid"): VectorDesk.pays_in,
    ("provider", "prepaid"): VectorDesk.pays_by_provider,
    ("earnings", "payout"): VectorDesk.asks_for_payout,
    ("payout", "bank"): VectorDesk.is_paid_out,
    ("earnings", "prepaid"): VectorDesk.uses_earnings,
    ("bank", "receivable"): VectorDesk.operator_pays,
    ("expense", "receivable"): VectorDesk.is_written_off,
}
FACTS: Mapping[str, Callable[[VectorDesk, Fact], None]] = {
    "change_plan": VectorDesk.change_plan,
    "transfer": VectorDesk.transfer,
    "convert": VectorDesk.convert,
    "charge_back": lambda desk, fact: desk.act("charge_back", fact),
    "suspense_return": lambda desk, fact: desk.act("return", fact),
    "hold_refuse": lambda desk, fact: desk.act("refuse_hold", fact),
    "hold_release": lambda desk, fact: desk.act("release", fact),
    "assign": lambda desk, fact: desk.act("assign", fact, partner=fact["partner"]),
    "premium_mt": VectorDesk.premium_mt,
    "premium_mt_delivered": lambda desk, fact: desk.ends(fact, "delivered"),
    "premium_mt_failed": lambda desk, fact: desk.ends(fact, "failed"),
    "mt": lambda desk, fact: void(desk.an_mt(fact, MtKind.STANDARD, parts=fact["parts"])),
    "mt_final": lambda desk, fact: desk.ends(fact, fact["state"]),
    "free_reply": VectorDesk.free_reply,
}


def void(_: object) -> None:
    """What a fact gives back is not asked for."""


def moments_of(case: Mapping[str, Any]) -> list[int]:
    """When its facts happen."""
    return [moment(fact["at"]) for batch in case["batches"] for fact in batch["facts"] if "at" in fact]
