"""The rows that the audit reads, streamed from one consistent snapshot (billing.md, section 11).

audit        every invariant in turn → (its name, its findings)
INVARIANTS   what each says, for a person

Charges, postings and entries are read side by side in the order of their entries, each row once: L3 compares them, all
others watch what passes. What hangs together beyond the ledger is store/audit_journal.py's; closed months and counters
have modules of their own too. Tables are read in pieces
(store/pages.py), and what is kept is a sum for each account, each volume and each folded sum.

Rule: it reads and never writes; beside a live service it sees one moment.
"""

from collections.abc import Callable, Iterable, Iterator
from heapq import merge
from itertools import chain, islice
from typing import Any, TypeAlias, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.orm import aliased

from core.catalogue import Catalogue
from core.ledger import audit as rules
from core.ledger.audit import (
    AccountTotal,
    BalanceRow,
    ChargeRow,
    DetailRow,
    EntryRow,
    Finding,
    PostingRow,
    Versions,
    VolumeRow,
)
from core.message import MtKind, MtState
from core.money import parse_micros
from core.tariff.charge import ChargeKind, ChargeState
from store import schema
from store.audit_counters import CountersCheck
from store.audit_journal import check_names, check_seconds, check_waiting
from store.audit_months import MonthsCheck
from store.charges import CHARGE_COLUMNS, ChargeReader, kind_of_number
from store.daily import DailyCheck, premium_code
from store.folding import FoldedCheck
from store.pages import Query, pages

INVARIANTS = {
    "L1": "every posting moves an amount above zero between two accounts of one currency, which are of the chart",
    "L2": "debits equal credits in every currency",
    "L3": "every entry's postings are the sums of the charges that name it, and make its digest",
    "L4": "every posted charge names one entry, which is there; every other none",
    "L5": "the parts of every charge sum to its price",
    "L6": "what partners earned in a month is F(V) of their volume",
    "L7": "every charge made again from its versions is the same",
    "L8": "balances are opening plus postings, none below its floor, and no floor below a credit limit",
    "L9": "what partners have set aside is reserved by messages that are on their way",
    "L10": "every acknowledged MO has one charge or a reason why none; nothing else has one of its own",
    "L11": "a frozen month's totals equal those frozen",
    "L12": "statement lines sum to the account's movement, and their numbers have no gap",
    "counters": "counters of parts and of what referrers were given are the sums of what they counted",
    "journal": "calls, replies, repeats and joined parts belong to a message that is there",
    "parts": "no part of a long message waits far beyond its time",
    "folded": "the folded sums of accounts are those of their postings",
    "daily": "the daily sums of the reports are those of the charges and details",
}
FINDINGS_MAX = 1000
"""Of one invariant; a ledger with more is read by a person anyway."""
_CHUNK = 500
"""Rows that a rule is handed at once."""

Result: TypeAlias = tuple[str, list[Finding]]
T = TypeVar("T")


def audit(
    connection: Connection, catalogue: Catalogue, say: Callable[[str], None] = lambda line: None
) -> Iterator[Result]:
    """Each invariant with its findings, in order. `say` is told what is being read, for a progress line."""
    versions = versions_of(catalogue)
    ledger = _Ledger(connection, catalogue, versions)
    say("charges and postings")
    for finding in rules.check_entries(ledger.charges(), ledger.postings(), ledger.details(), _entries(connection)):
        ledger.keep(finding.check, (finding,))
    ledger.keep("L10", check_seconds(connection))
    say("calls, replies, repeats and parts")
    ledger.keep("journal", check_names(connection))
    ledger.keep("parts", check_waiting(connection, catalogue.links.values()))
    say("volumes and balances")
    ledger.keep("L1", rules.check_accounts(ledger.accounts.rows(), catalogue.partners, catalogue.operators))
    ledger.keep("L2", rules.check_sides(ledger.totals()))
    ledger.keep("L6", ledger.earnings.findings(versions.plan, _volumes(connection)))
    ledger.keep("L8", rules.check_balances(_balances(connection), ledger.totals(), _Limits(connection, catalogue)))
    ledger.keep("L9", rules.check_reserved(_reserved(connection, ledger.login), ledger.totals()))
    ledger.keep("L11", ledger.months.frozen(ledger.accounts.name))
    ledger.keep("L12", ledger.months.statements(ledger.accounts.names))
    ledger.keep("counters", ledger.counters.findings())
    ledger.keep("folded", ledger.folded.findings(connection, ledger.accounts.address))
    ledger.keep("daily", ledger.daily.findings())
    yield from ((name, ledger.found[name]) for name in INVARIANTS)


def versions_of(catalogue: Catalogue) -> Versions:
    """Every version that a charge may name, by its id."""
    tariffs = {tariff.id: tariff for versions in catalogue.tariffs.values() for tariff in versions}
    rates = {rate.id: rate for operator in catalogue.operators.values() for rate in operator.vat}
    plans = {version.id: version for plan in catalogue.plans.values() for version in plan.versions}
    terms = {terms.id: terms for partner in catalogue.partners.values() for terms in partner.referral}
    costs = {cost.id: cost for operator in catalogue.operators.values() for cost in operator.costs}
    return Versions(tariffs.get, rates.get, plans.get, terms.get, costs.get)


class _Ledger:
    """Charges and postings as they pass, once each, and what was found wrong with them."""

    def __init__(self, connection: Connection, catalogue: Catalogue, versions: Versions) -> None:
        self._connection = connection
        self._names = ChargeReader(catalogue)
        self._versions = versions
        self.accounts = _Accounts(connection)
        self.earnings = rules.Earnings()
        self.folded = FoldedCheck(connection)
        self.months = MonthsCheck(connection, catalogue)
        self.counters = CountersCheck(connection, catalogue)
        self.daily = DailyCheck(connection, catalogue.operators.values())
        self.found: dict[str, list[Finding]] = {name: [] for name in INVARIANTS}

    def keep(self, name: str, findings: Iterable[Finding]) -> None:
        """The first of them; the rest is looked for all the same, since one pass feeds several invariants."""
        kept = self.found[name]
        for finding in findings:
            if len(kept) < FINDINGS_MAX:
                kept.append(finding)

    def charges(self) -> Iterator[ChargeRow]:
        """All charges in the order of their entries, those without one first."""
        charges = merge(self._messages(), self._others(), key=lambda row: row.entry_id)
        for some in _chunks(charges):
            self.keep("L4", rules.check_states(some))
            self.keep("L5", rules.check_parts(some))
            self.keep("L7", rules.check_versions(some, self._versions))
            self.earnings.add(some)
            self.counters.add(some)
            self.keep("daily", self.daily.add(some))
            yield from some

    def postings(self) -> Iterator[PostingRow]:
        """All postings in the order of their entries."""
        posting = schema.Posting
        query = sa.select(
            posting.entry_id, posting.id, posting.debit_id, posting.credit_id, posting.currency, posting.amount,
            posting.month,
        )  # fmt: skip
        name_of, count = self.accounts.name, self.accounts.count
        for some in _chunks(pages(self._connection, query, (posting.entry_id, posting.id))):
            rows = []
            for entry_id, id_, debit_id, credit_id, currency, amount, month in some:
                count(debit_id, credit_id, amount)
                self.folded.add(id_, debit_id, credit_id, month, amount)
                self.months.add(debit_id, credit_id, month, amount)
                (debit, debit_in), (credit, credit_in) = name_of(debit_id), name_of(credit_id)
                rows.append(PostingRow(str(id_), entry_id, debit, credit, currency, amount, month, debit_in, credit_in))
            self.keep("L1", rules.check_postings(rows))
            yield from rows

    def login(self, partner_id: int) -> str:
        """A partner's."""
        return self._names.login(partner_id)

    def totals(self) -> Iterator[AccountTotal]:
        """What was posted on each account, after all postings have passed."""
        return self.accounts.totals()

    def _messages(self) -> Iterator[ChargeRow]:
        """Messages' own charges. L10 sees every message, those without a charge too."""
        mo = schema.Mo
        columns = (getattr(mo, name) for name in CHARGE_COLUMNS)
        query = sa.select(*columns, mo.short_code, mo.service_id, mo.parts, mo.accepted_at)
        for some in _chunks(_by_entry(self._connection, query, mo)):
            self.keep("L10", rules.check_reasons((row[1], row[2], row[3]) for row in some))
            for row in some:
                came_in = (row[4], row[-4], row[-3])
                if row[2] != ChargeState.NONE:
                    charge = self._names.charge(row, message_id=row[1], kind=ChargeKind.MO)
                    yield ChargeRow(str(row[1]), row[0] or 0, charge, row[-2], row[-1], "mo", None, came_in)
                else:
                    self.daily.add_free((*came_in, row[-2]), row[1])

    def _others(self) -> Iterator[ChargeRow]:
        """Charges that are rows of their own."""
        mo, mt, charge = schema.Mo, schema.Mt, schema.Charge
        columns = (getattr(charge, name) for name in CHARGE_COLUMNS)
        parts = sa.func.coalesce(mo.parts, mt.parts, 1)
        accepted_at = sa.func.coalesce(mo.accepted_at, mt.created_at, 0)
        short_code, service_id = sa.func.coalesce(mo.short_code, premium_code(), ""), sa.func.coalesce(mo.service_id, 0)
        query = sa.select(
            *columns, charge.message_id, charge.kind, short_code, service_id, parts, accepted_at, _referral_given()
        )
        query = query.join(mo, mo.id == charge.message_id, isouter=True)
        query = query.join(mt, mt.id == charge.message_id, isouter=True)
        for row in _by_entry(self._connection, query, charge):
            *_, message_id, kind, code, service, of_parts, at, given = row
            made = self._names.charge(row, message_id=message_id, kind=kind_of_number(kind))
            came_in = (row[4], code, service)
            yield ChargeRow(str(row[1]), row[0] or 0, made, of_parts, at, "charge", given, came_in)

    def details(self) -> Iterator[DetailRow]:
        """All details in the order of their entries."""
        detail = schema.Detail
        query = sa.select(
            detail.entry_id, detail.id, detail.debit_id, detail.credit_id, detail.currency, detail.amount, detail.month,
            detail.kind, detail.message_id, detail.partner_id,
        )  # fmt: skip
        address = self.accounts.address
        for entry_id, id_, debit_id, credit_id, currency, amount, month, *about in pages(
            self._connection, query, (detail.entry_id, detail.id)
        ):
            row = DetailRow(str(id_), entry_id, address(debit_id), address(credit_id), currency, amount, month)
            self.daily.add_detail(row, *about)
            yield row


def _referral_given() -> sa.ColumnElement[int | None]:
    """The referral of what a charge takes back: of its assignment or premium MT, or of the MO itself."""
    charge, other = schema.Charge, aliased(schema.Charge)
    earned_by = (int(ChargeKind.ASSIGNED), int(ChargeKind.PREMIUM_MT))
    latest = (
        sa.select(other.referral_part)
        .where(other.message_id == charge.message_id, other.kind.in_(earned_by), other.id < charge.id)
        .order_by(other.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    taken_back = charge.kind.in_((int(ChargeKind.CHARGE_BACK), int(ChargeKind.HOLD_REFUSED)))
    return sa.case((taken_back, sa.func.coalesce(latest, schema.Mo.referral_part)))


def _by_entry(connection: Connection, query: Query, table: type[schema.Mo] | type[schema.Charge]) -> Iterator[Any]:
    """Rows with charge columns: those without an entry, then the others by their entries."""
    return chain(
        pages(connection, query.where(table.entry_id.is_(None)), (table.id,)),
        pages(connection, query.where(table.entry_id.is_not(None)), (table.entry_id, table.id)),
    )


def _chunks(rows: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(rows)
    while some := list(islice(iterator, _CHUNK)):
        yield some


class _Accounts:
    """Every account: its name, and what is posted on it as the postings pass."""

    def __init__(self, connection: Connection) -> None:
        account = schema.Account
        query = sa.select(account.id, account.address, account.currency)
        self.names = {id_: (address, currency) for id_, address, currency in pages(connection, query, (account.id,))}
        self._debits: dict[int, int] = {}
        self._credits: dict[int, int] = {}

    def name(self, account_id: int) -> tuple[str, str]:
        """(address, currency)."""
        return self.names.get(account_id, ("?", "?"))

    def address(self, account_id: int) -> str:
        """Its address."""
        return self.name(account_id)[0]

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """(row, address, currency) of each."""
        return ((str(id_), address, currency) for id_, (address, currency) in self.names.items())

    def count(self, debit_id: int, credit_id: int, amount: int) -> None:
        """One more posting."""
        self._debits[debit_id] = self._debits.get(debit_id, 0) + amount
        self._credits[credit_id] = self._credits.get(credit_id, 0) + amount

    def totals(self) -> Iterator[AccountTotal]:
        """What was posted on each."""
        for id_, (address, currency) in self.names.items():
            debits, credits = self._debits.get(id_, 0), self._credits.get(id_, 0)
            yield AccountTotal(str(id_), address, currency, debits, credits)


def _reserved(connection: Connection, login: Callable[[int], str]) -> Iterator[tuple[str, str, int]]:
    """What outgoing SMS that are paid and not final have set aside, by partner and currency."""
    mt = schema.Mt
    on_their_way = mt.state.in_([int(state) for state in MtState if not state.is_final])
    query = sa.select(mt.partner_id, mt.currency, sa.func.sum(mt.price))
    query = query.where(on_their_way, mt.kind == int(MtKind.STANDARD)).group_by(mt.partner_id, mt.currency)
    for partner_id, currency, amount in connection.execute(query):
        yield login(partner_id), currency, int(amount)


def _entries(connection: Connection) -> Iterator[EntryRow]:
    entry = schema.Entry
    for row in pages(connection, sa.select(entry.id, entry.digest, entry.kind), (entry.id,)):
        yield EntryRow(*row)


def _volumes(connection: Connection) -> Iterator[VolumeRow]:
    volume = schema.Volume
    key = (volume.partner_id, volume.plan_version_id, volume.month)
    for partner_id, plan_version_id, month, amount in pages(connection, sa.select(*key, volume.volume), key):
        yield VolumeRow(f"{partner_id}/{plan_version_id}/{month}", partner_id, plan_version_id, month, amount)


class _Limits:
    """Credit limits that partners had: those of the catalogue, and those before, which its log tells: all that it says
    of partners is read, in one pass.
    """

    def __init__(self, connection: Connection, catalogue: Catalogue) -> None:
        self._connection = connection
        self._highest = {login: partner.credit_limit for login, partner in catalogue.partners.items()}
        self._has_read_log = False

    def __call__(self, login: str, limit: int) -> bool:
        """Whether a partner ever had so high a one. The log is read when the present one is lower, once."""
        if limit > self._highest.get(login, 0) and not self._has_read_log:
            self._read_log()
        return limit <= self._highest.get(login, 0)

    def _read_log(self) -> None:
        self._has_read_log = True
        log = schema.AuditLog
        query = sa.select(log.id, log.key, log.before, log.after).where(log.subject == "partner")
        for _, login, *values in pages(self._connection, query, (log.id,)):
            limits = [parse_micros(told["credit_limit"]) for told in values if told and "credit_limit" in told]
            self._highest[login] = max([self._highest.get(login, 0), *limits])


def _balances(connection: Connection) -> Iterator[BalanceRow]:
    balance, account = schema.Balance, schema.Account
    query = sa.select(
        balance.account_id, account.address, account.currency, balance.opening, balance.amount, balance.floor
    ).join(account, account.id == balance.account_id)
    for id_, address, currency, opening, amount, floor in pages(connection, query, (balance.account_id,)):
        yield BalanceRow(str(id_), address, currency, opening, amount, floor)
