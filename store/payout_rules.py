"""Which steps of a payout may not be: what refuses them says why, and what to do.

refuse_move      from where it stands
refuse_own       by who asked for it
refuse_silence   without a reason
state_word       a state as people read it

Rule: all is decided from the payout's row, read under its lock (store/payouts.py). Each raises UserMistake.
"""

from typing import TYPE_CHECKING

from core.errors import UserMistake
from core.payouts import PayoutState, may_move, states_before
from core.second_person import REASON_MAX, checked_reason, is_nobody, may_be_same

if TYPE_CHECKING:
    from store.payouts import PayoutRow


def refuse_move(row: "PayoutRow", state: PayoutState) -> None:
    """From where it stands it cannot become this."""
    if not may_move(row.state, state):
        before = " or ".join(state_word(one) for one in states_before(state))
        raise UserMistake(
            f"{row.text} is {state_word(row.state)}; only what is {before} may become {state_word(state)}"
        )


def refuse_own(row: "PayoutRow", approver: str) -> None:
    """Who asked does not agree; nor does anybody where nobody knows who asked."""
    if may_be_same(approver, row.author):
        raise UserMistake(
            f"{row.text} was asked for without a name: cancel it, and let somebody ask for it anew"
            if is_nobody(row.author)
            else f"{row.text} was asked for by {row.author}: somebody else must approve it"
        )


def refuse_silence(state: PayoutState, reason: str) -> None:
    """What is the partner's again has a reason. A bank's or a provider's may be long: it is cut where it is kept."""
    if state is not PayoutState.PAID:
        checked_reason(reason[:REASON_MAX])


def state_word(state: PayoutState) -> str:
    """As people read it."""
    return state.name.lower()
