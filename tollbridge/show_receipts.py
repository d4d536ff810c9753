"""Receipts of no message that we know, as text: `tollbridge message --receipts`.

show_receipts   the list, and what to look at
shown_id        an id without the number that is in it: UCP and CIMD2 name a message by its recipient

Rule: numbers are masked unless asked for whole, in ids too.
"""

import re
from collections import Counter
from typing import TYPE_CHECKING

from rich.console import Console

from store.unmatched import Unmatched
from tollbridge.commands import lasting
from tollbridge.show import coloured, console, moment, number, plain, table

if TYPE_CHECKING:
    from smsc_link.keeping import Registered

_FEW = "A few are no matter: some come before the answer to their submission, some are of what others sent."
_COMPARE = (
    "Many of one link: compare the id with the operator's id of a message to the same number (tollbridge message "
    "--msisdn NUMBER, then tollbridge message ID)"
)

_NUMBER_IN_ID = re.compile(r"(?<=/)[0-9]{6}(?=[0-9]{2}$)")
_TAIL = 8


def show_receipts(found: Unmatched, hours: int, *, full: bool, out: Console | None = None) -> None:
    """Newest first, then how many each link has, then what to do."""
    out = out or console()
    if not found.count:
        out.print(f"no receipt of the last {hours} h waits for its message: each found the one that it is of")
        return
    rows = table(
        "waits since (UTC)", "kept until", "link", "operator", "id", "from", "state", "word", "error",
        title=f"Receipts of no message that we know, of the last {hours} h, newest first",
    )  # fmt: skip
    for line in found.receipts:
        rows.add_row(
            moment(line.arrived_at)[:19], moment(line.kept_until)[:16], plain(line.link), plain(line.operator),
            " or ".join(plain(shown_id(one, line.source, full=full)) for one in line.ids) or "—",
            number(line.source, full=full) if line.source else "—", coloured(line.state), plain(line.word),
            plain(line.error),
        )  # fmt: skip
    out.print(rows)
    shown = f", {len(found.receipts)} of them shown: see --limit" if len(found.receipts) < found.count else ""
    by_link = ", ".join(f"{plain(one.link) or 'links that are gone'} {one.count}" for one in found.links)
    out.print(f"{found.count} wait{'s' if found.count == 1 else ''}{shown}. By link: {by_link}.")
    for sentence in advice(found):
        out.print(sentence, style="dim")


def advice(found: Unmatched) -> list[str]:
    """What to look at."""
    bases = Counter((line.link, line.base) for line in found.receipts if line.base)
    if bases:
        return [_set_base(link, base, count) for (link, base), count in bases.most_common()]
    worst = found.links[0]
    known = _protocols().get(worst.protocol)
    look_at = f", then look at the options of {plain(worst.link)}: {known.receipt_options}." if known else ""
    return [_FEW, _COMPARE + look_at]


def _protocols() -> "dict[str, Registered]":
    """The register, which brings all protocols with it: only who is told of them waits for that."""
    with lasting():
        from smsc_link.protocols import PROTOCOLS

    return PROTOCOLS


def _set_base(link: str, base: str, count: int) -> str:
    """The cause is known."""
    these = f"{count} of those shown are" if count > 1 else "one of those shown is"
    return (
        f"{these} of a message that went to the same number under that id in another base: set message_id_base = "
        f'"{base}" in the options of {plain(link)}, and load it. What comes after that finds its message.'
    )


def shown_id(key: str, source: str, *, full: bool) -> str:
    """The id, with the subscriber's number masked where it is a part of it."""
    if full:
        return key
    tail = source[-_TAIL:]
    if len(tail) == _TAIL and tail.isdigit():
        key = key.replace(tail, f"***{tail[-2:]}")
    return _NUMBER_IN_ID.sub("***", key)
