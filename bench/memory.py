"""Resident memory of the service over 500,000 messages: flat within 5 % after the first 100,000?

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


def bench_memory(say: Say, *, quick: bool) -> Section:
    """Mebibytes by messages; SQLite."""
    step = STEP // 50 if quick else STEP
    plain, limited = (_sizes(say, step, limited=limited) for limited in (False, True))
    rows = [(f"{(place + 1) * step:,}", *_cells(plain, place), *_cells(limited, place)) for place in range(STEPS)]
    growth = max(abs(size / plain[SETTLED - 1] - 1) for size in plain[SETTLED:])
    against = f"against {SETTLED * step:,}"
    return Section(
        "memory",
        f"Memory of the service over {STEPS * step:,} messages (SQLite)",
        ("messages", "no limits: MiB", against, "20 a day per subscriber: MiB", against),
        tuple(rows),
        (
            f"Aim: within {100 * AIM:.0f} % after the first {SETTLED * step:,}; "
            f"it was {100 * growth:.1f} %: {'kept' if growth <= AIM else 'missed'}.",
            "A limit's windows hold the events of the day: what they add is theirs.",
        ),
    )


def _sizes(say: Say, step: int, *, limited: bool) -> list[int]:
    """Octets after each step."""
    sizes: list[int] = []
    with running("sqlite", limited=limited) as rig:
        for place in range(STEPS):
            rig.run(Stage(name=f"memory, {place * step:,} messages before", count=step), say)
            sizes.append(resident(rig.service.pid))
        rig.service.stop()
        say("checking the counts and the ledger")
        check(rig)
    return sizes


def _cells(sizes: list[int], place: int) -> tuple[str, str]:
    base = sizes[SETTLED - 1]
    return f"{sizes[place] / 2**20:.1f}", f"{100 * (sizes[place] / base - 1):+.1f} %"
