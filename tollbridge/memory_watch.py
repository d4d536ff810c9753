"""Memory watched: new messages wait while it is short, a person is told once, and it mends by itself.

watch_memory   every second, for ever
read_bounds    the limits of this process and what it uses, from /proc, /sys/fs/cgroup and the system's own limits

While it is short, MO get the temporary error and submissions through the API 503 (traffic.commit.Batcher.why_short);
what is under way goes on and gives its memory back. Where the system has no /proc, nobody watches.

Rule: a look that fails changes nothing: what was known stays known.
"""

import asyncio
import resource
from collections.abc import Callable, Sequence
from pathlib import Path

from structlog import get_logger

from core.clock import Clock
from tollbridge.memory import Bound, Watched, groups_of, limit_of, sizes_of
from traffic.commit import Batcher

log = get_logger()

LOOK_S = 1.0
_RESOURCES = (
    ("address space (RLIMIT_AS)", resource.RLIMIT_AS, "VmSize"),
    ("data (RLIMIT_DATA)", resource.RLIMIT_DATA, "VmData"),
)


async def watch_memory(
    batcher: Batcher, clock: Clock, read: Callable[[], Sequence[Bound]], *, look_s: float = LOOK_S
) -> None:
    """Shut and open the way for new messages; log and write an alert when it is shut."""
    watched = Watched()
    while True:
        try:
            bounds = read()
        except (OSError, MemoryError) as error:
            log.debug("memory cannot be looked at", error=repr(error))
        else:
            was_short, must_tell = watched.why_short, watched.see(bounds, clock.monotonic_ms())
            batcher.why_short = watched.why_short
            if watched.why_short and not was_short:
                log.error("memory is short; new messages get the temporary error", why=watched.why_short)
            elif was_short and not watched.why_short:
                log.info("memory has room again")
            if must_tell:
                sentence = f"{watched.why_short}; new messages wait: raise the limit, or see what takes it"
                batcher.alert("host", "memory", sentence)
        await asyncio.sleep(look_s)


def read_bounds(proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")) -> list[Bound]:
    """Every limit that is set. Raises OSError where there is no /proc."""
    sizes = sizes_of((proc / "self/status").read_text())
    resident = sizes.get("VmRSS", 0)
    bounds = [Bound("this machine's memory", resident, sizes_of((proc / "meminfo").read_text()).get("MemTotal", 0))]
    bounds += [Bound("the control group's memory", resident, limit) for limit in _group_limits(proc, groups)]
    for name, which, size in _RESOURCES:
        limit, _ = resource.getrlimit(which)
        if limit != resource.RLIM_INFINITY:
            bounds.append(Bound(name, sizes.get(size, 0), limit))
    return [bound for bound in bounds if bound.limit]


def _group_limits(proc: Path, groups: Path) -> list[int]:
    found = []
    try:
        places = list(groups_of((proc / "self/cgroup").read_text()))
    except OSError:
        return []
    for folder, file in places:
        try:
            limit = limit_of((groups / folder / file).read_text())
        except OSError:
            # A group that this process cannot see, or whose controller is off: it sets no limit that could be read.
            continue
        if limit is not None:
            found.append(limit)
    return found
