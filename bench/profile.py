"""Where the time goes: a load under py-spy. `python -m bench profile [--seconds 20] [--database sqlite|mariadb]`.

Plan          what is recorded: the flood, or a fixed rate
run_profile   records, adds up, shows: stations, places of ours, functions by self and cumulative time

Shares of samples are told as µs per message: the service's CPU per message, read in the same flood, times the share.

py-spy does not stop the service: stopped by ptrace, threads that sleep look as if they ran. A few stacks are read
while they change and come out mixed; who sleeps, in fsync too, is not counted.

Rule: the figures are of a service that is being watched: for where, not for how much.
"""

import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.load import Measured, Stage
from bench.stacks import Frame, Stack, functions, hot_lines, places, read_stacks, statements, stations
from bench.table import Progress
from bench.way import check, running

RATE_HZ = 200
TOP = 25
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is recorded. `rate` 0: a flood."""

    kind: str = "sqlite"
    seconds: int = 20
    rate: float = 0.0
    receipts: bool = False


def run_profile(console: Console, progress: Progress, plan: Plan) -> None:
    """Record a load and show where its time went."""
    stacks, measured = _record(progress.say, plan)
    progress.clear()
    samples = sum(stack.samples for stack in stacks)
    us_per_sample = measured.cpu_us("service") / max(1, samples)
    cost = f"{measured.cpu_us('service'):.0f} µs of CPU a message"
    console.print(f"{plan.kind}: {cost}, {measured.per_second:.0f}/s, {samples} samples")
    lines = hot_lines(stacks)
    by_thread: Counter[str] = Counter()
    for stack in stacks:
        by_thread["writer" if "writer" in stack.thread else "loop"] += stack.samples
    own, cumulative = functions(stacks)
    console.print(_plain("By thread", by_thread, us_per_sample))
    console.print(_plain("By station (a library's time is its caller's)", stations(stacks), us_per_sample))
    console.print(_by_function("By place of ours (libraries below it included)", places(stacks), lines, us_per_sample))
    console.print(_by_function("Journal by statement", statements(stacks), {}, us_per_sample))
    console.print(_by_function("Functions, self", own, lines, us_per_sample))
    console.print(_by_function("Functions, cumulative", cumulative, lines, us_per_sample))


def _record(say: Say, plan: Plan) -> tuple[list[Stack], Measured]:
    seconds, receipts = plan.seconds, plan.receipts
    with (
        tempfile.TemporaryDirectory(prefix="tollbridge-bench-") as folder,
        running(plan.kind, receipts=receipts) as rig,
    ):
        raw = Path(folder) / "raw"
        speed = rig.run(Stage(name="warm-up", count=8000, receipts=receipts), say).per_second
        spy = subprocess.Popen(
            [
                *(_spy(), "record", "--pid", str(rig.service.pid), "--duration", str(seconds)),
                *("--rate", str(RATE_HZ), "--threads", "--nonblocking", "--format", "raw", "--output", str(raw)),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            # Longer than py-spy samples, so that it sees nothing but the load.
            count = int((plan.rate or speed) * (seconds + 3))
            measured = rig.run(Stage(name="under py-spy", rate=plan.rate, count=count, receipts=receipts), say)
            said, _ = spy.communicate(timeout=seconds + 30)
        finally:
            spy.kill()
        rig.service.stop()
        check(rig)
        if not raw.exists():
            raise RuntimeError(f"py-spy recorded nothing (it needs ptrace: run as root):\n{said}")
        return list(read_stacks(raw.read_text())), measured


def _spy() -> str:
    beside = Path(sys.executable).with_name("py-spy")
    found = str(beside) if beside.exists() else shutil.which("py-spy")
    if found is None:
        raise RuntimeError("py-spy is not installed; pip install py-spy")
    return found


def _plain(title: str, samples: Mapping[str, int], us_per_sample: float) -> Table:
    table = Table("", "share", "µs a message", title=title, title_justify="left")
    total = sum(samples.values())
    for name, count in sorted(samples.items(), key=lambda one: -one[1]):
        table.add_row(name, f"{100 * count / total:.1f} %", f"{count * us_per_sample:.1f}")
    return table


def _by_function(title: str, samples: Counter[Frame], lines: Mapping[Frame, int], us_per_sample: float) -> Table:
    table = Table("µs a message", "function", "where most", title=title, title_justify="left")
    for frame, count in samples.most_common(TOP):
        where = f"{frame.file}:{lines[frame]}" if frame in lines else frame.file
        table.add_row(f"{count * us_per_sample:.1f}", frame.function, where)
    return table
