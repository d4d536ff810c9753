"""Who is asked, by which link, how fast; what is made of the answers, and of those that refuse."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from core.catalogue import Link
from core.clock import DAY_MS, HOUR_MS, MINUTE_MS
from core.errors import StoreAway
from core.message import Mt, ReceiptState
from core.question import Finding, Found, Question
from store.journal import AskedFact, Fact, ReceiptFact
from tests.makers import a_link
from tests.smsc_link.virtual import VirtualClock, virtually
from traffic.asking import FRUITLESS_MAX, LOOK_S, ROOM_TRIES, Asker
from traffic.routes import Terms

OPERATOR = 7
DELIVERED = Finding(Found.DELIVERED, "DELIVRD")
NOT_KNOWN = Finding(Found.NOT_KNOWN, "query failed")
REFUSED = Finding(Found.REFUSED, "unknown command")


@dataclass
class AskingLine:
    """A link that says what it is told to; without room where it has none."""

    link: Link = field(default_factory=a_link)
    asks_per_minute: int = 60
    says: Callable[[Question], Finding] = lambda question: DELIVERED
    is_open: bool = True
    only_answers: bool = False
    is_slowed: bool = False
    has_room: bool = True
    terms: Terms = field(default_factory=lambda: Terms(1, 1, False))
    asked: list[tuple[int, Question]] = field(default_factory=list)

    def awaits(self, mt: Mt) -> bool:
        return False

    def room(self) -> int:
        return 1

    def write(self, mt: object, *, reference: int) -> list[object]:
        return []

    def submit(self, operation: object) -> Any:
        raise NotImplementedError

    def ask(self, question: Question) -> Awaitable[Finding] | None:
        if not self.has_room:
            return None
        loop = asyncio.get_running_loop()
        self.asked.append((int(1000 * loop.time()), question))
        future: asyncio.Future[Finding] = loop.create_future()
        future.set_result(self.says(question))
        return future


@dataclass
class Paper:
    """A batcher that keeps what it is given."""

    away: bool = False
    facts: list[Fact] = field(default_factory=list)

    def put(self, fact: Fact, settled: Callable[[Fact, None], None]) -> None:
        self.facts.append(fact)
        settled(fact, None)


class Desk:
    """An asker, and what is due to be asked. To be made inside a coroutine."""

    def __init__(self, *questions: Question) -> None:
        self.paper = Paper()
        self.due: list[Question] = list(questions)
        self.looks = 0
        self.fails: list[Exception] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.asker = Asker(self.paper, VirtualClock(), due=self._find, spawn=self._spawn)  # type: ignore[arg-type]

    def opens(self, *lines: AskingLine) -> None:
        for line in lines:
            self.asker.line_opened(OPERATOR, line)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        self.tasks.append(asyncio.get_running_loop().create_task(work))

    async def _find(self, operator_id: int, limit: int) -> list[Question]:
        assert operator_id == OPERATOR
        self.looks += 1
        if self.fails:
            raise self.fails.pop(0)
        found, self.due = self.due[:limit], self.due[limit:]
        return found

    async def ends(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.wait(self.tasks)


def a_question(number: int = 1, *, part: int = 0, link_id: int = 1) -> Question:
    return Question(number, part, OPERATOR, link_id, f"k{number}.{part}", "4446", "79001112233", 0)


def another_link() -> Link:
    return a_link(id=2, name="alpha-2")


def test_an_end_is_a_receipt_of_that_message_by_the_id_that_was_asked() -> None:
    async def story() -> None:
        desk, line = Desk(a_question()), AskingLine()
        line.says = lambda question: Finding(Found.FAILED, "UNDELIV", "69")

        desk.opens(line)
        await asyncio.sleep(LOOK_S)

        (fact,) = desk.paper.facts
        assert isinstance(fact, ReceiptFact)
        assert (fact.asked, fact.receipt.keys, fact.receipt.state) == (1, ("k1.0",), ReceiptState.FAILED)
        assert (fact.receipt.word, fact.receipt.error) == ("UNDELIV", "69")
        assert (fact.receipt.source, fact.receipt.operator_id) == ("79001112233", OPERATOR)
        assert (desk.asker.counted.asked, desk.asker.counted.told) == (1, 1)
        await desk.ends()

    virtually(story())


def test_parts_are_written_together_and_the_asking_ends_when_it_ends_for_all() -> None:
    async def story() -> None:
        parts = [a_question(part=number) for number in (1, 2, 3)]
        says = {1: DELIVERED, 2: NOT_KNOWN, 3: Finding(Found.ON_ITS_WAY, "ENROUTE")}
        desk, line = Desk(*parts), AskingLine(says=lambda question: says[question.part])

        desk.opens(line)
        await asyncio.sleep(LOOK_S)
        says[3] = NOT_KNOWN
        desk.due = parts[1:]
        await asyncio.sleep(2 * LOOK_S)

        told, first, second = desk.paper.facts
        assert isinstance(told, ReceiptFact)
        assert isinstance(first, AskedFact)
        assert isinstance(second, AskedFact)
        assert (first.sentence, first.is_last) == ("part 2: query failed; part 3: ENROUTE", False)
        assert second.is_last
        await desk.ends()

    virtually(story())


def test_the_link_that_a_message_went_by_is_asked_first_and_another_where_it_is_down() -> None:
    async def story() -> None:
        desk = Desk(a_question(1, link_id=2))
        own, other = AskingLine(another_link()), AskingLine()

        desk.opens(other, own)
        await asyncio.sleep(LOOK_S)
        own.is_open = False
        desk.due = [a_question(2, link_id=2)]
        await asyncio.sleep(2 * LOOK_S)

        assert [question.mt_id for _, question in own.asked] == [1]
        assert [question.mt_id for _, question in other.asked] == [2]
        await desk.ends()

    virtually(story())


def test_what_another_centre_does_not_know_is_asked_for_again() -> None:
    async def story() -> None:
        desk, line = Desk(a_question(link_id=2)), AskingLine(says=lambda question: NOT_KNOWN)

        desk.opens(line)
        await asyncio.sleep(LOOK_S)

        (fact,) = desk.paper.facts
        assert isinstance(fact, AskedFact)
        assert (fact.sentence, fact.is_last) == ("query failed, by alpha-1", False)
        await desk.ends()

    virtually(story())


def test_an_operator_that_refuses_is_left_alone_for_a_day() -> None:
    async def story() -> None:
        desk = Desk(*(a_question(number) for number in range(1, 10)))
        line = AskingLine(says=lambda question: REFUSED)

        desk.opens(line)
        await asyncio.sleep(DAY_MS / 1000 - 2 * MINUTE_MS / 1000)
        desk.due = [a_question(10)]
        looks = desk.looks
        await asyncio.sleep(5 * MINUTE_MS / 1000)

        assert len(line.asked) == 2
        assert looks == 1, "nothing is taken that nobody would ask"
        assert desk.paper.facts == []
        await desk.ends()

    virtually(story())


def test_a_link_that_was_changed_after_a_refusal_asks_at_once() -> None:
    async def story() -> None:
        desk = Desk(a_question(1))
        refuses = AskingLine(says=lambda question: REFUSED)
        desk.opens(refuses)
        await asyncio.sleep(LOOK_S)

        refuses.is_open = False
        desk.due = [a_question(2)]
        changed = AskingLine()
        desk.opens(changed)
        await asyncio.sleep(2 * LOOK_S)

        assert [question.mt_id for _, question in changed.asked] == [2]
        await desk.ends()

    virtually(story())


def test_a_link_that_learns_nothing_from_many_rests_for_an_hour() -> None:
    async def story() -> None:
        desk = Desk(*(a_question(number) for number in range(1, 51)))
        line = AskingLine(says=lambda question: NOT_KNOWN)

        desk.opens(line)
        await asyncio.sleep(HOUR_MS / 1000 - 2 * MINUTE_MS / 1000)
        first = len(line.asked)
        desk.due = [a_question(60)]
        await asyncio.sleep(3 * MINUTE_MS / 1000)

        assert first == FRUITLESS_MAX
        assert len(line.asked) == FRUITLESS_MAX + 1
        await desk.ends()

    virtually(story())


def test_questions_keep_to_their_pace() -> None:
    async def story() -> None:
        desk = Desk(*(a_question(number) for number in range(1, 31)))
        line = AskingLine(asks_per_minute=20)

        desk.opens(line)
        await asyncio.sleep(3 * MINUTE_MS / 1000)

        times = [at for at, _ in line.asked]
        assert len(times) == 30
        assert min(later - earlier for earlier, later in pairwise(times)) >= 3000
        await desk.ends()

    virtually(story())


def test_a_question_that_finds_no_room_is_asked_when_there_is_some_or_at_its_next_time() -> None:
    async def story() -> None:
        desk, line = Desk(a_question(1)), AskingLine(has_room=False)

        desk.opens(line)
        await asyncio.sleep(5)
        line.has_room = True
        await asyncio.sleep(LOOK_S)
        line.has_room = False
        desk.due = [a_question(2)]
        await asyncio.sleep(2 * LOOK_S + ROOM_TRIES)
        line.has_room = True
        await asyncio.sleep(LOOK_S)

        assert [question.mt_id for _, question in line.asked] == [1]
        await desk.ends()

    virtually(story())


def test_a_database_that_is_away_or_in_the_way_is_asked_again() -> None:
    async def story() -> None:
        desk, line = Desk(a_question()), AskingLine()
        desk.fails = [StoreAway("the database is away"), ValueError("a bug")]

        desk.opens(line)
        await asyncio.sleep(4 * LOOK_S)

        assert [question.mt_id for _, question in line.asked] == [1]
        desk.paper.away = True
        looks = desk.looks
        await asyncio.sleep(4 * LOOK_S)
        assert desk.looks == looks
        await desk.ends()

    virtually(story())


def test_nobody_looks_while_no_link_is_up_that_may_ask() -> None:
    async def story() -> None:
        desk, line = Desk(), AskingLine()
        desk.opens(AskingLine(another_link(), asks_per_minute=0), line)
        await asyncio.sleep(LOOK_S)
        line.is_open = False
        await asyncio.sleep(2 * LOOK_S)
        looks = desk.looks

        await asyncio.sleep(20 * LOOK_S)
        assert desk.looks == looks
        assert all(task.done() for task in desk.tasks)
        line.is_open = True
        desk.opens(line)
        desk.opens(line)
        await asyncio.sleep(LOOK_S / 2)

        assert desk.looks == looks + 1, "once, however often it opens"
        await desk.ends()

    virtually(story())
