"""What accepting classes of a run's differences would book: computed as approve computes it, with nothing written.

preview      sums by class, and the postings by account
Rehearsal    takes messages' money back on volumes of its own, which start as they are now

What a charge-back takes from a partner depends on its volume at that moment: what passes between a preview and the
approval may move a tier.

Rule: it locks nothing longer than a chunk takes and leaves no trace.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import Instant
from core.ledger import corrections as facts
from core.ledger.facts import sum_postings
from core.settlement.verdicts import Verdict
from core.tariff.rate import ReferralKey, VolumeKey, Volumes
from store.books import open_month
from store.corrections import Messages
from store.desk import Desk
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
    rehearsal = Rehearsal(desk, desk.now())
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
    booking = book_rows(
        rows, rehearsal.load(connection, rows), listed_since(connection, found.run, rows), found.run,
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
    """Messages as they stand, on volumes that are moved on in memory only."""

    def __init__(self, desk: Desk, at: Instant) -> None:
        self.at = at
        self._desk = desk
        self._volumes = Volumes()

    def load(self, connection: Connection, rows: list[OpenRow]) -> Messages:
        """The messages of a chunk, and the counters that are met for the first time. What is noted of a message is
        kept within its chunk: nothing is kept of a million rows.
        """
        messages = Messages(
            connection, self._desk.books.accounts, self._desk.catalogue(), at=self.at, volumes=self._volumes
        )
        loaded = messages.load(messages_of(rows))
        for id_ in taken_back(rows, loaded):
            standing = loaded[id_].standing
            volume, referral = facts.counters_of(standing, messages.month_now(standing))
            if volume is not None and volume not in self._volumes.volume:
                self._volumes.volume[volume] = _volume(connection, volume)
            if referral is not None and referral not in self._volumes.referred:
                self._volumes.referred[referral] = _referred(connection, referral)
        return messages


def _volume(connection: Connection, key: VolumeKey) -> int:
    partner, plan, month = key
    where = (Volume.partner_id == partner, Volume.plan_version_id == plan, Volume.month == month)
    return connection.execute(sa.select(Volume.volume).where(*where)).scalar() or 0


def _referred(connection: Connection, key: ReferralKey) -> int:
    terms, currency = key
    where = (ReferralGiven.terms_id == terms, ReferralGiven.currency == currency)
    return connection.execute(sa.select(ReferralGiven.given).where(*where)).scalar() or 0
