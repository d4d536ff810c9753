"""What accepting classes of a run's differences would book: computed as approve computes it, with nothing written.

preview      sums by class, and the postings by account
Rehearsal    takes messages' money back on volumes of its own, which start as they are now

What a charge-back takes from a partner depends on its volume at that moment: what passes between a preview and the
approval may move a tier.

Rule: it locks nothing longer than a chunk takes and leaves no trace.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

import sqlalchemy as sa
from sqlalchemy import Connection

from core.catalogue import PlanVersion
from core.clock import Instant, Month, month_of
from core.ledger import corrections as facts
from core.ledger.corrections import CHARGED_BACK, Corrected, Refused
from core.ledger.facts import sum_postings
from core.ledger.standing import Place, Settled, Standing
from core.settlement.verdicts import Verdict
from core.tariff.rate import ReferralKey, VolumeKey, Volumes
from store.books import open_month
from store.corrections import Loaded, Messages, noted
from store.desk import Desk
from store.journal.booking import first_open_month
from store.schema import ReferralGiven, Volume
from store.settlement.approve import CHUNK, listed_since
from store.settlement.posting import OpenRow, book_rows, messages_of, read_open, taken_back
from store.settlement.runs import Run, Sums, read_run, read_sums
from store.settlement.stage import Progress

Posted = dict[tuple[str, str], int]
"""(debit, credit) → micros."""


@dataclass(slots=True)
class Preview:
    """What would be booked. `problems`: rows that could not be, with the first reasons."""

    run: Run
    sums: list[Sums]
    postings: Posted = field(default_factory=dict)
    rows: int = 0
    problems: int = 0
    reasons: list[str] = field(default_factory=list)


def preview(
    desk: Desk, run_id: int, accept: Collection[Verdict], *, progress: Progress = lambda done, of: None
) -> Preview:  # fmt: skip
    """For open rows of these classes. Raises UserMistake; StoreAway."""
    with desk.database.read() as connection:
        found = Preview(read_run(connection, run_id), read_sums(connection, run_id))
        rehearsal = Rehearsal(desk, desk.now(), first_open_month(connection))
    behind: int | None = 0
    while behind is not None:
        start = behind
        behind = desk.run(lambda connection: _chunk(connection, rehearsal, found, accept, start))  # noqa: B023
        progress(found.rows, 0)
    return found


def _chunk(
    connection: Connection, rehearsal: "Rehearsal", found: Preview, accept: Collection[Verdict], behind: int
) -> int | None:
    rows = read_open(connection, found.run.id, accept, behind=behind, most=CHUNK)
    if not rows:
        return None
    rehearsal.load(connection, rows)
    booking = book_rows(
        rows, rehearsal, listed_since(connection, found.run, rows), found.run,
        month=open_month(connection, rehearsal.at), author="", reason="",
    )  # fmt: skip
    for posting in sum_postings(booking.charges, booking.details):
        place = (posting.debit, posting.credit)
        found.postings[place] = found.postings.get(place, 0) + posting.amount
    lines = {row.id: row.line for row in rows}
    found.rows += len(rows)
    found.problems += len(booking.problems)
    found.reasons += [f"row {lines[id_]}: {why}" for id_, why in booking.problems.items()][: 5 - len(found.reasons)]
    return rows[-1].id


class Rehearsal:
    """Messages as they stand, and volumes that are moved on in memory only (posting.Takes)."""

    def __init__(self, desk: Desk, at: Instant, first_open: Month) -> None:
        self.at = at
        self._desk = desk
        self._first_open = first_open
        plans = desk.catalogue().plans.values()
        self._plans = {version.id: version for plan in plans for version in plan.versions}
        self._volumes = Volumes()
        self._loaded: dict[int, Loaded] = {}

    @property
    def loaded(self) -> dict[int, Loaded]:
        """The messages of the present chunk."""
        return self._loaded

    def load(self, connection: Connection, rows: list[OpenRow]) -> None:
        """The messages of a chunk, and the counters that are met for the first time."""
        messages = Messages(connection, self._desk.books.accounts, self._desk.catalogue(), at=self.at)
        self._loaded = messages.load(messages_of(rows))
        for id_ in taken_back(rows, self._loaded):
            volume, referral = facts.counters_of(self._loaded[id_].standing, self._month(self._loaded[id_].standing))
            if volume is not None and volume not in self._volumes.volume:
                self._volumes.volume[volume] = _volume(connection, volume)
            if referral is not None and referral not in self._volumes.referred:
                self._volumes.referred[referral] = _referred(connection, referral)

    def charge_back(self, id_: int, reason: str = CHARGED_BACK) -> Corrected | Refused:
        """As store.corrections.Messages does it."""
        one = self._loaded.get(id_)
        if one is None:
            return Refused("unknown", "there is no such MO or premium MT with a charge")
        standing = one.standing
        done = facts.charge_back(
            standing, self._plan(standing), self._volumes, month=self._month(standing), reason=reason
        )
        if isinstance(done, Corrected):
            self._loaded[id_] = replace(one, standing=Standing(Place.GIVEN_BACK, standing.origin))
        return done

    def note(self, id_: int, amounts: Settled) -> None:
        """As store.corrections.Messages does it, within one chunk: nothing is kept of a million rows."""
        if id_ in self._loaded:
            self._loaded[id_] = noted(self._loaded[id_], amounts)

    def _plan(self, standing: Standing) -> PlanVersion | None:
        return None if standing.earning is None else self._plans[standing.earning.plan_version_id]

    def _month(self, standing: Standing) -> Month:
        plan = self._plan(standing)
        return max(month_of(self.at, plan.time_zone if plan is not None else "UTC"), self._first_open)


def _volume(connection: Connection, key: VolumeKey) -> int:
    partner, plan, month = key
    where = (Volume.partner_id == partner, Volume.plan_version_id == plan, Volume.month == month)
    return connection.execute(sa.select(Volume.volume).where(*where)).scalar() or 0


def _referred(connection: Connection, key: ReferralKey) -> int:
    terms, currency = key
    where = (ReferralGiven.terms_id == terms, ReferralGiven.currency == currency)
    return connection.execute(sa.select(ReferralGiven.given).where(*where)).scalar() or 0
