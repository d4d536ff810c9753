"""Where a process lives, so that another can tell at once that it is gone (reliability.md, section 7).

Home     host, pid, and what makes the pid mean one process: the space that it counts in, and its start
here     that of this process

A pid means something only to those who share its space: a boot of one kernel, and in it one PID namespace (containers
have their own). In one space a pid is used again, by a process with another start.

Rule: what cannot be seen is not gone. Only `is_gone` speaks; everything else is told by silence.
"""

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

IsGone: TypeAlias = Callable[[int, int], bool]
"""(pid, its start) → whether there is surely no such process in our space any more."""

_PROC = Path("/proc")


def is_gone(pid: int, started: int) -> bool:
    """Whether this machine surely runs no such process any more."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # Somebody else's, but it is there.
    now = _started(pid)
    return bool(now and started and now != started)


@dataclass(frozen=True, slots=True)
class Home:
    """Of one process. `space` "" or `started` 0: this machine does not tell."""

    host: str
    space: str
    pid: int
    started: int
    is_gone: IsGone = field(default=is_gone, compare=False)

    def sees(self, space: str) -> bool:
        """Whether pids of that space mean something to us."""
        return bool(space) and space == self.space


def here() -> Home:
    """This process."""
    pid = os.getpid()
    return Home(socket.gethostname()[:80], _space(), pid, _started(pid))


def _space() -> str:
    """The kernel's boot and our PID namespace; numbers of namespaces are used again, by those that come after."""
    try:
        # proc(5), random(4): a new identity with every boot. namespaces(7): the link is `pid:[NUMBER]`.
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink(_PROC / 'self/ns/pid')}"[:80]
    except OSError:
        return ""


def _started(pid: int) -> int:
    """When it began, in the kernel's ticks since its boot; 0: not to be seen. One that only waits to be reaped: -1."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    # proc(5): the name, in parentheses, may hold anything; behind it come state (field 3) and, as field 22, the start.
    fields = stat.rpartition(")")[2].split()
    return -1 if fields[0] in "ZX" else int(fields[19])
