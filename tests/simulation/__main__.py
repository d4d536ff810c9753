"""Many seeds at once: `python -m tests.simulation --seeds 1000 [--from 0] [--jobs 2]`; one: `--seed 17`."""

import argparse
import multiprocessing
import sys
import tempfile
import time
from pathlib import Path

from rich.progress import track

from tests import services
from tests.compiled import collect_seldom, compile_once
from tests.simulation.faults import template_of
from tests.simulation.truth import faults_of
from tests.simulation.world import World

_template = b""


def make_template() -> bytes:
    """A migrated database, as octets."""
    with tempfile.TemporaryDirectory() as folder:
        url = services.fresh_sqlite(Path(folder))
        return template_of(url.removeprefix("sqlite:///"))


def run_seed(seed: int, template: bytes) -> tuple[int, list[str], World]:
    """One run and what does not hold."""
    world = World(seed, template)
    try:
        world.run()
        return seed, faults_of(world), world
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return seed, [f"the run failed: {error!r}"], world


def _begin(template: bytes) -> None:
    global _template
    _template = template
    collect_seldom()


def _one(seed: int) -> tuple[int, list[str]]:
    seed, faults, world = run_seed(seed, _template)
    world.close()
    return seed, faults


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=multiprocessing.cpu_count())
    parser.add_argument("--seed", type=int)
    options = parser.parse_args()
    compile_once()
    template = make_template()
    if options.seed is not None:
        seed, faults, world = run_seed(options.seed, template)
        print(f"seed {seed}: {world.plans}\n{world.seen}\n" + ("\n".join(faults) or "all holds"))
        return 1 if faults else 0
    begun = time.monotonic()
    failed = 0
    seeds = range(options.first, options.first + options.seeds)
    with multiprocessing.get_context("fork").Pool(options.jobs, _begin, (template,)) as pool:
        runs = pool.imap_unordered(_one, seeds, chunksize=4)
        for seed, faults in track(runs, total=len(seeds), description="seeds", disable=not sys.stderr.isatty()):
            if faults:
                failed += 1
                print(f"seed {seed} fails; replay: python -m tests.simulation --seed {seed}", *faults[:5], sep="\n  ")
    print(f"{len(seeds)} seeds, {failed} failed, {time.monotonic() - begun:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
