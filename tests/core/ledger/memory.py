"""A ledger in memory: batches with an idempotency key, as the store books them, and its rows for the audit.

Ledger.book   a batch of settlements and details → its postings; a key twice is booked once
Batch         what one entry will hold: facts in their order
findings_of   the whole audit over a ledger
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from core.catalogue import Catalogue, PlanVersion, ReferralTerms, Tariff, VatRate
from core.clock import Instant, Month
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
from core.ledger.details import Detail, DetailKind
from core.ledger.entry import Charge, ChargeKind, ChargeState, Entry, Posting
from core.ledger.facts import sum_postings
from core.ledger.standing import standing_of
from core.message import Settlement
from core.tariff.rate import ReferralKey, VolumeKey, Volumes, rate, referral_key, unrated, volume_key

CREDIT = 2_000_000
"""Everybody's: how far prepaid accounts may go down."""


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
        if self.is_booked(key, content):
            return []
        batch = Batch(self, catalogue)
        for settlement in settlements:
            batch.accept(settlement)
        batch.details += [Detail(DetailKind.ADJUSTED, posting) for posting in details]
        return self.write(key, batch, content)

    def is_booked(self, key: str, content: str) -> bool:
        """Whether the key is there. Raises StoreConflict when it is there with other content."""
        if key not in self.entries:
            return False
        if self.entries[key].digest() != Entry(key, (), content).digest():
            raise StoreConflict("same_key_other_content")
        return True

    def write(self, key: str, batch: "Batch", content: str) -> list[Posting]:
        """The entry of a batch."""
        entry_id = len(self.entries) + 1
        posted = [row.charge for row in batch.rows if row.charge.state == ChargeState.POSTED]
        postings = sum_postings(posted, batch.details)
        for row in batch.rows:
            row.entry_id = entry_id if row.charge.state == ChargeState.POSTED else 0
            if row not in self.charges:
                self.charges.append(row)
        for detail in batch.details:
            p = detail.posting
            self.details.append(DetailRow("detail", entry_id, p.debit, p.credit, p.currency, p.amount, p.month))
        for p in postings:
            row_name = f"{entry_id}/{len(self.postings)}"
            self.postings.append(
                PostingRow(row_name, entry_id, p.debit, p.credit, p.currency, p.amount, p.month, p.currency, p.currency)
            )
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
            BalanceRow(address, address, currency, 0, amount, -CREDIT if address.endswith(":prepaid") else 0)
            for currency, accounts in self.balances().items()
            for address, amount in accounts.items()
            if has_floor(address)
        ]

    def volume_rows(self) -> list[VolumeRow]:
        """The counters of volumes."""
        return [VolumeRow(repr(key), *key, volume) for key, volume in self.volumes.volume.items()]


class Batch:
    """What one entry will hold; facts are added in their order and see what those before them did."""

    def __init__(self, ledger: Ledger, catalogue: Catalogue) -> None:
        self._ledger = ledger
        self._catalogue = catalogue
        self.rows: list[ChargeRow] = []
        self.details: list[Detail] = []

    def accept(self, settlement: Settlement) -> None:
        """An MO."""
        ledger = self._ledger
        one = unrated(settlement, self._catalogue, ledger.first_open_month)
        self.lock(volume_key(one), referral_key(one))
        charges = rate(one, ledger.volumes)
        state = charges[0].state if charges else ChargeState.NONE
        ledger.messages.append(MoRow(one.message_id, state, one.reason))
        self.add(charges, parts=settlement.mo.parts, accepted_at=settlement.mo.accepted_at)

    def lock(self, volume: VolumeKey | None, referral: ReferralKey | None) -> None:
        """Counter rows that are missing are inserted before the locks (billing.md, section 12)."""
        volumes = self._ledger.volumes
        if volume is not None:
            volumes.volume.setdefault(volume, 0)
        if referral is not None:
            volumes.referred.setdefault(referral, 0)

    def add(self, charges: Iterable[Charge], *, parts: int = 1, accepted_at: Instant = 0) -> None:
        """Charges of one message, in their order."""
        for charge in charges:
            name = f"{charge.message_id}/{charge.kind.name}"
            if any(row.row == name for row in self.rows_of(charge.message_id)):
                name += f"/{len(self._ledger.charges) + len(self.rows)}"
            self.rows.append(ChargeRow(name, 0, charge, parts, accepted_at, referral_given=self.given(charge)))

    def rows_of(self, message_id: int) -> list[ChargeRow]:
        """All charges of a message so far."""
        return [row for row in (*self._ledger.charges, *self.rows) if row.charge.message_id == message_id]

    def given(self, charge: Charge) -> int | None:
        """The referral of what a correction takes back."""
        if charge.kind not in {ChargeKind.CHARGE_BACK, ChargeKind.HOLD_REFUSED}:
            return None
        standing = standing_of(row.charge for row in self.rows_of(charge.message_id))
        return None if standing is None else (standing.earning or standing.origin).referral_part


def versions_of(catalogue: Catalogue) -> Versions:
    """The catalogue's versions by id."""
    tariffs: Mapping[int, Tariff] = {t.id: t for t in chain.from_iterable(catalogue.tariffs.values())}
    vats: Mapping[int, VatRate] = {vat.id: vat for operator in catalogue.operators.values() for vat in operator.vat}
    plans: Mapping[int, PlanVersion] = {v.id: v for plan in catalogue.plans.values() for v in plan.versions}
    terms: Mapping[int, ReferralTerms] = {t.id: t for p in catalogue.partners.values() for t in p.referral}
    costs = {cost.id: cost for operator in catalogue.operators.values() for cost in operator.costs}
    return Versions(tariffs.get, vats.get, plans.get, terms.get, costs.get)


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
        *check_balances(ledger.balance_rows(), ledger.totals(), lambda _, limit: limit <= CREDIT),
        *check_reasons(ledger.messages),
    ]
