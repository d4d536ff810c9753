"""Entries: what one batch, or one act of a person, does to accounts (billing.md, section 4).

Posting  an amount that leaves one account for another: it cannot be unbalanced
Entry    postings under an idempotency key; `digest` tells the same content from another
Charge, ChargeKind, ChargeState   the detail that an entry sums; made in `core.tariff.charge`

Rule: the same key again is a no-op, the same key with another digest an error.
"""

import hashlib
from dataclasses import dataclass

from core.clock import Month
from core.tariff.charge import Charge, ChargeKind, ChargeState

__all__ = ["Charge", "ChargeKind", "ChargeState", "Entry", "Posting"]


@dataclass(frozen=True, slots=True)
class Posting:
    """An amount (micros) that leaves the debit account for the credit account, in one currency and booked month."""

    debit: str
    credit: str
    currency: str
    amount: int
    month: Month

    def __post_init__(self) -> None:
        assert self.amount > 0, self
        assert self.debit != self.credit, self


@dataclass(frozen=True, slots=True)
class Entry:
    """Postings under one key. It balances by construction, since each of its postings does.

    `content` names what was asked for where the postings depend on the moment: a batch that is rated again meets
    other volumes and may get other postings. It is the same batch all the same when its messages are the same.
    """

    key: str
    postings: tuple[Posting, ...]
    content: str = ""

    def digest(self) -> str:
        """A hash of the content, or of the postings in any order where no content is named; sha256 in hex."""
        if self.content:
            lines = ["content", self.content]
        else:
            rows = sorted((p.debit, p.credit, p.currency, p.month, p.amount) for p in self.postings)
            lines = ["postings", *(repr(row) for row in rows)]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()
