"""Money of one partner from one place to another: converted at a dated rate, or earnings used for outgoing SMS
(billing.md, section 6).

Asked          what is to be moved, by whom and why
convert        an amount of one currency becomes another, at the rate that holds now
use_earnings   earnings become money for outgoing SMS
Converted      what was booked

What is taken from earnings is what could be paid out: old enough and not asked for. What is taken from prepaid money is
there: a credit limit is for SMS, not for another currency.

Rule: one act, one entry, once by its key; each side balances in its own currency, and the fraction of a micro that the
product leaves is nobody's: floor(amount × rate).
"""

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from core.errors import UserMistake
from core.ledger.accounts import earnings, prepaid
from core.ledger.details import RATE_ONE, About, Detail, DetailKind, converted, moved
from core.money import AMOUNT_MAX, format_micros
from core.second_person import name_fault, tidy_name
from store import schema
from store.books import Act, open_month
from store.desk import Desk
from store.floors import Floors
from store.funds import Purse, Youth, read_funds, read_youth
from store.rates import Rate, rate_at

EARNINGS, PREPAID = "earnings", "prepaid"
ACCOUNTS = (EARNINGS, PREPAID)
KEY_MAX = 70
_ADDRESS: dict[str, Callable[[str], str]] = {EARNINGS: earnings, PREPAID: prepaid}


@dataclass(frozen=True, slots=True)
class Converted:
    """What left, and what came; the rate is None where the currency stayed. `entry_id` is what was booked."""

    entry_id: int
    amount: int
    currency: str
    came: int
    into: str
    rate: Rate | None = None


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
    assert account in ACCOUNTS, account
    source = asked.currency
    if source == into:
        raise UserMistake(f"{source} is to become {into}: name two currencies")
    address = _ADDRESS[account](asked.login)

    def make(connection: Connection, purse: Purse) -> tuple[list[Detail], Rate | None]:
        rate = rate_at(connection, source, into, desk.now())
        came = asked.amount * rate.rate // RATE_ONE
        if came == 0:
            raise UserMistake(f"{format_micros(asked.amount)} {source} is nothing in {into}; convert more")
        _refuse_too_much(came, into)
        about = _about(purse, asked, f"rate:{rate.id}", f"{asked.reason}; {rate.text}".removeprefix("; "))
        month = open_month(connection, desk.now())
        places = (address, source, address, into)
        return converted(*places, asked.amount, rate=rate.rate, month=month, about=about), rate

    return _book(desk, asked, "convert", account, into, make)


def use_earnings(desk: Desk, asked: Asked) -> Converted:
    """The amount of the partner's earnings pays for its outgoing SMS from now on."""

    def make(connection: Connection, purse: Purse) -> tuple[list[Detail], Rate | None]:
        places = (earnings(asked.login), prepaid(asked.login))
        month, about = open_month(connection, desk.now()), _about(purse, asked, "", asked.reason)
        kind = DetailKind.EARNINGS_USED
        return moved(kind, *places, asked.amount, currency=asked.currency, month=month, about=about), None

    return _book(desk, asked, "use", EARNINGS, asked.currency, make)


_Make = Callable[[Connection, Purse], tuple[list[Detail], Rate | None]]


def _book(desk: Desk, asked: Asked, kind: str, account: str, into: str, make: _Make) -> Converted:  # noqa: PLR0917
    if asked.amount <= 0:
        raise UserMistake("write an amount above zero")
    _refuse_too_much(asked.amount, asked.currency)
    if fault := name_fault(asked.author):
        raise UserMistake(f"--by: who does it {fault}")
    if len(asked.key) > KEY_MAX:
        raise UserMistake(f"the key is longer than {KEY_MAX} characters; shorten it")
    now = desk.now()
    content = f"{kind} {asked.login} {account} {asked.amount} {asked.currency} {into}"
    act = Act(f"{kind}:{asked.key}", "conversion", content, now)
    purse = Purse.of(desk.catalogue(), asked.login, asked.currency, now)
    youth = read_youth(desk.database, purse, now) if account == EARNINGS else Youth()

    def work(connection: Connection) -> Converted:
        before = desk.books.is_booked(connection, act)
        if before:
            return _read(connection, before, asked, into)
        floors = desk.books.floors(connection)
        most, what = _most(connection, floors, purse, youth, account)
        if asked.amount > most:
            raise UserMistake(f"{purse.login}: {format_micros(most)} {purse.currency} {what}; ask for no more")
        details, rate = make(connection, purse)
        entry_id = desk.books.book(connection, act, details=details, floors=floors)
        return Converted(entry_id, asked.amount, asked.currency, details[-1].posting.amount, into, rate)

    return desk.run(work)


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
    return About(0, purse.partner_id, subject=subject, author=tidy_name(asked.author), reason=reason[:200])


def _read(connection: Connection, entry_id: int, asked: Asked, into: str) -> Converted:
    """What an act booked before."""
    detail = schema.Detail
    query = sa.select(detail.amount).where(detail.entry_id == entry_id).order_by(detail.id)
    amounts = list(connection.execute(query).scalars())
    return Converted(entry_id, asked.amount, asked.currency, amounts[-1], into)
