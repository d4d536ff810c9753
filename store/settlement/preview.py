"""What accepting classes of a run's differences would book: computed as approve computes it, with nothing written.

preview      sums by class, and the postings by account
rehearse     the same as it grows, chunk by chunk
Rehearsal    takes messages' money back on volumes of its own, which start as they are now

What a charge-back takes from a partner depends on its volume at that moment: what passes between a preview and the
approval may move a tier.

A message may have rows in several chunks. `approve` finds in the database what the earlier ones have booked; here they
are decided about once more, so that nothing has to be kept of a million rows.

Rule: it locks nothing longer than a chunk takes and leaves no trace.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import Instant
from core.ledger import corrections as facts
from core.ledger.facts import sum_postings
from core.settlement.verdicts import Verdict
from core.tariff.rate import ReferralKey, VolumeKey, Volumes
from store.books import open_month
from store.corrections import Loaded, Messages
from store.desk import Desk
from store.schema import ReferralGiven, Volume
from store.settlement.posting import (
    CHUNK,
    Booking,
    OpenRow,
    book_rows,
    messages_of,
    read_earlier,
    read_open,
    taken_back,
)
from store.settlement.runs import Run, Sums, read_run, read_sums
from store.settlement.since import problems_since
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

    @property
    def moved(self) -> int:
        """The amounts of all postings together."""
        return sum(self.postings.values())


def preview(
    desk: Desk, run_id: int, accept: Collection[Verdict], *, progress: Progress = lambda done, of: None
) -> Preview:  # fmt: skip
    """For open rows of these classes. Raises UserMistake; StoreAway."""
    for found in rehearse(desk, run_id, accept):
        progress(found.rows, 0)
    return found


def rehearse(desk: Desk, run_id: int, accept: Collection[Verdict]) -> Iterator[Preview]:
    """The same preview after each chunk, and at the end. Raises as `preview`."""
    with desk.database.read() as connection:
        found = Preview(read_run(connection, run_id), read_sums(connection, run_id))
    rehearsal = Rehearsal(desk, desk.now())
    behind: int | None = 0
    while behind is not None:
        start = behind
        behind = desk.run(lambda connection: _chunk(connection, rehearsal, found, accept, start))  # noqa: B023
        yield found


def _chunk(
    connection: Connection, rehearsal: "Rehearsal", found: Preview, accept: Collection[Verdict], behind: int
) -> int | None:
    rows = read_open(connection, found.run.id, accept, behind=behind, most=CHUNK)
    if not rows:
        return None
    earlier = read_earlier(connection, found.run.id, accept, rows)
    booking = rehearsal.book(connection, found.run, earlier, rows)
    for posting in sum_postings(booking.charges, booking.details):
        place = (posting.debit, posting.credit)
        found.postings[place] = found.postings.get(place, 0) + posting.amount
    lines = {row.id: row.line for row in rows}
    found.rows += len(rows)
    found.problems += len(booking.problems)
    found.reasons += [f"row {lines[id_]}: {why}" for id_, why in booking.problems.items()][: 5 - len(found.reasons)]
    return rows[-1].id


class Rehearsal:
    """Messages as they stand, on volumes that are moved on in memory only."""

    def __init__(self, desk: Desk, at: Instant) -> None:
        self.at = at
        self._desk = desk
        self._volumes = Volumes()

    def book(self, connection: Connection, run: Run, earlier: Sequence[OpenRow], rows: Sequence[OpenRow]) -> Booking:
        """A chunk; its messages stand as the rows before it, `earlier`, have left them."""
        known: Mapping[int, Loaded] = {}
        if earlier:
            past = Volumes(dict(self._volumes.volume), dict(self._volumes.referred))
            _, known = self._decide(connection, run, earlier, past, known)
        booking, _ = self._decide(connection, run, rows, self._volumes, known)
        return booking

    def _decide(
        self,
        connection: Connection,
        run: Run,
        rows: Sequence[OpenRow],
        volumes: Volumes,
        known: Mapping[int, Loaded],
    ) -> tuple[Booking, Mapping[int, Loaded]]:
        """What rows book, and how they leave their messages; `known` is how some of these stood before."""
        accounts, catalogue = self._desk.books.accounts, self._desk.catalogue()
        messages = Messages(connection, accounts, catalogue, at=self.at, volumes=volumes)
        messages.loaded.update(known)
        loaded = messages.load(messages_of(rows))
        for id_ in taken_back(rows, loaded):
            standing = loaded[id_].standing
            _meet(connection, volumes, *facts.counters_of(standing, messages.month_now(standing)))
        since, month = problems_since(connection, run, rows), open_month(connection, self.at)
        return book_rows(rows, messages, since, run, month=month, author="", reason=""), messages.loaded


def _meet(connection: Connection, volumes: Volumes, volume: VolumeKey | None, referral: ReferralKey | None) -> None:
    """Counters, read where they are met for the first time."""
    if volume is not None and volume not in volumes.volume:
        volumes.volume[volume] = _volume(connection, volume)
    if referral is not None and referral not in volumes.referred:
        volumes.referred[referral] = _referred(connection, referral)


def _volume(connection: Connection, key: VolumeKey) -> int:
    partner, plan, month = key
    where = (Volume.partner_id == partner, Volume.plan_version_id == plan, Volume.month == month)
    return connection.execute(sa.select(Volume.volume).where(*where)).scalar() or 0


def _referred(connection: Connection, key: ReferralKey) -> int:
    terms, currency = key
    where = (ReferralGiven.terms_id == terms, ReferralGiven.currency == currency)
    return connection.execute(sa.select(ReferralGiven.given).where(*where)).scalar() or 0
