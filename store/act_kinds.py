"""What people may do to the books, kind by kind: decided, not yet booked (billing.md, section 6).

Draft        what is asked for; check_draft refuses what nobody could do
KINDS        by its name, what decides it
Moves        what it would book
ActRefused   it cannot be done; says why

Rule: it is decided under the locks of the messages, and nothing is written but by `Moves.finish`.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from core.errors import UserMistake
from core.ledger import corrections
from core.ledger.accounts import owner_of
from core.ledger.corrections import Corrected
from core.ledger.details import About, Detail, DetailKind, moved
from core.ledger.entry import Posting
from core.ledger.facts import sum_postings
from core.money import AMOUNT_MAX, format_micros
from core.second_person import Limits, name_fault
from core.tariff.charge import Charge
from store.act_places import currency_fault, place_fault
from store.books import open_month
from store.corrections import NOBODY, Messages
from store.desk import Desk

MESSAGES_MAX = 1000
"""Of one act: their locks are held together."""
KEY_MAX, REASON_MAX = 80, 200


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

    @property
    def postings(self) -> list[Posting]:
        """What it does to accounts."""
        return sum_postings(self.charges, self.details)

    @property
    def sums(self) -> dict[str, int]:
        """What is moved, by currency. A message of 5.00 may take 3 000.00 from its partner, by its tier correction."""
        sums: dict[str, int] = {}
        for charge in self.charges:
            moved_by = max(abs(charge.revenue), abs(charge.suspense), abs(charge.partner_part))
            sums[charge.currency] = sums.get(charge.currency, 0) + moved_by
        for detail in self.details:
            if not self.charges:
                p = detail.posting
                sums[p.currency] = sums.get(p.currency, 0) + p.amount
        return sums

    @property
    def largest(self) -> tuple[int, str]:
        """(amount, currency) of most of it; (0, "") for nothing."""
        return max(((amount, currency) for currency, amount in self.sums.items()), default=(0, ""))

    @property
    def partners(self) -> list[str]:
        """Whose money moves, but for referrers'."""
        ends = (owner_of(end) for detail in self.details for end in (detail.posting.debit, detail.posting.credit))
        logins = {charge.partner for charge in self.charges} | {name for kind, name in ends if kind == "partner"}
        return sorted(logins - {""})

    def needs_second(self, limits: Limits) -> bool:
        """Whether one person may not do it alone."""
        return any(amount > limits.of(currency) for currency, amount in self.sums.items())


Decide = Callable[[Connection, Desk, Draft], Moves]


def check_draft(draft: Draft) -> None:
    """Raises ActRefused for what cannot be, whatever the books say."""
    if draft.kind not in KINDS:
        raise ActRefused(f"there is no act {draft.kind!r}; there are {', '.join(KINDS)}")
    check_name(draft.author, "--by: who asks for it")
    check_reason(draft.reason)
    if len(draft.key) > KEY_MAX:
        raise ActRefused(f"--key is longer than {KEY_MAX} letters; shorten it")
    if len(draft.messages) > MESSAGES_MAX:
        raise ActRefused(f"at most {MESSAGES_MAX} messages in one act; ask for the others in another")
    if not draft.messages and draft.kind != "adjust":
        raise ActRefused("name at least one message")
    twice = next((id_ for id_ in draft.messages if draft.messages.count(id_) > 1), 0)
    if twice:
        raise ActRefused(f"message {twice} is named twice; name it once")


def check_name(name: str, what: str) -> None:
    """Raises ActRefused for what is no name."""
    if fault := name_fault(name):
        raise ActRefused(f"{what} {fault}")


def check_reason(reason: str) -> None:
    """Raises ActRefused for none, or too long a one."""
    if not reason.strip() or len(reason) > REASON_MAX:
        raise ActRefused(f"say why: --reason with 1 to {REASON_MAX} characters")


# --- with messages -----------------------------------------------------------------------------------------


def _messages_of(
    connection: Connection, desk: Desk, draft: Draft, act: Callable[[Messages, int], Any], assigned_to: str = ""
) -> Moves:
    messages = Messages(connection, desk.books.accounts, desk.catalogue(), at=desk.now())
    messages.load(draft.messages)
    messages.lock(draft.messages, dict.fromkeys(draft.messages, assigned_to) if assigned_to else NOBODY)
    moves = Moves()
    for id_ in draft.messages:
        done = act(messages, id_)
        if not isinstance(done, Corrected):
            raise ActRefused(f"message {id_}: {done.sentence}")
        moves.charges += done.charges
        moves.details += done.details
    moves.finish = messages.close
    return moves


def _charge_back(connection: Connection, desk: Desk, draft: Draft) -> Moves:
    return _messages_of(connection, desk, draft, lambda messages, id_: messages.charge_back(id_))


def _give_back(connection: Connection, desk: Desk, draft: Draft) -> Moves:
    return _messages_of(connection, desk, draft, lambda messages, id_: messages.charge_back(id_, corrections.RETURNED))


def _release(connection: Connection, desk: Desk, draft: Draft) -> Moves:
    return _messages_of(
        connection,
        desk,
        draft,
        lambda messages, id_: messages.release_hold(id_, author=draft.author, reason=draft.reason),
    )


def _refuse_hold(connection: Connection, desk: Desk, draft: Draft) -> Moves:
    return _messages_of(connection, desk, draft, lambda messages, id_: messages.refuse_hold(id_))


def _assign(connection: Connection, desk: Desk, draft: Draft) -> Moves:
    partner = str(draft.values.get("partner", ""))
    if partner not in desk.catalogue().partners:
        raise ActRefused(f"there is no partner {partner!r}")
    return _messages_of(
        connection, desk, draft, lambda messages, id_: messages.assign(id_, partner), assigned_to=partner
    )


def _refund(connection: Connection, desk: Desk, draft: Draft) -> Moves:
    """The operator takes it back from us: as a charge-back. We alone pay: the partner keeps its part."""
    if draft.values.get("paid_by") != "us":
        return _messages_of(
            connection, desk, draft, lambda messages, id_: messages.charge_back(id_, corrections.REFUNDED)
        )
    return _messages_of(
        connection,
        desk,
        draft,
        lambda messages, id_: messages.refund(id_, author=draft.author, reason=draft.reason),
    )


# --- without -----------------------------------------------------------------------------------------------


def _adjust(connection: Connection, desk: Desk, draft: Draft) -> Moves:
    """Any amount between two accounts of one currency; its reason stands in the detail."""
    debit, credit = str(draft.values.get("debit", "")), str(draft.values.get("credit", ""))
    amount, currency = int(draft.values.get("amount", 0)), str(draft.values.get("currency", ""))
    catalogue = desk.catalogue()
    for name, address in (("--debit", debit), ("--credit", credit)):
        if fault := place_fault(catalogue, address):
            raise ActRefused(f"{name}: {fault}")
    if fault := currency_fault(catalogue, currency):
        raise ActRefused(f"--currency: {fault}")
    if debit == credit:
        raise ActRefused("both accounts are the same")
    if amount <= 0:
        raise ActRefused("the amount must be above zero; to move it the other way, turn the accounts round")
    if amount > AMOUNT_MAX:
        most = format_micros(AMOUNT_MAX)
        raise ActRefused(f"--amount: {format_micros(amount)} is more than {most}, the most at once; do it in pieces")
    owners = (name for kind, name in map(owner_of, (debit, credit)) if kind == "partner")
    partner_id = next((catalogue.partners[login].id for login in owners), 0)
    about = About(partner_id=partner_id, author=draft.author, reason=draft.reason)
    month = open_month(connection, desk.now())
    return Moves(details=moved(DetailKind.ADJUSTED, debit, credit, amount, currency=currency, month=month, about=about))


KINDS: dict[str, Decide] = {
    "charge_back": _charge_back,
    "refund": _refund,
    "return": _give_back,
    "release": _release,
    "refuse_hold": _refuse_hold,
    "assign": _assign,
    "adjust": _adjust,
}
