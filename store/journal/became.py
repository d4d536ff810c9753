"""What becomes of a person's word on an MT, and of the MT, by what is known now: a judgement before it is written.

Case     what is judged: a fact, the order, the locked row of the MT and its state
Became   what becomes of both
DONE, FAILED, UNKNOWN   the outcomes of an order

Who judges, by the kind of the order: cancelled.py, replaced.py. Who writes: ordered.py.
"""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from core.message import MtState
from store.journal.facts import OrderFact

DONE, FAILED, UNKNOWN = "done", "failed", "unknown"


@dataclass(frozen=True, slots=True)
class Case:
    """`is_ours`: no other process is sending it. `in_doubt`: its centre may have done it in an earlier try."""

    connection: Connection
    fact: OrderFact
    text: str = field(repr=False)
    in_doubt: bool
    mt: Any
    old: MtState
    is_ours: bool

    @property
    def is_in_doubt(self) -> bool:
        """The centre may have done it, in an earlier try or in this one."""
        return self.in_doubt or self.fact.in_doubt


@dataclass(slots=True)
class Became:
    """`outcome` "": the word stays open."""

    outcome: str = ""
    result: str = ""
    new: MtState | None = None
    """What the MT becomes; None: its state stays as it is."""
    line: str = ""
    """In its history then."""
    text: str | None = field(default=None, repr=False)
    """Its text from now on; None: the one that it has."""
