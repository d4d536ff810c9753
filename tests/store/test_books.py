"""Acts of people on the books: once under a key, whole or not at all, never below a floor."""

import threading
import time
from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from core.catalogue import Catalogue
from core.errors import StoreConflict
from core.ledger.accounts import prepaid, reserved
from core.ledger.details import About, Detail, DetailKind, moved
from plumbing.clock import SystemClock
from store import processes
from store.audit import audit
from store.balances import partner_balance
from store.books import Act
from store.database import Database
from store.desk import Desk, open_desk
from store.floors import Overdrawn
from store.schema import Balance, DailySum, Entry, Posting, Process
from store.schema import Detail as DetailRow
from store.secrets import Sealed
from tests.makers import a_catalogue, a_partner
from tests.store.clerk import a_clerk, log_credit, pay_in

MONTH = 202611
RUB = 1_000_000


@pytest.fixture
def desk(database: Database) -> Desk:
    return a_clerk(database, a_catalogue())


def on_credit(limit: int) -> Catalogue:
    """A catalogue whose partner may go below zero."""
    return a_catalogue(partners=(replace(a_partner(), credit_limit=limit),))


def spent(amount: int, *, message_id: int = 0) -> list[Detail]:
    """What an outgoing SMS sets aside."""
    return moved(
        DetailKind.RESERVED, prepaid("acme"), reserved("acme"), amount, currency="RUB", month=MONTH,
        about=About(message_id, 1),
    )  # fmt: skip


def spend(desk: Desk, key: str, amount: int) -> int:
    """The entry of a reservation."""
    act = Act(key, "reserve", f"{amount}", desk.now())
    return desk.run(lambda connection: desk.books.book(connection, act, details=spent(amount)))


def balance(database: Database) -> tuple[int, int]:
    """(paid in, set aside) of acme."""
    with database.read() as connection:
        (line,) = partner_balance(connection, "acme")
    return line.prepaid, line.reserved


def findings(desk: Desk) -> list[str]:
    """What the audit says, but for L9: nothing here is a message."""
    with desk.database.read() as connection:
        return [
            finding.sentence for name, found in audit(connection, desk.catalogue()) for finding in found if name != "L9"
        ]


def test_an_act_is_an_entry_with_its_details_and_balances(desk: Desk) -> None:
    entry_id = pay_in(desk, "payment:1", "acme", 10 * RUB, partner_id=1, author="ada", reason="top-up")

    assert balance(desk.database) == (10 * RUB, 0)
    with desk.database.read() as connection:
        (row,) = connection.execute(sa.select(DetailRow.__table__)).all()
        assert (row.entry_id, row.kind, row.amount, row.author, row.reason) == (
            entry_id, "payment", 10 * RUB, "ada", "top-up"
        )  # fmt: skip
    assert findings(desk) == []


def test_the_same_act_again_is_booked_once(desk: Desk) -> None:
    first = pay_in(desk, "payment:1", "acme", 10 * RUB)

    assert pay_in(desk, "payment:1", "acme", 10 * RUB) == first
    assert balance(desk.database) == (10 * RUB, 0)


def test_the_same_key_with_other_content_is_an_error_and_changes_nothing(desk: Desk) -> None:
    pay_in(desk, "payment:1", "acme", 10 * RUB)

    with pytest.raises(StoreConflict, match="payment:1"):
        pay_in(desk, "payment:1", "acme", 11 * RUB)
    assert balance(desk.database) == (10 * RUB, 0)


def test_more_than_there_is_is_refused_with_what_is_there(desk: Desk) -> None:
    pay_in(desk, "payment:1", "acme", 10 * RUB)

    with pytest.raises(Overdrawn, match=r"has 10\.00 RUB to spend, 10\.50 are asked for"):
        spend(desk, "r1", 10 * RUB + RUB // 2)
    assert balance(desk.database) == (10 * RUB, 0)
    spend(desk, "r2", 10 * RUB)
    assert balance(desk.database) == (0, 10 * RUB)
    assert findings(desk) == []


def test_credit_is_used_up_to_the_millionth_and_no_further(database: Database) -> None:
    desk = a_clerk(database, on_credit(2 * RUB))
    spend(desk, "r1", 2 * RUB)

    with pytest.raises(Overdrawn):
        spend(desk, "r2", 1)
    assert balance(database) == (-2 * RUB, 2 * RUB)
    assert findings(desk) == []


def test_a_credit_that_is_taken_away_stops_spending_and_every_payment_helps(database: Database) -> None:
    spend(a_clerk(database, on_credit(2 * RUB)), "r1", 2 * RUB)
    log_credit(database, "acme", 2 * RUB)
    desk = a_clerk(database, on_credit(0))

    with pytest.raises(Overdrawn, match=r"has 0\.00 RUB"):
        spend(desk, "r2", 1)
    pay_in(desk, "p1", "acme", RUB)
    assert findings(desk) == []
    with pytest.raises(Overdrawn):
        spend(desk, "r3", 1)
    pay_in(desk, "p2", "acme", 3 * RUB)
    spend(desk, "r4", 2 * RUB)

    assert balance(database) == (0, 4 * RUB)
    with database.read() as connection:
        assert connection.execute(sa.select(sa.func.min(Balance.floor))).scalar() == 0
    assert findings(desk) == []


def test_what_fails_in_the_middle_leaves_nothing(desk: Desk) -> None:
    act = Act("half", "payment", "half", desk.now())

    def work(connection: Connection) -> None:
        desk.books.book(connection, act, details=moved(
            DetailKind.PAYMENT, "bank:main", prepaid("acme"), RUB, currency="RUB", month=MONTH
        ))  # fmt: skip
        raise RuntimeError("the power goes")

    with pytest.raises(RuntimeError):
        desk.run(work)
    with desk.database.read() as connection:
        for table in (Entry, Posting, DetailRow, Balance, DailySum):
            assert connection.execute(sa.select(sa.func.count()).select_from(table)).scalar() == 0
    pay_in(desk, "half", "acme", RUB)
    assert balance(desk.database) == (RUB, 0)


def test_eight_threads_spend_one_balance_to_the_last_and_not_beyond(database: Database) -> None:
    catalogue = a_catalogue()
    pay_in(a_clerk(database, catalogue), "p", "acme", 20 * RUB)
    done: list[str] = []
    failed: list[BaseException] = []
    start = threading.Barrier(8)

    def run(name: int) -> None:
        desk = a_clerk(database, catalogue)
        start.wait()
        for number in range(5):
            try:
                spend(desk, f"r{name}-{number}", RUB)
                done.append(f"{name}-{number}")
            except Overdrawn:
                pass
            except BaseException as error:
                failed.append(error)

    threads = [threading.Thread(target=run, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failed == []
    assert len(done) == 20
    assert balance(database) == (0, 20 * RUB)
    assert findings(a_clerk(database, catalogue)) == []


def test_the_same_act_by_eight_threads_at_once_is_booked_once(database: Database) -> None:
    catalogue = a_catalogue()
    entries: list[int] = []
    start = threading.Barrier(8)

    def run() -> None:
        desk = a_clerk(database, catalogue)
        start.wait()
        entries.append(pay_in(desk, "one", "acme", RUB))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(entries) == 8
    assert len(set(entries)) == 1
    assert balance(database) == (RUB, 0)


def test_a_desk_that_reads_for_long_is_not_taken_for_dead(database: Database) -> None:
    me = processes.register(database, roles="links", now=SystemClock().now())
    neighbours = processes.Neighbours(database, me)
    begun = time.monotonic()
    with open_desk(database, SystemClock(), Sealed()):
        seen = _heartbeat(database)
        while _heartbeat(database) == seen:
            assert time.monotonic() - begun < 20, "it never beats"
        assert neighbours.look(SystemClock().now(), SystemClock().monotonic_ms()) == []


def _heartbeat(database: Database) -> int:
    """Of the process that registered last."""
    with database.read() as connection:
        return int(
            connection.execute(sa.select(Process.heartbeat_at).order_by(Process.id.desc()).limit(1)).scalar_one()
        )
