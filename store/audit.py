"""The rows that the audit reads, streamed from one consistent snapshot (billing.md, section 11).

audit        every invariant in turn → (its name, what it says, its findings)
INVARIANTS   what each says, for a person

One pass over the charges in the order of their entries feeds L3 to L7; postings and messages are read once each.

Rule: it reads and never writes; beside a live service it sees one moment.
"""

from collections.abc import Callable, Iterable, Iterator
from heapq import merge
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import Connection

from core.catalogue import Catalogue
from core.ledger import audit as rules
from core.ledger.audit import AccountTotal, BalanceRow, ChargeRow, Finding, MoRow, PostingRow, Versions, VolumeRow
from core.tariff.charge import Charge, ChargeKind, ChargeState
from store import schema
from store.journal.rows import CHARGE_COLUMNS

INVARIANTS = {
    "L1": "every posting moves an amount above zero between two accounts of one currency",
    "L2": "debits equal credits in every currency",
    "L3": "every entry's postings are the sums of the charges that name it",
    "L4": "every posted charge names one entry, every other none",
    "L5": "the parts of every charge sum to its price",
    "L6": "what partners earned in a month is F(V) of their volume",
    "L7": "every charge made again from its versions is the same",
    "L8": "balances are opening plus postings, none below its floor",
    "L10": "every acknowledged MO has one charge or a reason why none",
}
FINDINGS_MAX = 1000
"""Of one invariant; a ledger with more is read by a person anyway."""
_CHUNK = 1000

Result: TypeAlias = tuple[str, list[Finding]]


def audit(
    connection: Connection, catalogue: Catalogue, say: Callable[[str], None] = lambda line: None
) -> Iterator[Result]:
    """Each invariant with its findings, in order. `say` is told what is being read, for a progress line."""
    versions = versions_of(catalogue)
    say("accounts and postings")
    totals = list(_totals(connection))
    yield "L1", _some(rules.check_postings(_postings(connection)))
    yield "L2", _some(rules.check_sides(totals))
    say("charges")
    earnings = rules.Earnings()
    found: dict[str, list[Finding]] = {"L4": [], "L5": [], "L7": []}

    def watched() -> Iterator[ChargeRow]:
        for row in _charges(connection, catalogue):
            one = (row,)
            found["L4"] += rules.check_states(one)
            found["L5"] += rules.check_parts(one)
            found["L7"] += rules.check_versions(one, versions)
            earnings.add(one)
            yield row

    yield "L3", _some(rules.check_entries(watched(), _postings(connection)))
    yield "L4", found["L4"][:FINDINGS_MAX]
    yield "L5", found["L5"][:FINDINGS_MAX]
    yield "L6", _some(earnings.findings(versions.plan, _volumes(connection)))
    yield "L7", found["L7"][:FINDINGS_MAX]
    say("balances")
    yield "L8", _some(rules.check_balances(_balances(connection), totals))
    say("messages")
    yield "L10", _some(rules.check_reasons(_messages(connection)))


def versions_of(catalogue: Catalogue) -> Versions:
    """Every version that a charge may name, by its id."""
    tariffs = {tariff.id: tariff for versions in catalogue.tariffs.values() for tariff in versions}
    rates = {rate.id: rate for operator in catalogue.operators.values() for rate in operator.vat}
    plans = {version.id: version for plan in catalogue.plans.values() for version in plan.versions}
    terms = {terms.id: terms for partner in catalogue.partners.values() for terms in partner.referral}
    return Versions(tariffs.get, rates.get, plans.get, terms.get)


def _some(findings: Iterable[Finding]) -> list[Finding]:
    """The first of them; the rest is read all the same, since one pass feeds several invariants."""
    kept: list[Finding] = []
    for finding in findings:
        if len(kept) < FINDINGS_MAX:
            kept.append(finding)
    return kept


def _stream(connection: Connection, query: Any) -> Iterator[Any]:
    if connection.dialect.name == "sqlite":
        query = query.execution_options(yield_per=_CHUNK)
    # MariaDB's protocol has room for one open result, and the merge below reads three: there each is read whole.
    return iter(connection.execute(query))


def _charges(connection: Connection, catalogue: Catalogue) -> Iterator[ChargeRow]:
    """Messages' own charges and the others, merged in the order of their entries; those without an entry first."""
    names = _Names(catalogue)
    mo, charge = schema.Mo.__table__, schema.Charge.__table__
    place = sa.func.coalesce
    own = sa.select(
        mo.c.id, mo.c.id.label("message_id"), sa.literal(int(ChargeKind.MO)).label("kind"), mo.c.operator_id,
        mo.c.parts, mo.c.accepted_at, *(mo.c[name] for name in CHARGE_COLUMNS),
    ).where(mo.c.charge_state != int(ChargeState.NONE)).order_by(place(mo.c.entry_id, 0), mo.c.id)  # fmt: skip
    other = (
        sa.select(
            charge.c.id, charge.c.message_id, charge.c.kind, charge.c.operator_id, mo.c.parts, mo.c.accepted_at,
            *(charge.c[name] for name in CHARGE_COLUMNS),
        )
        .join(mo, mo.c.id == charge.c.message_id, isouter=True)
        .order_by(place(charge.c.entry_id, 0), charge.c.id)
    )  # fmt: skip
    streams = (
        (names.charge_row(row, "mo") for row in _stream(connection, own)),
        (names.charge_row(row, "charge") for row in _stream(connection, other)),
    )
    return merge(*streams, key=lambda row: row.entry_id)


class _Names:
    """Ids → the names that accounts have."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._operators = {operator.id: operator.code for operator in catalogue.operators.values()}
        self._partners = {partner.id: partner.login for partner in catalogue.partners.values()}
        self._referrers = {
            terms.id: terms.referrer for partner in catalogue.partners.values() for terms in partner.referral
        }

    def charge_row(self, row: Any, table: str) -> ChargeRow:
        charge = Charge(
            message_id=row.message_id,
            kind=ChargeKind(row.kind),
            state=ChargeState(row.charge_state),
            reason=row.reason,
            currency=row.currency,
            operator=self._operators.get(row.operator_id, f"#{row.operator_id}"),
            partner_id=row.partner_id,
            partner=self._partners.get(row.partner_id, ""),
            # A tier correction names the terms of none: its referral is 0.
            referrer=self._referrers.get(row.referral_id, ""),
            **{name: getattr(row, name) for name in _PLAIN},
            held=bool(row.held),
        )
        return ChargeRow(str(row.id), row.entry_id or 0, charge, row.parts or 1, row.accepted_at or 0, table)


_PLAIN = (
    "price", "vat", "operator_part", "base", "volume_before", "partner_part", "referral_part", "ours", "suspense",
    "tariff_id", "vat_id", "plan_version_id", "referral_id", "referral_before", "month",
)  # fmt: skip


def _postings(connection: Connection) -> Iterator[PostingRow]:
    debit, credit = sa.orm.aliased(schema.Account), sa.orm.aliased(schema.Account)
    posting = schema.Posting
    query = (
        sa.select(
            posting.id, posting.entry_id, debit.address, credit.address, posting.currency, posting.amount,
            posting.month, debit.currency, credit.currency,
        )
        .join(debit, debit.id == posting.debit_id, isouter=True)
        .join(credit, credit.id == posting.credit_id, isouter=True)
        .order_by(posting.entry_id, posting.id)
    )  # fmt: skip
    for id_, entry_id, debit_name, credit_name, currency, amount, month, debit_in, credit_in in _stream(
        connection, query
    ):
        yield PostingRow(
            str(id_), entry_id, debit_name or "?", credit_name or "?", currency, amount, month, debit_in or "?",
            credit_in or "?",
        )  # fmt: skip


def _totals(connection: Connection) -> Iterator[AccountTotal]:
    posting = schema.Posting
    # Sums of 64-bit amounts are exact on both: SQLite adds integers, MariaDB decimals.
    debits = dict(_sums(connection, posting.debit_id))
    credits = dict(_sums(connection, posting.credit_id))
    query = sa.select(schema.Account.id, schema.Account.address, schema.Account.currency).order_by(schema.Account.id)
    for id_, address, currency in connection.execute(query):
        yield AccountTotal(str(id_), address, currency, debits.get(id_, 0), credits.get(id_, 0))


def _sums(connection: Connection, side: Any) -> Iterator[tuple[int, int]]:
    query = sa.select(side, sa.func.sum(schema.Posting.amount)).group_by(side)
    for account_id, amount in connection.execute(query):
        yield account_id, int(amount)


def _volumes(connection: Connection) -> Iterator[VolumeRow]:
    volume = schema.Volume
    query = sa.select(volume.partner_id, volume.plan_version_id, volume.month, volume.volume)
    for partner_id, plan_version_id, month, amount in _stream(connection, query):
        yield VolumeRow(f"{partner_id}/{plan_version_id}/{month}", partner_id, plan_version_id, month, amount)


def _balances(connection: Connection) -> Iterator[BalanceRow]:
    balance, account = schema.Balance, schema.Account
    query = sa.select(
        account.id, account.address, account.currency, balance.opening, balance.amount, balance.floor
    ).join(account, account.id == balance.account_id)
    for id_, address, currency, opening, amount, floor in connection.execute(query):
        yield BalanceRow(str(id_), address, currency, opening, amount, floor)


def _messages(connection: Connection) -> Iterator[MoRow]:
    mo = schema.Mo
    query = sa.select(mo.id, mo.charge_state, mo.reason).order_by(mo.id)
    for row in _stream(connection, query):
        yield MoRow(*row)
