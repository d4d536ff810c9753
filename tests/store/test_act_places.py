"""Which accounts a person may move money between, on both databases: what is there, and nothing that is set aside."""

import pytest
import sqlalchemy as sa

from core.ledger.accounts import NoSuchAccount
from core.ledger.details import DetailKind, moved
from store.acts import ActRefused, Draft
from store.books import Act
from store.database import Database
from store.schema import Account
from tests.store.clerk import clerk_of
from tests.store.journal.desk import MoDesk
from tests.store.test_acts import ADJUST, acts_of, two_partners


@pytest.fixture
def office(database: Database) -> MoDesk:
    return MoDesk(database, two_partners())


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"credit": "partner:amce:earnings"}, "--credit: there is no partner 'amce'; did you mean acme"),
        ({"credit": "partner:zyx:held"}, "there is no partner 'zyx'; tollbridge dump shows them"),
        ({"debit": "operator:nosuch:receivable"}, "--debit: there is no operator 'nosuch'"),
        ({"debit": "suspense:nosuch"}, "there is no operator 'nosuch'"),
        ({"debit": "expense:outgoing:nosuch"}, "there is no operator 'nosuch'"),
        ({"debit": "bank:main:1"}, "there is no account 'bank:main:1'"),
        ({"debit": "partner:acme:reserved"}, "messages on their way have set aside"),
        ({"credit": "partner:acme:payout"}, "payouts have asked for"),
        ({"credit": "partner:acme:float"}, "not served yet"),
        ({"credit": "subscriber:79001112233:wallet"}, "not served yet"),
        ({"credit": "agent:kofi"}, "not served yet"),
        ({"currency": "RUR"}, "--currency: 'RUR' is no currency of ISO 4217; did you mean RUB"),
        ({"currency": "CHF"}, "no partner, operator or plan is in CHF; those in use: RUB"),
    ],
)
def test_what_is_not_there_is_not_booked(office: MoDesk, values: dict[str, str], sentence: str) -> None:
    acts = acts_of(office)

    with pytest.raises(ActRefused) as caught:
        acts.ask(Draft("adjust", "olga", "why", (), {**ADJUST, **values}))

    assert sentence in str(caught.value)
    assert acts.list(None) == []
    with office.database.read() as connection:
        assert connection.execute(sa.select(Account.address)).all() == []


@pytest.mark.parametrize(("credit", "currency"), [("bank:main:1", "RUB"), ("bank:main", "RUR")])
def test_no_account_outside_the_chart_is_ever_made(office: MoDesk, credit: str, currency: str) -> None:
    desk = clerk_of(office)
    details = moved(DetailKind.ADJUSTED, "expense:loss", credit, 1, currency=currency, month=202611)

    with pytest.raises(NoSuchAccount):
        desk.run(lambda connection: desk.books.book(connection, Act("k", "x", "x", desk.now()), details=details))

    with office.database.read() as connection:
        assert connection.execute(sa.select(Account.address)).all() == []
