"""Resident memory of the service over 500,000 messages: flat within 5 % after the first 100,000?

sizes          octets after each 50,000, on one database
growth         the most that it moved away from its size after the first 100,000
bench_memory   a flood with a look every 50,000, without limits and with one → Section

With a limit per subscriber and day the windows hold the day's events, as they must: 100,000 subscribers have written
after the first 100,000 messages, and each of them writes four times more.
"""

from collections.abc import Callable

from bench.load import Stage
from bench.processes import resident
from bench.table import Section
from bench.way import check, running

Say = Callable[[str], None]
STEP = 50_000
STEPS = 10
SETTLED = 2
"""Steps after which it should be flat."""
AIM = 0.05


def bench_memory(say: Say, kind: str, *, quick: bool) -> Section:
    """Mebibytes by messages on a database of one kind."""
    step = STEP // 50 if quick else STEP
    plain, limited = (sizes(say, kind, step, limited=limited) for limited in (False, True))
    rows = [(f"{(place + 1) * step:,}", *_cells(plain, place), *_cells(limited, place)) for place in range(STEPS)]
    moved = growth(plain)
    against = f"against {SETTLED * step:,}"
    return Section(
        "memory",
        f"Memory of the service over {STEPS * step:,} messages ({kind})",
        ("messages", "no limits: MiB", against, "20 a day per subscriber: MiB", against),
        tuple(rows),
        (
            f"Aim: within {100 * AIM:.0f} % after the first {SETTLED * step:,}; "
            f"it was {100 * moved:.1f} %: {'kept' if moved <= AIM else 'missed'}.",
            "A limit's windows hold the events of the day: what they add is theirs.",
        ),
    )


def growth(measured: list[int]) -> float:
    """How far it moved from its size when it had settled, as a fraction."""
    return max(abs(size / measured[SETTLED - 1] - 1) for size in measured[SETTLED:])


def sizes(
    say: Say, kind: str, step: int = STEP, *, limited: bool = False, tell: Callable[[int], None] = lambda done: None
) -> list[int]:
    """Octets after each step, which `tell` is told of. Raises when a count or the audit is wrong at the end."""
    measured: list[int] = []
    with running(kind, limited=limited) as rig:
        for place in range(STEPS):
            rig.run(Stage(name=f"memory, {place * step:,} messages before", count=step), say)
            measured.append(resident(rig.service.pid))
            tell(place + 1)
        rig.service.stop()
        say("checking the counts and the ledger")
        check(rig)
    return measured


def _cells(sizes: list[int], place: int) -> tuple[str, str]:
    base = sizes[SETTLED - 1]
    return f"{sizes[place] / 2**20:.1f}", f"{100 * (sizes[place] / base - 1):+.1f} %"
