"""Lines, what has begun on each and what waits for each, and which one for the next message. No I/O.

Sending   one MT on its way: its operations, which parts are to go, what was said to those that went
Lane      a line, what has begun on it and has parts left, what waits for it alone
Lanes     the lanes of each operator: opened, chosen (traffic/routes.py), closed, looked through

Rule: an operation is written for one link and sent over no other: their options differ.
"""

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from core.message import Mt, MtState, SubmitAnswer, SubmitOutcome, TrafficClass
from traffic.classes import Waiting
from traffic.ports import Line
from traffic.routes import Routes, Terms

_PART_STATES = {
    SubmitOutcome.ACCEPTED: MtState.SUBMITTED,
    SubmitOutcome.PERMANENT: MtState.FAILED,
    SubmitOutcome.TEMPORARY: MtState.FAILED,
    SubmitOutcome.UNANSWERED: MtState.UNKNOWN,
}


@dataclass(slots=True, eq=False)
class Lane:
    """A line, what has begun on it and has parts left, and what waits for it alone."""

    line: Line
    begun: "deque[Sending]" = field(default_factory=deque)
    stays: "Waiting[Sending]" = field(default_factory=lambda: Waiting())
    """What waits for this line alone while it has no room: its number stays here. Nothing of it is written."""
    room: int = 0
    """As it was last asked."""
    closed_ms: int = 0
    """Since when it is known to be closed while something waits for it; 0: it is not."""
    in_flight: int = 0
    """Parts without an answer yet."""
    is_held: bool = False
    """It gets nothing new (traffic/rests.py); what has begun here goes on."""
    heard: int = 0
    """Parts that were answered."""
    is_silent: bool = False
    """Nothing was answered for a while (traffic/silence.py): nothing new, unless it may ask by one message."""
    may_ask: bool = False

    @property
    def waits_in_vain(self) -> bool:
        """Something has begun here, and the line is closed."""
        return bool(self.begun) and not self.line.is_open

    @property
    def name(self) -> str:
        """Its link's."""
        return self.line.link.name

    @property
    def terms(self) -> Terms:
        """Its line's priority and weight."""
        return self.line.terms

    @property
    def is_open(self) -> bool:
        """A message may begin here."""
        return not self.is_held and (self.may_ask or not self.is_silent) and self.line.is_open

    @property
    def is_slowed(self) -> bool:
        """Its operator found it too fast."""
        return self.line.is_slowed

    def look(self) -> int:
        """Ask how much room there is, and remember."""
        room = self.line.room()
        self.room = min(room, int(self.may_ask)) if self.is_silent else room
        return self.room

    def leave_unsaid(self) -> list["Sending"]:
        """What waits here and of which nobody was told anything: any line may send it. It waits here no more."""
        unsaid = [sending for sending in self.begun if not (sending.open or sending.answers)]
        if unsaid:
            self.begun = deque(sending for sending in self.begun if sending.open or sending.answers)
        return unsaid

    def leave_unwritten(self, queue: "Waiting[Sending]") -> None:
        """What waited for this line alone waits for any, before the others of its class."""
        for sending in reversed(list(self.stays)):
            queue.back(sending)
        self.stays.clear()

    def leave(self) -> list["Sending"]:
        """What waits here, which waits no more; what has parts under way will be judged by itself."""
        waiting = [sending for sending in self.begun if sending.todo and not sending.open]
        self.begun.clear()
        return waiting


@dataclass(slots=True, eq=False)
class Sending:
    """One MT on its way. `answers` are those that count: what was throttled, or never left, is to go again."""

    mt: Mt
    lane: Lane | None = None
    operations: Sequence[object] = ()
    todo: list[int] = field(default_factory=list)
    answers: dict[int, SubmitAnswer] = field(default_factory=dict)
    open: int = 0

    @property
    def traffic(self) -> TrafficClass:
        """What it goes before."""
        return self.mt.traffic

    @property
    def is_refused(self) -> bool:
        """Some part was not accepted: no more of it is sent now."""
        return any(answer.outcome is not SubmitOutcome.ACCEPTED for answer in self.answers.values())

    def why(self, outcome: SubmitOutcome | None = None) -> str:
        """What was said to the first part that was not accepted, or that had this outcome."""
        for _, answer in sorted(self.answers.items()):
            if answer.outcome is outcome or (outcome is None and answer.outcome is not SubmitOutcome.ACCEPTED):
                return answer.sentence or answer.outcome.value
        return "only some of its parts were sent"

    def parts(self) -> list[tuple[int, str, MtState]]:
        """What became of each part, of those too that nobody sent any more: a message that lacks them has failed.

        Of one alone nothing that the message's own row does not tell.
        """
        if len(self.operations) == 1:
            return []
        return [self._part(index) for index in range(len(self.operations))]

    def _part(self, index: int) -> tuple[int, str, MtState]:
        answer = self.answers.get(index)
        if answer is None:
            return index + 1, "", MtState.FAILED
        return index + 1, answer.key, _PART_STATES[answer.outcome]


_NONE: Mapping[int, Lane] = {}


class Lanes:
    """By operator, then by link: lines that were opened, bound now or not."""

    def __init__(self) -> None:
        self._lanes: dict[int, dict[int, Lane]] = {}
        self._routes: dict[int, Routes[Lane]] = {}
        self._held: Collection[int] = ()
        self.mute: Collection[int] = ()
        """Operators whose links all only answer."""

    def opened(self, operator_id: int, line: Line, now_ms: int) -> Lane | None:
        """A line is bound. The lane of an earlier line of its link, which was made anew meanwhile; else None."""
        lanes = self._lanes.setdefault(operator_id, {})
        routes = self._routes.setdefault(operator_id, Routes())
        lane = before = lanes.get(line.link.id)
        if lane is None or lane.line is not line:
            lane = lanes[line.link.id] = Lane(line, is_held=line.link.id in self._held)
        if not line.only_answers:
            routes.opened(lane, now_ms)
        return before if before is not lane else None

    def has_room(self, operator_id: int, line: Line, now_ms: int) -> None:
        """A line tells of room."""
        lane = self.of_link(operator_id, line.link.id)
        if lane is not None and not lane.line.only_answers:
            self._routes[operator_id].has_room(lane, now_ms)

    def hold(self, link_ids: Collection[int]) -> list[Lane]:
        """The links whose lines get nothing new, bound now or not; the lanes that may have new messages again."""
        self._held = link_ids
        released = [lane for _, lane in self if lane.is_held and lane.line.link.id not in link_ids]
        for _, lane in self:
            lane.is_held = lane.line.link.id in link_ids
        return released

    def throttled(self, operator_id: int, lane: Lane, now_ms: int) -> None:
        """The operator finds a line too fast."""
        if not lane.line.only_answers:
            self._routes[operator_id].throttled(lane, now_ms)

    def of(self, operator_id: int) -> Collection[Lane]:
        """Those of one operator."""
        return self._lanes.get(operator_id, _NONE).values()

    def of_link(self, operator_id: int, link_id: int) -> Lane | None:
        """The present one of a link."""
        return self._lanes.get(operator_id, _NONE).get(link_id)

    def is_current(self, lane: Lane, operator_id: int) -> bool:
        """Whether its line is still its link's."""
        return self.of_link(operator_id, lane.line.link.id) is lane

    def choose(self, operator_id: int, mt: Mt, now_ms: int) -> Lane | None:
        """The message's own link if it has room, else one by priorities and weights; None: nobody has any now.

        The line on which a number stays is chosen with room or without: `room` says which.

        A line is chosen for what waits on it; one that only answers also where the operator has no other, to say so.
        """
        routes = self._routes.get(operator_id)
        if routes is None:
            return None
        own = self._lanes[operator_id].get(mt.link_id)
        if own is not None and own.line.awaits(mt) and own.is_open and (own.look() > 0 or not own.line.only_answers):
            own.room = max(own.room, 1)  # An answer takes no room of its requests.
            return own
        if operator_id in self.mute:
            return next((lane for lane in self.of(operator_id) if lane.is_open and lane.look() > 0), None)
        return routes.choose(
            now_ms, own=own.name if own is not None and not own.line.only_answers else "", number=mt.destination
        )

    def withdraw(self, operator_id: int, mt_ids: Collection[int]) -> list[Mt]:
        """Let these wait on no line any more, but those of which parts are under way or were answered: those let go."""
        gone = []
        for lane in self.of(operator_id):
            gone += withdrawn(lane.stays, mt_ids)
            unsaid = {
                sending: sending.mt
                for sending in lane.begun
                if sending.mt.id in mt_ids and not (sending.open or sending.answers)
            }
            if unsaid:
                lane.begun = deque(sending for sending in lane.begun if sending not in unsaid)
                gone += unsaid.values()
        return gone

    def waiting(self, operator_id: int, traffic: TrafficClass) -> int:
        """How many have begun on the lines of an operator and are not done; and of a class, wait for one of them."""
        # Asked by the writer's thread too: a list is made in one step, while a line may open on the loop.
        return sum([len(lane.begun) + lane.stays.count(traffic) for lane in list(self.of(operator_id))])

    def is_open(self, operator_id: int) -> bool:
        """Whether a message may begin on any link of the operator."""
        is_mute = operator_id in self.mute
        return any(lane.is_open and (is_mute or not lane.line.only_answers) for lane in self.of(operator_id))

    def operators(self) -> list[int]:
        """Those of which a line was ever opened."""
        return list(self._lanes)

    def __iter__(self) -> Iterator[tuple[int, Lane]]:
        """Every lane, with its operator."""
        return ((operator_id, lane) for operator_id in self.operators() for lane in self.of(operator_id))


def withdrawn(waiting: Waiting[Sending], mt_ids: Collection[int]) -> list[Mt]:
    """Those of these MT that waited there; they do so no more."""
    gone = [sending.mt for sending in waiting if sending.mt.id in mt_ids]
    if gone:
        waiting.replace([sending for sending in waiting if sending.mt.id not in mt_ids])
    return gone


def reference_of(mt: Mt, link_id: int) -> int:
    """What ties the parts of a message together: 16 bits that change with every message, the lower 8 too.

    The lowest bits of an id hardly change; those above them are milliseconds. Another link may cut the text
    elsewhere, so its parts must not be joined with those of the first.
    """
    return ((mt.id >> 22 ^ mt.id) + link_id) & 0xFFFF
