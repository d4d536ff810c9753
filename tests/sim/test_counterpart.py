"""The operator's side without a protocol: one that sends into a list while there is room."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from core.message import Heard, SubmitOutcome
from plumbing.clock import SystemClock
from plumbing.loop import spawn
from sim.counterpart import Counterpart
from sim.quirks import Quirks
from sim.records import SeenMt, SentMo
from sim.subscribers import Subscribers, Written
from tests.case import AsyncioTestCase

LINK = "alpha"


@dataclass(slots=True, eq=False)
class Job:
    """One octet string to be sent."""

    text: str
    mo: SentMo | None = None
    mt: SeenMt | None = None


class Side(Counterpart[Job]):
    """`room` jobs may go to the link; a text is cut at its spaces."""

    def __init__(self, quirks: Quirks | None = None, *, seed: int = 0) -> None:
        super().__init__(SystemClock(), Random(seed), quirks=quirks, subscribers=Subscribers(texts=("A B",)), keep=True)
        self.room = 0
        self.sent: list[Job] = []
        self.judge: Callable[[int], SubmitOutcome] = self._judge

    @property
    def under_way(self) -> str:
        return ""

    def sentence_of(self, status: int) -> str:
        return str(status)

    def hears(self, job: Job, heard: Heard, status: int = 0) -> None:
        self._heard(job, heard, status)
        self.stirred()

    def receives(self, job: Job) -> None:
        self._queue_of(job).append(job)
        self.stirred()

    def sees(self, mt: SeenMt) -> None:
        self._saw(mt, self._latest.get(mt.destination))

    def _due_of(self, written: Written, number: int) -> list[Job]:
        return [Job(part) for part in written.text.split()]

    def _send_due(self) -> None:
        while self.room and (job := self._next_job(LINK)) is not None:
            self.room -= 1
            if job.mo is not None:
                self._count_sent(job.mo)
                job.mo.first_sent_ms = max(0, job.mo.first_sent_ms)
            self.sent.append(job)


def _an_mt(destination: str, status: int = 0) -> SeenMt:
    return SeenMt(LINK, "1", "4446", destination, "thanks", None, 5, status)


class WhatIsDue(AsyncioTestCase):
    async def test_a_flood_is_written_as_there_is_room_and_receipts_go_first(self) -> None:
        side = Side()
        side.room = 3
        side.flood(10)
        assert [job.text for job in side.sent] == ["A", "B", "A"]
        assert (side.counted.written, side.counted.sent, side.waiting) == (2, 3, 1 + 8)

        side.receives(Job("receipt", mt=_an_mt("79001000000")))
        side.receives(Job("receipt", mt=SeenMt("other", "2", "4446", "79001000000", "", None, 5)))
        side.room = 2
        side.stirred()

        assert [job.text for job in side.sent[3:]] == ["receipt", "B"]
        assert side.waiting == 8 + 1

    async def test_what_is_put_off_comes_again_and_what_is_refused_does_not(self) -> None:
        side = Side(Quirks(retry_s=0.01))
        side.room = 2
        mo = side.write("79001000000", "4446", "A B")
        first, second = side.sent
        side.room = 2
        side.hears(first, Heard.LATER, 8)
        side.hears(second, Heard.TAKEN)
        await side.until(lambda: len(side.sent) == 3)
        assert side.sent[2] is first
        assert not mo.is_acknowledged

        side.hears(first, Heard.TAKEN)
        assert (mo.is_acknowledged, side.counted.acknowledged, len(side.counted.answer_ms)) == (True, 1, 1)

        side.room = 1
        refused = side.write("79001000001", "4446", "A")
        side.hears(side.sent[3], Heard.NEVER, 11)
        assert (refused.refused, side.counted.put_off, side.counted.refused) == (11, 1, 1)
        assert side.refusals == {8: 1, 11: 1}

    async def test_a_rate_writes_its_count_and_ends(self) -> None:
        side = Side()
        waited = spawn(side.until(lambda: side.counted.written == 20), name="until")

        await side.trickle(1000, 20)

        await asyncio.wait_for(waited, 1)
        assert [mo.source for mo in side.mos[:2]] == ["79001000000", "79001000001"]
        assert side.waiting == 40


class WhatIsSaid(AsyncioTestCase):
    async def test_only_the_first_reply_is_timed_and_one_to_nobody_is_none(self) -> None:
        side = Side()
        side.sees(_an_mt("79001000000"))
        side.room = 1
        mo = side.write("79001000000", "4446", "A")
        for status in (0, 88, 0):
            side.sees(_an_mt("79001000000", status))

        assert (mo.replies, side.counted.replied, side.counted.accepted, len(side.mts)) == (2, 1, 3, 4)
        assert len(side.counted.reply_ms) == 1

    async def test_a_second_has_so_many_submissions_and_the_next_one_as_many(self) -> None:
        side = Side(Quirks(throttle_above=2))
        judged = [side.judge(at_ms) for at_ms in (1000, 1400, 1999, 2000, 2001, 2002)]

        yes, too_fast = SubmitOutcome.ACCEPTED, SubmitOutcome.THROTTLED
        assert judged == [yes, yes, too_fast, yes, yes, too_fast]

    async def test_a_seed_judges_the_same_for_ever(self) -> None:
        side = Side(Quirks(throttle=0.3, refuse=0.3), seed=7)
        letters = "".join(side.judge(0).value[0] for _ in range(12))

        assert letters == _drawn(Random(7), 12)


def _drawn(random: Random, count: int) -> str:
    """Throttled is drawn first; only who is not draws whether it is refused."""
    return "".join("t" if random.random() < 0.3 else "p" if random.random() < 0.3 else "a" for _ in range(count))
