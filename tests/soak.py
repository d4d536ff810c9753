"""The long campaigns: `python -m tests.soak`, or some: `python -m tests.soak kills --count 200 --database mariadb`.

simulation   20 000 seeds of tests/simulation
mutants      bugs that are planted: each must be seen by some of 3 000 seeds
kills        kill -9 under load, 200 times on SQLite and 200 times on MariaDB
cuts         TCP cut in mid answer, 1 000 times; and 50 without the recognition of repeats, which must charge twice
freezes      SIGSTOP of one of two services on MariaDB, 50 times with the same roles, 50 times with roles apart
outages      MariaDB and Redis stopped and frozen for 30 s, 50 connections cut in a COMMIT either way
memory       of the service over 500 000 messages: flat within 5 % after the first 100 000
flaps        links by SMPP, UCP and CIMD2 up 2 s, down 1 s for 2 minutes under load, on SQLite and on MariaDB; of two of
             the three, as the seed says, the operator is one
storm        100 000 receipts at once while MO flow: their p99 grows by 100 ms at most, on SQLite and on MariaDB
marked       the tests with the marker `soak`: orders to links, flaps and storms on MariaDB, short as in make test
events       stories of money, crashed anywhere and told again: 200 on MariaDB, five times as many on SQLite
held         a COMMIT delivered after it was given up, 20 times: noisily, in silence, by a server that froze in it

`--hours 6` in their place: the outages once in each hour, between them faults of partners, links, answers and clocks in
the seed's order (tests/fire/hours.py).

Ends with a table; exit code 1 when anything failed. A failure names its seed: `--seed` runs the same again.

Rule: nothing is decided here: the campaigns are those of tests/fire, and what must hold is theirs.
"""

import argparse
import asyncio
import multiprocessing
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, TypeAlias

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench import memory
from plumbing import loop
from tests.fire import cuts, flaps, freezes, held_commits, kills, outages, redis_outages, storm
from tests.fire.hours import hourly

Tell: TypeAlias = Callable[[int], None]
Campaign: TypeAlias = Callable[[Tell], Awaitable[object]]

DATABASES = ("sqlite", "mariadb")
CAMPAIGNS = (
    *(
        "simulation",
        "mutants",
        "kills",
        "cuts",
        "freezes",
        "outages",
        "held",
        "flaps",
        "storm",
        "marked",
        "events",
        "memory",
    ),
)
SECONDS = 30
CUTS_IN_COMMIT = 50
FLAPPING_S = 120
STORM = 100_000
DELAY_MAX_MS = 100
"""By so much a storm of receipts may delay MO, at the 99th of a hundred."""


@dataclass(frozen=True, slots=True)
class Run:
    """One line of the table. `total` is what the bar runs to."""

    name: str
    total: int
    campaign: Campaign


@dataclass(frozen=True, slots=True)
class Ended:
    """How it went."""

    name: str
    figures: str
    seconds: float
    failure: str = ""


def runs_of(options: argparse.Namespace) -> Iterator[Run]:
    """What was asked for; of hours each run as its time comes."""
    if options.hours:
        yield from hourly(options.hours, _outages, BETWEEN, seed=options.seed)
        return
    databases = (options.database,) if options.database else DATABASES
    for name in options.campaigns or CAMPAIGNS:
        if name == "simulation":
            count = options.count or 20_000
            yield _seeds(name, ["tests.simulation", "--jobs", str(multiprocessing.cpu_count())], count, options.seed)
        elif name == "mutants":
            yield _seeds(name, ["tests.simulation.mutants"], options.count or 3_000, options.seed)
        elif name == "kills":
            count = options.count or 200
            for database in databases:
                campaign = partial(_kills, database, count, options.seed)
                yield Run(f"kill -9 × {count}, {database}", count, campaign)
        elif name == "cuts":
            count = options.count or 1_000
            database = options.database or "sqlite"
            yield Run(f"cuts × {count}, {database}", count, partial(_cuts, database, count, options.seed))
            few = min(count, CUTS_BETWEEN)
            control = partial(_cuts_unrecognised, database, few, options.seed)
            yield Run(f"control × {few}, repeats not recognised", few, control)
        elif name == "freezes":
            count = options.count or 50
            for word, roles in (("twins", freezes.TWINS), ("roles apart", freezes.APART)):
                yield Run(f"freezes × {count}, {word}", count, partial(_freezes, roles, count, options.seed))
        elif name in ("flaps", "storm"):
            for database in databases:
                yield _links(name, database, options.count, options.seed)
        elif name == "memory":
            for database in databases:
                yield Run(f"memory, {database}", memory.STEPS, partial(_memory, database))
        elif name == "outages":
            yield from _outages()
        elif name == "marked":
            # What `make test` has no time for.
            yield Run("tests marked `soak`", 1, partial(_apart, ["pytest", "-q", "-m", "soak", "tests/fire"]))
        elif name == "events":
            stories = str(options.count or 200)
            words = ["pytest", "-q", "-p", "no:cacheprovider", "tests/store/test_events_again.py"]
            yield Run(f"events again × {stories}", 1, partial(_apart, words, TOLLBRIDGE_EVENTS=stories))
        else:
            count = options.count or 20
            for word, hold in _HOLDS.items():
                yield Run(f"COMMIT held × {count}, {word}", count, partial(_again_and_again, hold, count))


def _seeds(name: str, module: list[str], count: int, seed: int) -> Run:
    """In processes of their own: their loop is a virtual one."""
    words = [*module, "--seeds", str(count), "--from", str(seed)]
    return Run(f"{name}, {count} seeds", 1, partial(_apart, words))


def _links(name: str, database: str, count: int, seed: int) -> Run:
    if name == "flaps":
        seconds = count or FLAPPING_S
        total = round(3 * seconds / (flaps.UP_S + flaps.DOWN_S))
        return Run(f"links flap {seconds} s, {database}", total, partial(_flaps, database, seconds, seed))
    receipts = count or STORM
    return Run(f"receipts at once × {receipts}, {database}", receipts, partial(_storm, database, receipts))


def _flaps(database: str, seconds: int, seed: int, tell: Tell) -> Awaitable[object]:
    return flaps.flap_often(database, seconds, seed=seed, tell=tell)


async def _storm(database: str, receipts: int, tell: Tell) -> object:
    """Raises AssertionError where MO waited too long."""
    seen = await storm.storm(database, receipts, tell=tell)
    delay_ms = seen.storm_p99_ms - seen.calm_p99_ms
    assert delay_ms <= DELAY_MAX_MS, f"MO were delayed by {delay_ms} ms at p99: {seen}"
    return seen


def _outages() -> Iterator[Run]:
    yield Run(f"MariaDB stopped {SECONDS} s", SECONDS, partial(outages.stopped, SECONDS))
    yield Run(f"MariaDB frozen {SECONDS} s", SECONDS, partial(outages.frozen, SECONDS))
    for how in redis_outages.HOWS:
        yield Run(f"Redis {how} {SECONDS} s", SECONDS, partial(redis_outages.redis_away, how, SECONDS))
    for passes in (True, False):
        end = "its answer lost" if passes else "never arrived"
        yield Run(f"cut in COMMIT × {CUTS_IN_COMMIT}, {end}", CUTS_IN_COMMIT, partial(_cuts_in_commit, passes))


def _tests(name: str, path: str, _: int) -> Run:
    return Run(name, 1, partial(_apart, ["pytest", "-q", "-p", "no:cacheprovider", path]))


CUTS_BETWEEN = 50
BETWEEN: tuple[Callable[[int], Run], ...] = (
    partial(_tests, "partner faults", "tests/fire/test_partner_faults.py"),
    partial(_tests, "link faults", "tests/fire/test_link_faults.py"),
    partial(_tests, "clocks", "tests/way/test_clocks.py"),
    *(partial(_links, "flaps", database, 0) for database in DATABASES),
    lambda seed: Run(f"cuts × {CUTS_BETWEEN}", CUTS_BETWEEN, partial(_cuts, "sqlite", CUTS_BETWEEN, seed)),
)
"""A seed → a fault between two outages."""


def _kills(database: str, count: int, seed: int, tell: Tell) -> Awaitable[object]:
    return kills.kill_often(database, count, seed=seed, tell=tell)


def _cuts(database: str, count: int, seed: int, tell: Tell) -> Awaitable[object]:
    return cuts.cut_often(count, seed=seed, database=database, tell=tell)


async def _cuts_unrecognised(database: str, count: int, seed: int, tell: Tell) -> object:
    """The control run. Raises AssertionError where it shows no doubles: then the campaign would prove nothing."""
    seen = await cuts.cut_often(count, seed=seed, database=database, repeat="never", tell=tell)
    assert seen.doubles > 0, f"without the recognition of repeats nothing was charged twice: {seen}"
    return seen


def _freezes(roles: tuple[str, ...], count: int, seed: int, tell: Tell) -> Awaitable[object]:
    return freezes.freeze_often(roles, count, seed=seed, tell=tell)


_HOLDS: dict[str, Callable[[], Awaitable[outages.Outage]]] = {
    "its connection breaks": held_commits.held_commit,
    "in silence": partial(held_commits.held_commit, silent=True),
    "a server frozen in it": held_commits.frozen_in_commit,
}


async def _again_and_again(hold: Callable[[], Awaitable[outages.Outage]], count: int, tell: Tell) -> str:
    """Each on a stage of its own; what must hold is checked at the end of each."""
    repeats = noticed = 0
    for done in range(1, count + 1):
        outage = await hold()
        repeats += outage.repeats
        noticed += outage.noticed
        tell(done)
    return f"repeats {repeats}, losses noticed {noticed}"


def _cuts_in_commit(passes: bool, tell: Tell) -> Awaitable[object]:
    return outages.cut_in_commit(CUTS_IN_COMMIT, passes=passes, tell=tell)


async def _memory(database: str, tell: Tell) -> str:
    """Raises AssertionError where it grows."""
    measured = await asyncio.to_thread(memory.sizes, lambda what: None, database, tell=tell)
    moved = memory.growth(measured)
    assert moved <= memory.AIM, [f"{size / 2**20:.1f} MiB" for size in measured]
    return f"{measured[0] / 2**20:.1f} MiB, moved {100 * moved:.1f} % after the first {memory.SETTLED * memory.STEP:,}"


async def _apart(module: list[str], tell: Tell, **variables: str) -> str:
    """A module with its words, in a process of its own. Raises AssertionError with what it printed."""
    command = [sys.executable, "-m", *module]
    put = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "env": {**os.environ, **variables}}
    run = partial(subprocess.run, command, check=False, text=True, **put)
    done = await asyncio.to_thread(run)
    assert done.returncode == 0, done.stdout[-4000:]
    tell(1)
    return done.stdout.strip().splitlines()[-1]


async def soak(runs: Iterable[Run], console: Console) -> list[Ended]:
    """One after the other: each wants the machine for itself."""
    columns = (TextColumn("{task.description:44}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    ended = []
    with Progress(*columns, console=console) as progress:
        for run in runs:
            task = progress.add_task(run.name, total=run.total)
            begun = time.monotonic()
            figures, failure = "", ""
            try:
                found = await run.campaign(partial(_show, progress, task))
                figures = found if isinstance(found, str) else figures_of(found)
                progress.update(task, completed=run.total)
            except Exception as error:
                failure = f"{type(error).__name__}: {error}"
                console.print(f"{run.name} failed\n{traceback.format_exc()}", markup=False)
            ended.append(Ended(run.name, figures, time.monotonic() - begun, failure))
            if not console.is_terminal:
                console.print(f"{run.name}: {failure.splitlines()[0] if failure else figures}", markup=False)
    return ended


def _show(progress: Progress, task: TaskID, done: int) -> None:
    one = progress.tasks[task]
    tenth = max(1, int(one.total or 1) // 10)
    is_new = done > one.completed
    progress.update(task, completed=done)
    if is_new and done % tenth == 0 and not progress.console.is_terminal:
        progress.console.print(f"{one.description}: {done} after {one.elapsed or 0:.0f} s", markup=False)


def figures_of(found: Any) -> str:
    """A campaign's dataclass in words, without what the table says already."""
    shown = ((one.name, getattr(found, one.name)) for one in fields(found) if one.name not in ("what", "seconds"))
    return ", ".join(_figure(name, value) for name, value in shown if value)


def _figure(name: str, value: Any) -> str:
    words = name.removesuffix("_s").replace("_", " ")
    return f"{words} {value:.2f} s" if isinstance(value, float) else f"{words} {value}"


def table_of(ended: list[Ended]) -> Table:
    """All of it at the end."""
    table = Table("campaign", "result", "figures", "seconds")
    for one in ended:
        result = "[red]failed[/]" if one.failure else "[green]holds[/]"
        table.add_row(
            one.name, result, one.failure.splitlines()[0] if one.failure else one.figures, f"{one.seconds:.0f}"
        )
    return table


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("campaigns", nargs="*", metavar="CAMPAIGN", help=f"some of {', '.join(CAMPAIGNS)}; all without")
    parser.add_argument("--count", type=int, default=0, help="how many kills, cuts, receipts …; seconds of flaps")
    parser.add_argument("--database", choices=DATABASES)
    parser.add_argument("--seed", type=int, default=0, help="of the random; the first one of the simulation")
    parser.add_argument("--hours", type=int, default=0, help="so long: outages hourly, other faults between them")
    options = parser.parse_args()
    if options.hours and options.campaigns:
        parser.error("--hours has campaigns of its own; leave theirs out")
    if options.hours and (options.database or options.count):
        parser.error("--hours has databases and counts of its own; leave --database and --count out")
    for name in options.campaigns:
        if name not in CAMPAIGNS:
            parser.error(f"there is no campaign {name!r}; choose from {', '.join(CAMPAIGNS)}")
    console = Console()
    ended = loop.run(lambda: soak(runs_of(options), console))
    console.print(table_of(ended))
    return 1 if any(one.failure for one in ended) else 0


if __name__ == "__main__":
    sys.exit(main())
