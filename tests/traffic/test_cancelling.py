"""Messages that are taken back: out of the sender's hands, and over the line that they went by."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from core.catalogue import Link
from core.errors import StoreAway
from core.message import Mt, MtState
from core.question import Finding, Found, Withdrawal
from store.cancellations import Due
from store.journal import CancelFact, CancelHow, Fact
from tests.makers import NOON, a_link
from tests.smsc_link.virtual import VirtualClock, virtually
from tests.traffic.desk import ACCEPTED, THROTTLED, Desk, FakeLine, an_mt, run
from traffic.cancelling import LOOK_S, NO_ID, NO_LINK, ROOM_S, Canceller
from traffic.routes import Terms

OPERATOR = 7
TAKEN = Finding(Found.CANCELLED)
KEPT = Finding(Found.KEPT, "0x11 ESME_RCANCELFAIL: cancel failed")


@dataclass
class PlainLine:
    """A line whose protocol has no word for it."""

    link: Link = field(default_factory=lambda: replace(a_link(), protocol="http"))
    is_open: bool = True
    only_answers: bool = False
    terms: Terms = field(default_factory=lambda: Terms(1, 1, False))

    def awaits(self, mt: Mt) -> bool:
        return False

    def room(self) -> int:
        return 1

    def write(self, mt: object, *, reference: int) -> list[object]:
        return []

    def submit(self, operation: object) -> Any:
        raise NotImplementedError


@dataclass
class CancellingLine(PlainLine):
    """One that says what it is told to, one at a time; without room where it has none."""

    link: Link = field(default_factory=a_link)
    cancels: bool = True
    has_room: bool = True
    says: Callable[[Withdrawal], Finding] = lambda withdrawal: TAKEN
    asked: list[int] = field(default_factory=list)
    """Parts."""

    def cancel(self, withdrawal: Withdrawal) -> Awaitable[Finding] | None:
        if not self.has_room:
            return None
        self.asked.append(withdrawal.part)
        future: asyncio.Future[Finding] = asyncio.get_running_loop().create_future()
        future.set_result(self.says(withdrawal))
        return future


@dataclass
class Paper:
    """A batcher that keeps what it is given, and settles it."""

    away: bool = False
    facts: list[CancelFact] = field(default_factory=list)

    def put(self, fact: Fact, settled: Callable[[Fact, None], None]) -> None:
        assert isinstance(fact, CancelFact)
        self.facts.append(fact)
        fact.outcome = "done"
        settled(fact, None)


class Holder:
    """A sender that lets go of what it holds."""

    def __init__(self, *held: int) -> None:
        self.held = set(held)

    def withdraw(self, operator_id: int, mt_id: int) -> bool:
        assert operator_id == OPERATOR
        is_held = mt_id in self.held
        self.held.discard(mt_id)
        return is_held


class Wanted:
    """What people want, and what there is to ask for of each."""

    def __init__(self, *due: Due, parts: Mapping[int, list[Withdrawal]] | None = None) -> None:
        self.all = list(due)
        self.parts = parts or {}
        self.up: list[list[int]] = []
        self.fails: list[Exception] = []
        self.cannot_take: list[Exception] = []

    async def due(self, link_ids: Collection[int], /) -> list[Due]:
        self.up.append(list(link_ids))
        if self.fails:
            raise self.fails.pop(0)
        found, self.all = self.all, []
        return found

    async def take(self, order_ids: Sequence[int], /) -> Mapping[int, list[Withdrawal]]:
        if self.cannot_take:
            self.all = [a_due(id_) for id_ in order_ids]
            raise self.cannot_take.pop(0)
        return {id_: self.parts.get(id_, []) for id_ in order_ids}


class Office:
    """A canceller at work. To be made inside a story."""

    def __init__(self, wanted: Wanted, *lines: PlainLine, held: Sequence[int] = ()) -> None:
        self.paper, self.holder, self.clock = Paper(), Holder(*held), VirtualClock()
        self.tasks: list[asyncio.Task[None]] = []
        self.canceller = Canceller(self.paper, self.holder, self.clock, wanted=wanted, spawn=self._spawn)  # type: ignore[arg-type]
        for line in lines:
            self.canceller.line_opened(line)
        self._spawn(self.canceller.run())

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        self.tasks.append(asyncio.get_running_loop().create_task(work))

    async def looks(self, times: int = 1) -> list[CancelFact]:
        await asyncio.sleep(times * LOOK_S + 0.1)
        return self.paper.facts

    async def ends(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.wait(self.tasks)


def a_due(order: int = 1, state: MtState = MtState.SUBMITTED, *, asked: int = 0, at: int = NOON) -> Due:
    return Due(order, 100 + order, asked, at, state, OPERATOR, 1)


def a_part(part: int = 0, key: str = "") -> Withdrawal:
    return Withdrawal(101, part, OPERATOR, 1, key or f"k{part}", "4446", "79001112233", 0)


def story_of(wanted: Wanted, *lines: PlainLine, held: Sequence[int] = (), looks: int = 1) -> list[CancelFact]:
    """What is written of these."""
    found: list[CancelFact] = []

    async def story() -> None:
        office = Office(wanted, *lines, held=held)
        found.extend(await office.looks(looks))
        await office.ends()

    virtually(story())
    return found


def test_what_was_submitted_is_asked_for_part_by_part_over_its_line() -> None:
    line = CancellingLine(says=lambda one: KEPT if one.part == 2 else TAKEN)

    (fact,) = story_of(Wanted(a_due(), parts={1: [a_part(1), a_part(2), a_part(3)]}), line)

    assert line.asked == [1, 2, 3]
    assert (fact.how, fact.parts) == (CancelHow.ASKED, [(1, True), (2, False), (3, True)])
    assert fact.sentence == "part 2: the operator keeps it: 0x11 ESME_RCANCELFAIL: cancel failed"
    assert fact.again_at is None


def test_parts_that_the_centre_names_alike_are_taken_back_together() -> None:
    told = [TAKEN, KEPT]
    line = CancellingLine(says=lambda one: told.pop(0))

    (fact,) = story_of(Wanted(a_due(), parts={1: [a_part(1, "261124/1"), a_part(2, "261124/1")]}), line)

    assert (fact.parts, fact.sentence) == ([(1, True), (2, True)], "")


def test_an_operator_that_does_not_offer_it_is_asked_for_one_part_only() -> None:
    line = CancellingLine(says=lambda one: Finding(Found.REFUSED, "unknown command"))

    (fact,) = story_of(Wanted(a_due(), parts={1: [a_part(1), a_part(2)]}), line)

    assert line.asked == [1]
    assert fact.sentence == "the operator of alpha-1 takes no messages back: unknown command"
    assert fact.again_at is None


@pytest.mark.parametrize(("asked", "pause_s"), [(0, 5), (3, 300), (4, None)])
def test_without_an_answer_it_is_asked_again_later_and_not_for_ever(asked: int, pause_s: int | None) -> None:
    line = CancellingLine(says=lambda one: Finding(Found.LATER, "no answer (timeout)"))

    (fact,) = story_of(Wanted(a_due(asked=asked), parts={1: [a_part()]}), line)

    assert fact.again_at == (None if pause_s is None else fact.at + 1000 * pause_s)
    assert fact.sentence.endswith("; it is asked again") == (pause_s is not None)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (PlainLine(), "link alpha-1 speaks http, which has no way to take a message back"),
        (CancellingLine(cancels=False), "link alpha-1 only receives, so its operator cannot be asked over it"),
    ],
)
def test_a_line_that_cannot_says_why(line: PlainLine, sentence: str) -> None:
    (fact,) = story_of(Wanted(a_due(), parts={1: [a_part()]}), line)

    assert (fact.how, fact.sentence) == (CancelHow.NOT, sentence)


def test_what_the_operator_gave_no_id_is_told_so() -> None:
    (fact,) = story_of(Wanted(a_due()), CancellingLine())

    assert (fact.how, fact.sentence) == (CancelHow.NOT, NO_ID)


def test_what_waits_in_this_process_is_let_go_and_what_does_not_is_looked_at_again() -> None:
    held, flying = a_due(1, MtState.SUBMITTING), a_due(2, MtState.SUBMITTING)

    (fact,) = story_of(Wanted(held, flying), held=[held.mt_id])

    assert (fact.mt_id, fact.how) == (held.mt_id, CancelHow.HELD)


@pytest.mark.parametrize("state", [MtState.QUEUED, MtState.DELIVERED])
def test_of_what_waits_in_the_database_the_journal_decides(state: MtState) -> None:
    (fact,) = story_of(Wanted(a_due(1, state)))

    assert fact.how is CancelHow.QUEUED


def test_a_line_that_is_down_is_not_asked_and_its_messages_wait_a_day() -> None:
    closed = CancellingLine(is_open=False)
    wanted = Wanted(a_due(at=-(1 << 40)), a_due(2, at=1 << 50))

    (fact,) = story_of(wanted, closed)

    assert wanted.up == [[]]
    assert closed.asked == []
    assert (fact.order_id, fact.how, fact.sentence) == (1, CancelHow.NOT, NO_LINK)


def test_a_withdrawal_goes_as_soon_as_its_line_tells_of_room() -> None:
    async def story() -> None:
        line = CancellingLine(has_room=False)
        office = Office(Wanted(a_due(), parts={1: [a_part()]}), line)
        await office.looks()

        line.has_room = True
        office.canceller.line_has_room(line)

        assert line.asked == [0], "before the line is handed to who sends"
        await asyncio.sleep(0.01)
        assert office.paper.facts[0].parts == [(0, True)]
        await office.ends()

    virtually(story())


def test_a_line_without_room_for_long_or_that_goes_down_is_asked_again_later() -> None:
    async def story() -> None:
        full, wanted = CancellingLine(has_room=False), Wanted(a_due(), parts={1: [a_part()], 2: [a_part()]})
        office = Office(wanted, full)
        await asyncio.sleep(ROOM_S + 2)
        wanted.all = [a_due(2)]
        await office.looks()
        full.is_open = False
        await office.looks()

        assert [fact.again_at is not None for fact in office.paper.facts] == [True, True]
        assert full.asked == []
        await office.ends()

    virtually(story())


def test_an_outage_ends_nothing() -> None:
    wanted = Wanted(a_due(1, MtState.QUEUED))
    wanted.fails = [StoreAway("away"), ValueError("a bug")]

    facts = story_of(wanted, looks=3)

    assert len(facts) == 1


def test_an_order_that_could_not_be_taken_is_taken_at_the_next_look() -> None:
    line, wanted = CancellingLine(), Wanted(a_due(), parts={1: [a_part()]})
    wanted.cannot_take = [StoreAway("away"), ValueError("a bug")]

    (fact,) = story_of(wanted, line, looks=3)

    assert fact.parts == [(0, True)]
    assert line.asked == [0]


# --- what the sender lets go of -----------------------------------------------------------------------------


def test_a_sender_lets_go_of_what_waits_for_a_line_or_for_room() -> None:
    async def story() -> None:
        desk, line = Desk(), FakeLine(room=0)
        desk.sender.offer(an_mt(id=1))
        before = desk.sender.withdraw(1, 1)
        desk.sender.line_opened(line)
        desk.sender.offer(an_mt(id=2))
        desk.sender.offer(an_mt(id=3))

        let_go, again = desk.sender.withdraw(1, 2), desk.sender.withdraw(1, 2)
        line.gets_room(desk, 10)
        await desk.flow()

        assert (before, let_go, again) == (True, True, False)
        assert [sent.mt_id for sent in line.sent] == [3]
        assert not desk.sender.withdraw(9, 3), "nobody knows this operator"

    run(story)


def test_a_sender_keeps_what_is_under_way_or_was_accepted_in_part() -> None:
    async def story() -> None:
        desk, line = Desk(), FakeLine(room=1)
        line.holds_answers = True
        desk.sender.line_opened(line)
        desk.sender.offer(an_mt(id=1, parts=2))

        flying = desk.sender.withdraw(1, 1)
        line.answers(ACCEPTED)
        await desk.flow()
        half = desk.sender.withdraw(1, 1)
        line.gets_room(desk)
        line.answers(ACCEPTED)
        await desk.flow()

        assert (flying, half) == (False, False)
        assert desk.states == [MtState.SUBMITTED]

    run(story)


def test_a_sender_lets_go_of_what_was_throttled() -> None:
    async def story() -> None:
        desk, line = Desk(), FakeLine(room=1)
        line.says = lambda sent: THROTTLED
        desk.sender.line_opened(line)
        desk.sender.offer(an_mt(id=1))
        await desk.flow()

        assert desk.sender.withdraw(1, 1)
        line.says = lambda sent: ACCEPTED
        line.gets_room(desk, 10)
        await desk.flow()

        assert [sent.mt_id for sent in line.sent] == [1], "once, and it was refused"
        assert desk.states == []

    run(story)
