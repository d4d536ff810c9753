"""What must hold after every run: R1 to R9 of reliability.md, held against what the world saw from outside.

faults_of   a finished World → sentences, none when all is well

Moments are those of the time that never jumps, but where a promise speaks of the wall clock's.
"""

from collections import Counter
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from core.clock import month_of
from core.message import Action, MtState
from fraud.window import grace_ms
from store import schema
from store.audit import audit
from store.journal import CallbackState
from tests.simulation.plans import CLOCKS_AGREE_MS, LIMIT, LIMIT_WINDOW_MS
from tests.simulation.truth_of_orders import order_faults
from tests.simulation.world import World


def faults_of(world: World) -> list[str]:
    """Everything that does not hold."""
    with world.database.read() as connection:
        mos = _rows(connection, schema.Mo)
        mts = _rows(connection, schema.Mt)
        callbacks = _rows(connection, schema.Callback)
        orders = _rows(connection, schema.MtOrder)
        others = [*_rows(connection, schema.MoPart), *_rows(connection, schema.MoRepeat)]
        found = [
            f"R9 {finding.check} {finding.table} {finding.row}: {finding.sentence}"
            for _, findings in audit(connection, world.catalogue)
            for finding in findings
        ]
    found += world.failures
    found += _charged_once(world, mos)
    found += _dispatched(world, mos, callbacks)
    found += _replied(world, mos, mts, callbacks)
    found += order_faults(world, mts, orders, _ambiguous(world))
    found += _limited(world, mos)
    found += _in_order(world, mos, [*mts, *others])
    found += _in_their_month(world, mos)
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
        # A clock that is set forward by days ends what waits for an end point that is down.
        may_be_dead = job is not None and job.state == CallbackState.DEAD and world.seen.jumps
        if job is not None and not world.seen.calls[mo.id] and not may_be_dead:
            found.append(f"R3 {mo.id} was never dispatched")
        if job is not None and job.due_at is not None:
            found.append(f"R3 {mo.id} is still to be dispatched: state {job.state}, {job.error}")
    found += [f"R3 a job without a message: {mo_id}" for mo_id in jobs]
    return found


def _replied(world: World, mos: list[sa.Row[Any]], mts: list[sa.Row[Any]], callbacks: list[sa.Row[Any]]) -> list[str]:
    """R4, R5, R6: one reply per MO that a partner answered; accepted once, or marked; an end for each."""
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
    ambiguous = _ambiguous(world)
    for mt in mts:
        if not mt.text.startswith("reply"):
            continue
        times = accepted.pop(str(mt.reply_to), 0)
        state = MtState(mt.state)
        may_wait = state is MtState.SUBMITTED and (mt.maybe_twice or mt.destination in ambiguous)
        if not state.is_final and not may_wait:
            # Of one that was perhaps sent twice, the receipt may be the other one's; it ends by its validity.
            found.append(f"R6 the reply {mt.id} has no end: {state.name}, {mt.error}")
        if state in (MtState.DELIVERED, MtState.SUBMITTED) and not times:
            found.append(f"R6 the reply {mt.id} is {state.name}, but no centre saw it")
        if times > 1 and not mt.maybe_twice:
            found.append(f"R4 the reply {mt.id} was accepted {times} times and is not marked")
    found += [f"R4 a reply that is not stored was sent: {mo_id}" for mo_id in accepted]
    replied = {mt.reply_to for mt in mts}
    done = {callback.mo_id: callback.state for callback in callbacks}
    services = {mo.id: world.catalogue.services[mo.service_id].partner for mo in mos if mo.reason == ""}
    for mo_id, partner in services.items():
        if partner != "core" and done[mo_id] in (1, 2) and mo_id not in replied:
            found.append(f"R6 the partner {partner} answered {mo_id}, and there is no reply")
    return found


def _ambiguous(world: World) -> set[str]:
    """Subscribers who got two messages of one number from both centres of an operator: receipts may be the other's."""
    seen = Counter((mt.destination, mt.message_id) for centre in world.centres[:2] for mt in centre.mts)
    return {destination for (destination, _), count in seen.items() if count > 1}


def _limited(world: World, mos: list[sa.Row[Any]]) -> list[str]:
    """The subscriber's limit: at most LIMIT in a window, and nobody is refused below it.

    Each process with links counts by itself. A clock that jumps forward ends windows; one that jumps back by more than
    the grace ends none, and none lasts longer than its length from the first message after the jump: the first that
    its process gets, for it hears of the jump by no other.
    """
    found = []
    seen = world.seen
    ordered = sorted(mos, key=lambda mo: (mo.source, seen.accepted_ms[mo.id], mo.id))
    ends = [ms for ms, by in seen.jumps if by >= -grace_ms(LIMIT_WINDOW_MS)]
    jumped_at = [ms for ms, _ in seen.jumps]
    late = LIMIT_WINDOW_MS + sum(abs(by) for _, by in seen.jumps if abs(by) <= LIMIT_WINDOW_MS) + 1
    apart = not world.plans.one_host and world.plans.layout == "pair"
    if apart:
        late += 2 * CLOCKS_AGREE_MS
    for source, its in groupby(ordered, key=lambda mo: mo.source):
        admitted: list[tuple[int, int]] = []
        first_after: dict[tuple[int, int], int] = {}
        for mo in its:
            at = seen.accepted_ms[mo.id]
            for ms in jumped_at:
                if ms <= at:
                    first_after.setdefault((ms, mo.process_id), at)
            if mo.verdict == Action.REJECT:
                near = sum(1 for when, _ in admitted if at - late < when <= at)
                # A process that began beside one whose clock is an hour ahead has counted its messages as of now.
                jumped = any(at - first <= late for first in first_after.values()) or (apart and bool(first_after))
                if "blacklist" not in mo.verdict_reason and near < LIMIT and not jumped:
                    found.append(f"limit: {mo.id} of {source} was refused with {near} before it")
                continue
            ended = max((ms for ms in ends if ms <= at), default=-1)
            since = max(at - LIMIT_WINDOW_MS, ended)
            shared = world.plans.layout != "pair"
            inside = sum(1 for when, by in admitted if since < when <= at and (shared or by == mo.process_id))
            admitted.append((at, mo.process_id))
            if inside >= LIMIT:
                found.append(f"limit: {mo.id} of {source} passed with {inside} before it")
    return found


def _in_order(world: World, mos: list[sa.Row[Any]], others: list[sa.Row[Any]]) -> list[str]:
    """Ids never repeat, and those of one process rise in the order in which its messages came."""
    found = []
    ids = Counter(row.id for row in [*mos, *others])
    found += [f"ids: {id_} was made {count} times" for id_, count in ids.items() if count > 1]
    latest: dict[int, int] = {}
    for mo in mos:
        if mo.id in world.seen.joined:
            continue
        at = world.seen.accepted_ms[mo.id]
        if at < latest.get(mo.process_id, 0):
            found.append(f"ids: {mo.id} came before one with a smaller id")
        latest[mo.process_id] = at
    return found


def _in_their_month(world: World, mos: list[sa.Row[Any]]) -> list[str]:
    """Every charge is in the month of its acceptance, by the wall clock and in the zone of its plan."""
    versions = {version.id: version for plan in world.catalogue.plans.values() for version in plan.versions}
    found = []
    for mo in mos:
        zone = versions[mo.plan_version_id].time_zone if mo.plan_version_id else "UTC"
        month = month_of(mo.accepted_at, zone)
        if mo.month != month:
            found.append(f"month: {mo.id} is in {mo.month}, but was accepted in {month} ({zone})")
    return found
