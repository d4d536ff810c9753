"""What a command sets up within the test's process ends with the test.

Rule: the log is put back after every test here. It was not, once, and in whatever file came next on the same worker
nobody saw a line below `info`.
"""

import logging
import sys
from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def _log_is_put_back() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, configured = root.handlers[:], root.level, structlog.get_config()
    yield
    if structlog.get_config() == configured:
        return
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**configured)
    for module in list(sys.modules.values()):
        # tollbridge.logs lets a module's logger keep what it was first used with.
        getattr(vars(module).get("log"), "__dict__", {}).pop("bind", None)
