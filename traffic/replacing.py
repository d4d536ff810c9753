"""MT with the operator that a person gives another text.

Replacing   the kind of orders (traffic/orders.py)

The word of a person: store/replacements.py. What becomes of the message: store/journal/replaced.py.
"""

from dataclasses import dataclass

from core.question import REPLACE, Found, Replacement
from traffic import order_kind
from traffic.order_kind import OrderKind

NO_ID = "the operator gave it no id, so it cannot be asked to change it"


@dataclass(slots=True)
class Counted(order_kind.Counted):
    """`changed`: the centre says yes."""

    changed: int = 0


class Replacing(OrderKind):
    """It is to be delivered with another text."""

    name = REPLACE
    asks = Replacement
    yes = Found.REPLACED
    is_for_queued = False
    no_id = NO_ID
    deed = "change a message"
    never = "changes no messages"
    kept = "the operator did not change it"

    def __init__(self) -> None:
        self.counted: Counted = Counted()

    def granted(self) -> None:
        """One more."""
        self.counted.changed += 1
