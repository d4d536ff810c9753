"""How many files this process may have open: every connection is one.

raise_files   the limit, raised to what is wanted as far as it may be
tell_fewer    a door that cannot have as many connections as it may take says so

Rule: it is only ever raised: two doors of one process ask one after the other.
"""

import resource

from structlog import get_logger

log = get_logger()

FEW_CONNECTIONS = 1_000
"""Below, a door may be full in a busy hour. With more it is enough for most, who need no warning at each start."""


def raise_files(wanted: int) -> int:
    """How many files this process may open: at least what is wanted, or as many as it can get."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted if soft == resource.RLIM_INFINITY else soft
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    except (OSError, ValueError):
        return soft
    return most


def tell_fewer(door: str, *, connections: int, asked: int, default: int, files: int, wanted: int) -> None:
    """A line of the log: a warning where somebody should do something, that is where few are left, or where more than
    the default was asked for and is not had.
    """
    is_grave = connections < min(FEW_CONNECTIONS, asked) or asked > default
    (log.warning if is_grave else log.info)(
        f"few file descriptors: fewer {door} connections",
        connections=connections,
        asked=asked,
        descriptors=files,
        wanted=wanted,
        remedy=f"LimitNOFILE={wanted} in the systemd unit, or ulimit -n {wanted} in the shell that starts it",
    )
