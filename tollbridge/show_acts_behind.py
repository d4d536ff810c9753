"""The acts behind a payment, or a payout: who asked for what more than one person may do, and who agreed or refused.

act_line    one, for a terminal
act_value   one, for JSON
with_both   steps, each with both its persons where it was booked by an act

Rule: names are texts of people: whoever prints a line of them makes it plain first.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from core.clock import iso_of
from store.life import ActLife
from store.steps import Step

_STEPS = {"assign_payment": "booked", "payout_failed": "failed", "payout_returned": "returned"}
"""To what a payment or a payout comes by an act."""


def act_line(one: ActLife) -> str:
    """`4, asked for by olga, agreed to by ada, see: tollbridge act show 4`."""
    decided = {"done": f"agreed to by {one.approver}", "refused": f"refused by {one.approver}"}.get(_state(one))
    return f"{one.id}, asked for by {one.author}, {decided or one.state}, see: tollbridge act show {one.id}"


def act_value(one: ActLife) -> dict[str, Any]:
    """As `act show --json` names it."""
    return {
        "id": one.id, "state": _state(one), "author": one.author, "at": iso_of(one.at), "approver": one.approver,
        "decided_at": iso_of(one.decided_at) if one.decided_at else None,
    }  # fmt: skip


def with_both(steps: Sequence[Step], acts: Sequence[ActLife]) -> list[Step]:
    """What an act has booked bears its author's name, at the moment at which the other person agreed: so both."""
    agreed = {(one.author, _STEPS.get(one.kind)): one.approver for one in acts if _state(one) == "done"}
    both = ((step, agreed.get((step.who, step.after))) for step in steps)
    return [replace(step, who=f"{step.who}, agreed to by {other}") if other else step for step, other in both]


def _state(one: ActLife) -> str:
    """Two persons have decided what has an approver; what booked something was agreed to."""
    return "done" if one.entry_id else "refused" if one.approver else "proposed"
