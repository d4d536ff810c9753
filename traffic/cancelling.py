"""MT that a person takes back: out of the queue, or at the operator.

Cancelling   the kind of orders (traffic/orders.py)

What waits, in the database or in this process, is not sent any more. What was submitted is asked for part by part.
Where the centre gave several parts one id (UCP and CIMD2 name a message by the second), it is asked once for each, and
what it took back of one of them it took back of all.

The word of a person: store/cancellations.py. What becomes of the message and its money: store/journal/cancelled.py.
"""

from dataclasses import dataclass

from core.question import CANCEL, Found, Withdrawal
from traffic import order_kind
from traffic.order_kind import OrderKind

NO_ID = "the operator gave it no id, so it cannot be asked to cancel it"


@dataclass(slots=True)
class Counted(order_kind.Counted):
    """`taken_back`: the centre says yes."""

    taken_back: int = 0


class Cancelling(OrderKind):
    """It is not to be delivered any more."""

    name = CANCEL
    asks = Withdrawal
    yes = Found.CANCELLED
    is_for_queued = True
    no_id = NO_ID
    deed = "take a message back"
    never = "takes no messages back"
    kept = "the operator keeps it"

    def __init__(self) -> None:
        self.counted: Counted = Counted()

    def granted(self) -> None:
        """One more."""
        self.counted.taken_back += 1
