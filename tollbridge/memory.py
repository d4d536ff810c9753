"""Memory of this process and what it may have: when new messages must wait, and when a person is told (pure).

Bound      one limit, and how much of it is in use
Watched    whether there is room: not from FULL of any limit on, until there is ROOM under all of them again
sizes_of   /proc/self/status → what is in use, by the kernel's names
groups_of  /proc/self/cgroup → the folders whose limits hold for this process
limit_of   a file with a limit → bytes, or None where it says none

Rule: address space is compared with the limit of address space, and data with that of data, as the kernel does; the
machine and the control groups with this process's own pages only, though the kernel counts all that lives there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from core.clock import MINUTE_MS

FULL = 90
"""Percent of a limit: from there on nothing new is taken, and what is under way has the rest."""
ROOM = 85
"""Percent: below it new messages are taken again. Lower than FULL, so that a batch does not open and shut the doors."""
AGAIN_MS = 10 * MINUTE_MS
_MIB = 1 << 20
_V1 = ("memory", "memory.limit_in_bytes")
_V2 = ("", "memory.max")


@dataclass(frozen=True, slots=True)
class Bound:
    """`name` says what the limit is and where it is raised."""

    name: str
    used: int
    limit: int

    @property
    def percent(self) -> float:
        """How much of it is in use."""
        return 100 * self.used / self.limit if self.limit > 0 else 100.0

    def __str__(self) -> str:
        return f"{self.used // _MIB} of {self.limit // _MIB} MiB of {self.name} are in use"


@dataclass(slots=True)
class Watched:
    """What was seen so far. `why_short` is a sentence, "" while there is room."""

    why_short: str = ""
    told_ms: int | None = None

    def see(self, bounds: Sequence[Bound], now_ms: int) -> bool:
        """Look at all limits, the tightest of which counts; whether to tell a person now."""
        tightest = max(bounds, key=lambda bound: bound.percent, default=None)
        percent = tightest.percent if tightest is not None else 0.0
        if percent < ROOM:
            self.why_short = ""
        if percent < FULL or self.why_short:
            return False
        self.why_short = f"memory is short: {tightest}"
        if self.told_ms is not None and now_ms - self.told_ms < AGAIN_MS:
            return False
        self.told_ms = now_ms
        return True


def sizes_of(status: str) -> dict[str, int]:
    """Lines like `VmRSS:     2140 kB`, in bytes; what is not of that form is left out."""
    sizes = {}
    for line in status.splitlines():
        match line.split():
            case [name, number, "kB"] if name.endswith(":") and number.isdecimal():
                sizes[name[:-1]] = int(number) * 1024
    return sizes


def groups_of(cgroup: str) -> Iterator[tuple[str, str]]:
    """(folder, file) under /sys/fs/cgroup, of this group and of each above it: every one of their limits holds.

    Lines are `ID:CONTROLLERS:PATH`; in version 2 there is one, with ID 0 and no controllers. A path may be that of the
    host, and not be there in a container: its root is what the container sees of it.
    """
    for line in cgroup.splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if "memory" in controllers.split(","):
            root, file = _V1
        elif (number, controllers) == ("0", ""):
            root, file = _V2
        else:
            continue
        place = PurePosixPath("/", *(part for part in path.split("/") if part not in ("", "..")))
        for folder in (place, *place.parents):
            yield str(PurePosixPath(root, *folder.parts[1:])), file


def limit_of(text: str) -> int | None:
    """`max`, or bytes; version 1 writes a number near 2⁶³ for «none», which no machine has."""
    text = text.strip()
    if not text.isascii() or not text.isdecimal() or len(text) > 19:
        return None
    return int(text)
