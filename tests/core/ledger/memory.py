"""A ledger in memory: batches with an idempotency key, as the store books them, and its rows for the audit.

Ledger.book   a batch of settlements and details → its postings; a key twice is booked once
findings_of   the whole audit over a ledger
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from core.catalogue import Catalogue, PlanVersion, ReferralTerms, Tariff, VatRate
from core.clock import Month
from core.errors import StoreConflict
from core.ledger.accounts import balance as balance_of
from core.ledger.accounts import has_floor, kind_of
from core.ledger.audit import (
    AccountTotal,
    BalanceRow,
    ChargeRow,
    DetailRow,
    Finding,
    MoRow,
    PostingRow,
    Versions,
    VolumeRow,
    check_balances,
    check_earnings,
    check_entries,
    check_parts,
    check_postings,
    check_reasons,
    check_sides,
    check_states,
    check_versions,
)
from core.ledger.entry import ChargeState, Entry, Posting
from core.ledger.facts import sum_postings
from core.message import Settlement
from core.tariff.rate import Unrated, Volumes, rate, referral_key, unrated, volume_key


class Ledger:
    """Entries, charges, details, counters. Balances are folded from the postings."""

    def __init__(self, first_open_month: Month = 0) -> None:
        self.first_open_month = first_open_month
        self.entries: dict[str, Entry] = {}
        self.charges: list[ChargeRow] = []
        self.postings: list[PostingRow] = []
        self.details: list[DetailRow] = []
        self.messages: list[MoRow] = []
        self.volumes = Volumes()

    def book(
        self,
        key: str,
        settlements: Sequence[Settlement],
        catalogue: Catalogue,
        *,
        details: Sequence[Posting] = (),
        content: str = "",
    ) -> list[Posting]:
        """Rate a batch and write it under its key. Raises StoreConflict for the same key with other content."""
        content = content or repr([settlement.mo.id for settlement in settlements])
        asked = Entry(key, (), content)
        if key in self.entries:
            if self.entries[key].digest() != asked.digest():
                raise StoreConflict("same_key_other_content")
            return []
        entry_id = len(self.entries) + 1
        postings = self._write(entry_id, settlements, catalogue, details)
        self.entries[key] = Entry(key, tuple(postings), content)
        return postings

    def balances(self) -> dict[str, dict[str, int]]:
        """By currency and address, on the normal side; accounts that never moved are not there."""
        found: dict[str, dict[str, int]] = {}
        for total in self.totals():
            kind = kind_of(total.address)
            found.setdefault(total.currency, {})[total.address] = balance_of(kind, total.debits, total.credits)
        return found

    def totals(self) -> list[AccountTotal]:
        """Debits and credits of every account that moved."""
        sums: dict[tuple[str, str], AccountTotal] = {}

        def total(address: str, currency: str) -> AccountTotal:
            return sums.setdefault((address, currency), AccountTotal(address, address, currency, 0, 0))

        for row in self.postings:
            total(row.debit, row.debit_currency).debits += row.amount
            total(row.credit, row.credit_currency).credits += row.amount
        return list(sums.values())

    def balance_rows(self) -> list[BalanceRow]:
        """The rows of accounts that have a floor."""
        return [
            BalanceRow(address, address, currency, 0, amount, -2_000_000)
            for currency, accounts in self.balances().items()
            for address, amount in accounts.items()
            if has_floor(address)
        ]

    def volume_rows(self) -> list[VolumeRow]:
        """The counters of volumes."""
        return [VolumeRow(repr(key), *key, volume) for key, volume in self.volumes.volume.items()]

    def _write(
        self, entry_id: int, settlements: Sequence[Settlement], catalogue: Catalogue, details: Sequence[Posting]
    ) -> list[Posting]:
        waiting = [unrated(settlement, catalogue, self.first_open_month) for settlement in settlements]
        self._lock(waiting)
        rows: list[ChargeRow] = []
        for settlement, one in zip(settlements, waiting, strict=True):
            charges = rate(one, self.volumes)
            state = charges[0].state if charges else ChargeState.NONE
            self.messages.append(MoRow(one.message_id, state, one.reason))
            for charge in charges:
                entry = entry_id if charge.state == ChargeState.POSTED else 0
                mo = settlement.mo
                rows.append(ChargeRow(f"{mo.id}/{charge.kind.name}", entry, charge, mo.parts, mo.accepted_at))
        postings = sorted(
            (*sum_postings(row.charge for row in rows), *details),
            key=lambda p: (p.debit, p.credit, p.currency, p.month),
        )
        self.charges += rows
        for detail in details:
            self.details.append(
                DetailRow("detail", entry_id, detail.debit, detail.credit, detail.currency, detail.amount, detail.month)
            )
        for p in postings:
            row = f"{entry_id}/{len(self.postings)}"
            self.postings.append(
                PostingRow(row, entry_id, p.debit, p.credit, p.currency, p.amount, p.month, p.currency, p.currency)
            )
        return postings

    def _lock(self, waiting: Iterable[Unrated]) -> None:
        """Counter rows that are missing are inserted before the locks (billing.md, section 12)."""
        for one in waiting:
            volume, referral = volume_key(one), referral_key(one)
            if volume is not None:
                self.volumes.volume.setdefault(volume, 0)
            if referral is not None:
                self.volumes.referred.setdefault(referral, 0)


def versions_of(catalogue: Catalogue) -> Versions:
    """The catalogue's versions by id."""
    tariffs: Mapping[int, Tariff] = {t.id: t for t in chain.from_iterable(catalogue.tariffs.values())}
    vats: Mapping[int, VatRate] = {vat.id: vat for operator in catalogue.operators.values() for vat in operator.vat}
    plans: Mapping[int, PlanVersion] = {v.id: v for plan in catalogue.plans.values() for v in plan.versions}
    terms: Mapping[int, ReferralTerms] = {t.id: t for p in catalogue.partners.values() for t in p.referral}
    return Versions(tariffs.get, vats.get, plans.get, terms.get)


def findings_of(ledger: Ledger, catalogue: Catalogue) -> list[Finding]:
    """The whole audit."""
    versions = versions_of(catalogue)
    by_entry = sorted(ledger.charges, key=lambda row: row.entry_id)
    return [
        *check_postings(ledger.postings),
        *check_sides(ledger.totals()),
        *check_entries(by_entry, ledger.postings, ledger.details),
        *check_states(ledger.charges),
        *check_parts(ledger.charges),
        *check_earnings(ledger.charges, versions.plan, ledger.volume_rows()),
        *check_versions(ledger.charges, versions),
        *check_balances(ledger.balance_rows(), ledger.totals()),
        *check_reasons(ledger.messages),
    ]
