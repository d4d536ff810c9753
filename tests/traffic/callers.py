"""A dispatcher over a journal of paper; partners and the database are made up.

Office   `offer` jobs to its dispatcher, or let it look into `due`; partners are called by `answers`

Rule: time stands still unless `clock.advance` moves it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from random import Random

from core.clock import DAY_MS
from core.message import Answer, Callback, Outcome
from plumbing.threads import InlineWriter
from store.journal import CallbackFact, MoFact
from tests.makers import NOON, a_link, a_service, an_mo
from tests.traffic.desk import HandClock, Paper
from traffic.commit import Batcher
from traffic.dispatch import Dispatcher

FAILED = Answer(Outcome.AGAIN, status=500, error="status 500")


class Office:
    """A dispatcher over a journal of paper; partners are called by `deliver`. To be made inside a story."""

    def __init__(self, deliver: Callable[[Callback], Awaitable[Answer]] | None = None, *, total_max: int = 500) -> None:
        self.clock = HandClock()
        self.paper = Paper()
        self.batcher = Batcher(self.paper, InlineWriter().run, self.clock, max_delay_ms=0)
        self.called: list[Callback] = []
        self.due: list[Callback] = []
        self.asked: list[list[int]] = []
        self.concurrency = 4
        self.tasks = [asyncio.ensure_future(self.batcher.run())]
        self.dispatcher = Dispatcher(
            {"http_get": deliver or self._deliver},
            self.batcher,
            self.clock,
            Random(1),
            due=self._due,
            reply=lambda job, text, sender: None,
            on_reply=lambda mt: None,
            concurrency_of=lambda login: self.concurrency,
            spawn=lambda work: self.tasks.append(asyncio.ensure_future(work)),
            total_max=total_max,
        )
        self.answers: Callable[[Callback], Answer] = lambda job: Answer(Outcome.ANSWERED, status=204)
        self.hangs = False
        self.gate: asyncio.Event | None = None

    async def _deliver(self, job: Callback) -> Answer:
        self.called.append(job)
        if self.gate is not None:
            await self.gate.wait()
        if self.hangs:
            await asyncio.Event().wait()
        return self.answers(job)

    async def _due(self, limit: int, crowded: Sequence[int], rationed: Mapping[int, int]) -> list[Callback]:
        self.asked.append(list(crowded))
        due = [job for job in self.due if job.partner_id not in crowded]
        old = self.clock.now() - DAY_MS
        taken = [job for job in due if job.service.id not in rationed or job.accepted_at <= old][:limit]
        for service_id, few in rationed.items():
            taken += [job for job in due if job.service.id == service_id and job.accepted_at > old][:few]
        self.due = [job for job in self.due if job not in taken]
        return taken

    async def looks(self) -> None:
        """Into the database, once, and what comes of it."""
        polling = asyncio.ensure_future(self.dispatcher.poll())
        await self.flow()
        polling.cancel()

    async def flow(self) -> None:
        for _ in range(50):
            await asyncio.sleep(0)

    @property
    def results(self) -> list[CallbackFact]:
        return [fact for fact in self.paper.facts if isinstance(fact, CallbackFact)]


def a_job(number: int, *, partner: int = 1, service: int = 1, attempt: int = 0, at: int = NOON) -> Callback:
    its = a_service(id=service, partner=f"p{partner}")
    return Callback(
        number, partner, f"p{partner}", its, attempt, "79001112233", "4446", "GAME", "GAME 7", "7", "alpha", "RU",
        0, 0, "RUB", at, 1,
    )  # fmt: skip


def a_fact(job: Callback) -> MoFact:
    fact = MoFact(an_mo(id=job.mo_id), a_link())
    fact.job = job
    return fact
