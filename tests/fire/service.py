"""The service with a fault of ours built in, for control runs: `python -m tests.fire.service early run --config …`.

early   an MO is acknowledged as it comes, before it is committed

Rule: only what a control run must prove wrong is here; no campaign of the real service runs it.
"""

import sys

from core.message import Heard
from tollbridge.cli import main
from traffic.accept import Accept
from traffic.ports import Delivery


def early() -> None:
    """Acknowledge first, commit afterwards."""
    take = Accept.deliver

    def deliver(self: Accept, delivery: Delivery) -> None:
        delivery.answer(Heard.TAKEN)
        take(self, delivery)

    Accept.deliver = deliver  # type: ignore[method-assign]


FAULTS = {"early": early}

if __name__ == "__main__":
    FAULTS[sys.argv.pop(1)]()
    main()
