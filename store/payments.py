"""Money that partners pay in, in the store: what is expected, what a provider says came, what a person decides
(billing.md, section 6; core/top_ups.py).

Payments       begin a top-up; take a notification; assign or close a parked payment
PaymentRow     a payment as it stands; TopUpRow, a top-up
list_payments  those of a state, the newest first
expected       the top-up of a number, as it was asked for

A notification is taken once by (provider, reference), which is UNIQUE: however often it comes, and over however many
processes. What does not agree with its top-up is parked, with an alert; a parked payment is in no account until a
person has assigned it.

Rule: the payment, its entry and what became of its top-up are one transaction; only then the provider gets its answer.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import Instant
from core.errors import UserMistake
from core.ledger.accounts import prepaid, provider
from core.ledger.details import About, Detail, DetailKind, moved
from core.money import format_micros
from core.second_person import REASON_MAX, checked_name, checked_reason
from core.top_ups import Expected, PaymentState, Told, number_of, problem_of
from store import schema
from store.asking import raise_alert
from store.books import Act, open_month
from store.bulk import bulk_insert
from store.desk import Desk
from store.provisioning.sentences import there_is_no
from store.repeats import OnceOnly

OPEN, PAID = 0, 1
"""States of a top-up. The numbers are stored."""
ALERT = "payment"
REFERENCE_MAX = 80
_AUDIT = ("at", "who", "subject", "key", "before", "after")


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """A payment; ids are 0, or None for the entry, where there is none."""

    id: int
    provider: str
    reference: str
    state: PaymentState
    partner_id: int
    top_up: str
    currency: str
    amount: int
    digest: str
    received_at: Instant
    entry_id: int | None
    problem: str

    @property
    def text(self) -> str:
        """`payment 4 of 100.00 RUB by yoomoney`."""
        return f"payment {self.id} of {format_micros(self.amount)} {self.currency} by {self.provider}"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a notification; `is_repeat`: it had come before."""

    row: PaymentRow
    is_repeat: bool


_COLUMNS = tuple(getattr(schema.Payment, name) for name in PaymentRow.__slots__)


def _row(values: Any) -> PaymentRow:
    named = dict(zip(PaymentRow.__slots__, values))
    return PaymentRow(**named | {"state": PaymentState(named["state"])})


class Payments:
    """Payments, booked by one desk. Every method is a transaction."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def begin(
        self, partner_id: int, provider_name: str, currency: str, amount: int, once: OnceOnly[int] | None = None
    ) -> int:
        """A partner is about to pay so much; the number that it gives the provider.

        Raises RequestError when another process has carried out the same request meanwhile: its answer is there.
        """
        now = self._desk.now()
        values = {
            "partner_id": partner_id, "provider": provider_name, "currency": currency, "amount": amount,
            "state": OPEN, "at": now, "payment_id": 0,
        }  # fmt: skip

        def work(connection: Connection) -> int:
            if once is not None:
                once.refuse(connection)
            key = connection.execute(sa.insert(schema.TopUp).values(**values)).inserted_primary_key
            assert key is not None
            number = int(key[0])
            if once is not None:
                once.remember(connection, number, now)
            return number

        return self._desk.run(work)

    def take(self, told: Told) -> Taken:
        """Book what came, or park it; the same again changes nothing. Raises StoreAway: then let it be told again."""
        now = self._desk.now()

        def work(connection: Connection) -> Taken:
            known = _by_reference(connection, told)
            if known is not None:
                if known.digest != told.digest():
                    sentence = f"{known.text} was told again with other content; look at it there"
                    raise_alert(connection, ALERT, f"payment {known.id}", sentence, now)
                return Taken(known, is_repeat=True)
            top_up = expected(connection, number_of(told.top_up), lock=True)
            problem = problem_of(told, top_up)
            login = "" if top_up is None else self._login(top_up.partner_id)
            if not problem and not login:
                problem = f"the partner of top-up {told.top_up} is not there any more"
            number = _insert(connection, told, top_up, problem, now)
            row = _one(connection, number)
            if problem:
                raise_alert(connection, ALERT, f"payment {number}", f"{row.text} is parked: {problem}", now)
                return Taken(row, is_repeat=False)
            assert top_up is not None
            booked = self._book(connection, row, login, author=provider(told.provider), reason=told.reference)
            _mark_paid(connection, top_up.number, number)
            return Taken(booked, is_repeat=False)

        return self._desk.run(work)

    def assign(self, number: int, login: str, *, author: str, reason: str) -> PaymentRow:
        """A person says whose a parked payment is: it is booked as it came. Above an amount two people say it: whoever
        lets one do it has asked `Acts.propose` first.
        """
        return self._desk.run(
            lambda connection: self.assign_within(connection, number, login, author=author, reason=reason)
        )

    def assigning(
        self, connection: Connection, number: int, login: str, *, author: str, reason: str
    ) -> tuple[PaymentRow, list[Detail]]:
        """The payment, locked, and what to assign it would book; nothing where it is the partner's already."""
        partner = self._desk.catalogue().partners.get(login)
        if partner is None:
            raise UserMistake(there_is_no("partner", login, self._desk.catalogue().partners))
        row = _one(connection, number, lock=True)
        if row.state is PaymentState.BOOKED and row.partner_id == partner.id:
            return row, []
        if row.state is not PaymentState.PARKED:
            raise UserMistake(f"{row.text} is {row.state.name.lower()}; only what is parked can be assigned")
        if row.amount <= 0:
            raise UserMistake(f"{row.text} holds no money; close it")
        return row, self._details(connection, row, login, author=author, reason=reason)

    def assign_within(self, connection: Connection, number: int, login: str, *, author: str, reason: str) -> PaymentRow:
        """The same inside a transaction of the caller's."""
        author, reason = checked_name(author), checked_reason(reason)
        row, details = self.assigning(connection, number, login, author=author, reason=reason)
        if not details:
            return row
        top_up = expected(connection, number_of(row.top_up), lock=True)
        partner_id = self._desk.catalogue().partners[login].id
        if top_up is not None and top_up.partner_id == partner_id and not top_up.paid_by:
            _mark_paid(connection, top_up.number, row.id)
        booked = self._book(connection, row, login, author=author, reason=reason)
        self._log(connection, booked, author, reason)
        return booked

    def close(self, number: int, *, author: str, reason: str) -> PaymentRow:
        """A person says that a parked payment is not ours to book: a test, a transfer for something else."""
        author, reason = checked_name(author), checked_reason(reason)

        def work(connection: Connection) -> PaymentRow:
            row = _one(connection, number, lock=True)
            if row.state is PaymentState.CLOSED:
                return row
            if row.state is not PaymentState.PARKED:
                raise UserMistake(f"{row.text} is {row.state.name.lower()}; only what is parked can be closed")
            self._change(connection, row, state=int(PaymentState.CLOSED))
            closed = _one(connection, number)
            self._log(connection, closed, author, reason)
            return closed

        return self._desk.run(work)

    def _book(self, connection: Connection, row: PaymentRow, login: str, *, author: str, reason: str) -> PaymentRow:
        now = self._desk.now()
        partner_id = self._desk.catalogue().partners[login].id
        details = self._details(connection, row, login, author=author, reason=reason)
        act = Act(f"payment:{row.id}", "payment", f"{row.text} {row.reference} for {login}", now)
        entry_id = self._desk.books.book(connection, act, details=details)
        self._change(connection, row, state=int(PaymentState.BOOKED), partner_id=partner_id, entry_id=entry_id)
        return _one(connection, row.id)

    def _details(
        self, connection: Connection, row: PaymentRow, login: str, *, author: str, reason: str
    ) -> list[Detail]:
        partner_id = self._desk.catalogue().partners[login].id
        about = About(0, partner_id, subject=f"payment:{row.id}", author=author, reason=reason[:REASON_MAX])
        return moved(
            DetailKind.PAYMENT, provider(row.provider), prepaid(login), row.amount,
            currency=row.currency, month=open_month(connection, self._desk.now()), about=about,
        )  # fmt: skip

    @staticmethod
    def _change(connection: Connection, row: PaymentRow, **values: Any) -> None:
        connection.execute(sa.update(schema.Payment).where(schema.Payment.id == row.id).values(**values))

    def _log(self, connection: Connection, row: PaymentRow, author: str, reason: str) -> None:
        after = {"state": row.state.name.lower(), "partner": self._login(row.partner_id), "reason": reason}
        line = (self._desk.now(), author, "payment", str(row.id), {"state": "parked"}, after)
        bulk_insert(connection, schema.AuditLog, _AUDIT, [line])

    def _login(self, partner_id: int) -> str:
        partners = self._desk.catalogue().partners.values()
        return next((partner.login for partner in partners if partner.id == partner_id), "")


def _by_reference(connection: Connection, told: Told) -> PaymentRow | None:
    table = schema.Payment
    query = sa.select(*_COLUMNS).where(table.provider == told.provider, table.reference == told.reference)
    found = connection.execute(query).first()
    return None if found is None else _row(found)


def _insert(connection: Connection, told: Told, top_up: Expected | None, problem: str, now: Instant) -> int:
    values = {
        "provider": told.provider, "reference": told.reference, "top_up": told.top_up[:64],
        "state": int(PaymentState.PARKED if problem else PaymentState.TOLD),
        "partner_id": 0 if top_up is None else top_up.partner_id, "currency": told.currency, "amount": told.amount,
        "digest": told.digest(), "received_at": now, "entry_id": None, "problem": problem[:200],
    }  # fmt: skip
    key = connection.execute(sa.insert(schema.Payment).values(**values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def _mark_paid(connection: Connection, top_up: int, payment: int) -> None:
    table = schema.TopUp
    connection.execute(sa.update(table).where(table.id == top_up).values(state=PAID, payment_id=payment))


def _one(connection: Connection, number: int, *, lock: bool = False) -> PaymentRow:
    query = sa.select(*_COLUMNS).where(schema.Payment.id == number)
    found = connection.execute(query.with_for_update() if lock else query).first()
    if found is None:
        raise UserMistake(f"there is no payment {number}; `tollbridge payment list` shows them")
    return _row(found)


def read_payment(connection: Connection, number: int) -> PaymentRow:
    """One of them. Raises UserMistake."""
    return _one(connection, number)


def list_payments(
    connection: Connection, state: PaymentState | None = None, *, partner_id: int = 0, limit: int = 50
) -> Iterator[PaymentRow]:
    """The newest first."""
    query = sa.select(*_COLUMNS).order_by(schema.Payment.id.desc()).limit(limit)
    if state is not None:
        query = query.where(schema.Payment.state == int(state))
    if partner_id:
        query = query.where(schema.Payment.partner_id == partner_id)
    for row in connection.execute(query):
        yield _row(row)


def expected(connection: Connection, number: int, *, lock: bool = False) -> Expected | None:
    """The top-up of this number."""
    if not number:
        return None
    table = schema.TopUp
    query = sa.select(table.id, table.partner_id, table.provider, table.currency, table.amount, table.payment_id)
    query = query.where(table.id == number)
    found = connection.execute(query.with_for_update() if lock else query).first()
    return None if found is None else Expected(*found)
