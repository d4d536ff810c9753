"""Which steps of a payout may not be: what refuses them says why, and what to do.

refuse_move      from where it stands
refuse_own       by who asked for it
refuse_silence   without a reason
refuse_guess     by a person, of what a provider is still asked about
state_word       a state as people read it

Rule: all is decided from the payout's row, read under its lock (store/payouts.py). Each raises UserMistake.
"""

from typing import TYPE_CHECKING

from core.clock import DAY_MS, Instant, datetime_of
from core.errors import UserMistake
from core.payouts import IS_BACK, PayoutState, may_move, states_before
from core.second_person import REASON_MAX, checked_reason, is_nobody, may_be_same

if TYPE_CHECKING:
    from store.payouts import PayoutRow

PROVIDER_SPEAKS_MS = DAY_MS
"""For how long at most a payout is sent again and again under its key (partner_api/payments/sending.py: an hour less).
"""


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


def refuse_guess(row: "PayoutRow", state: PayoutState, now: Instant) -> None:
    """As long as it may be sent again only its provider knows whether it is paid: a person who has looked there saw
    what was before the next request. Who was asked to look (then `sent_at` is 0) looks when nothing is sent any more.
    """
    if row.state is PayoutState.SENDING and state in IS_BACK and row.sent_at and now - row.sent_at < PROVIDER_SPEAKS_MS:
        raise UserMistake(
            f"{row.text} is being sent, and {row.method} may get it at any moment: payout send asks it again under the "
            "same key and books what it says; when you are asked to look there (an alert), or from "
            f"{datetime_of(row.sent_at + PROVIDER_SPEAKS_MS):%Y-%m-%d %H:%M:%S} UTC on, look there, then say "
            f"{state_word(state)}"
        )


def state_word(state: PayoutState) -> str:
    """As people read it."""
    return state.name.lower()
