"""What people may do to the books, kind by kind: decided, not yet booked (billing.md, section 6).

KINDS          by its name, what decides it; those of payments, conversions and payouts are in store/act_money.py
checked_draft  what is asked for as it is kept; refuses what nobody could do

Rule: it is decided under the locks of the messages, and nothing is written but by `Moves.finish` and `Moves.book`.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from core.ledger import corrections
from core.ledger.accounts import owner_of
from core.ledger.corrections import Corrected
from core.ledger.details import About, DetailKind, moved
from core.money import AMOUNT_MAX, format_micros
from core.second_person import checked_name, checked_reason
from store.act_drafts import KEY_MAX, ActRefused, Decide, Draft, Moves
from store.act_money import MONEY_KINDS
from store.act_places import currency_fault, place_fault
from store.books import open_month
from store.corrections import NOBODY, Messages
from store.desk import Desk
from store.provisioning.sentences import there_is_no

MESSAGES_MAX = 1000
"""Of one act: their locks are held together."""


def checked_draft(draft: Draft) -> Draft:
    """With its author and reason as they are kept. Raises UserMistake for what cannot be, whatever the books say."""
    if draft.kind not in KINDS:
        raise ActRefused(f"there is no act {draft.kind!r}; there are {', '.join(KINDS)}")
    author, reason = checked_name(draft.author, "--by: who asks for it"), checked_reason(draft.reason)
    if len(draft.key) > KEY_MAX:
        raise ActRefused(f"--key is longer than {KEY_MAX} letters; shorten it")
    if len(draft.messages) > MESSAGES_MAX:
        raise ActRefused(f"at most {MESSAGES_MAX} messages in one act; ask for the others in another")
    if not draft.messages and draft.kind not in WITHOUT_MESSAGES:
        raise ActRefused("name at least one message")
    twice = next((id_ for id_ in draft.messages if draft.messages.count(id_) > 1), 0)
    if twice:
        raise ActRefused(f"message {twice} is named twice; name it once")
    return replace(draft, author=author, reason=reason)


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
        raise ActRefused(there_is_no("partner", partner, desk.catalogue().partners))
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
    **MONEY_KINDS,
}
WITHOUT_MESSAGES = frozenset({"adjust", *MONEY_KINDS})
