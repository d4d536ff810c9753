"""What becomes of messages' money later, in the store: loaded and locked, decided by core.ledger.corrections, booked.

Messages      the messages of one act: `load` locks them; charge_back, refuse_hold, release_hold, assign

Rule: a message's own row is locked before it is looked at, MO before premium MT and both in the order of ids, so that
two people never take the same money back twice; then the counters, as intake does (billing.md, section 12).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.catalogue import Catalogue, PlanVersion
from core.clock import Instant, Month, month_of
from core.ledger import corrections as facts
from core.ledger.corrections import Corrected, Refused
from core.ledger.details import DetailKind
from core.ledger.entry import Charge
from core.ledger.standing import SETTLING, Place, Settled, Standing, standing_of
from core.message import MtKind
from core.tariff.charge import ChargeKind
from core.tariff.rate import Volumes
from store.accounts import Accounts
from store.charges import CHARGE_COLUMNS, ChargeReader, kind_of_number
from store.journal.booking import first_open_month, load_counters, write_counters
from store.schema import Account, Detail, Mo, Mt
from store.schema import Charge as ChargeTable

NOBODY: Mapping[int, str] = MappingProxyType({})
_AT_ONCE = 500
"""Messages in one statement."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A message that is locked: where its money is, and what a partner's plan is looked up by."""

    standing: Standing
    short_code: str
    accepted_at: Instant


def noted(one: Loaded, amounts: Settled) -> Loaded:
    """The same, with what was booked with the operator for it."""
    before = one.standing.settled
    settled = {kind: before.get(kind, 0) + amounts.get(kind, 0) for kind in before.keys() | amounts.keys()}
    return replace(one, standing=replace(one.standing, settled=settled))


class Messages:
    """The messages of one act, in the caller's transaction. What they move is written by `close`.

    A rehearsal hands in `volumes` of its own, and neither locks nor closes.
    """

    def __init__(
        self,
        connection: Connection,
        accounts: Accounts,
        catalogue: Catalogue,
        *,
        at: Instant,
        volumes: Volumes | None = None,
    ) -> None:
        self._connection = connection
        self._accounts = accounts
        self._catalogue = catalogue
        self._at = at
        self._first_open = first_open_month(connection)
        self._volumes = Volumes() if volumes is None else volumes
        self._referred_before: dict[tuple[int, str], int] = {}
        self._plans = {version.id: version for plan in catalogue.plans.values() for version in plan.versions}
        self.loaded: dict[int, Loaded] = {}

    def load(self, ids: Iterable[int]) -> dict[int, Loaded]:
        """Lock MO and premium MT and see where their money is; an id of a message without such a charge is left out."""
        wanted = sorted(set(ids) - self.loaded.keys())
        reader = ChargeReader(self._catalogue)
        for start in range(0, len(wanted), _AT_ONCE):
            self._load(wanted[start : start + _AT_ONCE], reader)
        return self.loaded

    def _load(self, ids: Sequence[int], reader: ChargeReader) -> None:
        columns = (*(getattr(Mo, name) for name in CHARGE_COLUMNS), Mo.short_code, Mo.accepted_at)
        own = sa.select(*columns).where(Mo.id.in_(ids)).order_by(Mo.id).with_for_update()
        rows = self._connection.execute(own).all()
        sent = self._premium([id_ for id_ in ids if id_ not in {row.id for row in rows}])
        later = self._charges(ids, reader)
        settled = self._settled(ids)
        released = sa.select(Detail.message_id).where(
            Detail.message_id.in_(ids), Detail.kind == DetailKind.HOLD_RELEASED.value
        )
        let_go = set(self._connection.execute(released).scalars())
        for row in rows:
            own_charge = reader.charge(row, message_id=row.id, kind=ChargeKind.MO)
            charges = [own_charge, *later.get(row.id, [])] if row.charge_state else []
            self._keep(row.id, standing_of(charges, released=row.id in let_go), row.short_code, row.accepted_at)
        for row in sent:
            self._keep(row.id, standing_of(later.get(row.id, [])), row.source, row.created_at)
        for id_, amounts in settled.items():
            self.note(id_, amounts)

    def _premium(self, ids: Sequence[int]) -> Sequence[Any]:
        """MT that their subscriber pays, locked."""
        if not ids:
            return ()
        query = sa.select(Mt.id, Mt.source, Mt.created_at).where(Mt.id.in_(ids), Mt.kind == int(MtKind.PREMIUM))
        return self._connection.execute(query.order_by(Mt.id).with_for_update()).all()

    def _charges(self, ids: Sequence[int], reader: ChargeReader) -> dict[int, list[Charge]]:
        """What the table `charge` has of them, in the order in which it was made; not what an MT costs us."""
        found: dict[int, list[Charge]] = {}
        columns = (*(getattr(ChargeTable, name) for name in CHARGE_COLUMNS), ChargeTable.message_id, ChargeTable.kind)
        query = sa.select(*columns).where(ChargeTable.message_id.in_(ids), ChargeTable.kind != int(ChargeKind.MT_COST))
        for row in self._connection.execute(query.order_by(ChargeTable.id)):
            charge = reader.charge(row, message_id=row.message_id, kind=kind_of_number(row.kind))
            found.setdefault(row.message_id, []).append(charge)
        return found

    def _keep(self, id_: int, standing: Standing | None, short_code: str, at: Instant) -> None:
        if standing is not None:
            self.loaded[id_] = Loaded(standing, short_code, at)

    def _settled(self, ids: Sequence[int]) -> dict[int, dict[DetailKind, int]]:
        """What was booked with the operator beside their charges."""
        found: dict[int, dict[DetailKind, int]] = {}
        query = sa.select(Detail.message_id, Detail.kind, Detail.amount, Account.address)
        query = query.join(Account, Account.id == Detail.debit_id)
        kinds = Detail.kind.in_([kind.value for kind in SETTLING])
        for id_, kind, amount, debit in self._connection.execute(query.where(Detail.message_id.in_(ids), kinds)):
            owed = amount if debit.startswith("operator:") else -amount
            own = found.setdefault(id_, {})
            own[DetailKind(kind)] = own.get(DetailKind(kind), 0) + owed
        return found

    def note(self, id_: int, amounts: Settled) -> None:
        """What is booked with the operator for a message, by the caller: a charge-back later undoes it."""
        one = self.loaded.get(id_)
        if one is not None:
            self.loaded[id_] = noted(one, amounts)

    def lock(self, ids: Iterable[int], assigned: Mapping[int, str] = NOBODY) -> None:
        """Lock and load every counter that acting on these messages moves: once, before the first of them. `assigned`
        says to whom they are given, by their ids.
        """
        volumes, capped = set(), set()
        for id_ in ids:
            one = self.loaded.get(id_)
            if one is None:
                continue
            if id_ in assigned:
                plan = self._plan_for(one, assigned[id_])
                partner = self._catalogue.partners[assigned[id_]]
                terms = self._catalogue.referral_at(partner.login, one.accepted_at)
                if plan is not None:
                    volumes.add((partner.id, plan.id, self._month_of(one, plan)))
                if terms is not None and terms.cap is not None:
                    capped.add((terms.id, one.standing.origin.currency))
                continue
            volume, referral = facts.counters_of(one.standing, self.month_now(one.standing))
            if volume is not None:
                volumes.add(volume)
            if referral is not None:
                capped.add(referral)
        self._volumes = load_counters(self._connection, self._accounts, sorted(volumes), sorted(capped))
        self._referred_before = dict(self._volumes.referred)

    def charge_back(self, id_: int, reason: str = facts.CHARGED_BACK) -> Corrected | Refused:
        """The operator takes it back; or, with the reason `returned`, gets it back from suspense."""
        return self._now(
            id_,
            lambda standing, month: facts.charge_back(
                standing, self._plan(standing), self._volumes, month=month, reason=reason
            ),
        )

    def refuse_hold(self, id_: int) -> Corrected | Refused:
        """What was held goes to suspense."""
        return self._now(
            id_,
            lambda standing, month: facts.refuse_hold(standing, self._plan(standing), self._volumes, month=month),
        )

    def release_hold(self, id_: int, *, author: str, reason: str) -> Corrected | Refused:
        """What was held is the partner's."""
        return self._now(
            id_, lambda standing, month: facts.release_hold(standing, month=month, author=author, reason=reason)
        )

    def refund(self, id_: int, *, author: str, reason: str) -> Corrected | Refused:
        """We alone pay it back."""
        return self._now(id_, lambda standing, month: facts.refund(standing, month=month, author=author, reason=reason))

    def assign(self, id_: int, partner: str, *, keeps_hold: bool = False) -> Corrected | Refused:
        """What lies in suspense is rated for a partner; `keeps_hold`: what fraud held stays held."""

        def act(one: Loaded) -> Corrected | Refused:
            plan = self._plan_for(one, partner)
            if plan is None:
                currency = one.standing.origin.currency
                return Refused("no_plan", f"{partner} had no plan in {currency} for {one.short_code} at that time")
            return facts.assign(
                one.standing,
                self._volumes,
                partner_id=self._catalogue.partners[partner].id,
                partner=partner,
                plan=plan,
                referral=self._catalogue.referral_at(partner, one.accepted_at),
                month=self._month_of(one, plan),
                held=keeps_hold and one.standing.origin.held,
            )

        return self._done(id_, act)

    def close(self) -> None:
        """Write the counters; after the last of them."""
        write_counters(self._connection, self._volumes, self._referred_before)

    def _now(self, id_: int, act: Callable[[Standing, Month], Corrected | Refused]) -> Corrected | Refused:
        """What is booked in the month of this moment."""
        return self._done(id_, lambda one: act(one.standing, self.month_now(one.standing)))

    def _done(self, id_: int, act: Callable[[Loaded], Corrected | Refused]) -> Corrected | Refused:
        one = self.loaded.get(id_)
        if one is None:
            return Refused("unknown", "there is no such MO or premium MT with a charge")
        done = act(one)
        if isinstance(done, Corrected):
            # Twice in one act: the second time it finds what the first has left.
            standing = _after(one.standing, done)
            self.loaded[id_] = replace(one, standing=standing)
            self.note(id_, facts.settled_by(done.details))
        return done

    def _plan(self, standing: Standing) -> PlanVersion | None:
        """The version by which a partner has earned it."""
        return None if standing.earning is None else self._plans[standing.earning.plan_version_id]

    def _plan_for(self, one: Loaded, partner: str) -> PlanVersion | None:
        return self._catalogue.plan_at(partner, one.standing.origin.currency, one.short_code, one.accepted_at)

    def month_now(self, standing: Standing) -> Month:
        """The month in which it is booked: of this moment in the zone of the plan that rated it."""
        plan = self._plan(standing)
        return max(month_of(self._at, plan.time_zone if plan is not None else "UTC"), self._first_open)

    def _month_of(self, one: Loaded, plan: PlanVersion) -> Month:
        return max(month_of(one.accepted_at, plan.time_zone), self._first_open)


def _after(standing: Standing, done: Corrected) -> Standing:
    if not done.charges:
        is_released = any(detail.kind is DetailKind.HOLD_RELEASED for detail in done.details)
        return replace(standing, place=Place.EARNED, holds=0) if is_released else standing
    place = {ChargeKind.CHARGE_BACK: Place.GIVEN_BACK, ChargeKind.HOLD_REFUSED: Place.SUSPENSE}
    first = done.charges[0]
    if first.kind in place:
        return replace(standing, place=place[first.kind], earning=None, holds=0)
    if first.held:
        holds = sum(charge.partner_part for charge in done.charges)
        return replace(standing, place=Place.HELD, earning=first, holds=holds)
    return replace(standing, place=Place.EARNED, earning=first)
