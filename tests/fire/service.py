"""The service with a fault of ours built in, for control runs: `python -m tests.fire.service early run --config …`.

early      an MO is acknowledged as it comes, before it is committed
unmarked   a reply that may be there twice is sent again without a mark
again      now and then a reply whose answer has come is sent again, marked, as if none had
hasty      no fault: it has HASTY_S for a stop instead of 20 s, so that tests of what hangs are short

Rule: else only what a control run must prove wrong is here; no campaign of the real service runs it.
"""

import itertools
import sys
from typing import Any

from core.message import Heard, Mt, SubmitAnswer, SubmitOutcome
from tollbridge.cli import main
from tollbridge.roles import Service
from traffic.accept import Accept
from traffic.endings import Endings
from traffic.lanes import Sending
from traffic.ports import Delivery


def early() -> None:
    """Acknowledge first, commit afterwards."""
    take = Accept.deliver

    def deliver(self: Accept, delivery: Delivery) -> None:
        delivery.answer(Heard.TAKEN)
        take(self, delivery)

    Accept.deliver = deliver  # type: ignore[method-assign]


def unmarked() -> None:
    """Forget that there was no answer."""
    put_back = Endings._later

    def later(self: Endings, mt: Mt, why: str, outcomes: set[SubmitOutcome]) -> None:
        put_back(self, mt, why, {SubmitOutcome.TEMPORARY})

    Endings._later = later  # type: ignore[method-assign]


AGAIN_EACH = 20


def again() -> None:
    """Of one in AGAIN_EACH the answer is forgotten."""
    judge, count = Endings.judge, itertools.count(1)

    def doubt(self: Endings, sending: Sending) -> None:
        if next(count) % AGAIN_EACH == 0:
            forgotten = SubmitAnswer(SubmitOutcome.UNANSWERED, sentence="forgotten")
            sending.answers = dict.fromkeys(sending.answers, forgotten)
        judge(self, sending)

    Endings.judge = doubt  # type: ignore[method-assign]


HASTY_S = 5.0


def hasty() -> None:
    """Stop sooner."""
    begin = Service.__init__

    def hurry(self: Service, *arguments: Any) -> None:
        begin(self, *arguments, stop_s=HASTY_S)

    Service.__init__ = hurry  # type: ignore[method-assign, assignment]


FAULTS = {"early": early, "unmarked": unmarked, "again": again, "hasty": hasty}

if __name__ == "__main__":
    FAULTS[sys.argv.pop(1)]()
    main()
