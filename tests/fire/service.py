"""The service with a fault of ours built in, for control runs: `python -m tests.fire.service early run --config …`.

early   an MO is acknowledged as it comes, before it is committed
hasty   no fault: it has HASTY_S for a stop instead of 20 s, so that tests of what hangs are short

Rule: else only what a control run must prove wrong is here; no campaign of the real service runs it.
"""

import sys
from typing import Any

from core.message import Heard
from tollbridge.cli import main
from tollbridge.roles import Service
from traffic.accept import Accept
from traffic.ports import Delivery


def early() -> None:
    """Acknowledge first, commit afterwards."""
    take = Accept.deliver

    def deliver(self: Accept, delivery: Delivery) -> None:
        delivery.answer(Heard.TAKEN)
        take(self, delivery)

    Accept.deliver = deliver  # type: ignore[method-assign]


HASTY_S = 5.0


def hasty() -> None:
    """Stop sooner."""
    begin = Service.__init__

    def hurry(self: Service, *arguments: Any) -> None:
        begin(self, *arguments, stop_s=HASTY_S)

    Service.__init__ = hurry  # type: ignore[method-assign, assignment]


FAULTS = {"early": early, "hasty": hasty}

if __name__ == "__main__":
    FAULTS[sys.argv.pop(1)]()
    main()
