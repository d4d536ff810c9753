"""Accounts as a person looks at them: what stands on each and how it came there, posting by posting.

read_standing   what accounts had, what moved them, what they have: now, or at a month's end
find_accounts   names as people write them → addresses: an account, a partner's login, an operator's code
read_lines      the last postings of one account, each with the balance after it

Sums are the folded ones with the postings since (store/folding.py). Postings have no index by account, since every
batch would pay for it: they are looked through from the newest down, a piece at a time, and no further than to the
first that moved the account.

Rule: reads only, inside Database.read(): sums and postings are of one picture. Amounts are micros on the normal side.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import Instant, Month
from core.errors import UserMistake
from core.ledger.accounts import balance, earnings, kind_of, outgoing_cost, owner_of, payable, receivable, suspense
from store.folding import read_sums
from store.pages import Query
from store.provisioning.sentences import did_you_mean, one_line, there_is_no
from store.schema import Account, Balance, Entry, Operator, Partner, Posting

PARTNER_SUBS = ("earnings", "held", "prepaid", "reserved", "payout")
OPERATOR_ACCOUNTS = (receivable, payable, suspense, outgoing_cost)
PIECE = 50_000
"""Postings that one statement looks through: some milliseconds."""
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Standing:
    """An account: `opening` is what it began with, or had at the month's start."""

    id: int
    address: str
    currency: str
    opening: int
    debits: int
    credits: int

    @property
    def amount(self) -> int:
        """What stands there, on its normal side."""
        return self.opening + self.signed(self.debits, self.credits)

    def signed(self, debits: int, credits: int) -> int:
        """What these do to it."""
        return balance(kind_of(self.address), debits, credits)


@dataclass(frozen=True, slots=True)
class AccountLine:
    """A posting from the side of one account; `amount` is below zero where it takes, `balance` what it leaves."""

    posting_id: int
    entry_id: int
    at: Instant
    kind: str
    key: str
    other: str
    month: Month
    amount: int
    balance: int


# --- what stands on accounts -------------------------------------------------------------------------------


def read_standing(connection: Connection, addresses: Collection[str] | None = None, month: Month = 0) -> list[Standing]:
    """All accounts or those at some addresses, by address and currency: as they are, or as they were in a month."""
    query = sa.select(Account.id, Account.address, Account.currency, sa.func.coalesce(Balance.opening, 0)).outerjoin(
        Balance, Balance.account_id == Account.id
    )
    if addresses is not None:
        query = query.where(Account.address.in_(addresses))
    accounts = connection.execute(query.order_by(Account.address, Account.currency)).all()
    ids = None if addresses is None else [id_ for id_, *_ in accounts]
    whole = read_sums(connection, ids, until=month)
    own = read_sums(connection, ids, month) if month else whole
    found = []
    for id_, address, currency, begun in accounts:
        debits, credits = own.get(id_, (0, 0))
        all_debits, all_credits = whole.get(id_, (0, 0))
        before = balance(kind_of(address), all_debits - debits, all_credits - credits)
        found.append(Standing(id_, address, currency, begun + before, debits, credits))
    return found


# --- how people name them ----------------------------------------------------------------------------------


def find_accounts(connection: Connection, names: Iterable[str]) -> list[str]:
    """The addresses of what is named, those of a partner or an operator too on which nothing was booked yet.

    Raises UserMistake for what is not there, with what was probably meant.
    """
    found: dict[str, None] = {}
    for name in names:
        own = _of_account(connection, name) if ":" in name else _of_owner(connection, name)
        found |= dict.fromkeys(own)
    return list(found)


def _of_account(connection: Connection, address: str) -> list[str]:
    if not _names(connection, Account.address, address):
        known = connection.execute(sa.select(Account.address).distinct()).scalars()
        meant = did_you_mean(address, known) or "; tollbridge balance --all shows what there is"
        raise UserMistake(f"nothing was ever booked on {one_line(address)}{meant}")
    return [address]


def _of_owner(connection: Connection, name: str) -> list[str]:
    logins = _names(connection, Partner.login, name)
    codes = _names(connection, Operator.code, name)
    if not logins and not codes:
        known = [*connection.execute(sa.select(Partner.login)).scalars()]
        known += connection.execute(sa.select(Operator.code)).scalars()
        raise UserMistake(there_is_no("partner and no operator", name, known))
    partner = [f"{earnings(name).removesuffix('earnings')}{sub}" for sub in PARTNER_SUBS] if logins else []
    return [*partner, *([of(name) for of in OPERATOR_ACCOUNTS] if codes else [])]


def _names(connection: Connection, column: Any, name: str) -> list[str]:
    # Compared here: MariaDB's comparison may take one letter for another.
    return [one for one in connection.execute(sa.select(column).where(column == name)).scalars() if one == name]


def group_of(address: str) -> tuple[str, str, str]:
    """(`partner`, its login, `earnings`); (`operator`, its code, `receivable`); ("", "", address) for what is ours."""
    kind, name = owner_of(address)
    if kind == "operator" and not address.startswith("operator:"):
        return kind, name, "suspense" if address.startswith("suspense:") else "cost"
    return (kind, name, address.split(":")[2]) if kind else ("", "", address)


# --- posting by posting ------------------------------------------------------------------------------------


def read_lines(connection: Connection, account: Standing, month: Month = 0, most: int = 20) -> list[AccountLine]:
    """The last `most` postings of an account as `read_standing` gave it, of the month that it was read for; the oldest
    of them first.
    """
    left = {"debit": account.debits, "credit": account.credits}
    rows: list[Any] = []
    top: int = connection.execute(sa.select(sa.func.max(Posting.id))).scalar() or 0
    while top > 0 and len(rows) < most and (left["debit"] or left["credit"]):
        some = connection.execute(_piece(account.id, month, top, most - len(rows))).all()
        for row in some:
            left["debit" if row.debit_id == account.id else "credit"] -= row.amount
        rows += some
        top -= PIECE
    return list(_lines(connection, account, rows))[::-1]


def _piece(account_id: int, month: Month, top: int, most: int) -> Query:
    query = (
        sa.select(Posting.id, Posting.entry_id, Posting.debit_id, Posting.credit_id, Posting.amount, Posting.month)
        .where(Posting.id <= top, Posting.id > top - PIECE)
        .where(sa.or_(Posting.debit_id == account_id, Posting.credit_id == account_id))
        .order_by(Posting.id.desc())
        .limit(most)
    )
    return query.where(Posting.month == month) if month else query


def _lines(connection: Connection, account: Standing, rows: Sequence[Any]) -> Iterator[AccountLine]:
    """The newest first, as the rows stand."""
    others = {row.credit_id if row.debit_id == account.id else row.debit_id for row in rows}
    addresses = _by_id(connection, sa.select(Account.id, Account.address), Account.id, others)
    entries = _by_id(
        connection, sa.select(Entry.id, Entry.at, Entry.kind, Entry.key), Entry.id, {row.entry_id for row in rows}
    )
    standing = account.amount
    for row in rows:
        is_debit = row.debit_id == account.id
        moved = account.signed(row.amount, 0) if is_debit else account.signed(0, row.amount)
        entry, other = entries.get(row.entry_id), addresses.get(row.credit_id if is_debit else row.debit_id)
        at, kind, key = (entry.at, entry.kind, entry.key) if entry is not None else (0, "", "")
        where = other.address if other is not None else "?"
        yield AccountLine(row.id, row.entry_id, at, kind, key, where, row.month, moved, standing)
        standing -= moved


def _by_id(connection: Connection, query: Query, id_: Any, ids: Collection[int]) -> Mapping[int, Any]:
    wanted = sorted(ids)
    found: dict[int, Any] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        rows = connection.execute(query.where(id_.in_(wanted[start : start + _AT_ONCE])))
        found.update({row[0]: row for row in rows})
    return found
