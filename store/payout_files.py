"""Files for the bank: approved payouts of one currency become one file, once (core/bank_file.py).

export       makes a file of them, or gives the one that was made under the key before; raises StoreConflict where that
             holds other payouts
read_file    a file as it was made, to the octet
file_name    what the bank calls it; file_of_name, payout_of_name, back again

Rule: that payouts are in a file and the file itself are one transaction: no payout is in two files, and none is called
sent of which there is no file.
"""

import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.bank_file import FORMATS, TRANSFERS_MAX, BankFile, Party, Transfer
from core.clock import Instant, day_of, iso_of
from core.errors import StoreConflict, UserMistake
from core.latin import NoLatin
from core.ledger.accounts import is_bank_name
from core.payouts import PayoutState
from core.second_person import checked_name
from store.desk import Desk
from store.payout_entries import log_move
from store.payouts import BANK, COLUMNS, PayoutRow, row_of
from store.schema import Payout, PayoutFile

KEY_MAX = 80


@dataclass(frozen=True, slots=True)
class OurAccount:
    """Where we pay from: `name` is what the ledger calls it (`bank:NAME`)."""

    name: str
    payer: Party


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A file that was made."""

    id: int
    key: str
    bank: str
    format: str
    currency: str
    count: int
    amount: int
    content: str
    sha256: str
    author: str
    at: Instant


_COLUMNS = tuple(getattr(PayoutFile, name) for name in MadeFile.__slots__)


def export(
    desk: Desk,
    ours: OurAccount,
    *,
    currency: str,
    author: str,
    key: str,
    format_: str = FORMATS[0],
    day: int = 0,
    numbers: Collection[int] = (),
) -> MadeFile:
    """All approved payouts that go by bank in a currency (or those of `numbers`) in one file.

    `day` is when the bank shall pay, YYYYMMDD; 0 is today in UTC. Raises UserMistake when there is nothing to send.
    """
    _check_names(ours, key)
    _check_count(numbers)
    author, now = checked_name(author), desk.now()

    def known(connection: Connection) -> MadeFile | None:
        made = _by_key(connection, key)
        if made is not None:
            _refuse_other(connection, made, (ours.name, format_, currency), day, numbers)
        return made

    def work(connection: Connection) -> MadeFile:
        if (before := known(connection)) is not None:
            return before
        rows = _approved(connection, currency, numbers)
        # Whoever held the payouts meanwhile may have made the file.
        if (before := known(connection)) is not None:
            return before
        missing = set(numbers) - {row.id for row in rows}
        if missing:
            raise UserMistake(f"payout {min(missing)} is not approved, not in {currency}, or does not go by bank")
        if not rows:
            raise UserMistake(f"no approved payout in {currency} goes by bank; `tollbridge payout list` shows them")
        file_id = _insert(connection, ours, format_, currency, rows, author=author, key=key, at=now)
        made = BankFile(
            file_name(file_id, now), format_, now, day or day_of(now), currency,
            ours.payer, [_transfer(row) for row in rows],
        )  # fmt: skip
        _fill(connection, file_id, made)
        _mark_sent(connection, rows, file_id, author=author, at=now)
        return _read(connection, file_id)

    return desk.run(work)


_DIGITS = str.maketrans("", "", "-:T")
_FILE = re.compile(r"TB([0-9]{1,18})-[0-9-]+")
_TRANSFER = re.compile(r"PAYOUT-([1-9][0-9]{0,17})")


def file_name(file_id: int, at: Instant) -> str:
    """What a file is called towards the bank."""
    return f"TB{file_id}-{iso_of(at)[:19].translate(_DIGITS)}"


def file_of_name(name: str) -> int:
    """The file's number; 0 for a name that is none of ours."""
    named = _FILE.fullmatch(name)
    return int(named[1]) if named else 0


def payout_of_name(name: str) -> int:
    """The payout's number, by the name of its transfer; 0 for a name that is none of ours."""
    named = _TRANSFER.fullmatch(name)
    return int(named[1]) if named else 0


def _check_names(ours: OurAccount, key: str) -> None:
    if not is_bank_name(ours.name):
        raise UserMistake("--bank: name an account in letters (a–z), digits, dots, dashes, like main")
    if not key or len(key) > KEY_MAX:
        raise UserMistake(f"--key must have 1 to {KEY_MAX} letters")


def _check_count(numbers: Collection[int]) -> None:
    count = len(set(numbers))
    if count > TRANSFERS_MAX:
        raise UserMistake(
            f"{count} payouts are named, and a file holds at most {TRANSFERS_MAX}; name so many, and the others in "
            "another file"
        )


def _fill(connection: Connection, file_id: int, made: BankFile) -> None:
    """The file's own row gets its octets."""
    try:
        content = made.write()
    except NoLatin as error:
        raise UserMistake(f"the name of a payout's account: {error}") from error
    digest = hashlib.sha256(content).hexdigest()
    update = sa.update(PayoutFile).where(PayoutFile.id == file_id)
    connection.execute(update.values(content=content.decode("ascii"), sha256=digest))


def _approved(connection: Connection, currency: str, numbers: Collection[int]) -> list[PayoutRow]:
    query = (
        sa.select(*COLUMNS)
        .where(Payout.state == int(PayoutState.APPROVED), Payout.method == BANK, Payout.currency == currency)
        .order_by(Payout.id)
        .limit(TRANSFERS_MAX)
        .with_for_update()
    )
    if numbers:
        query = query.where(Payout.id.in_(sorted(numbers)))
    return [row_of(row) for row in connection.execute(query)]


def _by_key(connection: Connection, key: str) -> MadeFile | None:
    found = connection.execute(sa.select(*_COLUMNS).where(PayoutFile.key == key)).first()
    return None if found is None else MadeFile(*found)


def _refuse_other(
    connection: Connection, made: MadeFile, wanted: tuple[str, str, str], day: int, numbers: Collection[int]
) -> None:
    """What a key stands for already is what is asked for again. Raises StoreConflict."""
    held = set(connection.execute(sa.select(Payout.id).where(Payout.file_id == made.id)).scalars())
    other_day = day and f">{day // 10_000:04d}-{day // 100 % 100:02d}-{day % 100:02d}<" not in made.content
    if (made.bank, made.format, made.currency) != wanted or other_day or (numbers and set(numbers) != held):
        what = f"{made.count} payouts in {made.currency} as {made.format} from {made.bank}"
        raise StoreConflict(
            f"the key {made.key!r} stands for file {made.id} already, {what}; take another key, or have that file: "
            f"tollbridge payout file {made.id} FILE"
        )


def _transfer(row: PayoutRow) -> Transfer:
    return Transfer(f"PAYOUT-{row.id}", row.amount, Party(**row.details), f"Payout {row.id}")


def _insert(
    connection: Connection, ours: OurAccount, format_: str, currency: str, rows: Sequence[PayoutRow],
    *, author: str, key: str, at: Instant,
) -> int:  # fmt: skip
    values: dict[str, Any] = {
        "key": key, "bank": ours.name, "format": format_, "currency": currency, "count": len(rows),
        "amount": sum(row.amount for row in rows), "content": "", "sha256": "", "author": author, "at": at,
    }  # fmt: skip
    number = connection.execute(sa.insert(PayoutFile).values(**values)).inserted_primary_key
    assert number is not None
    return int(number[0])


def _mark_sent(connection: Connection, rows: Sequence[PayoutRow], file_id: int, *, author: str, at: Instant) -> None:
    ids = [row.id for row in rows]
    sent = {"state": int(PayoutState.SENT), "file_id": file_id, "sent_at": at}
    connection.execute(sa.update(Payout).where(Payout.id.in_(ids)).values(**sent))
    for after in connection.execute(sa.select(*COLUMNS).where(Payout.id.in_(ids))).all():
        log_move(connection, row_of(after), author, PayoutState.APPROVED, at)


def read_file(connection: Connection, file_id: int) -> MadeFile:
    """The file as it was made. Raises UserMistake."""
    return _read(connection, file_id)


def _read(connection: Connection, file_id: int) -> MadeFile:
    found = connection.execute(sa.select(*_COLUMNS).where(PayoutFile.id == file_id)).first()
    if found is None:
        raise UserMistake(f"there is no file {file_id}; `tollbridge payout list` names the file of each payout")
    return MadeFile(*found)
