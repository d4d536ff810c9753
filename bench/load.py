"""The load: a pocket SMSC in a process of its own. `python -m bench.load` tells its port, then runs stages.

Stage      what to send, and whose CPU to read; a line of JSON on standard input
Measured   what came of it; a line of JSON on standard output, after {"progress": …} lines

A stage sends warm + count + tail messages. The clock and the CPU of the processes are read when the warm-up's last
submit_sm has come and when the last of `count` has, with the same load before and behind: so the two edges are alike.

Rule: a stage ends when every MO is acknowledged and answered; one that stands still for STALL_S is an error.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from random import Random
from typing import Any

from bench.processes import Usage, usage_of, usage_of_all
from plumbing import loop
from plumbing.clock import SystemClock
from plumbing.conversation import Address
from plumbing.pump import listen
from sim.centre import PocketSmsc
from sim.esme import Esme, Job
from sim.quirks import Quirks
from sim.records import Counted, SeenMt
from sim.subscribers import Subscribers
from tollbridge import logs

STALL_S = 30.0
WINDOW = 100
SETTLE_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What to send. `rate` 0: a flood. `watched` are process ids by name."""

    name: str
    count: int
    rate: float = 0.0
    warm: int = 0
    tail: int = 0
    receipts: bool = False
    """Replies ask for receipts; it ends when all of them were taken."""
    watched: Mapping[str, list[int]] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All that is sent."""
        return self.warm + self.count + self.tail


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What came of the measured messages of a stage."""

    name: str
    rate: float
    count: int
    total: int
    seconds: float
    usage: Mapping[str, Usage]
    p50_ms: float
    p99_ms: float
    worst_ms: float
    put_off: int
    refused: int
    unanswered: int
    submitted: int
    receipts: int
    busy: float
    """Share of this machine's processors that was used meanwhile, by whomever."""

    @property
    def others(self) -> float:
        """Share of the processors that went to none of ours: with much of it, latencies are not ours either."""
        ours = sum(self.usage[name].cpu_s for name in ("service", "load", "partner", "database") if name in self.usage)
        return max(0.0, self.busy - ours / self.seconds / (os.cpu_count() or 1))

    @property
    def per_second(self) -> float:
        """Answered messages."""
        return self.count / self.seconds

    def cpu_us(self, name: str) -> float:
        """CPU of one of the watched, per message."""
        return self.usage[name].cpu_s / self.count * 1e6

    @staticmethod
    def of(values: Mapping[str, Any]) -> "Measured":
        """Read back from JSON."""
        usage = {name: Usage(**one) for name, one in values["usage"].items()}
        return Measured(**{**values, "usage": usage})


class TimedSmsc(PocketSmsc):
    """Notes when a subscriber's MO left, to the microsecond: the centre's own clock has milliseconds."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.left_at: dict[str, float] = {}

    def _send(self, esme: Esme, job: Job, now_ms: int) -> None:
        if job.mo is not None and job.mo.first_sent_ms < 0:
            self.left_at[job.mo.source] = time.perf_counter()
        super()._send(esme, job, now_ms)


class _Meter:
    """Reads clock and CPU at the edges of the measured messages, and times each of them."""

    def __init__(self, stage: Stage, centre: TimedSmsc) -> None:
        self.stage = stage
        self.submitted = 0
        self.seconds = 0.0
        self.busy = 0.0
        self.usage: dict[str, Usage] = {}
        self.latencies_ms: list[float] = []
        self._left_at = centre.left_at
        self._began = 0.0
        self._before: dict[str, Usage] = {}
        self._all_before = Usage()
        if not stage.warm:
            self._begin()

    def on_submitted(self, mt: SeenMt) -> None:
        """An MT came."""
        left = self._left_at.pop(mt.destination, None)
        if left is None:
            return
        self.submitted += 1
        stage = self.stage
        if stage.warm < self.submitted <= stage.warm + stage.count:
            self.latencies_ms.append(1000 * (time.perf_counter() - left))
        if self.submitted == stage.warm:
            self._begin()
        elif self.submitted == stage.warm + stage.count:
            self.seconds = time.perf_counter() - self._began
            self.usage = {name: after - self._before[name] for name, after in self._read().items()}
            self.busy = (usage_of_all() - self._all_before).cpu_s / self.seconds / (os.cpu_count() or 1)

    def _begin(self) -> None:
        self._before = self._read()
        self._all_before = usage_of_all()
        self._began = time.perf_counter()

    def _read(self) -> dict[str, Usage]:
        return {name: usage_of(*pids) for name, pids in self.stage.watched.items()}


async def run_stage(centre: TimedSmsc, stage: Stage) -> Measured:
    """Send it all and wait for it all."""
    meter = _Meter(stage, centre)
    centre.on_submitted = meter.on_submitted
    before = replace(centre.counted)
    if stage.rate:
        trickle = loop.spawn(centre.trickle(stage.rate, stage.total), name="trickle")
        await _until_done(centre, stage, meter, before)
        await trickle
    else:
        centre.flood(stage.total)
        await _until_done(centre, stage, meter, before)
    counted = centre.counted
    ranked = sorted(meter.latencies_ms)
    return Measured(
        name=stage.name,
        rate=stage.rate,
        count=stage.count,
        total=stage.total,
        seconds=meter.seconds,
        usage=meter.usage,
        p50_ms=ranked[len(ranked) // 2],
        p99_ms=ranked[min(len(ranked) - 1, int(0.99 * len(ranked)))],
        worst_ms=ranked[-1],
        put_off=counted.put_off - before.put_off,
        refused=counted.refused - before.refused,
        unanswered=counted.unanswered - before.unanswered,
        submitted=counted.submitted - before.submitted,
        receipts=counted.receipts - before.receipts,
        busy=meter.busy,
    )


async def _until_done(centre: TimedSmsc, stage: Stage, meter: _Meter, before: Counted) -> None:
    """Wait, tell each second how far it is; an error when nothing moves any more."""
    counted, wanted = centre.counted, stage.total
    told, moved_at, last = 0.0, time.monotonic(), -1
    while True:
        acknowledged = counted.acknowledged - before.acknowledged
        receipts = counted.receipts - before.receipts
        if min(meter.submitted, acknowledged) >= wanted and (receipts >= wanted or not stage.receipts):
            return
        await asyncio.sleep(SETTLE_S)
        now, moved = time.monotonic(), meter.submitted + counted.acknowledged + counted.receipts
        if moved != last:
            last, moved_at = moved, now
        if now - moved_at > STALL_S:
            raise RuntimeError(f"{stage.name}: {meter.submitted} of {wanted} answered, then nothing for {STALL_S} s")
        if now - told >= 1:
            told = now
            tell({"progress": f"{stage.name}: {meter.submitted:,} of {wanted:,}"})


def tell(values: Mapping[str, Any]) -> None:
    """One line to who started us."""
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


async def _serve() -> None:
    logs.set_up(level="error")
    clock = SystemClock()
    centre = TimedSmsc(
        clock, Random(0), quirks=Quirks(window=WINDOW), subscribers=Subscribers(texts=("GAME 7",)), keep=False
    )
    listener = listen(Address("127.0.0.1", 0), centre.accept, clock)
    tell({"port": listener.port})
    while line := await asyncio.to_thread(sys.stdin.readline):
        stage = Stage(**json.loads(line))
        async with asyncio.timeout(STALL_S):
            await centre.until(lambda: bool(centre.esmes))
        tell(asdict(await run_stage(centre, stage)))
    await listener.close(abort=True)


if __name__ == "__main__":
    loop.run(_serve)
