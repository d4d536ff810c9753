"""Money of one partner from one place to another: converted at a dated rate, or earnings used for outgoing SMS
(billing.md, section 6).

Asked          what is to be moved, by whom and why
convert        an amount of one currency becomes another, at the rate that holds now
use_earnings   earnings become money for outgoing SMS
Conversion     either of them inside a transaction of the caller's: what it would book, and the booking
Converted      what was booked
read_conversion   one that was booked, by its entry → Past

What is taken from earnings is what could be paid out: old enough and not asked for. What is taken from prepaid money is
there: a credit limit is for SMS, not for another currency.

Rule: one act, one entry, once by its key; each side balances in its own currency, and the fraction of a micro that the
product leaves is nobody's: floor(amount × rate).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import Instant
from core.errors import UserMistake
from core.ledger.accounts import earnings, prepaid
from core.ledger.details import RATE_ONE, About, Detail, DetailKind, converted, moved
from core.money import AMOUNT_MAX, format_micros
from core.second_person import REASON_MAX, checked_name
from core.statement import place_of
from store import schema
from store.books import Act, open_month
from store.desk import Desk
from store.floors import Floors
from store.funds import Purse, Youth, read_funds, read_youth
from store.provisioning.sentences import one_line
from store.rates import Rate, rate_at

EARNINGS, PREPAID = "earnings", "prepaid"
ACCOUNTS = (EARNINGS, PREPAID)
KEY_MAX = 70
_DIGITS_MAX = 19
"""Of an entry's number: 63 bits."""
_ADDRESS: dict[str, Callable[[str], str]] = {EARNINGS: earnings, PREPAID: prepaid}


@dataclass(frozen=True, slots=True)
class Converted:
    """What left, and what came; the rate is None where the currency stayed. `entry_id` is what was booked.

    `was_before`: it was booked under this key before, and nothing new was.
    """

    entry_id: int
    amount: int
    currency: str
    came: int
    into: str
    rate: Rate | None = None
    was_before: bool = False


@dataclass(frozen=True, slots=True)
class Past:
    """One that was booked: by which entry, of whose account, by whom and why. `act` is what a second person agreed
    to, 0 where one was enough.
    """

    done: Converted
    key: str
    at: Instant
    login: str
    account: str
    author: str
    reason: str
    act: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be moved, by whom and why; `key` makes it once only."""

    login: str
    amount: int
    currency: str
    author: str
    reason: str
    key: str


def convert(desk: Desk, asked: Asked, into: str, *, account: str) -> Converted:
    """The amount on the partner's `account` becomes `into` on its account of the same kind."""
    return _carry_out(desk, Conversion(desk, asked, account, into))


def use_earnings(desk: Desk, asked: Asked) -> Converted:
    """The amount of the partner's earnings, in its own currency, pays for its outgoing SMS from now on."""
    return _carry_out(desk, Conversion(desk, asked, EARNINGS))


def _carry_out(desk: Desk, conversion: "Conversion") -> Converted:
    youth = conversion.read_youth()
    return desk.run(lambda connection: conversion.book(connection, youth))


class Conversion:
    """One that is asked for; without `into` earnings are used for outgoing SMS. Raises UserMistake for what can never
    be. Above an amount two people do it: whoever lets one has asked `Acts.propose` first.
    """

    def __init__(self, desk: Desk, asked: Asked, account: str, into: str = "") -> None:
        assert account in ACCOUNTS, account
        if asked.currency == into:
            raise UserMistake(f"{into} is to become {into}: name two currencies")
        asked = _checked(asked)
        self._desk, self._asked, self._account, self._into = desk, asked, account, into or asked.currency
        self._kind = "convert" if into else "use"
        content = f"{self._kind} {asked.login} {account} {asked.amount} {asked.currency} {self._into}"
        self._act = Act(f"{self._kind}:{asked.key}", "conversion", content, desk.now())
        self._purse = Purse.of(desk.catalogue(), asked.login, asked.currency, desk.now())
        self._rate: Rate | None = None

    def read_youth(self) -> Youth:
        """What is too young, as far as it can be read before the lock."""
        earned = self._account == EARNINGS
        return read_youth(self._desk.database, self._purse, self._desk.now()) if earned else Youth()

    def details(self, connection: Connection, floors: Floors, youth: Youth) -> list[Detail]:
        """What it would book now, under the lock of what it takes from; nothing where it was booked before."""
        if self._desk.books.is_booked(connection, self._act):
            return []
        if self._kind == "use":
            self._refuse_other_currency()
        most, what = _most(connection, floors, self._purse, youth, self._account)
        if self._asked.amount > most:
            raise UserMistake(
                f"{self._purse.login}: {format_micros(most)} {self._purse.currency} {what}; ask for no more"
            )
        return self._converted(connection) if self._kind == "convert" else self._used(connection)

    def book(self, connection: Connection, youth: Youth) -> Converted:
        """Do it inside a transaction, once by its key."""
        asked, books = self._asked, self._desk.books
        before = books.is_booked(connection, self._act)
        if before:
            return _read(connection, before)
        floors = books.floors(connection)
        details = self.details(connection, floors, youth)
        entry_id = books.book(connection, self._act, details=details, floors=floors)
        came = details[-1].posting.amount
        return Converted(entry_id, asked.amount, asked.currency, came, self._into, self._rate)

    def _refuse_other_currency(self) -> None:
        """Outgoing SMS are paid in their partner's own currency alone: other money would lie there for nothing."""
        asked = self._asked
        own = self._desk.catalogue().partners[asked.login].currency
        if asked.currency != own:
            raise UserMistake(
                f"{asked.login} pays for outgoing SMS in {own}, and money in {asked.currency} could pay for none; "
                f"convert it to {own} first, then use that: tollbridge convert currency"
            )

    def _converted(self, connection: Connection) -> list[Detail]:
        asked, into = self._asked, self._into
        rate = self._rate = rate_at(connection, asked.currency, into, self._desk.now())
        came = asked.amount * rate.rate // RATE_ONE
        if came == 0:
            raise UserMistake(f"{format_micros(asked.amount)} {asked.currency} is nothing in {into}; convert more")
        _refuse_too_much(came, into)
        about = _about(self._purse, asked, f"rate:{rate.id}", f"{asked.reason}; {rate.text}".removeprefix("; "))
        address = _ADDRESS[self._account](asked.login)
        month = open_month(connection, self._desk.now())
        places = (address, asked.currency, address, into)
        return converted(*places, asked.amount, rate=rate.rate, month=month, about=about)

    def _used(self, connection: Connection) -> list[Detail]:
        asked, month = self._asked, open_month(connection, self._desk.now())
        about = _about(self._purse, asked, "", asked.reason)
        places = (earnings(asked.login), prepaid(asked.login))
        kind = DetailKind.EARNINGS_USED
        return moved(kind, *places, asked.amount, currency=asked.currency, month=month, about=about)


def _checked(asked: Asked) -> Asked:
    """With its author's name as it is kept."""
    if asked.amount <= 0:
        raise UserMistake("write an amount above zero")
    _refuse_too_much(asked.amount, asked.currency)
    author = checked_name(asked.author)
    if len(asked.key) > KEY_MAX:
        raise UserMistake(f"the key is longer than {KEY_MAX} characters; shorten it")
    return replace(asked, author=author)


def _refuse_too_much(amount: int, currency: str) -> None:
    if amount > AMOUNT_MAX:
        most = format_micros(AMOUNT_MAX)
        raise UserMistake(
            f"{format_micros(amount)} {currency} is more than {most}, the most at once; convert it in pieces"
        )


def _most(connection: Connection, floors: Floors, purse: Purse, youth: Youth, account: str) -> tuple[int, str]:
    """How much may leave, and what that is in words; locked."""
    if account == EARNINGS:
        purse.lock(floors)
        what = "may be taken from the earnings, which is what is old enough and not asked for"
        return read_funds(connection, purse, youth).free, what
    place = (prepaid(purse.login), purse.currency)
    floors.load({place})
    return max(0, floors.amount(place)), "are paid in"


def _about(purse: Purse, asked: Asked, subject: str, reason: str) -> About:
    return About(0, purse.partner_id, subject=subject, author=asked.author, reason=reason[:REASON_MAX])


# --- what was booked before ----------------------------------------------------------------------------------


def read_conversion(connection: Connection, name: str) -> Past:
    """By the number of its entry, or by the entry's key. Raises UserMistake."""
    entry, act = schema.Entry, schema.Act
    is_number = name.isascii() and name.isdigit() and len(name) <= _DIGITS_MAX and int(name) < 1 << 63
    named = entry.id == int(name) if is_number else entry.key == name
    query = sa.select(entry.id, entry.key, entry.at, act.id.label("act")).join(
        act, act.entry_id == entry.id, isouter=True
    )
    wanted = query.where(named, entry.kind == "conversion")
    row = connection.execute(wanted).first() if name.isprintable() else None
    if row is None:
        raise UserMistake(
            f"there is no conversion {one_line(name)}; name the number of its entry, as tollbridge balance ACCOUNT "
            "--entries shows it"
        )
    first = _sides(connection, row.id)[0]
    place = place_of(first.debit)
    assert place is not None, first.debit
    return Past(_read(connection, row.id), row.key, row.at, *place, first.author, first.reason, row.act or 0)


def _read(connection: Connection, entry_id: int) -> Converted:
    """What an act booked before."""
    sides = _sides(connection, entry_id)
    first, last = sides[0], sides[-1]
    rate = _rate_of(connection, first.subject)
    return Converted(entry_id, first.amount, first.currency, last.amount, last.currency, rate, was_before=True)


def _sides(connection: Connection, entry_id: int) -> Sequence[Any]:
    """Its details: of a conversion what left and what came, of earnings that were used both in one."""
    detail, account = schema.Detail, schema.Account
    query = sa.select(
        detail.amount, detail.currency, detail.subject, detail.author, detail.reason, account.address.label("debit")
    ).join(account, account.id == detail.debit_id)
    return connection.execute(query.where(detail.entry_id == entry_id).order_by(detail.id)).all()


def _rate_of(connection: Connection, subject: str) -> Rate | None:
    """`rate:17` → the rate that was used."""
    what, _, number = subject.partition(":")
    table = schema.ConversionRate
    row = (
        connection.execute(sa.select(table.__table__).where(table.id == int(number))).first()
        if what == "rate"
        else None
    )
    return None if row is None else Rate(row.source, row.target, row.valid_from, row.rate, row.origin, row.id)
