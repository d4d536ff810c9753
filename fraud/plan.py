"""What rules say of one message before anything is counted.

Plan      what they say at once, and the windows to ask
NOTHING   the plan of a rule that has nothing to say
Question  a rule, made ready with a catalogue: a message → Plan

Rule: a question is pure: the same message gives the same plan.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from core.message import Action, Alert, Mo, Route
from fraud.counters import Check


class Plan(NamedTuple):
    """What rules say at once, and the windows that they want to ask."""

    alerts: tuple[Alert, ...] = ()
    checks: tuple[Check, ...] = ()

    @property
    def refuses(self) -> bool:
        """It needs no counts to refuse the message."""
        return any(alert.action is Action.REJECT for alert in self.alerts)


NOTHING = Plan()

Question: TypeAlias = Callable[[Mo, Route | None, int, str], Plan]
"""(message, its route or None, gross price in micros, currency) → what to say and to ask."""
