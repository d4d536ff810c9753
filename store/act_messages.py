"""What people may do about messages: decided under their locks, not yet booked (billing.md, section 6).

charge_back, refund, give_back   the operator takes messages back, or we pay for them; what lies in suspense returns
release, refuse_hold             what fraud held is the partner's, or nobody's
assign                           what lies in suspense is a partner's

Rule: one message that cannot be moved stops them all; nothing is written but by `Moves.finish`.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

from core.ledger import corrections
from core.ledger.corrections import Corrected
from store.act_drafts import ActRefused, Draft, Moves
from store.corrections import NOBODY, Messages
from store.desk import Desk
from store.provisioning.sentences import there_is_no


def charge_back(connection: Connection, desk: Desk, draft: Draft) -> Moves:
    """The operator takes them back."""
    return _moves_of(connection, desk, draft, lambda messages, id_: messages.charge_back(id_))


def give_back(connection: Connection, desk: Desk, draft: Draft) -> Moves:
    """What lies in suspense goes back to the operator."""
    return _moves_of(connection, desk, draft, lambda messages, id_: messages.charge_back(id_, corrections.RETURNED))


def refund(connection: Connection, desk: Desk, draft: Draft) -> Moves:
    """The operator takes it back from us: as a charge-back. We alone pay: the partner keeps its part."""
    if draft.values.get("paid_by") != "us":
        return _moves_of(connection, desk, draft, lambda messages, id_: messages.charge_back(id_, corrections.REFUNDED))
    return _moves_of(
        connection,
        desk,
        draft,
        lambda messages, id_: messages.refund(id_, author=draft.author, reason=draft.reason),
    )


def release(connection: Connection, desk: Desk, draft: Draft) -> Moves:
    """What fraud held is the partner's."""
    return _moves_of(
        connection,
        desk,
        draft,
        lambda messages, id_: messages.release_hold(id_, author=draft.author, reason=draft.reason),
    )


def refuse_hold(connection: Connection, desk: Desk, draft: Draft) -> Moves:
    """What fraud held goes to suspense."""
    return _moves_of(connection, desk, draft, lambda messages, id_: messages.refuse_hold(id_))


def assign(connection: Connection, desk: Desk, draft: Draft) -> Moves:
    """What lies in suspense is a partner's: rated by its plan at the time of each."""
    partner = str(draft.values.get("partner", ""))
    if partner not in desk.catalogue().partners:
        raise ActRefused(there_is_no("partner", partner, desk.catalogue().partners))
    return _moves_of(connection, desk, draft, lambda messages, id_: messages.assign(id_, partner), assigned_to=partner)


def _moves_of(
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
