"""What differs between the orders to messages that traffic/orders.py carries out: one class for a kind.

OrderKind   the contract, with what most of them share: what is asked, the sentences, the counting
Counted     what came of orders and of what was asked, part by part, for /metrics

Rule: a kind decides nothing; what becomes of the message is judged where it is written (store/journal/ordered.py).
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from core.question import Finding, Found, Ordered
from store.journal.became import DONE, FAILED, UNKNOWN
from traffic.ports import Line, Obeys

NO_LINK = "its link was not up for a day, or had no room, so its operator was not asked; order it again when it is"


@dataclass(slots=True)
class Counted:
    """`done`, `failed` and `unknown` (whether they are done) are orders; the others what was asked for them."""

    done: int = 0
    failed: int = 0
    unknown: int = 0
    asked: int = 0
    kept: int = 0
    unanswered: int = 0
    refused: int = 0


class OrderKind(ABC):
    """One kind of orders of one process."""

    name: ClassVar[str]
    asks: ClassVar[type[Ordered]]
    yes: ClassVar[Found]
    is_for_queued: ClassVar[bool]
    """It is carried out on what waits here, too."""
    no_id: ClassVar[str]
    deed: ClassVar[str]
    """Behind «which has no way to»."""
    never: ClassVar[str]
    """Behind the operator."""
    kept: ClassVar[str]
    """Its no to this one."""
    counted: Counted

    def said(self, found: Found) -> None:
        """An answer, or none."""
        if found is Found.NOT_KNOWN:
            return  # It has no form here: nobody was asked.
        self.counted.asked += 1
        self.counted.unanswered += found is Found.LATER
        self.counted.refused += found is Found.REFUSED
        self.counted.kept += found not in (self.yes, Found.LATER, Found.REFUSED)
        if found is self.yes:
            self.granted()

    @abstractmethod
    def granted(self) -> None:
        """Count a yes."""

    def over(self, outcome: str) -> None:
        """Nothing more comes of an order."""
        self.counted.done += outcome == DONE
        self.counted.failed += outcome == FAILED
        self.counted.unknown += outcome == UNKNOWN

    def cannot(self, line: Line) -> str:
        """Why it cannot be asked over this line; "": it can."""
        link = line.link
        if isinstance(line, Obeys) and line.obeys(self.asks):
            return ""
        if isinstance(line, Obeys) and link.bind == "receiver":
            return f"link {link.name} only receives, so its operator cannot be asked over it"
        return f"link {link.name} speaks {link.protocol}, which has no way to {self.deed}"

    def sentences(self, line: Line, said: Sequence[tuple[Ordered, Finding]]) -> list[str]:
        """What was said, of which parts."""
        parts: dict[str, list[str]] = {}
        for part, finding in said:
            of_part = part.part and finding.found is not Found.REFUSED
            parts.setdefault(self.sentence(line, finding), []).extend([str(part.part)] if of_part else [])
        return [
            f"part{'s' if len(its) > 1 else ''} {', '.join(its)}: {sentence}" if its else sentence
            for sentence, its in parts.items()
        ]

    def sentence(self, line: Line, finding: Finding) -> str:
        """What an answer means that is no yes, or that nobody was asked, or is not told yet."""
        word = finding.word or finding.found.value
        if finding.found is Found.REFUSED:
            return f"the operator of {line.link.name} {self.never}: {word}"
        return word if finding.found in (Found.LATER, Found.NOT_KNOWN) else f"{self.kept}: {word}"
