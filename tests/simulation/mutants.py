"""Bugs that are planted at run time, to prove that the simulation sees them: `python -m tests.simulation.mutants`.

Mutant     a bug: what it is, how it is planted, in which worlds it can show
MUTANTS    the register
seen_by    the first of some seeds that fails with a mutant, and what it says

Rule: a mutant is a mistake that somebody could make, in code of the service; the simulation itself stays as it is.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from core.clock import month_of
from core.errors import StoreAway
from core.ids import EPOCH_MS, Ids
from core.message import Heard
from core.question import REPLACE, Finding, Found
from core.tariff import rate
from fraud.counters import MemoryCounts
from fraud.window import Window
from smsc_link.protocols.smpp.cancelling import SmppCancelling
from store import journal, outbox, processes
from store.journal import booking, ordered, repeats, replaced
from store.journal.became import Became, Case
from tests.simulation.__main__ import make_template
from tests.simulation.plans import Plans
from tests.simulation.truth import faults_of
from tests.simulation.world import World
from tollbridge import watch
from traffic.accept import Accept
from traffic.commit import Batcher
from traffic.dispatch import Dispatcher
from traffic.doubts import Doubts
from traffic.parts import Group

CALM_S = 300.0
Plant = tuple[Any, str, Any]
"""Where, which name, what stands there instead."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A planted bug."""

    name: str
    plants: Sequence[Plant]
    where: Callable[[Plans], bool] = lambda plans: True
    """Worlds in which it can do harm."""
    seed: int = 0
    """One that saw it; only a hint where to look first."""
    is_rare: bool = False
    """Few worlds show it: `make soak` looks for it among thousands, `make test` does not."""

    @contextmanager
    def planted(self) -> Iterator[None]:
        """With the bug."""
        with ExitStack() as stack:
            for place, name, other in self.plants:
                stack.callback(setattr, place, name, getattr(place, name))
                setattr(place, name, other)
            yield


def seen_by(mutant: Mutant, seeds: Iterable[int], template: bytes) -> tuple[int, str] | None:
    """The first seed that sees it, and the first thing that does not hold there; None when all are blind.

    Only where all holds without it: a bug of our own is no merit of the simulation's.
    """
    for seed in seeds:
        world = World(seed, template, calm_s=CALM_S)
        if not mutant.where(world.plans):
            world.close()
            continue
        with mutant.planted():
            faults = _faults(world)
        if faults and not _faults(World(seed, template, calm_s=CALM_S)):
            return seed, faults[0]
    return None


def _faults(world: World) -> list[str]:
    try:
        world.run()
        return faults_of(world)
    except Exception as error:
        return [f"the run failed: {error!r}"]
    finally:
        world.close()


# --- the bugs --------------------------------------------------------------------------------------------

_deliver = Accept.deliver
_store_is_away = Batcher._store_is_away
_dispatcher_settled = Dispatcher._settled


def _acknowledge_early(self: Accept, delivery: Any) -> None:
    delivery.answer(Heard.TAKEN)
    _deliver(self, delivery)


_begun: dict[int, tuple[Group, int]] = {}


def _sweep_by_the_wall(self: Accept) -> None:
    now = self._clock.now()
    self.doubts.turn()
    for group in self.assemblies:
        _, begun = _begun.setdefault(id(group), (group, now))
        if group.all_durable() and (group.is_complete or now - begun > self._timeout_ms(group.link)):
            self._finish(group)


def _nothing(*args: Any, **more: Any) -> None:
    """Forgotten."""


async def _no_doubt(self: Batcher, batch: Any, error: StoreAway) -> None:
    await _store_is_away(self, batch, StoreAway(str(error)))


def _reply_always(self: Dispatcher, fact: Any, error: Any) -> None:
    if error is None:
        fact.stored = True
    _dispatcher_settled(self, fact, error)


def _release_unmarked(connection: Any, process_id: int, now: int) -> None:
    connection.exec_driver_sql(f"UPDATE callback SET due_at = 0 WHERE leased_by = {process_id} AND due_at > {now}")
    connection.exec_driver_sql(f"UPDATE mt SET state = 0, due_at = 0 WHERE process_id = {process_id} AND state = 1")


def _ids_by_the_clock(self: Ids, now: int) -> int:
    self._sequence = (self._sequence + 1) % 4096
    return (now - EPOCH_MS) << 22 | self._slot | self._sequence


def _sum_without_jumps(self: Window, at: int, span: Any) -> int:
    if at < self.at:
        entries = self.entries
        places = range(0, len(entries), 3)
        return sum(entries[place + 2] for place in places if at - span.window_ms < entries[place] <= at)
    self.at = at
    self._move_edge(at - span.window_ms)
    return self.total


def _life_unfenced(connection: Any, process_id: int, now: int, *, batch: int = 0, doubt_from: int = 0) -> None:
    connection.exec_driver_sql(
        f"UPDATE process SET heartbeat_at = max({now}, heartbeat_at + 1), last_batch = max({batch}, last_batch), "
        f"doubt_from = max({doubt_from}, doubt_from) WHERE id = {process_id}"
    )


def _judge_without_doubt(case: Case) -> Became:
    return _judge_replaced(replace(case, in_doubt=False, fact=replace(case.fact, in_doubt=False)))


_judge_replaced = replaced.judge
_unfenced = [
    (journal, "show_life", _life_unfenced),
    (outbox, "hold_life", _nothing),
    (processes, "show_life", _life_unfenced),
]

_BUGS = (
    Mutant("acknowledge before the commit", [(Accept, "deliver", _acknowledge_early)], lambda plans: plans.away > 0.02),
    Mutant("forget to look for repeats", [(repeats, "tell", _nothing)], lambda plans: plans.cut > 0.1, seed=38),
    Mutant(
        "take a commit in doubt for one that failed",
        [(Batcher, "_store_is_away", _no_doubt)],
        lambda plans: plans.doubt > 0.02,
        seed=43,
    ),
    Mutant("lose what a dead process held", [(processes, "_release", _nothing)], lambda plans: plans.crash > 0.02),
    Mutant(
        "reply to every answer",
        [(Dispatcher, "_settled", _reply_always)],
        lambda plans: plans.later,
        seed=96,
        is_rare=True,
    ),
    Mutant(
        "wait for parts by the wall clock",
        [(Accept, "sweep", _sweep_by_the_wall)],
        lambda plans: plans.jump > 0.1 and plans.long_share > 0,
        seed=283,
        is_rare=True,
    ),
    Mutant(
        "say nothing of what was perhaps sent twice",
        [(processes, "_release", _release_unmarked)],
        lambda plans: plans.crash > 0.02,
    ),
    Mutant(
        "let the buried go on",
        _unfenced,
        lambda plans: plans.freeze > 0.05 and plans.layout != "one",
        seed=165,
        is_rare=True,
    ),
    Mutant(
        "open links before the dead are buried",
        [(processes.Neighbours, "strangers", 0)],
        lambda plans: plans.containers and plans.crash > 0.03 and plans.layout == "one",
        seed=19,
    ),
    Mutant(
        "take what was read after a standstill for new",
        [(Doubts, "is_stale", lambda self, delivery: False)],
        lambda plans: plans.freeze > 0.1 and plans.layout != "pair",
        seed=19,
    ),
    Mutant(
        "count nothing again at a start",
        [(MemoryCounts, "restore", _nothing)],
        lambda plans: plans.crash > 0.02,
        seed=41,
    ),
    Mutant(
        "forget a window with the old time",
        [(Window, "sum_at", _sum_without_jumps)],
        lambda plans: plans.jump > 0.1,
        seed=33,
    ),
    Mutant("forget what a volume was moved to", [(booking, "write_counters", _nothing)]),
    Mutant("make ids by the clock alone", [(Ids, "next", _ids_by_the_clock)], lambda plans: plans.jump > 0.1, seed=10),
    Mutant(
        "take every month for one of UTC", [(rate, "month_of", lambda moment, zone="UTC": month_of(moment))], seed=1
    ),
    Mutant(
        "wait for the old time",
        [(watch, "end_waits", _nothing), (outbox, "_DUE", "(due_at <= ? AND ? > 0)")],
        lambda plans: plans.jump > 0.2 and plans.partner_fails > 0,
        seed=20,
    ),
    Mutant(
        "take every answer to a cancel_sm for a yes",
        [(SmppCancelling, "read", lambda self, question, response: Finding(Found.CANCELLED))],
        lambda plans: plans.orders > 0,
        seed=1,
    ),
    Mutant(
        "forget that a text may have been changed",
        [(ordered, "JUDGES", {**ordered.JUDGES, REPLACE: _judge_without_doubt})],
        lambda plans: plans.orders > 1 and plans.cut > 0.1,
        seed=2552,
    ),
)
MUTANTS = {mutant.name: mutant for mutant in _BUGS}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="some of the register; all without")
    parser.add_argument("--seeds", type=int, default=400)
    parser.add_argument("--from", dest="first", type=int, default=0)
    options = parser.parse_args()
    template = make_template()
    unseen = 0
    for name in options.names or MUTANTS:
        begun = time.monotonic()
        seeds = range(options.first, options.first + options.seeds)
        found = seen_by(MUTANTS[name], seeds, template)
        unseen += found is None
        print(f"{name}: {f'seed {found[0]}: {found[1]}' if found else 'NOT SEEN'} ({time.monotonic() - begun:.1f} s)")
    return 1 if unseen else 0


if __name__ == "__main__":
    sys.exit(main())
