"""`python -m bench [SECTION …] [--quick]`: the sections in turn; `python -m bench profile`: where the time goes.

SECTIONS   all there are, in order; without a name all are run, in some twenty minutes: growth up to a million stored
           messages then, by its name up to ten million

Rule: it prints and exits 0, whatever the figures are; it exits 1 when work was wrong.
"""

import argparse
import sys
from collections.abc import Callable

from rich.console import Console

from bench.closing import bench_closing
from bench.codec import bench_codec
from bench.codec_cimd2 import bench_codec_cimd2
from bench.codec_ucp import bench_codec_ucp
from bench.commits import bench_commits
from bench.counts import bench_counts
from bench.growth import bench_growth
from bench.kannel import bench_kannel, is_installed
from bench.lines import bench_lines
from bench.load import Measured
from bench.memory import bench_memory
from bench.money import bench_posting, bench_rating
from bench.outgoing import bench_outgoing
from bench.profile import Plan, run_profile
from bench.reports import bench_reports
from bench.routes import bench_routes
from bench.settlement import bench_settlement
from bench.table import Progress, Section, keep, show
from bench.way import bench_way
from tests import services

Measure = Callable[["Bench"], Section | None]


class Bench:
    """One run of it; `floods` are kept to be compared with Kannel's."""

    def __init__(self, *, quick: bool, database: str, by_name: bool = False, rows: int = 0) -> None:
        self.progress = Progress()
        self.quick = quick
        self.database = database
        self.most = 10_000_000 if by_name and not quick else 1_000_000
        """Messages stored, of growth."""
        self.rows = rows
        """Of the file of settlement; 0: as many as it has by itself."""
        self.floods: dict[str, Measured] = {}

    def section(self, name: str) -> Section | None:
        """Measure one; None where it cannot be had."""
        self.progress.say(f"{name} …")
        return SECTIONS[name](self)


def _pure(measure: Callable[..., Section]) -> Measure:
    return lambda bench: measure(quick=bench.quick)


def _telling(measure: Callable[..., Section]) -> Measure:
    return lambda bench: measure(bench.progress.say, quick=bench.quick)


def _way(kind: str) -> Measure:
    def measure(bench: Bench) -> Section:
        section, bench.floods[kind] = bench_way(kind, bench.progress.say, quick=bench.quick)
        return section

    return measure


def _kannel(bench: Bench) -> Section | None:
    return bench_kannel(bench.progress.say, bench.floods, quick=bench.quick) if is_installed() else None


SECTIONS: dict[str, Measure] = {
    "codec": _pure(bench_codec),
    "codec-ucp": _pure(bench_codec_ucp),
    "codec-cimd2": _pure(bench_codec_cimd2),
    "router": _pure(bench_routes),
    "lines": _pure(bench_lines),
    "fraud": _pure(bench_counts),
    "rating": _pure(bench_rating),
    "journal": _telling(bench_commits),
    "posting": _telling(bench_posting),
    "way-sqlite": _way("sqlite"),
    "way-mariadb": _way("mariadb"),
    "kannel": _kannel,
    "outgoing": _telling(bench_outgoing),
    "closing": _telling(bench_closing),
    "settlement": lambda bench: bench_settlement(bench.progress.say, quick=bench.quick, count=bench.rows),
    "reports": _telling(bench_reports),
    "growth": lambda bench: bench_growth(bench.progress.say, most=bench.most),
    "memory": lambda bench: bench_memory(bench.progress.say, bench.database, quick=bench.quick),
}


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Speed, as ratios measured in one run.")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"{', '.join(SECTIONS)}; or profile")
    parser.add_argument("--quick", action="store_true", help="a minute or two, less exact")
    parser.add_argument("--seconds", type=int, default=20, help="of profile: how long")
    parser.add_argument("--database", choices=("sqlite", "mariadb"), default="sqlite", help="of memory and profile")
    parser.add_argument("--rows", type=int, default=0, help="of settlement: how many the file has, as 1000000")
    parser.add_argument("--rate", type=float, default=0.0, help="of profile: messages a second; 0: a flood")
    parser.add_argument("--receipts", action="store_true", help="of profile: replies ask for receipts")
    asked = parser.parse_args()
    unknown = sorted(set(asked.sections) - {*SECTIONS, "profile"})
    if unknown:
        parser.error(f"no section {unknown[0]}; there are {', '.join(SECTIONS)}, profile")
    console = Console(width=None if sys.stdout.isatty() else 140)
    services.on_disk()
    bench = Bench(quick=asked.quick, database=asked.database, by_name=bool(asked.sections), rows=asked.rows)
    if "profile" in asked.sections:
        plan = Plan(kind=asked.database, seconds=asked.seconds, rate=asked.rate, receipts=asked.receipts)
        run_profile(console, bench.progress, plan)
        return 0
    done: list[Section] = []
    for name in asked.sections or SECTIONS:
        section = bench.section(name)
        bench.progress.clear()
        if section is None:
            console.print(f"\n{name}: not installed here; apt-get install {name}")
            continue
        done.append(section)
        show(console, section)
    console.print(f"\nWritten to {keep(done, quick=asked.quick)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
