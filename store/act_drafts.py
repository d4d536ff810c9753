"""What a person asks for, and what it would book: the words in which acts are decided (billing.md, section 6).

Draft        what is asked for
Moves        what it would book
Decide       a kind of act: under the locks of what it is about, a draft → moves
ActRefused   it cannot be done; says why

Rule: to decide writes nothing; only `Moves.finish` and `Moves.book` do.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from sqlalchemy import Connection

from core.errors import UserMistake
from core.ledger.accounts import owner_of
from core.ledger.details import Detail
from core.ledger.entry import Posting
from core.ledger.facts import sum_postings
from core.second_person import Limits
from core.tariff.charge import Charge
from store.desk import Desk

KEY_MAX = 80


class ActRefused(UserMistake):
    """It cannot be done; says why."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What is asked for.

    `messages` are ids of MO and of premium MT; `values` what else the kind needs, as text and whole numbers.
    """

    kind: str
    author: str
    reason: str
    messages: tuple[int, ...] = ()
    values: Mapping[str, str | int] = field(default_factory=dict)
    key: str = ""
    """Makes it once only; "" is what is asked for with its reason, so that the same twice is the same act."""

    @property
    def content(self) -> str:
        """What is asked for, without by whom and why."""
        asked = {"kind": self.kind, "messages": list(self.messages), "values": dict(self.values)}
        return json.dumps(asked, sort_keys=True)


@dataclass(slots=True)
class Moves:
    """What an act would book."""

    charges: list[Charge] = field(default_factory=list)
    details: list[Detail] = field(default_factory=list)
    finish: Callable[[], None] = lambda: None
    """Writes what else moves with it; not for what is only proposed."""
    book: Callable[[], int] | None = None
    """Books it under a key of its own and gives the entry, where what it is about has a row that must move with it."""
    steps: int = 0
    """So many of the first details are steps on the way of the same money, and do not count."""

    @property
    def postings(self) -> list[Posting]:
        """What it does to accounts."""
        return sum_postings(self.charges, self.details)

    @property
    def sums(self) -> dict[str, int]:
        """What is moved, by currency: no account moves by more.

        A message of 5.00 may take 3 000.00 from its partner, by its tier correction; and with it moves what it held
        beyond that, and what was settled with its operator and is undone.
        """
        sums: dict[str, int] = {}
        for charge in self.charges:
            of_partners = abs(charge.partner_part) + abs(charge.referral_part)
            moved_by = max(abs(charge.revenue), abs(charge.suspense), of_partners)
            sums[charge.currency] = sums.get(charge.currency, 0) + moved_by
        for detail in self.details[self.steps :]:
            p = detail.posting
            sums[p.currency] = sums.get(p.currency, 0) + p.amount
        return sums

    @property
    def largest(self) -> tuple[int, str]:
        """(amount, currency) of most of it; of a conversion what is taken; (0, "") for nothing."""
        if self.book is not None and self.details:
            return self.details[0].posting.amount, self.details[0].posting.currency
        return max(((amount, currency) for currency, amount in self.sums.items()), default=(0, ""))

    @property
    def besides(self) -> list[tuple[int, str]]:
        """(amount, currency) of what moves in other currencies; of a conversion nothing: it is one amount."""
        _, most = self.largest
        others = {} if self.book is not None else self.sums
        return [(amount, currency) for currency, amount in sorted(others.items()) if currency != most]

    @property
    def partners(self) -> list[str]:
        """Whose money moves, but for referrers'."""
        ends = (owner_of(end) for detail in self.details for end in (detail.posting.debit, detail.posting.credit))
        logins = {charge.partner for charge in self.charges} | {name for kind, name in ends if kind == "partner"}
        return sorted(logins - {""})

    def needs_second(self, limits: Limits) -> bool:
        """Whether one person may not do it alone."""
        return any(amount > limits.of(currency) for currency, amount in self.sums.items())


Decide: TypeAlias = Callable[[Connection, Desk, Draft], Moves]
