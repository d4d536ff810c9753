"""Small pieces of what is shown on a terminal: moments, ages, amounts, numbers, texts that others wrote.

plain        a text of somebody else's on one line, nothing in it that steers a terminal
moment, ago  when it was; how long ago
money        an amount with its currency; rounded, two decimals of it
number       a subscriber's number, masked unless asked for whole
counted      how many of a thing, in the right number
console      rich's console for stdout; what looks like markup in a text is a text

Rule: everything that a subscriber, partner or operator wrote goes through `plain` before it is shown.
"""

import sys
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from core.clock import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Instant
from core.money import format_micros
from core.msisdn import mask

COLOURS = {
    "bound": "green", "connecting": "yellow", "disabled": "dim", "no process": "red", "answered": "green",
    "later": "green", "delivered": "green", "submitted": "cyan", "waiting": "yellow", "queued": "yellow",
    "refused": "magenta", "dead": "red", "failed": "red", "expired": "red", "unknown": "red", "posted": "green",
    "pending": "yellow", "alive": "green", "silent": "red", "stopped": "dim",
}  # fmt: skip


def console() -> Console:
    """For stdout; as wide as a line needs when it is no terminal, so that nothing is cut in a file."""
    width = None if sys.stdout.isatty() else 160
    return Console(width=width, highlight=False, markup=False, emoji=False)


def plain(text: str, longest: int = 0) -> str:
    """On one line, with control characters as escapes; cut to `longest` when that is not 0."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    return shown[: longest - 1] + "…" if longest and len(shown) > longest else shown


def heading(out: Console, words: str) -> None:
    """A line in bold."""
    out.print(Text(words, style="bold"))


def coloured(word: str) -> Text:
    """A state in its colour."""
    return Text(word, style=COLOURS.get(word, ""))


def moment(instant: Instant) -> str:
    """`2026-11-24 23:15:36.883` in UTC; a dash for what did not happen."""
    if not instant:
        return "—"
    return f"{datetime.fromtimestamp(instant / 1000, UTC):%Y-%m-%d %H:%M:%S}.{instant % 1000:03d}"


def ago(instant: Instant, now: Instant) -> str:
    """`4 s`, `12 min`, `3 h`, `2 d`: how long ago, in words as short as they are useful."""
    if not instant:
        return "—"
    age = max(0, now - instant)
    for unit, name in ((DAY_MS, "d"), (HOUR_MS, "h"), (MINUTE_MS, "min")):
        if age >= 2 * unit:
            return f"{age // unit} {name}"
    return f"{age // SECOND_MS} s"


def money(micros: int, currency: str) -> str:
    """`12.50 RUB`."""
    return f"{format_micros(micros)} {currency}".strip()


def rounded(micros: int) -> str:
    """Two decimals, down: enough to look at; the ledger has six."""
    return format_micros(micros // 10_000 * 10_000)


def number(msisdn: str, *, full: bool) -> str:
    """`7900***33`, or the whole number."""
    return plain(msisdn if full else mask(msisdn))


def counted(count: int, one: str, many: str) -> str:
    """`1 row is`, `3 rows are`."""
    return f"{count} {one if count == 1 else many}"


def table(*columns: str, title: str = "") -> Table:
    """A table of our kind: a title on the left, no frame; a column `>name` is aligned to the right."""
    made = Table(
        title=title or None, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0)
    )
    for column in columns:
        made.add_column(column.lstrip(">"), justify="right" if column.startswith(">") else "left", header_style="dim")
    return made
