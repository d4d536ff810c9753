"""A storm of receipts: many thousand MT went out, and all their receipts come at once, while MO flow.

Storm       what was measured
storm       MO at a rate, in a calm and in the storm; raises with what does not hold at the end
HeldSmsc    a centre that holds back the receipts of what was queued, until it lets all go at once

Half of the MO come over the link of the storm, between its receipts, half over another operator's. An MO's time is from
its deliver_sm to our answer: what waits at the centre for room in its window is the centre's.

Rule: each receipt finds its MT, once; no MO is lost.
"""

import asyncio
import gc
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from core.message import MtState
from sim.centre import PocketSmsc
from sim.esme import Job
from sim.fates import Remembered
from sim.quirks import Quirks
from sim.records import Durations
from tests.fire.queued import TEXT, queue_mts
from tests.fire.stage import Ask, Stage
from tests.fire.truth import audit_faults, kept_faults, raise_for

RATE = 200.0
WINDOW = 400
"""Receipts and MO on their way to us at the same time; the link takes 500."""
QUIRKS = Quirks(retry_s=0.2, window=WINDOW, message_ids="hex_then_decimal")
LINK = 'options = { message_id_base = "resp_hex_receipt_dec" }'
WITHIN_S = 600.0
_QUEUED = TEXT.partition("{")[0]


@dataclass(frozen=True, slots=True)
class Storm:
    """What was measured."""

    receipts: int
    receipts_per_second: float
    calm_mos: int
    calm_p50_ms: int
    calm_p99_ms: int
    storm_mos: int
    storm_p50_ms: int
    storm_p99_ms: int
    storm_worst_ms: int
    seconds: float


class HeldSmsc(PocketSmsc):
    """Holds back receipts, and sends MO between them."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.holds = True
        self._held: dict[str, deque[Job]] = {}

    def let_go(self) -> None:
        """All of them, now."""
        self.holds = False
        for system_id, jobs in self._held.items():
            self._receipts.setdefault(system_id, deque()).extend(jobs)
        self._held = {}
        self.stirred()

    @property
    def receipts_held(self) -> int:
        """How many."""
        return sum(map(len, self._held.values()))

    def _receipt(self, taken: Remembered) -> None:
        super()._receipt(taken)
        assert taken.mt is not None
        if self.holds and taken.mt.text.startswith(_QUEUED):
            system_id = taken.mt.system_id
            self._held.setdefault(system_id, deque()).append(self._receipts[system_id].pop())

    def _next_job(self, system_id: str) -> Job | None:
        # As they come: else no MO would go before the last receipt.
        return self._queue.popleft() if self._queue else super()._next_job(system_id)


async def storm(
    database: str, count: int, *, calm_s: float = 15.0, tell: Callable[[int], None] = lambda done: None
) -> Storm:
    """The campaign. `tell`: how many receipts are acknowledged."""
    begun = time.monotonic()
    ask = Ask(database=database, operators=2, centre=HeldSmsc, quirks=QUIRKS, link=LINK)
    async with Stage(ask) as stage:
        await asyncio.to_thread(queue_mts, stage.database, count)
        await stage.service.up()
        centre = stage.centre
        assert isinstance(centre, HeldSmsc)
        await stage.until(lambda: centre.receipts_held == count, f"{count} MT submitted", WITHIN_S)
        # What nothing waits for is written by now, too.
        await stage.until_rows("SELECT COUNT(*) FROM mt WHERE state = 2", lambda row: row[0] == count, "all submitted")
        with _no_collection():
            async with stage.under_load(RATE):
                await stage.until_acknowledged(round(calm_s * RATE))
                calm = _times(stage)
                before, let_go = centre.counted.receipts, time.monotonic()
                centre.let_go()
                await _until_receipted(stage, centre, before + count, tell)
                seconds = time.monotonic() - let_go
                stormy = _times(stage)
        await stage.until_rows(_MO_LEFT, lambda row: row == (0, 0), "no work left")
        await stage.until(lambda: stage.acknowledged >= stage.written, "everything acknowledged")
        raise_for(await asyncio.to_thread(_faults, stage, count), f"after {count} receipts at once")
        return Storm(
            receipts=count,
            receipts_per_second=round(count / seconds, 1),
            calm_mos=len(calm),
            calm_p50_ms=calm.percentile(0.5),
            calm_p99_ms=calm.percentile(0.99),
            storm_mos=len(stormy),
            storm_p50_ms=stormy.percentile(0.5),
            storm_p99_ms=stormy.percentile(0.99),
            storm_worst_ms=stormy.percentile(1.0),
            seconds=time.monotonic() - begun,
        )


async def _until_receipted(stage: Stage, centre: HeldSmsc, goal: int, tell: Callable[[int], None]) -> None:
    step = max(1, (goal - centre.counted.receipts) // 20)
    while centre.counted.receipts < goal:
        next_ = min(goal, centre.counted.receipts + step)
        await stage.until(lambda next_=next_: centre.counted.receipts >= next_, f"{goal} receipts taken", WITHIN_S)  # type: ignore[misc]
        tell(centre.counted.receipts)


def _times(stage: Stage) -> Durations:
    """Those of the MO that were answered since the last time."""
    all_of_them = Durations()
    for centre in stage.centres:
        all_of_them.extend(centre.counted.answer_ms)
        centre.counted.answer_ms = Durations()
    return all_of_them


@contextmanager
def _no_collection() -> Iterator[None]:
    """The stage remembers so much that looking through it would be measured with the service."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _faults(stage: Stage, count: int) -> list[str]:
    """Nothing lost, nothing twice, every receipt joined; blocks."""
    found = audit_faults(stage) + kept_faults(stage)
    states = {state: many for state, many in stage.rows("SELECT state, COUNT(*) FROM mt GROUP BY state")}
    mts = sum(states.values())
    if states != {int(MtState.DELIVERED): mts}:
        found.append(f"R6 not all are delivered: { {MtState(state).name: many for state, many in states.items()} }")
    if mts != count + stage.acknowledged:
        found.append(f"R4 {mts} MT for {count} queued and {stage.acknowledged} answered")
    kept = stage.row("SELECT COUNT(*) FROM receipt")[0]
    found += [f"R6 {kept} receipts found nothing"] if kept else []
    seen = Counter(mt.text for centre in stage.centres for mt in centre.mts)
    found += [f"R5 {text!r} was submitted {times} times" for text, times in seen.items() if times > 1]
    found += [
        f"R6 {mt.receipts} receipts of {mt.text!r} were taken"
        for centre in stage.centres
        for mt in centre.mts
        if mt.receipts != 1
    ]
    return found


_MO_LEFT = "SELECT (SELECT COUNT(*) FROM callback WHERE due_at IS NOT NULL), (SELECT COUNT(*) FROM mt WHERE state < 3)"
