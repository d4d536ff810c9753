"""Which account may go how far down: a credit limit holds in its partner's own currency alone; and a floor does not
follow a balance that fell below it.
"""

from dataclasses import replace

from sqlalchemy import Connection

from core.catalogue import Catalogue
from core.ledger.details import DetailKind, moved
from store.audit import audit
from store.database import Database
from store.desk import Desk
from store.floors import Floors, floors_of
from store.journal.booking import write_entry
from tests.makers import a_catalogue, a_partner
from tests.store.clerk import a_clerk, log_credit, pay_in

RUB = 1_000_000
PREPAID = "partner:acme:prepaid"


def on_credit(limit: int) -> Catalogue:
    return a_catalogue(partners=(replace(a_partner(), credit_limit=limit),))


def take_without_looking(desk: Desk, amount: int) -> None:
    """What no command does: a mistake of ours."""
    details = moved(DetailKind.ADJUSTED, PREPAID, "bank:main", amount, currency="RUB", month=202611)

    def work(connection: Connection) -> None:
        floors = Floors(connection, desk.books.accounts, floors_of(desk.catalogue()))
        floors.load([(PREPAID, "RUB")])
        at = desk.now()
        write_entry(connection, desk.books.accounts, (), entry_id=desk.next_id(), at=at, details=details)
        floors.post(PREPAID, "bank:main", "RUB", amount, must=True)
        floors.write()

    desk.run(work)


def found(desk: Desk) -> list[str]:
    with desk.database.read() as connection:
        return [f"{f.check}: {f.sentence}" for _, some in audit(connection, desk.catalogue()) for f in some]


def test_a_balance_that_fell_below_its_floor_is_found_until_it_has_come_back(database: Database) -> None:
    desk = a_clerk(database, on_credit(0))
    pay_in(desk, "p1", "acme", 10 * RUB)

    take_without_looking(desk, 500 * RUB)
    assert found(desk) == ["L8: partner:acme:prepaid is at -490.00 RUB, below its floor 0.00"]
    take_without_looking(desk, 10 * RUB)
    pay_in(desk, "p2", "acme", 400 * RUB)
    assert found(desk) == ["L8: partner:acme:prepaid is at -100.00 RUB, below its floor 0.00"]
    pay_in(desk, "p3", "acme", 100 * RUB)

    assert found(desk) == []


def test_a_credit_limit_that_is_lowered_below_what_is_owed_is_no_fault_but_what_leaves_after_it_is(
    database: Database,
) -> None:
    take_without_looking(a_clerk(database, on_credit(100 * RUB)), 80 * RUB)
    log_credit(database, "acme", 100 * RUB)
    desk = a_clerk(database, on_credit(0))
    assert found(desk) == []

    take_without_looking(desk, 5 * RUB)

    assert found(desk) == ["L8: partner:acme:prepaid is at -85.00 RUB, below its floor -80.00"]
    pay_in(desk, "p1", "acme", 35 * RUB)
    assert found(desk) == []
    take_without_looking(desk, RUB)
    assert found(desk) == ["L8: partner:acme:prepaid is at -51.00 RUB, below its floor -50.00"]


def test_a_credit_limit_that_is_raised_heals_it_with_the_next_payment(database: Database) -> None:
    desk = a_clerk(database, on_credit(0))
    take_without_looking(desk, 50 * RUB)

    desk = a_clerk(database, on_credit(60 * RUB))
    pay_in(desk, "p1", "acme", RUB)

    assert found(desk) == []


def test_a_credit_limit_holds_in_the_partners_own_currency() -> None:
    floor = floors_of(a_catalogue(partners=(replace(a_partner(), credit_limit=100 * RUB),)))

    assert floor(("partner:acme:prepaid", "RUB")) == -100 * RUB
    assert floor(("partner:acme:prepaid", "EUR")) == 0


def test_nothing_else_has_a_credit() -> None:
    floor = floors_of(a_catalogue(partners=(replace(a_partner(), credit_limit=100 * RUB),)))

    others = ("partner:acme:reserved", "partner:acme:payout", "partner:bolt:prepaid", "agent:acme:prepaid")
    assert [floor((address, "RUB")) for address in others] == [0, 0, 0, 0]
