"""Which MT an operator is to be asked about, and who asks (core/question.py).

Questions   of one process: blocking
  find      MT whose validity is over and that have no receipt, and those that are to be asked for again: a look
  take      of these, those that are still so and that no other process has taken: what to ask, each part by its own id

A row of `question` is made when an MT is asked for the first time, and says when the next time is. So a question that
a crash took is asked at that time, and an MT is never asked for twice in a pause. What has its end meanwhile loses its
row when it would be asked for again.

Rule: nothing here is asked of all MT. Those that are new to it are found by the index of what is due, from where the
last look ended; only once an hour, and at first, all that wait are looked at.
"""

from collections.abc import Collection, Sequence
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import HOUR_MS, MINUTE_MS, Clock, Instant
from core.message import WITH_CENTRE, MtState, TrafficClass
from core.question import GRACE_MS, Question, pause_ms
from store import schema
from store.bulk import bulk_update, insert_ignore
from store.database import Database
from store.journal.rows import RECEIPT_WAIT_MS
from store.pulse import hold_life
from store.text import places, read_text

WHOLE_MS = HOUR_MS
"""So often all that wait are looked at: one may have been submitted when its validity was over already."""
SLACK_MS = MINUTE_MS
"""What was committed late has a due time that a look may have passed already."""

_NEW = (
    "SELECT id, due_at FROM mt WHERE state = ? AND traffic = ? AND due_at > ? AND due_at <= ? AND operator_id = ? "
    "AND valid_until <= ? AND NOT EXISTS (SELECT 1 FROM question WHERE question.mt_id = mt.id) "
    "ORDER BY due_at LIMIT ?"
)
_AGAIN = "SELECT mt_id FROM question WHERE operator_id = ? AND due_at <= ? ORDER BY due_at LIMIT ?"
_OURS = "SELECT mt_id, asked FROM question WHERE mt_id IN ({}) AND due_at <= ?"
_MT = (
    "SELECT id, link_id, operator_id, source, destination, `key`, asked_id, state, due_at, submitted_at FROM mt "
    "WHERE id IN ({})"
)
_PARTS = "SELECT mt_id, sequence, `key`, asked_id, state FROM mt_part WHERE mt_id IN ({}) ORDER BY mt_id, sequence"

_COLUMNS = ("mt_id", "operator_id", "asked", "asked_at", "due_at")
_ASKED_COLUMNS = ("mt_id", "asked", "asked_at", "due_at")
_SKIP_LOCKED = "FOR UPDATE SKIP LOCKED"
_FOREVER = 1 << 62

_Part: TypeAlias = tuple[int, str, str | None]
"""Its place, the operator's id of it, and that as it was written where it is known."""


class Questions:
    """Of this process's operators. `take` is for the writer's thread; both raise StoreAway, `take` Buried too."""

    def __init__(self, database: Database, clock: Clock, *, process_id: int) -> None:
        self._database = database
        self._clock = clock
        self._process_id = process_id
        self._seen: dict[tuple[int, TrafficClass], Instant] = {}
        """Due times up to which an operator's new ones were seen."""
        self._whole_ms: dict[int, int] = {}

    def find(self, operator_id: int, limit: int) -> list[int]:
        """Up to `limit` ids of an operator's MT: first those to be asked for again."""
        now = self._clock.now()
        with self._database.read() as connection:
            found = [mt_id for (mt_id,) in read_text(connection, _AGAIN, (operator_id, now, limit))]
            if self._is_time_for_all(operator_id):
                for traffic in TrafficClass:
                    self._seen.pop((operator_id, traffic), None)
                    if len(found) < limit:
                        found += self._waiting_premium(connection, operator_id, traffic, now, limit - len(found))
            for traffic in TrafficClass:
                if len(found) < limit:
                    found += self._new(connection, operator_id, traffic, now, limit - len(found))
        return found

    def _new(
        self, connection: Connection, operator_id: int, traffic: TrafficClass, now: Instant, limit: int
    ) -> list[int]:
        """Those that are submitted, without an end, and whose validity is over."""
        place = operator_id, traffic
        since = max(now, self._seen.get(place, now) - SLACK_MS)
        # On its way it is due a day after its validity.
        until = now + RECEIPT_WAIT_MS - GRACE_MS
        state = int(MtState.SUBMITTED)
        rows = read_text(connection, _NEW, (state, int(traffic), since, until, operator_id, now - GRACE_MS, limit))
        self._seen[place] = rows[-1][1] if len(rows) == limit else until
        return [mt_id for mt_id, _ in rows]

    def _waiting_premium(
        self, connection: Connection, operator_id: int, traffic: TrafficClass, now: Instant, limit: int
    ) -> list[int]:
        """Premium MT that are unknown and wait, and were never asked for: nobody was there to ask."""
        state = int(MtState.UNKNOWN)
        values = (state, int(traffic), now, _FOREVER, operator_id, now - GRACE_MS, limit)
        return [mt_id for mt_id, _ in read_text(connection, _NEW, values)]

    def _is_time_for_all(self, operator_id: int) -> bool:
        now_ms = self._clock.monotonic_ms()
        last_ms = self._whole_ms.get(operator_id)
        if last_ms is not None and now_ms - last_ms < WHOLE_MS:
            return False
        self._whole_ms[operator_id] = now_ms
        return True

    def take(self, operator_id: int, mt_ids: Sequence[int]) -> list[Question]:
        """What to ask now, in order of the ids; it is not asked again before its next time, whatever becomes of us."""
        now = self._clock.now()
        with self._database.write() as connection:
            hold_life(connection, self._process_id)
            insert_ignore(
                connection, schema.Question, _COLUMNS, [(mt_id, operator_id, 0, now, now) for mt_id in mt_ids]
            )
            ours = dict(read_text(connection, _OURS.format(places(mt_ids)), (*mt_ids, now), lock=_SKIP_LOCKED))
            if not ours:
                return []
            questions = _of(connection, sorted(ours))
            asked = sorted({question.mt_id for question in questions})
            bulk_update(
                connection,
                schema.Question,
                _ASKED_COLUMNS,
                [(mt_id, ours[mt_id] + 1, now, _next(ours[mt_id] + 1, now)) for mt_id in asked],
            )
            _end(connection, ours.keys() - set(asked))
        return questions


def _end(connection: Connection, mt_ids: Collection[int]) -> None:
    """Of these there is nothing to ask: they have their end; or no id, and then the row keeps them from being found."""
    if mt_ids:
        question, mt = schema.Question, schema.Mt
        still = sa.select(mt.id).where(mt.id.in_(mt_ids), mt.state == int(MtState.SUBMITTED))
        connection.execute(sa.update(question).where(question.mt_id.in_(mt_ids)).values(due_at=None))
        connection.execute(sa.delete(question).where(question.mt_id.in_(mt_ids), question.mt_id.not_in(still)))


def _next(asked: int, now: Instant) -> Instant | None:
    pause = pause_ms(asked)
    return None if pause is None else now + pause


def _of(connection: Connection, mt_ids: Sequence[int]) -> list[Question]:
    """What is to be asked of these: nothing, where they have their end or the operator gave no id."""
    parts: dict[int, list[_Part]] = {}
    for mt_id, sequence, key, asked_id, state in read_text(connection, _PARTS.format(places(mt_ids)), tuple(mt_ids)):
        if key and MtState(state) in WITH_CENTRE:
            parts.setdefault(mt_id, []).append((sequence, key, asked_id))
    questions: list[Question] = []
    for row in sorted(read_text(connection, _MT.format(places(mt_ids)), tuple(mt_ids))):
        mt_id, key, asked_id = row[0], row[5], row[6]
        if _awaits_receipt(row):
            whole: list[_Part] = [(0, key, asked_id)] if key else []
            questions += [_question(row, part) for part in parts.get(mt_id) or whole]
    return questions


def _awaits_receipt(row: Any) -> bool:
    """It was submitted, and its end is open; or it is unknown, and its money still waits."""
    state, due_at = MtState(row[7]), row[8]
    return state is MtState.SUBMITTED or (state is MtState.UNKNOWN and due_at is not None)


def _question(row: Any, part: _Part) -> Question:
    mt_id, link_id, operator_id, source, destination, *_, submitted_at = row
    sequence, key, asked_id = part
    return Question(mt_id, sequence, operator_id, link_id, key, source, destination, submitted_at, asked_id or "")
