"""Premium MT: their charges wait, and are posted or voided when the MT moves (billing.md, section 6).

Premiums.settle   the moves of premium MT → charges to be booked beside those that were pending

A link's option `premium_on` says when the subscriber has paid: `delivered` (a receipt says so) or `submitted`. One that
is unknown waits for the option `premium_wait_d` days, then it is voided; a receipt after that makes a new charge.

Rule: a charge that is posted never changes; a pending one is changed where it stands, under its lock.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.catalogue import Catalogue
from core.clock import DAY_MS, Instant, Month, month_of
from core.message import MtState
from core.report import Sums, count
from core.tariff.charge import Charge, ChargeKind, ChargeState
from core.tariff.outgoing import post_premium, unrated_premium, void
from core.tariff.rate import NO_PLAN, Unrated
from store.accounts import Accounts
from store.bulk import bulk_update
from store.charges import CHARGE_COLUMNS, ChargeReader, kind_of_number
from store.journal.booking import lock_counters, write_counters, write_entry
from store.journal.facts import Moved
from store.journal.rows import CORRECTION_COLUMNS, charge_row
from store.schema import Charge as ChargeTable
from store.schema import Mt as MtTable

WAIT_D = 7
LATE = "late"
"""The reason of a charge whose receipt came after the old one was voided."""

_ROW = ("id", *CORRECTION_COLUMNS[5:])
_VOIDS = frozenset({MtState.FAILED, MtState.EXPIRED, MtState.REJECTED, MtState.CANCELLED})


@dataclass(slots=True)
class _Waiting:
    """A charge of a premium MT as it stands."""

    own_id: int
    charge: Charge
    mt: Any


class Premiums:
    """Of one batch."""

    def __init__(
        self,
        connection: Connection,
        accounts: Accounts,
        catalogue: Catalogue,
        next_id: Callable[[Instant], int],
        first_open: Month,
    ) -> None:
        self._connection = connection
        self._accounts = accounts
        self._catalogue = catalogue
        self._next_id = next_id
        self._first_open = first_open
        self._links = {link.id: link for link in catalogue.links.values()}

    def settle(self, moves: Sequence[tuple[Moved, Any]], sums: Sums) -> list[tuple[Charge, Any]]:
        """Post and void what waits; new charges are given back to be booked with the batch."""
        standing = self._standing([row.id for _, row in moves])
        posts: dict[int, _Waiting] = {}
        late: list[_Waiting] = []
        for move, row in moves:
            one = standing.get(row.id)
            if one is None:
                continue
            one.mt = row
            state = one.charge.state
            if state == ChargeState.PENDING and self._is_paid(move, row):
                posts[row.id] = one
            elif state == ChargeState.PENDING and row.id not in posts and (move.new in _VOIDS or move.gave_up):
                self._void(one, sums)
            elif state == ChargeState.VOIDED and move.new is MtState.DELIVERED:
                late.append(one)
            if move.new is MtState.UNKNOWN and not move.gave_up and row.id not in posts:
                self._wait(row, move.at)
        return self._post(list(posts.values()), late, sums, moves[-1][0].at) if posts or late else []

    def _standing(self, ids: Sequence[int]) -> dict[int, _Waiting]:
        """The latest charge of each, locked."""
        reader = ChargeReader(self._catalogue)
        columns = (*(getattr(ChargeTable, name) for name in CHARGE_COLUMNS), ChargeTable.message_id, ChargeTable.kind)
        query = (
            sa.select(*columns)
            .where(ChargeTable.message_id.in_(ids), ChargeTable.kind == int(ChargeKind.PREMIUM_MT))
            .order_by(ChargeTable.id)
            .with_for_update()
        )
        return {
            row.message_id: _Waiting(
                row.id, reader.charge(row, message_id=row.message_id, kind=kind_of_number(row.kind)), None
            )
            for row in self._connection.execute(query)
        }

    def _is_paid(self, move: Moved, row: Any) -> bool:
        if move.new is MtState.DELIVERED:
            return True
        link = self._links.get(row.link_id)
        on_submission = link is not None and link.options.get("premium_on") == "submitted"
        return on_submission and not move.gave_up and move.new in {MtState.SUBMITTED, MtState.UNKNOWN}

    def _void(self, one: _Waiting, sums: Sums) -> None:
        count(sums, _place(one), one.charge, own_id=one.own_id, times=-1)
        one.charge = void(one.charge)
        self._connection.execute(
            sa.update(ChargeTable).where(ChargeTable.id == one.own_id).values(charge_state=int(ChargeState.VOIDED))
        )

    def _wait(self, row: Any, at: Instant) -> None:
        """Unknown: the janitor comes back when nothing was heard for so long."""
        link = self._links.get(row.link_id)
        days = link.options.get("premium_wait_d", WAIT_D) if link is not None else WAIT_D
        assert isinstance(days, int), days
        self._connection.execute(sa.update(MtTable).where(MtTable.id == row.id).values(due_at=at + days * DAY_MS))

    def _post(
        self, waiting: Sequence[_Waiting], late: Sequence[_Waiting], sums: Sums, at: Instant
    ) -> list[tuple[Charge, Any]]:
        """Rate them in order under the locks of their counters."""
        unrated = [self._unrated(one) for one in (*waiting, *late)]
        volumes = lock_counters(self._connection, self._accounts, unrated)
        before = dict(volumes.referred)
        posted: list[Charge] = []
        rows = []
        more: list[tuple[Charge, Any]] = []
        entry_id = self._next_id(at)
        for place, one in enumerate(waiting):
            own, *corrections = post_premium(unrated[place], volumes)
            count(sums, _place(one), one.charge, own_id=one.own_id, times=-1)
            count(sums, _place(one), own, own_id=one.own_id, entry_id=entry_id)
            posted.append(own)
            rows.append((one.own_id, *charge_row(own, entry_id)))
            more += [(charge, one.mt) for charge in corrections]
        for place, one in enumerate(late, len(waiting)):
            own, *corrections = post_premium(unrated[place], volumes)
            more += [(charge, one.mt) for charge in (replace(own, reason=own.reason or LATE), *corrections)]
        write_counters(self._connection, volumes, before)
        bulk_update(self._connection, ChargeTable, _ROW, rows)
        if posted:
            write_entry(self._connection, self._accounts, posted, entry_id=entry_id, at=at)
        return more

    def _unrated(self, one: _Waiting) -> Unrated:
        charge, mt = one.charge, one.mt
        plan = None
        if charge.partner:
            plan = self._catalogue.plan_at(charge.partner, charge.currency, mt.source, mt.created_at)
        referral = self._catalogue.referral_at(charge.partner, mt.created_at) if charge.partner else None
        zone = plan.time_zone if plan is not None else "UTC"
        month = max(month_of(mt.created_at, zone), self._first_open)
        return unrated_premium(charge, plan, referral, month=month, reason="" if plan is not None else NO_PLAN)


def _place(one: _Waiting) -> tuple[int, str, int, int]:
    return one.mt.operator_id, one.mt.source, 0, one.mt.parts
