"""How results are shown: tables on the terminal, one JSON file for the README to quote, a line of progress.

Section     a table with what a person should know beside it
show        on a console;  keep, all of a run in bench/out/bench.json
Progress    one line that is overwritten; without a terminal, a line now and then
middle      of several measurements the one with the median CPU

Rule: a figure has its unit in its column's name, and stands beside what it is compared with.
"""

import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.load import Measured

OUT = Path(__file__).parent / "out" / "bench.json"
QUIET_S = 10.0


@dataclass(frozen=True, slots=True)
class Section:
    """One table. The first column names the row; `notes` are sentences below it."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def show(console: Console, section: Section) -> None:
    """Print it."""
    table = Table(title=section.title, title_justify="left", title_style="bold")
    for place, column in enumerate(section.columns):
        table.add_column(column, justify="right" if place else "left")
    for row in section.rows:
        table.add_row(*row)
    console.print()
    console.print(table)
    for note in section.notes:
        console.print(f"  {note}", highlight=False)


def keep(sections: Sequence[Section], *, quick: bool, path: Path = OUT) -> Path:
    """Write them down, over those of the same name from an earlier run; where they are."""
    path.parent.mkdir(exist_ok=True)
    kept = json.loads(path.read_text()) if path.exists() else {}
    machine = f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}"
    for section in sections:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        kept[section.name] = asdict(section) | {"at": stamp, "machine": machine, "quick": quick}
    path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    return path


class Progress:
    """What is being done, for who waits."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._said_at = 0.0

    def say(self, line: str) -> None:
        """Show it in place of the one before."""
        if self._live:
            sys.stderr.write(f"\r\x1b[2K{line[:120]}")
        elif time.monotonic() - self._said_at >= QUIET_S:
            self._said_at = time.monotonic()
            sys.stderr.write(f"{line}\n")
        sys.stderr.flush()

    def clear(self) -> None:
        """Make room for a table."""
        if self._live:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()


def middle(several: Sequence[Measured]) -> Measured:
    """The one whose CPU per message is the median."""
    return sorted(several, key=lambda one: one.cpu_us("service"))[len(several) // 2]
