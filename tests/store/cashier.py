"""A till on a real database: messages bring acme 60.00 RUB each, people pay it out.

Till         a process that takes MO, and clerks of other processes beside it
a_till       acme with an account for roubles and one for euros, bolt without
ours         the account that we pay from
asked …      a payout asked for, one in a file, money taken, a message held; what a refusal says
together     a function in so many threads at once, and what came of each

Rule: its books are the real ones; `audit` is what `tollbridge check` finds.
"""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import sqlalchemy as sa

from core.bank_file import Party
from core.catalogue import Catalogue, Limit, PayoutTarget
from core.clock import DAY_MS
from core.errors import UserMistake
from core.ledger.audit import Finding
from core.ledger.details import About, DetailKind, moved
from store.balances import read_balances
from store.books import Act
from store.database import Database
from store.desk import Desk
from store.payout_files import OurAccount, export
from store.payouts import COLUMNS, PayoutRow, Payouts
from store.schema import Payout
from tests.makers import a_catalogue, a_partner, a_plan, a_service, a_tariff
from tests.store.clerk import a_clerk
from tests.store.journal.desk import MoDesk

T = TypeVar("T")
RUB = 1_000_000
ACME_RUB = {"name": "ООО Акме", "account": "40702810412345678901", "bank_code": "044525600", "country": "RU"}
ACME_EUR = {"name": "Acme GmbH", "iban": "DE89370400440532013000", "bic": "COBADEFFXXX", "country": "DE"}


def ours() -> OurAccount:
    """Our account at the bank."""
    return OurAccount("main", Party("Tollbridge", iban="FR1420041010050500013M02606", bic="BNPAFRPP", country="FR"))


def a_till_catalogue(*, hold_days: int = 0, minimum: int = 0, schedule: str = "request") -> Catalogue:
    """acme has a target in RUB and in EUR, bolt none."""
    plan = a_plan()
    plan = replace(
        plan, versions=tuple(replace(one, hold_days=hold_days, minimum_payout=minimum) for one in plan.versions)
    )
    targets = (
        PayoutTarget(1, "EUR", "bank", ACME_EUR, "request"),
        PayoutTarget(2, "RUB", "bank", ACME_RUB, schedule),
    )
    return a_catalogue(
        tariffs=(a_tariff(price="240.00"),),
        plans=(plan,),
        partners=(replace(a_partner(), payouts=targets), a_partner("bolt", id=2)),
        services=(a_service(), a_service("quiz", id=2, partner="bolt")),
    )


class Till(MoDesk):
    """A process that takes MO; `clerk` is another one, of people."""

    def clerk(self) -> Desk:
        """A desk of a process of its own."""
        return a_clerk(self.database, self.catalogue, self.clock)

    def payouts(self, **limits: Any) -> Payouts:
        """Payouts at such a desk."""
        return Payouts(self.clerk(), **limits)

    def earn(self, messages: int = 1, *, text: str = "GAME", **values: Any) -> list[int]:
        """acme earns 60.00 RUB by each; their ids."""
        self._texts = getattr(self, "_texts", 0)
        facts = []
        for _ in range(messages):
            self._texts += 1
            facts.append(self.mo(f"{text} {self._texts}", **values))
        self.take(*facts)
        return [fact.id for fact in facts]

    def balances(self) -> dict[str, int]:
        """Micros by address and currency, those that are not zero; roubles without their name."""
        with self.database.read() as connection:
            lines = read_balances(connection)
        return {
            line.address if line.currency == "RUB" else f"{line.address} {line.currency}": line.amount
            for line in lines
            if line.amount
        }

    def findings(self) -> list[Finding]:
        """What the audit finds."""
        return self.audit()


def a_till(database: Database, **terms: Any) -> Till:
    """A till over the catalogue of `a_till_catalogue`."""
    return Till(database, a_till_catalogue(**terms))


def together(number: int, work: Callable[[int], T]) -> list[T | Exception]:
    """`work(0)` … at once, each in a thread of its own; what each gave or raised."""
    start = threading.Barrier(number)
    done: list[T | Exception] = [AssertionError("it never ended")] * number

    def run(place: int) -> None:
        start.wait()
        try:
            done[place] = work(place)
        except Exception as error:
            done[place] = error

    threads = [threading.Thread(target=run, args=(place,)) for place in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done


def asked(
    payouts: Payouts, amount: int | None = 50 * RUB, *, author: str = "partner:acme", key: str = "k1"
) -> PayoutRow:
    return payouts.request("acme", "RUB", amount, author=author, key=key)


def a_sent_one(till: Till) -> PayoutRow:
    """50.00 RUB in a file for the bank."""
    payouts = till.payouts()
    payouts.approve(asked(payouts).id, approver="olga")
    export(till.clerk(), ours(), currency="RUB", author="olga", key="f1")
    return payouts.read(1)


def refused(work: object) -> str:
    """The sentence of a refusal."""
    assert isinstance(work, UserMistake), work
    return str(work)


def take_earnings(desk: Desk, amount: int) -> None:
    """A person takes so much from acme's earnings."""
    details = moved(
        DetailKind.ADJUSTED,
        "partner:acme:earnings",
        "income:margin",
        amount,
        currency="RUB",
        month=202611,
        about=About(partner_id=1),
    )
    act = Act(f"adjust {amount}", "adjusted", f"{amount}", desk.now())
    desk.run(lambda connection: desk.books.book(connection, act, details=details))


def hold_one(till: Till) -> list[int]:
    """A message of acme's is held by a limit; its id."""
    plain = till.catalogue
    till.use(replace(plain, limits=(Limit(1, "partner", "acme", "count", DAY_MS, 0, "hold"),)))
    held = till.earn(1)
    till.use(plain)
    return held


def copy_of(till: Till, row: PayoutRow, key: str) -> int:
    """The same request once more, without anybody having asked what is due."""
    values = {column.key: getattr(row, column.key) for column in COLUMNS} | {"key": key}
    del values["id"]
    with till.database.write() as connection:
        made = connection.execute(sa.insert(Payout).values(**values)).inserted_primary_key
    assert made is not None
    return int(made[0])
