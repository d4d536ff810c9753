"""How many files this process may have open: every connection is one.

raise_files   the limit, raised to what is wanted as far as it may be

Rule: it is only ever raised: two doors of one process ask one after the other.
"""

import resource


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
