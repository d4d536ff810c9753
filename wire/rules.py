"""Who may say which request, and in which states: the table that each protocol's states.py fills.

Rule    of one request: the states in which either side may say it
Rules   of all requests of a protocol

Rule: nothing here knows a protocol; what is answered to a request that may not be said now, each says by itself.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

from wire.session import Role

S = TypeVar("S")
"""The states of a protocol's sessions."""


@dataclass(frozen=True, slots=True)
class Rule(Generic[S]):
    """In which states the ESME and the SMSC may say a request; empty: never."""

    esme: frozenset[S] = frozenset()
    smsc: frozenset[S] = frozenset()

    def states_of(self, speaker: Role) -> frozenset[S]:
        """The states in which this side may say it."""
        return self.esme if speaker == "esme" else self.smsc


class Rules(dict[type, Rule[S]]):
    """Request → its rule."""

    def may_say(self, speaker: Role, state: S, request: type) -> bool:
        """Whether this side may send this request in this state."""
        rule = self.get(request)
        return rule is not None and state in rule.states_of(speaker)

    def heard_in(self, listener: Role, request: type) -> frozenset[S]:
        """The states in which the other side may say it to this one."""
        return self[request].states_of("smsc" if listener == "esme" else "esme")
