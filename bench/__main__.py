"""`python -m bench [SECTION …] [--quick]`: the sections in turn; `python -m bench profile`: where the time goes.

SECTIONS   all there are, in order; without a name all but memory are run, in about a quarter of an hour: growth up to a
           million stored messages then, by its name up to ten million

Rule: it prints and exits 0, whatever the figures are; it exits 1 when work was wrong.
"""

import argparse
import sys

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

SECTIONS = (
    "codec", "codec-ucp", "codec-cimd2", "router", "lines", "fraud", "rating", "journal", "posting",
    "way-sqlite", "way-mariadb", "kannel", "outgoing", "closing", "settlement", "reports", "growth",
    "memory",
)  # fmt: skip
BY_DEFAULT = SECTIONS[:-1]


class Bench:
    """One run of it; `floods` are kept to be compared with Kannel's."""

    def __init__(self, *, quick: bool, database: str, by_name: bool = False) -> None:
        self.progress = Progress()
        self._by_name = by_name
        self._quick = quick
        self._database = database
        self._floods: dict[str, Measured] = {}

    def section(self, name: str) -> Section | None:
        """Measure one; None where it cannot be had."""
        say, quick = self.progress.say, self._quick
        say(f"{name} …")
        if name.startswith("way-"):
            kind = name.partition("-")[2]
            section, self._floods[kind] = bench_way(kind, say, quick=quick)
            return section
        if name == "kannel":
            return bench_kannel(say, self._floods, quick=quick) if is_installed() else None
        if name == "journal":
            return bench_commits(say, quick=quick)
        if name == "posting":
            return bench_posting(say, quick=quick)
        if name == "codec-ucp":
            return bench_codec_ucp(quick=quick)
        if name == "codec-cimd2":
            return bench_codec_cimd2(quick=quick)
        if name == "outgoing":
            return bench_outgoing(say, quick=quick)
        if name == "closing":
            return bench_closing(say, quick=quick)
        if name == "settlement":
            return bench_settlement(say, quick=quick)
        if name == "reports":
            return bench_reports(say, quick=quick)
        if name == "growth":
            return bench_growth(say, most=10_000_000 if self._by_name and not quick else 1_000_000)
        if name == "memory":
            return bench_memory(say, self._database, quick=quick)
        return {
            "codec": bench_codec,
            "router": bench_routes,
            "lines": bench_lines,
            "fraud": bench_counts,
            "rating": bench_rating,
        }[name](quick=quick)


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Speed, as ratios measured in one run.")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"{', '.join(SECTIONS)}; or profile")
    parser.add_argument("--quick", action="store_true", help="a minute or two, less exact")
    parser.add_argument("--seconds", type=int, default=20, help="of profile: how long")
    parser.add_argument("--database", choices=("sqlite", "mariadb"), default="sqlite", help="of memory and profile")
    parser.add_argument("--rate", type=float, default=0.0, help="of profile: messages a second; 0: a flood")
    parser.add_argument("--receipts", action="store_true", help="of profile: replies ask for receipts")
    asked = parser.parse_args()
    unknown = sorted(set(asked.sections) - {*SECTIONS, "profile"})
    if unknown:
        parser.error(f"no section {unknown[0]}; there are {', '.join(SECTIONS)}, profile")
    console = Console(width=None if sys.stdout.isatty() else 140)
    services.on_disk()
    bench = Bench(quick=asked.quick, database=asked.database, by_name=bool(asked.sections))
    if "profile" in asked.sections:
        plan = Plan(kind=asked.database, seconds=asked.seconds, rate=asked.rate, receipts=asked.receipts)
        run_profile(console, bench.progress, plan)
        return 0
    done: list[Section] = []
    for name in asked.sections or BY_DEFAULT:
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
