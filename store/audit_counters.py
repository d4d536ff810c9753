"""What the audit reads of counters: parts of outgoing SMS, and what referrers were given under a cap.

CountersCheck   is shown the charges as they pass, then reads the outgoing SMS and the counters → its findings

An SMS is counted in the month in which its price was set aside. What costs nothing has set nothing aside: it was
counted in the month of its acceptance, or in the first that was open then.

Rule: it reads and never writes, on the picture that the charges were read from.
"""

from bisect import bisect
from collections.abc import Iterable, Iterator

import sqlalchemy as sa
from sqlalchemy import Connection

from core.catalogue import Catalogue
from core.clock import Instant, Month, month_of, next_month
from core.ledger.audit_counters import Counted
from core.ledger.details import DetailKind
from core.ledger.rows import ChargeRow, Finding
from core.message import MtKind
from core.tariff.rate import ReferralKey, VolumeKey
from store.pages import pages, sifted
from store.schema import ClosedMonth, Detail, Mt, ReferralGiven, Volume


class CountersCheck:
    """Counters against what moved them."""

    def __init__(self, connection: Connection, catalogue: Catalogue) -> None:
        self._connection = connection
        self._zones = {version.id: version.time_zone for plan in catalogue.plans.values() for version in plan.versions}
        self._counted = Counted()

    def add(self, charges: Iterable[ChargeRow]) -> None:
        """Some more charges, of any kind, in any order."""
        self._counted.add(charges)

    def findings(self) -> Iterator[Finding]:
        """What does not hold, after all charges have passed."""
        for key, before, parts in self._sent():
            self._counted.add_sent(key, before, parts)
        yield from self._counted.parts(self._parts())
        yield from self._counted.given(self._given())

    def _sent(self) -> Iterator[tuple[VolumeKey, int, int]]:
        """(counter, parts before, parts) of every outgoing SMS that its partner was to pay for."""
        closed = self._closed()
        reserved = sa.and_(Detail.message_id == Mt.id, Detail.kind == DetailKind.RESERVED.value)
        query = sa.select(
            Mt.partner_id, Mt.plan_version_id, Detail.month, Mt.created_at, Mt.parts_before, Mt.parts
        ).outerjoin(Detail, reserved)  # fmt: skip
        query = query.where(Mt.kind == int(MtKind.STANDARD))
        for partner_id, plan_id, month, at, before, parts in sifted(self._connection, query, (Mt.id,)):
            counted_in = month or max(month_of(at, self._zones.get(plan_id, "UTC")), _first_open(closed, at))
            yield (partner_id, plan_id, counted_in), before, parts

    def _closed(self) -> list[tuple[Instant, Month]]:
        """(when it was closed, month), in order."""
        closed = ClosedMonth
        query = sa.select(closed.closed_at, closed.month).order_by(closed.month)
        return [(at, month) for at, month in self._connection.execute(query)]

    def _parts(self) -> Iterator[tuple[VolumeKey, int]]:
        key = (Volume.partner_id, Volume.plan_version_id, Volume.month)
        for partner_id, plan_id, month, parts in pages(self._connection, sa.select(*key, Volume.parts), key):
            yield (partner_id, plan_id, month), parts

    def _given(self) -> Iterator[tuple[ReferralKey, int]]:
        """A row for each referrer's terms that have a cap: few."""
        given = ReferralGiven
        query = sa.select(given.terms_id, given.currency, given.given).order_by(given.terms_id, given.currency)
        for terms_id, currency, amount in self._connection.execute(query):
            yield (terms_id, currency), amount


def _first_open(closed: list[tuple[Instant, Month]], at: Instant) -> Month:
    """The month after the last that was closed by then; 0 when there was none."""
    place = bisect(closed, at, key=lambda one: one[0])
    return next_month(closed[place - 1][1]) if place else 0
