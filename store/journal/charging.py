"""Outgoing SMS and money, inside the journal's transaction (billing.md, sections 3, 6 and 12).

Charging    of one journal
  begin     MT that somebody pays: priced and reserved, or pending; refused where plan, tariff or balance say no
  settle    MT that moved: what is charged, what goes back, what they cost us

What costs nobody anything is passed over without asking the database: a free reply over an operator that takes
nothing for it.

Rule: the end of an MT is settled in the transaction that writes it, once. What follows another end (a late receipt, a
centre that took back what it says has failed) charges only what was not charged before, and returns nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.catalogue import Catalogue
from core.clock import Instant, Month, month_of
from core.ledger.accounts import prepaid, reserved
from core.ledger.details import About, Detail, DetailKind, moved
from core.message import MtKind, MtState
from core.report import Sums, sums_of
from core.tariff.charge import Charge
from core.tariff.outgoing import (
    charge_cost,
    charge_standard,
    is_chargeable,
    parts_sent,
    premium_pending,
    price_standard,
)
from core.tariff.rate import NO_TARIFF, VolumeKey
from store.accounts import Accounts
from store.bulk import bulk_insert
from store.floors import Floors, floors_of
from store.journal.booking import first_open_month, lock_parts, write_entry, write_parts
from store.journal.facts import AlertFact, Moved, NewMtFact
from store.journal.premium import Premiums
from store.journal.rows import ALERT_COLUMNS, CORRECTION_COLUMNS, alert_row, charge_row
from store.schema import Alert, MtPart
from store.schema import Charge as ChargeTable
from store.schema import Mt as MtTable

NO_PRICE = "no_price"
"""The partner's plan has no price for outgoing SMS, or it has no plan."""
OVERDRAWN = "overdrawn"
BOOKS = "books"
"""The kind of alerts about money that ought to be there."""


@dataclass(slots=True)
class _Batch:
    """What one entry will hold."""

    charges: list[tuple[Charge, Any]] = field(default_factory=list)
    details: list[Detail] = field(default_factory=list)


class Charging:
    """Of one journal. `next_id` gives ids of entries and charges; `sums` are those of the batch at hand."""

    def __init__(self, accounts: Accounts, next_id: Callable[[Instant], int]) -> None:
        self._accounts = accounts
        self._next_id = next_id
        self._names: _Names | None = None

    def begin(self, connection: Connection, facts: Sequence[NewMtFact], catalogue: Catalogue, sums: Sums) -> None:
        """Fill in prices, or why one is refused; reserve, and write down what is pending. Before they are inserted."""
        paid = [fact for fact in facts if fact.mt.kind is not MtKind.FREE]
        if not paid:
            return
        names = self._names_of(catalogue)
        first_open = first_open_month(connection)
        standard = [fact for fact in paid if fact.mt.kind is MtKind.STANDARD]
        if standard:
            self._reserve(connection, standard, names, first_open)
        pending = [
            charge for fact in paid if fact.mt.kind is MtKind.PREMIUM if (charge := _pending(fact, names, first_open))
        ]
        if pending:
            self._insert(connection, pending, names, entry_id=0, at=pending[0][1].created_at, sums=sums)

    def settle(self, connection: Connection, moves: Sequence[Moved], catalogue: Catalogue, sums: Sums) -> None:
        """Charge, return and cost what moved. Behind the moves themselves."""
        names = self._names_of(catalogue)
        concerned = [move for move in moves if names.concerns(move)]
        if not concerned:
            return
        rows = _rows_of(connection, {move.mt_id for move in concerned})
        pieces = _pieces_of(connection, {move.mt_id for move in concerned if names.may_cost(move)})
        first_open = first_open_month(connection)
        batch = _Batch()
        premium = [(move, rows[move.mt_id]) for move in concerned if move.kind is MtKind.PREMIUM]
        if premium:
            premiums = Premiums(connection, self._accounts, catalogue, self._next_id, first_open)
            batch.charges += premiums.settle(premium, sums)
        for move in concerned:
            row = rows[move.mt_id]
            if move.kind is MtKind.STANDARD and move.new.is_final and not move.old.is_final:
                _end_standard(batch, move, row, names, first_open)
            cost = _cost(move, row, names, first_open, pieces.get(row.id))
            if cost is not None:
                batch.charges.append((cost, row))
        self._book(connection, batch, names, at=concerned[-1].at, sums=sums)

    def _reserve(self, connection: Connection, facts: Sequence[NewMtFact], names: "_Names", first_open: Month) -> None:
        """Price in order, by the parts counted so far; what passes the floor is refused and changes nothing."""
        wanted: list[tuple[NewMtFact, VolumeKey]] = []
        for fact in facts:
            key = names.volume_of(fact, first_open)
            if key is None:
                fact.refused = NO_PRICE
            else:
                wanted.append((fact, key))
        if not wanted:
            return
        counted = lock_parts(connection, self._accounts, sorted({key for _, key in wanted}))
        floors = Floors(connection, self._accounts, floors_of(names.catalogue))
        logins = {(names.partner(fact.mt.partner_id), fact.mt.currency) for fact, _ in wanted}
        floors.load((account(login), currency) for login, currency in logins for account in (prepaid, reserved))
        details: list[Detail] = []
        for fact, key in wanted:
            details += self._reserve_one(fact, key, counted, floors, names)
        write_parts(connection, counted)
        floors.write()
        if details:
            at = facts[0].mt.created_at
            write_entry(connection, self._accounts, (), entry_id=self._next_id(at), at=at, details=details)

    def _reserve_one(
        self, fact: NewMtFact, key: VolumeKey, counted: dict[VolumeKey, int], floors: Floors, names: "_Names"
    ) -> list[Detail]:
        mt, login = fact.mt, names.partner(fact.mt.partner_id)
        plan = names.plans[key[1]]
        price = price_standard(plan.mt_price, counted[key], mt.parts)
        assert price is not None, plan
        if floors.available((prepaid(login), mt.currency)) < price:
            fact.refused = OVERDRAWN
            return []
        mt.price, mt.plan_version_id, mt.parts_before = price, plan.id, counted[key]
        counted[key] += mt.parts
        floors.post(prepaid(login), reserved(login), mt.currency, price)
        return moved(
            DetailKind.RESERVED, prepaid(login), reserved(login), price, currency=mt.currency, month=key[2],
            about=About(mt.id, mt.partner_id),
        )  # fmt: skip

    def _book(self, connection: Connection, batch: _Batch, names: "_Names", *, at: Instant, sums: Sums) -> None:
        if not batch.charges and not batch.details:
            return
        entry_id = self._next_id(at)
        postings = {
            (account, currency)
            for currency, login in names.touched(batch.details, [charge for charge, _ in batch.charges])
            for account in (prepaid(login), reserved(login))
        }
        floors = Floors(connection, self._accounts, floors_of(names.catalogue))
        floors.load(postings)
        entry = write_entry(
            connection, self._accounts, [charge for charge, _ in batch.charges], entry_id=entry_id, at=at,
            details=batch.details,
        )  # fmt: skip
        for p in entry.postings:
            # What was set aside is there. Where it is not, the message has ended all the same, and so have the others.
            floors.post(p.debit, p.credit, p.currency, p.amount, must=True)
        floors.write()
        for address, currency in sorted(floors.below):
            _tell_of(connection, address, currency, at)
        self._insert(connection, batch.charges, names, entry_id=entry_id, at=at, sums=sums)

    def _insert(
        self,
        connection: Connection,
        charges: Iterable[tuple[Charge, Any]],
        names: "_Names",
        *,
        entry_id: int,
        at: Instant,
        sums: Sums,
    ) -> None:
        rows, placed = [], []
        for charge, mt in charges:
            own_id = self._next_id(at)
            operator_id = names.catalogue.operators[charge.operator].id
            rows.append((own_id, charge.message_id, int(charge.kind), operator_id, at, *charge_row(charge, entry_id)))
            code = mt.source if mt.kind == MtKind.PREMIUM else ""
            placed.append(((operator_id, code, 0, mt.parts), charge, own_id))
        bulk_insert(connection, ChargeTable, CORRECTION_COLUMNS, rows)
        sums_of(placed, entry_id or rows[0][0], sums)

    def _names_of(self, catalogue: Catalogue) -> "_Names":
        if self._names is None or self._names.catalogue is not catalogue:
            self._names = _Names(catalogue)
        return self._names


class _Names:
    """A catalogue by ids."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.operators = {operator.id: operator for operator in catalogue.operators.values()}
        self.plans = {version.id: version for plan in catalogue.plans.values() for version in plan.versions}
        self._logins = {partner.id: partner.login for partner in catalogue.partners.values()}
        self._costly = {operator.id for operator in catalogue.operators.values() if operator.costs}

    def partner(self, partner_id: int) -> str:
        """Its login; "" for one that this catalogue does not know."""
        return self._logins.get(partner_id, "")

    def concerns(self, move: Moved) -> bool:
        """Somebody pays, or the operator takes something for it."""
        return move.kind is not MtKind.FREE or self.may_cost(move)

    def may_cost(self, move: Moved) -> bool:
        """Its operator takes something for one that has ended."""
        return move.new.is_final and move.operator_id in self._costly

    def volume_of(self, fact: NewMtFact, first_open: Month) -> VolumeKey | None:
        """The counter of a partner's outgoing SMS; fills in the currency. None where it has no price."""
        mt = fact.mt
        login = self.partner(mt.partner_id)
        if not login:
            return None
        mt.currency = self.catalogue.partners[login].currency
        plan = self.catalogue.plan_at(login, mt.currency, mt.source, mt.created_at)
        if plan is None or not plan.mt_price:
            return None
        return mt.partner_id, plan.id, max(month_of(mt.created_at, plan.time_zone), first_open)

    def touched(self, details: Iterable[Detail], charges: Iterable[Charge]) -> set[tuple[str, str]]:
        """(currency, login) of partners whose prepaid money moves."""
        found = {(detail.posting.currency, self.partner(detail.about.partner_id)) for detail in details}
        return found | {(charge.currency, charge.partner) for charge in charges if charge.partner}


def _tell_of(connection: Connection, address: str, currency: str, at: Instant) -> None:
    """Ask a person to look, unless somebody is asked already."""
    sentence = f"it did not hold the {currency} that messages on their way have set aside; run: tollbridge check"
    row = alert_row(AlertFact(BOOKS, address, sentence, at))
    same = sa.select(Alert.id).where(
        Alert.kind == BOOKS, Alert.subject == row[2], Alert.sentence == row[3], Alert.resolved_at.is_(None)
    )
    if connection.execute(same).first() is None:
        bulk_insert(connection, Alert, ALERT_COLUMNS, [row])


def _rows_of(connection: Connection, ids: set[int]) -> dict[int, Any]:
    columns = (
        MtTable.id, MtTable.partner_id, MtTable.operator_id, MtTable.link_id, MtTable.source, MtTable.parts,
        MtTable.created_at, MtTable.submitted_at, MtTable.kind, MtTable.price, MtTable.currency,
        MtTable.plan_version_id, MtTable.parts_before,
    )  # fmt: skip
    found = connection.execute(sa.select(*columns).where(MtTable.id.in_(sorted(ids))))
    return {row.id: row for row in found}


def _pieces_of(connection: Connection, ids: set[int]) -> dict[int, int]:
    """Of MT that were sent in several pieces how many their operators have, or may have: those with an id, and those
    without an answer. What was refused, or not sent any more, has neither.
    """
    if not ids:
        return {}
    got = sa.case((sa.or_(MtPart.key != "", MtPart.state == int(MtState.UNKNOWN)), 1), else_=0)
    query = sa.select(MtPart.mt_id, sa.func.sum(got)).where(MtPart.mt_id.in_(sorted(ids))).group_by(MtPart.mt_id)
    return {mt_id: int(count) for mt_id, count in connection.execute(query.having(sa.func.count() > 1))}


def _pending(fact: NewMtFact, names: _Names, first_open: Month) -> tuple[Charge, Any] | None:
    """The charge of a premium MT, which waits for its receipt; None when the fact is refused."""
    mt, catalogue = fact.mt, names.catalogue
    operator = names.operators.get(mt.operator_id)
    code = operator.code if operator is not None else ""
    tariff = catalogue.tariff_at(mt.source, code, mt.created_at)
    vat = catalogue.vat_at(code, mt.created_at) if code else None
    if tariff is None or vat is None or tariff.charges != "mt":
        fact.refused = NO_TARIFF
        return None
    month = max(month_of(mt.created_at), first_open)
    mt.price, mt.currency = 0, tariff.currency
    return premium_pending(mt.id, mt.partner_id, names.partner(mt.partner_id), code, tariff, vat, mt.parts, month), mt


def _end_standard(batch: _Batch, move: Moved, row: Any, names: _Names, first_open: Month) -> None:
    """Out of what was reserved: charged, or back to the partner."""
    plan, login = names.plans[row.plan_version_id], names.partner(row.partner_id)
    month = max(month_of(row.created_at, plan.time_zone), first_open)
    if is_chargeable(plan.mt_on, move.new, was_submitted=bool(row.submitted_at)):
        charge = charge_standard(
            message_id=row.id,
            partner_id=row.partner_id,
            partner=login,
            operator=names.operators[row.operator_id].code,
            plan=plan,
            price=row.price,
            parts_before=row.parts_before,
            month=month,
        )
        batch.charges.append((charge, row))
        return
    batch.details += moved(
        DetailKind.RELEASED, reserved(login), prepaid(login), row.price, currency=row.currency, month=month,
        about=About(row.id, row.partner_id, reason=move.new.name.lower()),
    )  # fmt: skip


def _cost(move: Moved, row: Any, names: _Names, first_open: Month, pieces: int | None) -> Charge | None:
    """What the operator takes for it, by its own rule; after another end only what was not charged then."""
    operator = names.operators.get(row.operator_id)
    if operator is None or not move.new.is_final or move.gave_up:
        return None
    cost = names.catalogue.cost_at(operator.code, row.created_at)
    if cost is None:
        return None
    was_submitted = bool(row.submitted_at)
    if not is_chargeable(cost.cost_on, move.new, was_submitted=was_submitted):
        return None
    if move.old.is_final and is_chargeable(cost.cost_on, move.old, was_submitted=was_submitted):
        return None
    month = max(month_of(row.created_at), first_open)
    return charge_cost(
        cost, message_id=row.id, operator=operator.code, currency=operator.currency,
        parts=parts_sent(pieces, row.parts), month=month,
    )  # fmt: skip
