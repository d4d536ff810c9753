"""What must hold after every run: R1 to R9 of reliability.md, held against what the world saw from outside.

faults_of   a finished World → sentences, none when all is well
"""

from collections import Counter
from typing import Any

import sqlalchemy as sa

from core.message import Action, MtState
from store import schema
from store.audit import audit
from tests.simulation.plans import LIMIT, LIMIT_WINDOW_MS
from tests.simulation.world import World


def faults_of(world: World) -> list[str]:
    """Everything that does not hold."""
    with world.database.read() as connection:
        mos = _rows(connection, schema.Mo)
        mts = _rows(connection, schema.Mt)
        callbacks = _rows(connection, schema.Callback)
        found = [
            f"R9 {finding.check} {finding.table} {finding.row}: {finding.sentence}"
            for _, findings in audit(connection, world.catalogue)
            for finding in findings
        ]
    found += _charged_once(world, mos)
    found += _dispatched(world, mos, callbacks)
    found += _replied(world, mts)
    found += _limited(mos)
    found += [line for line in world.log if "'error'" in line and "failed" in line and "exc_info" in line]
    return found


def _rows(connection: sa.Connection, table: type[schema.Base]) -> list[sa.Row[Any]]:
    return list(connection.execute(sa.select(table.__table__).order_by(*table.__table__.primary_key)).all())


def _charged_once(world: World, mos: list[sa.Row[Any]]) -> list[str]:
    """R1, R2: what was acknowledged is there once; what was not is there at most once."""
    found = []
    stored = Counter((mo.source, mo.short_code, mo.text) for mo in mos)
    written: Counter[tuple[str, str, str]] = Counter()
    for centre in world.centres:
        for mo in centre.mos:
            place = (mo.source, mo.destination, mo.text)
            written[place] += 1
            if not mo.is_acknowledged:
                found.append(f"R8 never acknowledged, though all is calm: {mo.number} {mo.text[:20]}")
    for place, count in written.items():
        is_vote = place[2] == "GAME vote"
        there = stored.pop(place, 0)
        if there > count:
            found.append(f"R2 {place[2][:20]} of {place[0]} is charged {there} times, written {count} times")
        if there < count and (not is_vote or world.plans.is_calm):
            found.append(f"R1 {place[2][:20]} of {place[0]} is there {there} times, acknowledged {count} times")
    found += [f"R1 a message that nobody wrote: {place} × {count}" for place, count in stored.items()]
    return found


def _dispatched(world: World, mos: list[sa.Row[Any]], callbacks: list[sa.Row[Any]]) -> list[str]:
    """R3: each accepted MO reached its partner at least once, always with the same id; nothing is left undone."""
    found = []
    jobs = {callback.mo_id: callback for callback in callbacks}
    for mo in mos:
        job = jobs.pop(mo.id, None)
        if (job is not None) != (mo.reason == ""):
            found.append(f"R3 {mo.id} ({mo.reason or 'routed'}) has {'a' if job else 'no'} job")
        if job is not None and not world.seen.calls[mo.id]:
            found.append(f"R3 {mo.id} was never dispatched")
        if job is not None and job.due_at is not None:
            found.append(f"R3 {mo.id} is still to be dispatched: state {job.state}, {job.error}")
    found += [f"R3 a job without a message: {mo_id}" for mo_id in jobs]
    return found


def _replied(world: World, mts: list[sa.Row[Any]]) -> list[str]:
    """R4, R5, R6: one reply per MO; accepted once, or marked; an end for each."""
    found = []
    accepted: Counter[str] = Counter()
    for centre in world.centres:
        for seen in centre.mts:
            if (
                seen.status in (0, None)
                and seen.text.startswith("reply")
                and (seen.piece is None or seen.piece.sequence == 1)
            ):
                accepted[seen.text.split()[1]] += 1
    for mt in mts:
        if not mt.text.startswith("reply"):
            continue
        times = accepted.pop(str(mt.reply_to), 0)
        state = MtState(mt.state)
        if not state.is_final and not (state is MtState.SUBMITTED and mt.maybe_twice):
            # Of one that was perhaps sent twice, the receipt may be the other one's; it ends by its validity.
            found.append(f"R6 the reply {mt.id} has no end: {state.name}, {mt.error}")
        if state in (MtState.DELIVERED, MtState.SUBMITTED) and not times:
            found.append(f"R6 the reply {mt.id} is {state.name}, but no centre saw it")
        if times > 1 and not mt.maybe_twice:
            found.append(f"R4 the reply {mt.id} was accepted {times} times and is not marked")
    found += [f"R4 a reply that is not stored was sent: {mo_id}" for mo_id in accepted]
    return found


def _limited(mos: list[sa.Row[Any]]) -> list[str]:
    """The subscriber's limit is exact: at most LIMIT in a window, and nobody is refused below it."""
    found = []
    admitted: dict[str, list[int]] = {}
    for mo in mos:
        times = admitted.setdefault(mo.source, [])
        inside = sum(1 for at in times if mo.accepted_at - LIMIT_WINDOW_MS < at <= mo.accepted_at)
        if mo.verdict == Action.REJECT:
            if "blacklist" not in mo.verdict_reason and inside < LIMIT:
                found.append(f"limit: {mo.id} was refused with {inside} before it")
        else:
            times.append(mo.accepted_at)
            if inside >= LIMIT:
                found.append(f"limit: {mo.id} passed with {inside} before it")
    return found
