"""The pocket aggregator on the command line: `tollbridge sim http`.

run_aggregator   calls the link with MO, takes what it submits, tells a line each second and a summary at the end
Door             where the link is called, like http://127.0.0.1:8082/links/NAME

When a run ends stands in sim/playing.py.

Rule: it ends as a good aggregator does: nothing new is called, and the answers under way are waited for. A call that
breaks off makes the service doubt what it had answered, and take the next run's MO for repeats.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from urllib.parse import urlsplit

from core.clock import Clock
from plumbing.clock import SystemClock
from plumbing.conversation import read_address
from sim.aggregator.aggregator import PocketAggregator
from sim.aggregator.mapping import Mapping
from sim.aggregator.network import Caller, Reception
from sim.playing import PocketOptions, at_most, crowd_of, play, print_line, send_mo
from sim.records import Counted

QUIRKS = (
    "window", "response_timeout_s", "retry_s", "redelivers", "long_messages", "message_ids", "receipt_first",
    "receipt_delay_s", "delivered", "expired", "lose_receipts", "lose_answers", "throttle", "throttle_above", "refuse",
    "refuse_status",
)  # fmt: skip
"""Those that an aggregator can have."""
NEVER: dict[str, tuple[object, ...]] = {"long_messages": ("sar", "payload"), "refuse_status": tuple(range(1, 300))}
"""Values that they cannot have."""
STATUS_MAX = 599

_COMPLAINTS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Door:
    """`base` is scheme, host and port, `path` all behind them."""

    base: str
    path: str

    def __str__(self) -> str:
        return self.base + self.path


def read_door(text: str, link: str) -> Door:
    """A URL; without a path it is /links/NAME. Raises ValueError with a sentence."""
    read = urlsplit(text)
    try:
        known = read.scheme in ("http", "https") and bool(read.hostname) and (read.port or 1) > 0
    except ValueError:
        known = False
    if not known or read.query or read.fragment or not text.isascii() or " " in text:
        raise ValueError(f"{text!r} is no URL of a link; write it like http://127.0.0.1:8082/links/{link}")
    path = read.path.rstrip("/")
    return Door(f"{read.scheme}://{read.netloc}", path or f"/links/{link}")


async def run_aggregator(
    mapping: Mapping,
    door: Door,
    options: PocketOptions,
    tell: Callable[[str], None] = print_line,
    clock: Clock | None = None,
) -> Counted:
    """Be the operator of the link until done or cancelled; what it counted. Raises an OSError for `listen`."""
    clock = clock or SystemClock()
    caller = Caller(door.base, options.quirks.response_timeout_s)
    pocket = PocketAggregator(
        mapping, door.path, caller, clock, Random(options.seed),
        quirks=options.quirks, subscribers=crowd_of(options), keep=False, tell=lambda line: tell(f"        {line}"),
    )  # fmt: skip
    reception = Reception(pocket.asked)
    try:
        if mapping.is_called:
            await reception.open(read_address(options.listen))
            tell(f"listening at port {reception.port}; calling {door}; seed {options.seed}")
        else:
            tell(f"calling {door}; it sends no requests, so nothing listens; seed {options.seed}")
        return await play(
            pocket, options, tell, clock,
            traffic=lambda: send_mo(pocket, options),
            farewell=lambda: _drained(pocket),
            remarks=lambda: _complaints(pocket),
        )  # fmt: skip
    finally:
        await reception.close()
        await caller.close()


async def _drained(pocket: PocketAggregator) -> None:
    pocket.end()
    await at_most(pocket.quirks.response_timeout_s + 1, pocket, lambda: not pocket.flying)


def _complaints(pocket: PocketAggregator) -> list[str]:
    return [
        f"refused of the link's requests: {count} × {sentence}"
        for sentence, count in pocket.complaints.most_common(_COMPLAINTS_SHOWN)
    ]
