"""From the outbox over a link with room to «submitted» (reliability.md, section 5).

offer           an MT that is written down as `submitting` and held by this process
line_opened     a link is bound: what waits for its operator may go
line_has_room   room appeared in a window that was full
line_closed     a link was lost: what only waited for it goes over another
sweep           what is over before it could be sent; what waits in vain for a link that is gone
fetcher         queued MT of the database (traffic/fetch.py)
rests           lines that get nothing new (traffic/rests.py); those that say nothing (traffic/silence.py)

A long message keeps its parts together: one link, in order, one reference. What was throttled, or never left, goes
back to the front. What has to wait for one line, because its number stays there, is not written for it before it goes:
it waits by its class, loses its time like the rest, and finds another line when this one takes nothing.

Rule: what is sent was committed as `submitting` before; what its answers make of it: traffic/endings.py.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from random import Random

from structlog import get_logger

from core.catalogue import Link
from core.clock import SECOND_MS, Clock, Instant
from core.message import Mt, MtState, SubmitAnswer, SubmitOutcome, TrafficClass
from traffic.classes import Waiting
from traffic.commit import Batcher
from traffic.endings import Endings, is_free
from traffic.fetch import DueMts, Fetcher
from traffic.lanes import Lane, Lanes, Sending, reference_of, withdrawn
from traffic.ports import Line
from traffic.rests import Rests
from traffic.silence import Silences

log = get_logger()

HELD_MAX = 10_000
"""MT of one operator in memory, of each class; the rest are queued in the database."""
TAKE_OVER_MS = 30 * SECOND_MS
"""A message of which parts were accepted waits so long for its link, before another link sends the whole of it."""

_ACCEPTED, _UNANSWERED = SubmitOutcome.ACCEPTED, SubmitOutcome.UNANSWERED
_BACK_TO_FRONT = (SubmitOutcome.THROTTLED, SubmitOutcome.UNSENT)


class Sender:
    """Sends MT over lines; everything here runs on the event loop."""

    def __init__(self, batcher: Batcher, clock: Clock, random: Random, *, due: DueMts) -> None:
        self._batcher = batcher
        self._clock = clock
        self._endings = Endings(batcher, clock, random)
        self._operator_ids: Mapping[str, int] = {}
        self._served: frozenset[int] = frozenset()
        self._lanes = Lanes()
        self._queues: defaultdict[int, Waiting[Sending]] = defaultdict(Waiting)
        """By operator: what has not begun."""
        self._busy: defaultdict[int, dict[Lane, None]] = defaultdict(dict)
        """By operator, in order: lanes on which something has begun, or waits. Of many lanes few are."""
        self._stopping = False
        self._open = 0
        self._idle = asyncio.Event()
        self.fetcher = Fetcher(due, wanted=self._wanted, offer=self.offer)
        self.rests = Rests(self._lanes, self.line_has_room)
        self._silences = Silences(self._lanes, self.line_has_room)
        self.counted = self._endings.counted

    # --- in ------------------------------------------------------------------------------------------

    def know(self, operator_ids: Mapping[str, int], mute: Collection[int] = ()) -> None:
        """Operators' ids by code, from the catalogue; the `mute` are those whose links all only answer."""
        self._operator_ids = operator_ids
        self._lanes.mute = mute

    def serves(self, operator_ids: Sequence[int]) -> None:
        """The operators whose links this process has, bound or not."""
        self._served = frozenset(operator_ids)

    def holds(self, operator_id: int, traffic: TrafficClass = TrafficClass.REPLY) -> bool:
        """Whether an MT of this operator may be held here. Called from the writer's thread too."""
        if operator_id not in self._served or self._stopping:
            return False
        queue = self._queues.get(operator_id)
        held = queue.count(traffic) if queue is not None else 0
        return held + self._lanes.waiting(operator_id, traffic) < HELD_MAX

    def offer(self, mt: Mt) -> None:
        """An MT that is durable; one that is not `submitting` is another process's."""
        if mt.state is MtState.SUBMITTING:
            self._queues[mt.operator_id].add(Sending(mt))
            self._pump(mt.operator_id)

    def withdraw(self, operator_id: int, mt_ids: Collection[int]) -> list[Mt]:
        """Send these no more, where they wait here and nothing of them is under way, or was accepted: those let go."""
        queue = self._queues.get(operator_id)
        return self._lanes.withdraw(operator_id, mt_ids) + ([] if queue is None else withdrawn(queue, mt_ids))

    def line_opened(self, line: Line) -> None:
        """A link is bound for sending."""
        operator_id = self._operator_ids[line.link.operator]
        self._silences.opened(operator_id, line.link.id)
        before = self._lanes.opened(operator_id, line, self._clock.monotonic_ms())
        if before is not None:
            self._take_from(operator_id, before)
        self._fall_over(operator_id)
        self._pump(operator_id)
        self.fetcher.ring()

    def line_has_room(self, line: Line) -> None:
        """Room appeared in a window that was full, or a pause is over."""
        operator_id = self._operator_ids[line.link.operator]
        self._lanes.has_room(operator_id, line, self._clock.monotonic_ms())
        self._pump(operator_id)

    def line_closed(self, link: Link) -> None:
        """A link was lost. What was under way over it has been told so; what waited for it need not wait longer."""
        operator_id = self._operator_ids.get(link.operator)
        if operator_id is not None:
            self._fall_over(operator_id)
            self._pump(operator_id)
            self.rests.look()

    # --- out -----------------------------------------------------------------------------------------

    def _pump(self, operator_id: int) -> None:
        """Send what may go: first what has begun, then what waits, each over its own link if that has room."""
        if self._stopping:
            return
        busy, queue = self._busy[operator_id], self._queues[operator_id]
        now, now_ms = self._clock.now(), self._clock.monotonic_ms()
        for lane in [*busy]:
            if lane.stays and (lane.is_slowed or not lane.is_open):
                lane.leave_unwritten(queue)
            if lane.begun and lane.line.is_open:
                self._go_on(lane, now)
            if not (lane.begun or lane.stays):
                del busy[lane]
        self._begin_what_waits(operator_id, queue, now, now_ms)
        for lane in [*busy]:
            self._begin_what_stays(lane, now)

    def _begin_what_waits(self, operator_id: int, queue: Waiting[Sending], now: Instant, now_ms: int) -> None:
        """Each over the line that is chosen for it, until nobody has room."""
        while (first := queue.first()) is not None:
            if first.mt.is_over(now):
                self._endings.expire(queue.take())
                continue
            chosen = self._lanes.choose(operator_id, first.mt, now_ms)
            if chosen is None:
                return
            if chosen.room > 0 and not chosen.stays:
                self._begin(queue.take(), chosen)
            else:
                chosen.stays.add(queue.take())
                self._busy[operator_id][chosen] = None

    def _begin_what_stays(self, lane: Lane, now: Instant) -> None:
        """What waits for this line alone, as far as its room goes."""
        while (first := lane.stays.first()) is not None:
            if first.mt.is_over(now):
                self._endings.expire(lane.stays.take())
            elif lane.look() > 0:
                self._begin(lane.stays.take(), lane)
            else:
                return

    def _go_on(self, lane: Lane, now: Instant) -> None:
        """The parts that are left of what has begun here."""
        while lane.begun:
            sending = lane.begun[0]
            if sending.mt.is_over(now):
                if sending.todo and not sending.open:
                    self._endings.expire(sending)
            elif sending.todo:
                if lane.look() <= 0:
                    return
                self._submit(sending, lane)
                if sending.todo:
                    return
            lane.begun.popleft()

    def _begin(self, sending: Sending, lane: Lane) -> None:
        """Write it for this line, and submit as many parts as there is room for."""
        mt, line = sending.mt, lane.line
        try:
            sending.operations = line.write(mt, reference=reference_of(mt, line.link.id))
        except ValueError as error:
            self._endings.fail(mt, f"it cannot be written for {line.link.name}: {error}")
            return
        sending.lane = lane
        sending.todo = list(range(len(sending.operations)))
        mt.link_id = line.link.id
        self._submit(sending, lane)
        if sending.todo:
            lane.begun.append(sending)
            self._busy[mt.operator_id][lane] = None

    def _submit(self, sending: Sending, lane: Lane) -> None:
        """Submit the next parts, as far as the lane's room goes."""
        ready, sending.todo = sending.todo, []
        if len(ready) > lane.room:
            ready, sending.todo = ready[: lane.room], ready[lane.room :]
        for index in ready:
            sending.open += 1
            self._open += 1
            lane.in_flight += 1
            self._silences.sent(lane, sending.mt.operator_id)
            answer = asyncio.ensure_future(lane.line.submit(sending.operations[index]))
            answer.add_done_callback(partial(self._answered, sending, index))

    def _answered(self, sending: Sending, index: int, answer: asyncio.Future[SubmitAnswer]) -> None:
        lane = sending.lane
        assert lane is not None, "what was sent went over a line"
        sending.open -= 1
        self._open -= 1
        lane.in_flight -= 1
        self.rests.landed(lane)
        if not self._open:
            self._idle.set()
        if answer.cancelled():
            return
        said = answer.result()
        self._silences.answered(lane, said.outcome)
        if said.outcome is SubmitOutcome.THROTTLED:
            operator_id = sending.mt.operator_id
            self._lanes.throttled(operator_id, lane, self._clock.monotonic_ms())
            lane.leave_unwritten(self._queues[operator_id])
        if said.outcome not in _BACK_TO_FRONT:
            sending.answers[index] = said
            if said.outcome is not _ACCEPTED:
                # The whole has failed, or goes again: no more of it.
                sending.todo = []
        elif not sending.is_refused:
            sending.todo = sorted([index, *sending.todo])
        if sending.open:
            return
        if sending.todo:
            self._wait_for_room(sending)
        elif sending.answers:
            self._endings.judge(sending)

    # --- what goes again ----------------------------------------------------------------------------

    def _wait_for_room(self, sending: Sending) -> None:
        """Parts are left: on its own lane if some were accepted, else wherever there is room first."""
        lane, operator_id = sending.lane, sending.mt.operator_id
        assert lane is not None
        is_waiting = sending in lane.begun
        if not sending.answers or not self._lanes.is_current(lane, operator_id):
            if is_waiting:
                lane.begun.remove(sending)
            self._begin_anew(sending)
        elif not is_waiting:
            self._endings.counted.put_back += 1
            lane.begun.appendleft(sending)
            self._busy[operator_id][lane] = None
        self._pump(operator_id)

    def _begin_anew(self, sending: Sending) -> None:
        """To the front of what has not begun: whichever line sends it writes it for itself."""
        mt = sending.mt
        if sending.answers and not is_free(mt):
            self._endings.in_doubt(sending, "its link was lost when some of its parts were accepted")
            return
        self._endings.counted.put_back += 1
        mt.maybe_twice = mt.maybe_twice or bool(sending.answers)
        self._queues[mt.operator_id].back(Sending(mt))

    # --- what waits too long -------------------------------------------------------------------------

    def sweep(self) -> None:
        """End what is over; take from lines that are gone what another may send. Call every second."""
        now = self._clock.now()
        for queue in self._queues.values():
            if any(sending.mt.is_over(now) for sending in queue):
                queue.replace(self._expire_all(queue, now))
        for operator_id, lane in self._lanes:
            if any(sending.mt.is_over(now) for sending in lane.stays):
                lane.stays.replace(self._expire_all(lane.stays, now))
            if any(sending.mt.is_over(now) for sending in lane.begun):
                lane.begun = deque(self._expire_all(lane.begun, now))
            if not lane.waits_in_vain:
                lane.closed_ms = 0
            elif self._has_waited(lane) and self._lanes.is_open(operator_id):
                self._take_from(operator_id, lane)
                self._pump(operator_id)
            if lane.stays and not lane.is_open:
                # Nothing new goes over it by an order.
                self._pump(operator_id)
        self.rests.look()

    def _expire_all(self, waiting: Iterable[Sending], now: Instant) -> list[Sending]:
        """Those whose time is not over, or of which parts are under way; the others end."""
        stay = []
        for sending in list(waiting):
            if sending.mt.is_over(now) and not sending.open:
                self._endings.expire(sending)
            else:
                stay.append(sending)
        return stay

    def _has_waited(self, lane: Lane) -> bool:
        now_ms = self._clock.monotonic_ms()
        lane.closed_ms = lane.closed_ms or now_ms
        return now_ms - lane.closed_ms >= TAKE_OVER_MS

    def _take_from(self, operator_id: int, lane: Lane) -> None:
        """Its line will not end what had begun on it, nor begin what waits for it."""
        lane.leave_unwritten(self._queues[operator_id])
        for sending in reversed(lane.leave()):
            self._begin_anew(sending)

    def _fall_over(self, operator_id: int) -> None:
        """What waits for lines that are lost, and of which nothing was said, waits for whichever has room first."""
        if self._lanes.is_open(operator_id):
            for lane in self._lanes.of(operator_id):
                if lane.waits_in_vain:
                    for sending in reversed(lane.leave_unsaid()):
                        self._begin_anew(sending)

    def _wanted(self) -> dict[TrafficClass, list[int]]:
        """Of each class, the operators of which more can be sent now."""
        if self._batcher.away:
            return {}
        up = [id_ for id_ in self._lanes.operators() if self._lanes.is_open(id_)]
        held = {traffic: [id_ for id_ in up if self.holds(id_, traffic)] for traffic in TrafficClass}
        return {traffic: ids for traffic, ids in held.items() if ids}

    # --- the end -------------------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """MT in memory that wait for a link or for room."""
        waiting = sum(len(lane.begun) + len(lane.stays) for _, lane in self._lanes)
        return waiting + sum(len(queue) for queue in self._queues.values())

    def halt(self) -> None:
        """Begin nothing more."""
        self._stopping = True
        self.fetcher.stop()

    async def stop(self, timeout_s: float) -> None:
        """Send no more; wait for the answers that are due; give what waits back to the database."""
        self.halt()
        if self._open:
            self._idle.clear()
            try:
                await asyncio.wait_for(self._idle.wait(), timeout_s)
            except TimeoutError:
                log.warning("submissions were cut off by the stop", submissions=self._open)
        for sending in self._take_all():
            self._endings.give_back(sending)

    def _take_all(self) -> Iterator[Sending]:
        """What waits. What has parts under way is left to who takes over this process's work."""
        for queue in self._queues.values():
            yield from queue
            queue.clear()
        for _, lane in self._lanes:
            yield from lane.stays
            lane.stays.clear()
            yield from lane.leave()
