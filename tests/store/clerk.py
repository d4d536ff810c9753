"""A desk on a real database that shares a process with tests/store/journal/desk.py: what people do after messages came.

clerk_of    a Desk over a MoDesk's database, catalogue and clock
pay_in      money from the bank to a partner's prepaid account
log_credit  what a load writes when it gives a partner a credit limit

Rule: its books are the real ones.
"""

from typing import Any

from core.catalogue import Catalogue
from core.ids import Ids
from core.ledger.accounts import bank, prepaid
from core.ledger.details import About, DetailKind, moved
from core.money import format_micros
from store import processes
from store.books import Act
from store.database import Database
from store.desk import Desk
from store.schema import AuditLog
from tests.partner_api.rows import add
from tests.store.journal.desk import MoDesk
from tests.store.mt_desk import HandClock


def clerk_of(messages: MoDesk) -> Desk:
    """A desk of another process on the same database."""
    return a_clerk(messages.database, messages.catalogue, messages.clock)


def a_clerk(database: Database, catalogue: Catalogue, clock: HandClock | None = None) -> Desk:
    """A desk of a process of its own."""
    clock = clock or HandClock()
    me = processes.register(database, roles="desk", now=clock.now())
    return Desk(database, lambda: catalogue, clock, Ids(me.slot, after=me.after), me.id)


def pay_in(desk: Desk, key: str, partner: str, amount: int, **about: Any) -> int:
    """The entry of a payment of so many micros."""
    details = moved(
        DetailKind.PAYMENT, bank("main"), prepaid(partner), amount, currency="RUB", month=202611, about=About(**about)
    )
    act = Act(key, "payment", f"{partner} {amount}", desk.now())
    return desk.run(lambda connection: desk.books.book(connection, act, details=details))


def log_credit(database: Database, partner: str, limit: int) -> None:
    """Of so many micros."""
    told = {"credit_limit": format_micros(limit)}
    with database.write() as connection:
        add(connection, AuditLog, who="load", subject="partner", key=partner, before=None, after=told)
