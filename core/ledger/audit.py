"""The audit: the invariants of billing.md, section 11, each a function from rows to findings.

check_postings  L1  every posting: amount > 0, debit ≠ credit, both of one currency
check_entries   L3  every entry's postings = the sums of the charges and details that name it, and make its digest
                L4  the entry that they name is there
check_states    L4  a posted charge names one entry, every other names none
check_parts     L5  price = vat + operator + partner + referral + ours + suspense
check_earnings  L6  the partner's amounts of a month = F(V), V = the sum of bases = the counter
check_versions  L7  a charge made again from its versions is the same (core.ledger.recompute)
check_reasons   L10 every acknowledged MO has one charge or one reason why none
check_single    L10 and no second one of kind `mo`

What is asked of accounts (the rest of L1, L2, L8, L9) is in `core.ledger.audit_accounts`. Rows are in
`core.ledger.rows`, but for the entry's; all names are importable from here.

Rule: it streams. L1, L4, L5, L7 and L10 judge each row alone and may be fed in pieces, so one pass over a table feeds
several; L3 holds one entry; L6 holds a sum per partner, plan version and month.
"""

from collections.abc import Callable, Iterable, Iterator
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from core.catalogue import PlanVersion
from core.clock import Month, month_text
from core.ledger.audit_accounts import check_accounts, check_balances, check_reserved, check_sides
from core.ledger.entry import ChargeKind, ChargeState, Entry, Posting
from core.ledger.facts import PostingKey, postings_of_charge
from core.ledger.recompute import check_versions
from core.ledger.rows import (
    AccountTotal,
    BalanceRow,
    ChargeRow,
    DetailRow,
    Finding,
    MoRow,
    PostingRow,
    Versions,
    VolumeRow,
)
from core.money import format_micros
from core.tariff.rate import VolumeKey
from core.tariff.tiers import earned

__all__ = [
    "AccountTotal", "BalanceRow", "ChargeRow", "DetailRow", "Earnings", "EntryRow", "Finding", "MoRow", "PostingRow",
    "Versions", "VolumeRow", "check_accounts", "check_balances", "check_earnings", "check_entries", "check_parts",
    "check_postings", "check_reasons", "check_reserved", "check_sides", "check_single", "check_states",
    "check_versions",
]  # fmt: skip

UNCHARGED = frozenset({"test", "duplicate", "free"})
"""Why an acknowledged MO may have no charge."""

SUMMED = "batch"
"""The kind of entries whose digest is that of their postings; others may have one of what was asked for."""


class EntryRow(NamedTuple):
    """An entry as it is stored."""

    entry_id: int
    digest: str
    kind: str


Movement: TypeAlias = tuple[int, bool, PostingKey, int]
"""(entry id, is a posting, key, amount): what L3 merges."""


def check_postings(postings: Iterable[PostingRow]) -> Iterator[Finding]:
    """L1, row by row: may be fed in pieces."""
    for row in postings:
        where = f"{row.debit} → {row.credit}"
        if row.amount <= 0:
            yield Finding(
                "L1", row.table, row.row, f"{where}: the amount is {format_micros(row.amount)} {row.currency}"
            )
        if (row.debit, row.debit_currency) == (row.credit, row.credit_currency):
            yield Finding("L1", row.table, row.row, f"{where}: both sides are the same account")
        if not row.currency == row.debit_currency == row.credit_currency:
            sentence = f"{where}: {row.currency} between accounts in {row.debit_currency} and {row.credit_currency}"
            yield Finding("L1", row.table, row.row, sentence)


def check_entries(
    charges: Iterable[ChargeRow],
    postings: Iterable[PostingRow],
    details: Iterable[DetailRow] = (),
    entries: Iterable[EntryRow] | None = None,
) -> Iterator[Finding]:
    """L3, over streams that rise by entry id; compared by debit, credit, currency and booked month. With `entries`
    also whether each is there (L4), with the digest of its postings.
    """
    streams = (
        _rising(_of_charges(charges), "charges"),
        _rising(_of_details(details), "details"),
        _rising(_of_postings(postings), "postings"),
    )
    stored = None if entries is None else _Stored(entries)
    for entry_id, movements in groupby(merge(*streams, key=itemgetter(0)), key=itemgetter(0)):
        named: dict[PostingKey, int] = {}
        posted: dict[PostingKey, int] = {}
        for _, is_posting, key, amount in movements:
            side = posted if is_posting else named
            side[key] = side.get(key, 0) + amount
        if stored is not None:
            yield from stored.check(entry_id, posted, is_charged=bool(named))
        if named == posted:
            continue
        for key in sorted(named.keys() | posted.keys()):
            if named.get(key, 0) != posted.get(key, 0):
                yield Finding("L3", "entry", str(entry_id), _differs(key, posted.get(key, 0), named.get(key, 0)))
    if stored is not None:
        yield from stored.rest()


class _Stored:
    """The entries themselves, asked for one by one in their order."""

    def __init__(self, entries: Iterable[EntryRow]) -> None:
        self._entries = iter(entries)
        self._next = next(self._entries, None)
        self._last = 0

    def check(self, entry_id: int, posted: dict[PostingKey, int], *, is_charged: bool) -> Iterator[Finding]:
        """Whether it is there and says what was posted; those before it moved nothing."""
        while self._next is not None and self._next.entry_id < entry_id:
            yield from self._digest({})
        if self._next is None or self._next.entry_id != entry_id:
            who = "charges name it" if is_charged else "postings name it"
            yield Finding("L4" if is_charged else "L3", "entry", str(entry_id), f"{who}, and it is not there")
        else:
            yield from self._digest(posted)

    def rest(self) -> Iterator[Finding]:
        """Those behind the last one that moved something."""
        while self._next is not None:
            yield from self._digest({})

    def _digest(self, posted: dict[PostingKey, int]) -> Iterator[Finding]:
        row = self._next
        assert row is not None
        assert row.entry_id > self._last, f"entries do not rise by their ids: {row.entry_id} after {self._last}"
        self._last, self._next = row.entry_id, next(self._entries, None)
        # What is no posting at all is L1's to find.
        is_sound = all(amount > 0 and debit != credit for (debit, credit, *_), amount in posted.items())
        if row.kind == SUMMED and is_sound:
            postings = tuple(Posting(*key[:3], amount, key[3]) for key, amount in posted.items())
            if Entry("", postings).digest() != row.digest:
                yield Finding("L3", "entry", str(row.entry_id), "its digest is not that of its postings")


def check_states(charges: Iterable[ChargeRow]) -> Iterator[Finding]:
    """L4, row by row: may be fed in pieces."""
    for row in charges:
        state = row.charge.state
        if state == ChargeState.POSTED:
            if not row.entry_id:
                yield Finding("L4", row.table, row.row, "it is posted, but names no entry")
        elif row.entry_id:
            word = ChargeState(state).name.lower() if state in set(ChargeState) else f"in state {state}"
            yield Finding("L4", row.table, row.row, f"it is {word}, but names the entry {row.entry_id}")
        elif state not in {ChargeState.PENDING, ChargeState.VOIDED}:
            yield Finding("L4", row.table, row.row, f"its state {int(state)} is none of pending, posted, voided")


def check_parts(charges: Iterable[ChargeRow]) -> Iterator[Finding]:
    """L5, row by row: may be fed in pieces."""
    for row in charges:
        charge = row.charge
        if charge.state != ChargeState.POSTED:
            continue
        outside = charge.vat + charge.operator_part + charge.suspense
        parts = outside + charge.partner_part + charge.referral_part + charge.ours
        if parts != charge.price:
            sentence = (
                f"the price is {format_micros(charge.price)} {charge.currency}, "
                f"its parts sum to {format_micros(parts)}: vat {format_micros(charge.vat)}, "
                f"operator {format_micros(charge.operator_part)}, partner {format_micros(charge.partner_part)}, "
                f"referral {format_micros(charge.referral_part)}, ours {format_micros(charge.ours)}, "
                f"suspense {format_micros(charge.suspense)}"
            )
            yield Finding("L5", row.table, row.row, sentence)


class Earnings:
    """L6: what partners have by plan version and month, added up; then held against F and the counters."""

    def __init__(self) -> None:
        self._sums: dict[VolumeKey, tuple[int, int]] = {}

    def add(self, charges: Iterable[ChargeRow]) -> None:
        """Some more charges, of any kind, in any order."""
        sums = self._sums
        for row in charges:
            charge = row.charge
            if charge.state == ChargeState.POSTED and (charge.plan_version_id or charge.partner_part):
                key = (charge.partner_id, charge.plan_version_id, charge.month)
                base, partner = sums.get(key, (0, 0))
                sums[key] = (base + charge.base, partner + charge.partner_part)

    def findings(
        self, plan: Callable[[int], PlanVersion | None], counters: Iterable[VolumeRow] | None = None
    ) -> Iterator[Finding]:
        """What does not hold, after all charges were added. Without `counters` the counters are not asked."""
        for (partner_id, plan_id, month), (volume, earnings) in sorted(self._sums.items()):
            name = _volume_name(partner_id, plan_id, month)
            version = plan(plan_id) if plan_id else None
            if version is None:
                yield Finding(
                    "L6", "charge", name, f"{format_micros(earnings)} earned on a plan version that is not there"
                )
                continue
            should = earned(version.tiers_mode, version.tiers, volume)
            if should != earnings:
                sentence = f"earned {format_micros(earnings)}, but F({format_micros(volume)}) = {format_micros(should)}"
                yield Finding("L6", "charge", name, f"{sentence} {version.currency}")
        if counters is not None:
            yield from self._counters(counters)

    def _counters(self, counters: Iterable[VolumeRow]) -> Iterator[Finding]:
        """Counters that do not say what the charges sum to, and sums without a counter."""
        missing = {key for key, (volume, _) in self._sums.items() if volume and key[1]}
        for row in counters:
            key = (row.partner_id, row.plan_version_id, row.month)
            missing.discard(key)
            volume = self._sums.get(key, (0, 0))[0]
            if row.volume != volume:
                sentence = f"the counter says {format_micros(row.volume)}, the charges sum to {format_micros(volume)}"
                yield Finding("L6", row.table, row.row, sentence)
        for key in sorted(missing):
            volume = self._sums[key][0]
            yield Finding("L6", "volume", _volume_name(*key), f"no counter; the charges sum to {format_micros(volume)}")


def check_earnings(
    charges: Iterable[ChargeRow],
    plan: Callable[[int], PlanVersion | None],
    counters: Iterable[VolumeRow] | None = None,
) -> Iterator[Finding]:
    """L6 in one go."""
    earnings = Earnings()
    earnings.add(charges)
    yield from earnings.findings(plan, counters)


def check_reasons(messages: Iterable[MoRow | tuple[int, int, str]]) -> Iterator[Finding]:
    """L10, over every acknowledged MO, row by row: may be fed in pieces."""
    for message_id, state, reason in messages:
        row = str(message_id)
        if state == ChargeState.NONE:
            if not reason:
                yield Finding("L10", "message", row, "no charge, and no reason why none")
            elif reason not in UNCHARGED:
                yield Finding("L10", "message", row, f"no charge, and {reason!r} is no reason for that")
        elif state not in {ChargeState.PENDING, ChargeState.POSTED, ChargeState.VOIDED}:
            yield Finding("L10", "message", row, f"its charge is in state {state}, which is none")
        elif reason in UNCHARGED:
            yield Finding("L10", "message", row, f"charged, though the reason {reason!r} says that it is not")


def check_single(charges: Iterable[tuple[int, int, int, int | None]]) -> Iterator[Finding]:
    """L10, over (charge's id, message's id, kind, state of the message's own charge): may be fed in pieces.

    An MO's charge stands in the MO's row, so a row of its own is a second one, or that of no message.
    """
    for charge_id, message_id, kind, own in charges:
        if own is None:
            yield Finding("L10", "charge", str(charge_id), f"its message {message_id} is not there")
        elif kind == ChargeKind.MO:
            what = "has none, for a reason" if own == ChargeState.NONE else "has its charge already"
            yield Finding("L10", "charge", str(charge_id), f"a charge of kind mo, but the message {message_id} {what}")


def _rising(movements: Iterator[Movement], what: str) -> Iterator[Movement]:
    """The same, sure to rise by entry id: merging is wrong otherwise."""
    last = 0
    for movement in movements:
        assert movement[0] >= last, f"{what} do not rise by entry id: {movement[0]} after {last}"
        last = movement[0]
        yield movement


def _of_charges(charges: Iterable[ChargeRow]) -> Iterator[Movement]:
    for row in charges:
        charge = row.charge
        if row.entry_id:
            for debit, credit, amount in postings_of_charge(charge):
                yield row.entry_id, False, (debit, credit, charge.currency, charge.month), amount


def _of_details(details: Iterable[DetailRow]) -> Iterator[Movement]:
    for row in details:
        yield row.entry_id, False, (row.debit, row.credit, row.currency, row.month), row.amount


def _of_postings(postings: Iterable[PostingRow]) -> Iterator[Movement]:
    for row in postings:
        yield row.entry_id, True, (row.debit, row.credit, row.currency, row.month), row.amount


def _differs(key: PostingKey, posted: int, named: int) -> str:
    debit, credit, currency, month = key
    return (
        f"{debit} → {credit} in {month_text(month)}: posted {format_micros(posted)}, "
        f"its charges and details sum to {format_micros(named)} {currency}"
    )


def _volume_name(partner_id: int, plan_version_id: int, month: Month) -> str:
    return f"partner {partner_id}, plan version {plan_version_id}, {month_text(month)}"
