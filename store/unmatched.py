"""Receipts that belong to no MT that we know: they wait for it, and are listed for `tollbridge message --receipts`.

read_unmatched   those since a moment, newest first, and how many each link has
WaitingReceipt   one of them; Unmatched, the answer

Most often a centre writes its ids in one base where it answers and in another where it reports. So each is looked for
in the other base too, and where that finds a message to the same number, the option that would have joined the two is
named.

Rule: reads only, and by an index: what is asked of the messages grows with what is listed, not with the messages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import Instant
from store import schema
from store.journal.receipts import is_same_number
from store.pages import in_pieces
from store.pruning import AGES
from store.text import places, read_text

KEPT_MS = AGES["receipt"].kept_ms
_AT_ONCE = 500
_STRING = "string"
_FIGURES_MAX = 64
_HEX, _DEC = frozenset("0123456789ABCDEF"), frozenset("0123456789")
_BY_KEY = (
    "SELECT operator_id, `key`, destination FROM mt WHERE `key` IN ({0})",
    "SELECT mt.operator_id, mt_part.`key`, mt.destination FROM mt_part JOIN mt ON mt.id = mt_part.mt_id "
    "WHERE mt_part.`key` IN ({0})",
)

Row: TypeAlias = Any
_Place: TypeAlias = tuple[int, str]
"""(operator id, the operator's id of a message)."""


@dataclass(frozen=True, slots=True)
class WaitingReceipt:
    """One that waits since `arrived_at`. `ids` are those by which its message is looked for; `source`, the subscriber.

    `base` is the message_id_base of its link that would have found a message to that number, "" where none would.
    """

    arrived_at: Instant
    kept_until: Instant
    link: str
    operator: str
    ids: tuple[str, ...]
    source: str
    destination: str
    state: str
    word: str
    error: str
    base: str = ""


@dataclass(frozen=True, slots=True)
class LinkCount:
    """How many of its receipts wait, listed or not."""

    link: str
    protocol: str
    count: int


@dataclass(frozen=True, slots=True)
class Unmatched:
    """The newest, and all of that time by link, those with the most first."""

    receipts: tuple[WaitingReceipt, ...]
    links: tuple[LinkCount, ...]

    @property
    def count(self) -> int:
        """All of them."""
        return sum(one.count for one in self.links)


def read_unmatched(connection: Connection, since: Instant, limit: int = 50) -> Unmatched:
    """Receipts that came since then."""
    receipt, link, operator = schema.Receipt, schema.Link, schema.Operator
    late = receipt.arrived_at >= since
    rows = connection.execute(
        sa.select(receipt, link.name, link.protocol, link.options, operator.code.label("operator"))
        .outerjoin(link, link.id == receipt.link_id)
        .outerjoin(operator, operator.id == receipt.operator_id)
        .where(late)
        .order_by(receipt.arrived_at.desc(), receipt.id.desc())
        .limit(limit)
    ).all()
    counts = connection.execute(
        sa.select(sa.func.max(link.name), sa.func.max(link.protocol), sa.func.count())
        .select_from(receipt)
        .outerjoin(link, link.id == receipt.link_id)
        .where(late)
        .group_by(receipt.link_id)
    )
    # A link that is not provisioned any more has no name.
    links = [LinkCount(name or "", protocol or "", count) for name, protocol, count in counts]
    links.sort(key=lambda one: (-one.count, one.link))
    bases = _bases(connection, rows)
    return Unmatched(tuple(_line(row, base) for row, base in zip(rows, bases, strict=True)), tuple(links))


def _line(row: Row, base: str) -> WaitingReceipt:
    ids = tuple(key for key in (row.key, row.other_key) if key)
    return WaitingReceipt(
        row.arrived_at, row.arrived_at + KEPT_MS, row.name or "", row.operator or "", ids, row.source,
        row.destination, row.state, row.word, row.error, base,
    )  # fmt: skip


def _bases(connection: Connection, rows: Sequence[Row]) -> list[str]:
    """For each receipt the base by which its link should have read it, "" where that is unknown."""
    wanted = [_elsewhere(row) for row in rows]
    places = {place for one in wanted for place in one}
    numbers = _numbers(connection, sorted({key for _, key in places}))
    return [
        next(
            (
                base
                for place, base in one.items()
                if any(is_same_number(number, row.source) for number in numbers.get(place, ()))
            ),
            "",
        )
        for row, one in zip(rows, wanted, strict=True)
    ]


def _elsewhere(row: Row) -> dict[_Place, str]:
    """Where its message would be by another base, and which. One without a sender could be anybody's."""
    if row.protocol != "smpp" or not row.source:
        return {}
    options: Mapping[str, object] = row.options or {}
    now = str(options.get("message_id_base", _STRING))
    return {(row.operator_id, key): base for key, base in other_bases(row.key, now) if base != now}


def other_bases(key: str, now: str) -> list[tuple[str, str]]:
    """The id of a receipt in the other bases, each with the message_id_base that the link has to have instead of the
    one that it has now (wire/smpp/message_ids.py).
    """
    found = []
    if key and len(key) <= _FIGURES_MAX:
        if _HEX.issuperset(key):
            found.append((str(int(key, 16)), "resp_dec_receipt_hex" if now == _STRING else _STRING))
        if _DEC.issuperset(key):
            found.append((f"{int(key):X}", "resp_hex_receipt_dec" if now == _STRING else _STRING))
    return [(other, base) for other, base in found if other != key]


def _numbers(connection: Connection, keys: Sequence[str]) -> dict[_Place, set[str]]:
    """To which numbers the messages of these ids went."""
    numbers: dict[_Place, set[str]] = {}
    for some in in_pieces(keys, _AT_ONCE):
        for query in _BY_KEY:
            for operator_id, key, destination in read_text(connection, query.format(places(some)), tuple(some)):
                numbers.setdefault((operator_id, key), set()).add(destination)
    return numbers
