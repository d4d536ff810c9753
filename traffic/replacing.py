"""MT with the operator that a person gives another text.

Replacing   the kind of orders (traffic/orders.py)

The word of a person: store/replacements.py. What becomes of the message: store/journal/replaced.py.
"""

from dataclasses import dataclass

from core.question import REPLACE, Finding, Found, Replacement
from store.journal.became import UNKNOWN
from traffic import order_kind
from traffic.order_kind import OrderKind
from traffic.ports import Line

NO_ID = "the operator gave it no id, so it cannot be asked to change it"


@dataclass(slots=True)
class Counted(order_kind.Counted):
    """`changed`: the centre says yes; `unknown`: orders of which nobody knows whether it did."""

    unknown: int = 0
    changed: int = 0


class Replacing(OrderKind):
    """It is to be delivered with another text."""

    name = REPLACE
    asks = Replacement
    yes = Found.REPLACED
    is_for_queued = False
    no_id = NO_ID
    deed = "change a message"

    def __init__(self) -> None:
        self.counted: Counted = Counted()

    def granted(self) -> None:
        """One more."""
        self.counted.changed += 1

    def over(self, outcome: str) -> None:
        """What is unknown has not failed."""
        if outcome == UNKNOWN:
            self.counted.unknown += 1
        else:
            super().over(outcome)

    def sentence(self, line: Line, finding: Finding) -> str:
        """It is as it was, or that is not told yet."""
        word = finding.word or finding.found.value
        if finding.found is Found.REFUSED:
            return f"the operator of {line.link.name} changes no messages: {word}"
        return word if finding.found is Found.LATER else f"the operator did not change it: {word}"
