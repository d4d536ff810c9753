"""Money that messages have set aside, taken away behind their back: they end all the same, and it is told."""

import pytest
import sqlalchemy as sa

from core.clock import DAY_MS, HOUR_MS, MINUTE_MS
from core.ledger.details import DetailKind, moved
from core.message import Mt, MtState, ReceiptState
from store.books import Act
from store.database import Database
from store.schema import Alert
from store.schema import Mt as MtRow
from tests.store.clerk import a_clerk
from tests.store.journal.paid import PRICE, RUB, Office, the_catalogue

RESERVED, PREPAID = "partner:acme:reserved", "partner:acme:prepaid"


@pytest.fixture
def office(database: Database) -> Office:
    office = Office(database, the_catalogue())
    office.pay_in(10 * RUB)
    return office


def take_away(office: Office, amount: int) -> None:
    """What no command does: a mistake of ours."""
    desk = a_clerk(office.database, office.catalogue, office.clock)
    details = moved(DetailKind.ADJUSTED, RESERVED, PREPAID, amount, currency="RUB", month=202611)
    act = Act("mistake", "mistake", "mistake", desk.now())
    desk.run(lambda connection: desk.books.book(connection, act, details=details))


def states(office: Office, *mts: Mt) -> list[int]:
    with office.database.read() as connection:
        found = {row.id: row.state for row in connection.execute(sa.select(MtRow.id, MtRow.state))}
    return [found[mt.id] for mt in mts]


def alerts(office: Office) -> list[tuple[str, str, str]]:
    with office.database.read() as connection:
        rows = connection.execute(sa.select(Alert.kind, Alert.subject, Alert.sentence).order_by(Alert.id))
        return [(row[0], row[1], row[2]) for row in rows]


@pytest.mark.parametrize("state", [ReceiptState.DELIVERED, ReceiptState.FAILED])
def test_a_receipt_is_booked_though_nothing_is_set_aside_and_a_person_is_asked(
    office: Office, state: ReceiptState
) -> None:
    first, second = office.sent(), office.sent()
    take_away(office, PRICE + 1)

    office.ends(first, state)
    office.ends(second, state)

    ended = MtState.DELIVERED if state is ReceiptState.DELIVERED else MtState.FAILED
    assert states(office, first, second) == [int(ended)] * 2
    assert office.balances()[RESERVED] == -PRICE - 1
    ((kind, subject, sentence),) = alerts(office)
    assert (kind, subject) == ("books", RESERVED)
    assert "run: tollbridge check" in sentence


def test_the_audit_tells_of_it_before_and_after(office: Office) -> None:
    mt = office.sent()
    take_away(office, PRICE)
    assert [finding[:2] for finding in office.findings()] == ["L9"]

    office.ends(mt)

    assert sorted(finding[:2] for finding in office.findings()) == ["L8", "L9"]


def test_the_sweep_of_what_is_unknown_goes_on(office: Office) -> None:
    mt = office.sent()
    take_away(office, PRICE)

    office.advance(DAY_MS + HOUR_MS + MINUTE_MS)
    office.write(office.look())

    assert states(office, mt) == [int(MtState.UNKNOWN)]
    assert [kind for kind, *_ in alerts(office)] == ["books"]
