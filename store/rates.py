"""Rates of conversion: read from a file, looked up by the moment (billing.md, sections 6 and 7).

Rate         one unit of a currency in another, from a moment on, in units of 10⁻¹²
read_rates   a CSV file → rates; raises UserMistake with the line that is wrong
load_rates   rates into the table, all or nothing; the same again changes nothing
rate_at      the one that holds at a moment
list_rates   what is there

A rate may be of the future. One that is there never changes: another value for the same moment is refused, and so is
one that would have held when something was converted already at an older one.

Rule: a rate is an integer everywhere; its text has at most twelve decimals and is never rounded.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import Instant, iso_of
from core.errors import UserMistake
from core.ledger.details import RATE_ONE, DetailKind
from core.money import CURRENCIES
from store.bulk import bulk_insert
from store.provisioning.fields import instant_of_moment
from store.schema import Account, ConversionRate, Detail

COLUMNS = ("source", "target", "valid_from", "rate", "origin")
DECIMALS = 12
_RATE = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,30}))?")
_LARGEST = 2**63 - 1
ORIGIN_MAX = 120


@dataclass(frozen=True, slots=True)
class Rate:
    """`rate` × 10⁻¹² units of `target` for one of `source`, from `valid_from` on; `origin` says where it comes from."""

    source: str
    target: str
    valid_from: Instant
    rate: int
    origin: str = ""
    id: int = 0

    @property
    def text(self) -> str:
        """`1 EUR = 97.5 RUB of 2026-11-24T00:00:00.000Z (ECB)`."""
        origin = f" ({self.origin})" if self.origin else ""
        return f"1 {self.source} = {rate_text(self.rate)} {self.target} of {iso_of(self.valid_from)}{origin}"


def rate_text(rate: int) -> str:
    """`97.5`: no more decimals than it has."""
    whole, part = divmod(rate, RATE_ONE)
    decimals = f"{part:0{DECIMALS}d}".rstrip("0")
    return f"{whole}.{decimals}" if decimals else str(whole)


def parse_rate(text: str) -> int:
    """`97.5` → 97 500 000 000 000. Raises ValueError with a sentence."""
    found = _RATE.fullmatch(text.strip())
    if found is None:
        raise ValueError("the rate is not a decimal number; write it like 97.5")
    whole, decimals = found.group(1), (found.group(2) or "").rstrip("0")
    if len(decimals) > DECIMALS:
        raise ValueError(f"the rate has more than {DECIMALS} decimals; it is never rounded")
    rate = int(whole + decimals.ljust(DECIMALS, "0"))
    if not 0 < rate <= _LARGEST:
        raise ValueError("the rate must be above 0 and below 9223372")
    return rate


def read_rates(text: str, name: str) -> list[Rate]:
    """Rates of a CSV text with the columns source, target, valid_from, rate and, if wanted, origin."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    try:
        given = [column.strip() for column in reader.fieldnames or ()]
        missing = [column for column in COLUMNS[:4] if column not in given]
        unknown = [column for column in given if column not in COLUMNS]
        if missing or unknown:
            what = f"no column {missing[0]}" if missing else f"an unknown column {unknown[0][:40]!r}"
            raise UserMistake(f"{name}:1: there is {what}; the first line must be {','.join(COLUMNS)}")
        reader.fieldnames = given
        return [_rate_of(row, f"{name}:{reader.line_num}") for row in reader if any(row.values())]
    except csv.Error as error:
        raise UserMistake(f"{name}:{reader.reader.line_num}: is no CSV: {error}") from error


def _rate_of(row: dict[str, str], place: str) -> Rate:
    values = {column: (row.get(column) or "").strip() for column in COLUMNS}
    if None in row or None in row.values():
        raise UserMistake(f"{place}: has not as many fields as the first line")
    for column in ("source", "target"):
        if values[column] not in CURRENCIES:
            raise UserMistake(f"{place}: {column}: {values[column][:10]!r} is not a currency of ISO 4217, like EUR")
    if values["source"] == values["target"]:
        raise UserMistake(f"{place}: target: is {values['source']} too; a rate is of two currencies")
    try:
        valid_from = _moment(values["valid_from"])
        rate = parse_rate(values["rate"])
    except ValueError as error:
        raise UserMistake(f"{place}: {error}") from error
    origin = "".join(letter for letter in values["origin"] if letter.isprintable())[:ORIGIN_MAX]
    return Rate(values["source"], values["target"], valid_from, rate, origin)


def _moment(text: str) -> Instant:
    """A day is its midnight in UTC."""
    for read in (date.fromisoformat, datetime.fromisoformat):
        try:
            moment = read(text)
        except ValueError:
            continue
        if 1970 <= moment.year <= 9000:
            return instant_of_moment(moment)
    raise ValueError("valid_from must be a day or a moment, like 2026-12-01 or 2026-12-01T09:00:00Z")


def load_rates(connection: Connection, rates: Sequence[Rate]) -> int:
    """Add those that are not there; how many. Raises UserMistake for one that may not be, and then adds none."""
    table = ConversionRate
    new: list[Rate] = []
    for source, target in sorted({(rate.source, rate.target) for rate in rates}):
        query = sa.select(table.valid_from, table.rate).where(table.source == source, table.target == target)
        known = {valid_from: rate for valid_from, rate in connection.execute(query.with_for_update())}
        used = _last_use(connection, source, target)
        for rate in rates:
            if (rate.source, rate.target) == (source, target) and _is_new(rate, known, used):
                known[rate.valid_from] = rate.rate
                new.append(rate)
    bulk_insert(connection, table, COLUMNS, [(r.source, r.target, r.valid_from, r.rate, r.origin) for r in new])
    return len(new)


def _is_new(rate: Rate, known: Mapping[Instant, int], used: Instant) -> bool:
    """Whether it is to be added. Raises UserMistake where it may not be."""
    there = known.get(rate.valid_from)
    if there == rate.rate:
        return False
    if there is not None:
        why = f"there is a rate of this moment already, {rate_text(there)}; a new rate begins at another moment"
        raise UserMistake(f"{rate.text}: {why}")
    if rate.valid_from <= used:
        raise UserMistake(f"{rate.text}: an older rate was used on {iso_of(used)} already; begin later")
    return True


def _last_use(connection: Connection, source: str, target: str) -> Instant:
    """When money was last converted between the two; -1 for never."""
    account = sa.select(Account.id).where(Account.address == f"conversion:{source}:{target}")
    query = sa.select(sa.func.max(Detail.at)).where(
        Detail.kind == DetailKind.CONVERTED.value,
        sa.or_(Detail.debit_id.in_(account), Detail.credit_id.in_(account)),
    )
    found: Instant | None = connection.execute(query).scalar()
    return -1 if found is None else found


def rate_at(connection: Connection, source: str, target: str, moment: Instant) -> Rate:
    """The rate that holds. Raises UserMistake where there is none."""
    table = ConversionRate
    found = connection.execute(
        _select()
        .where(table.source == source, table.target == target, table.valid_from <= moment)
        .order_by(table.valid_from.desc())
        .limit(1)
    ).first()
    if found is None:
        raise UserMistake(f"there is no rate from {source} to {target} yet; load one: tollbridge rates load FILE.csv")
    return _rate(found)


def list_rates(connection: Connection, source: str = "", target: str = "") -> Iterator[Rate]:
    """By pair and date."""
    table = ConversionRate
    query = _select().order_by(table.source, table.target, table.valid_from)
    for column, value in ((table.source, source), (table.target, target)):
        query = query.where(column == value) if value else query
    for row in connection.execute(query):
        yield _rate(row)


def _rate(row: Any) -> Rate:
    return Rate(*row)


def _select() -> sa.Select[*tuple[Any, ...]]:
    table = ConversionRate
    return sa.select(table.source, table.target, table.valid_from, table.rate, table.origin, table.id)
