"""Payments of partners on both databases: booked once however often they are told; what does not agree is parked."""

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from core.errors import RequestError, UserMistake
from core.ledger.accounts import prepaid
from core.ledger.details import DetailKind, moved
from core.top_ups import PaymentState, Told
from store.books import Act
from store.database import Database
from store.desk import Desk
from store.floors import Overdrawn
from store.life import Remembered
from store.payments import PAID, PaymentRow, Payments, Taken, expected, list_payments, read_payment
from store.repeats import OnceOnly
from store.schema import Alert, AuditLog, Detail, Entry, Payment, TopUp
from tests.store.cashier import RUB, Till, a_till, together
from tests.store.clerk import log_credit

PREPAID, PROVIDER = "partner:acme:prepaid", "provider:yoomoney"


@pytest.fixture
def till(database: Database) -> Till:
    return a_till(database)


@pytest.fixture
def payments(till: Till) -> Payments:
    return Payments(till.clerk())


def begun(payments: Payments, amount: int = 100 * RUB, *, partner_id: int = 1) -> int:
    return payments.begin(partner_id, "yoomoney", "RUB", amount)


def told(number: int | str = 1, reference: str = "op-1", **words: Any) -> Told:
    return replace(Told("yoomoney", reference, str(number), 100 * RUB, 98 * RUB, "RUB"), **words)


def alerts(till: Till) -> list[str]:
    with till.database.read() as connection:
        rows = connection.execute(sa.select(Alert.sentence).where(Alert.kind == "payment").order_by(Alert.id))
        return list(rows.scalars())


def test_what_agrees_with_its_top_up_is_booked_as_it_arrived(till: Till, payments: Payments) -> None:
    number = begun(payments)

    taken = payments.take(told(number))

    assert (taken.row.state, taken.is_repeat) == (PaymentState.BOOKED, False)
    assert till.balances() == {PREPAID: 98 * RUB, PROVIDER: 98 * RUB}
    with till.database.read() as connection:
        top_up = connection.execute(sa.select(TopUp.state, TopUp.payment_id)).one()
        detail = connection.execute(sa.select(Detail.kind, Detail.subject, Detail.author, Detail.reason)).one()
        entry = connection.execute(sa.select(Entry.id, Entry.kind, Entry.key)).one()
    assert top_up == (PAID, taken.row.id)
    assert detail == ("payment", f"payment:{taken.row.id}", "provider:yoomoney", "op-1")
    assert entry == (taken.row.entry_id, "payment", f"payment:{taken.row.id}")
    assert till.findings() == []


def test_told_twenty_times_at_once_it_is_booked_once(till: Till, payments: Payments) -> None:
    number = begun(payments)
    desks = [Payments(till.clerk()) for _ in range(20)]

    done = together(20, lambda place: desks[place].take(told(number)))

    assert [one for one in done if not isinstance(one, Taken)] == []
    assert sum(not one.is_repeat for one in done if isinstance(one, Taken)) == 1
    assert till.balances() == {PREPAID: 98 * RUB, PROVIDER: 98 * RUB}
    assert alerts(till) == []
    assert till.findings() == []


def test_two_payments_for_one_top_up_at_once_book_one_and_park_the_other(till: Till, payments: Payments) -> None:
    number = begun(payments)
    desks = [Payments(till.clerk()) for _ in range(8)]

    done = together(8, lambda place: desks[place].take(told(number, f"op-{place}")))

    states = sorted(one.row.state.name for one in done if isinstance(one, Taken))
    assert states == ["BOOKED"] + ["PARKED"] * 7
    assert till.balances()[PREPAID] == 98 * RUB
    assert till.findings() == []


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ({"paid": 90 * RUB, "amount": 90 * RUB}, "top-up 1 expects 100.00 RUB, 90.00 were paid"),
        ({"currency": "EUR"}, "top-up 1 expects RUB, EUR came"),
        ({"top_up": "99"}, "there is no top-up '99'"),
        ({"top_up": ""}, "it names no top-up"),
        ({"provider": "webmoney"}, "top-up 1 was to be paid by yoomoney"),
        ({"hitch": "the wallet has not taken it yet"}, "the wallet has not taken it yet"),
    ],
)
def test_what_does_not_agree_is_parked_and_a_person_is_told(
    till: Till, payments: Payments, words: dict[str, Any], problem: str
) -> None:
    begun(payments)

    first = payments.take(told(**words))
    again = payments.take(told(**words))

    assert (first.row.state, first.row.problem, first.row.entry_id) == (PaymentState.PARKED, problem, None)
    assert again.is_repeat
    assert till.balances() == {}
    (alert,) = alerts(till)
    assert alert == f"{first.row.text} is parked: {problem}"
    assert till.findings() == []


def test_the_same_reference_with_other_content_books_nothing_and_is_an_alert(till: Till, payments: Payments) -> None:
    number = begun(payments)
    payments.take(told(number))

    again = payments.take(told(number, paid=200 * RUB, amount=200 * RUB))
    payments.take(told(number, paid=200 * RUB, amount=200 * RUB))

    assert again.is_repeat
    assert till.balances()[PREPAID] == 98 * RUB
    assert alerts(till) == [f"{again.row.text} was told again with other content; look at it there"]


def test_a_parked_payment_is_booked_by_a_person(till: Till, payments: Payments) -> None:
    row = payments.take(told("nonsense")).row

    assigned = payments.assign(row.id, "bolt", author="olga", reason="bolt wrote to us")
    again = payments.assign(row.id, "bolt", author="ada", reason="again")

    assert assigned.state is PaymentState.BOOKED
    assert again == assigned
    assert till.balances() == {"partner:bolt:prepaid": 98 * RUB, PROVIDER: 98 * RUB}
    with till.database.read() as connection:
        assert connection.execute(sa.select(Detail.author, Detail.reason)).one() == ("olga", "bolt wrote to us")
        who, after = connection.execute(sa.select(AuditLog.who, AuditLog.after)).one()
    assert (who, after["partner"]) == ("olga", "bolt")
    with pytest.raises(UserMistake, match="is booked; only what is parked can be assigned"):
        payments.assign(row.id, "acme", author="olga", reason="x")
    assert till.findings() == []


def test_two_who_assign_at_once_book_it_once(till: Till, payments: Payments) -> None:
    row = payments.take(told("nonsense")).row
    desks = [Payments(till.clerk()) for _ in range(8)]

    done = together(8, lambda place: desks[place].assign(row.id, ("acme", "bolt")[place % 2], author="x", reason="y"))

    assert any(isinstance(one, PaymentRow) for one in done)
    assert till.balances()[PROVIDER] == 98 * RUB
    assert till.findings() == []


def test_to_assign_it_to_its_partner_ends_its_top_up(till: Till, payments: Payments) -> None:
    number = begun(payments)
    row = payments.take(told(number, paid=90 * RUB, amount=90 * RUB)).row

    payments.assign(row.id, "acme", author="olga", reason="10 less, agreed")

    later = payments.take(told(number, "op-2"))
    assert later.row.problem == f"top-up {number} was paid already, by payment {row.id}"
    assert till.balances()[PREPAID] == 90 * RUB


def test_what_is_not_ours_to_book_is_closed(till: Till, payments: Payments) -> None:
    row = payments.take(told("rent of Mr X")).row

    closed = payments.close(row.id, author="olga", reason="private")

    assert closed.state is PaymentState.CLOSED
    assert payments.close(row.id, author="olga", reason="private") == closed
    with pytest.raises(UserMistake, match="is closed; only what is parked"):
        payments.assign(row.id, "acme", author="olga", reason="x")
    assert till.balances() == {}


def test_what_is_not_there_is_told(payments: Payments) -> None:
    row = payments.take(told("x")).row
    with pytest.raises(UserMistake, match="there is no payment 99; `tollbridge payment list`"):
        payments.assign(99, "acme", author="olga", reason="x")
    with pytest.raises(UserMistake, match="there is no partner 'nobody'"):
        payments.assign(row.id, "nobody", author="olga", reason="x")
    with pytest.raises(UserMistake, match="there is no payment 99"):
        payments.close(99, author="olga", reason="x")


def test_payments_are_listed_by_state_the_newest_first(till: Till, payments: Payments) -> None:
    begun(payments)
    payments.take(told(1, "a"))
    payments.take(told("x", "b"))
    payments.take(told("y", "c"))

    with till.database.read() as connection:
        assert [row.reference for row in list_payments(connection, limit=2)] == ["c", "b"]
        parked = list(list_payments(connection, PaymentState.PARKED))
        assert [row.reference for row in parked] == ["c", "b"]
        assert [row.reference for row in list_payments(connection, partner_id=1)] == ["a"]
        assert read_payment(connection, parked[0].id) == parked[0]


def test_a_top_up_is_begun_once_for_a_request_and_its_answer_is_remembered(till: Till, payments: Payments) -> None:
    asked: OnceOnly[int] = OnceOnly(1, "key-1", lambda number: Remembered("d" * 64, 201, f'{{"id":"{number}"}}'))
    number = payments.begin(1, "yoomoney", "RUB", RUB, asked)

    with pytest.raises(RequestError):
        payments.begin(1, "yoomoney", "RUB", RUB, asked)

    with till.database.read() as connection:
        assert connection.execute(sa.select(sa.func.count(TopUp.id))).scalar() == 1
        top_up = expected(connection, number)
        assert expected(connection, 0) is None
    assert top_up is not None
    assert (top_up.partner_id, top_up.amount, top_up.paid_by) == (1, RUB, 0)


# --- below the floor ----------------------------------------------------------------------------------------


def spend(desk: Desk, amount: int, key: str) -> None:
    """acme's prepaid money goes to the income."""
    details = moved(DetailKind.ADJUSTED, prepaid("acme"), "income:margin", amount, currency="RUB", month=202611)
    act = Act(key, "adjusted", f"{amount}", desk.now())
    desk.run(lambda connection: desk.books.book(connection, act, details=details))


def test_a_credit_that_is_taken_away_leaves_a_balance_that_only_payments_move(till: Till, payments: Payments) -> None:
    with_credit = replace(till.catalogue.partners["acme"], credit_limit=150 * RUB)
    plain = till.catalogue
    till.use(replace(plain, partners={**plain.partners, "acme": with_credit}))
    log_credit(till.database, "acme", 150 * RUB)
    spend(till.clerk(), 120 * RUB, "on credit")
    till.use(plain)
    assert till.balances()[PREPAID] == -120 * RUB

    with pytest.raises(Overdrawn):
        spend(till.clerk(), 1, "one more")
    Payments(till.clerk()).take(told(begun(Payments(till.clerk()))))

    assert till.balances()[PREPAID] == -22 * RUB
    with pytest.raises(Overdrawn, match=r"has 0\.00 RUB to spend"):
        spend(till.clerk(), 1, "still none")
    assert till.findings() == []


def test_a_crash_before_the_commit_leaves_nothing_and_the_next_time_it_is_booked(till: Till) -> None:
    desk = till.clerk()
    payments = Payments(desk)
    number = begun(payments)

    def breaks(*_: Any, **__: Any) -> int:
        raise RuntimeError("the power goes")

    booked = desk.books.book
    desk.books.book = breaks  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        payments.take(told(number))
    with till.database.read() as connection:
        assert connection.execute(sa.select(sa.func.count(Payment.id))).scalar() == 0
    desk.books.book = booked  # type: ignore[method-assign]

    assert payments.take(told(number)).row.state is PaymentState.BOOKED
    assert till.findings() == []
