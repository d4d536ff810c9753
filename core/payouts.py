"""Payouts: money on its way to a partner, and how much may set out (billing.md, sections 6 and 9).

PayoutState   where it stands; the numbers are stored
may_move      the moves that are allowed; IS_UNDER_WAY, the states in which its money is on the partner's payout account
IS_BACK       those in which it is over and was not paid
Funds         what a partner has, in one currency, and what of it is not to be paid yet
payable       what may be asked for now, in minor units; why_not, a sentence where an amount may not be
recipient     who gets it, in a word; of an account no more than the end (`masked`)

A payout is asked for, approved (its money leaves the partner's earnings), sent by a file or a provider, and ends as
paid, failed or returned. What failed or was returned is the partner's again.

Rule: what is paid is never more than what is due; the caller holds the lock of the partner's payout balance meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from core.money import floor_to_minor, format_micros, minor_digits
from core.statement import due


class PayoutState(IntEnum):
    """Where a payout stands. The numbers are stored."""

    REQUESTED = 0
    APPROVED = 1
    SENDING = 2
    """A provider is being asked, or was when we ended: it may have it."""
    SENT = 3
    """In a file for the bank, or a provider has it."""
    PAID = 4
    FAILED = 5
    RETURNED = 6
    CANCELLED = 7


_MOVES: dict[PayoutState, frozenset[PayoutState]] = {
    PayoutState.REQUESTED: frozenset({PayoutState.APPROVED, PayoutState.CANCELLED}),
    PayoutState.APPROVED: frozenset({PayoutState.SENDING, PayoutState.SENT, PayoutState.CANCELLED}),
    PayoutState.SENDING: frozenset({PayoutState.SENT, PayoutState.PAID, PayoutState.FAILED, PayoutState.RETURNED}),
    PayoutState.SENT: frozenset({PayoutState.PAID, PayoutState.FAILED, PayoutState.RETURNED}),
    PayoutState.PAID: frozenset({PayoutState.RETURNED}),
    PayoutState.FAILED: frozenset(),
    PayoutState.RETURNED: frozenset(),
    PayoutState.CANCELLED: frozenset(),
}
IS_UNDER_WAY = frozenset({PayoutState.APPROVED, PayoutState.SENDING, PayoutState.SENT})
IS_BACK = frozenset({PayoutState.FAILED, PayoutState.RETURNED, PayoutState.CANCELLED})
"""Over, and its money is the partner's again."""
_ACCOUNTS = ("iban", "account", "wallet")
_TAIL = 4


def may_move(old: PayoutState, new: PayoutState) -> bool:
    """Whether a payout may go from one state to another."""
    return new in _MOVES[old]


def states_before(new: PayoutState) -> tuple[PayoutState, ...]:
    """The states from which a payout may come to this one."""
    return tuple(state for state, moves in _MOVES.items() if new in moves)


@dataclass(frozen=True, slots=True)
class Funds:
    """What a partner has in one currency, micros.

    `earned` is the balance of its earnings, from which approved payouts are gone already; `young` what stands there and
    is younger than its plan's hold_days; `requested` what was asked for and not approved yet; `held` what fraud
    withholds; `minimum` the plan's.
    """

    currency: str
    earned: int
    young: int = 0
    requested: int = 0
    held: int = 0
    minimum: int = 0

    @property
    def free(self) -> int:
        """What is earned, old enough and not asked for yet; never below zero."""
        return max(0, self.earned - max(0, self.young) - self.requested)


def smallest(currency: str) -> int:
    """The smallest amount that can be paid: one minor unit, in micros."""
    unit: int = 10 ** (6 - minor_digits(currency))
    return unit


def payable(funds: Funds) -> int:
    """What may be asked for: what is free, down to the minor unit; nothing below the plan's minimum."""
    return due(funds.earned - funds.requested, funds.young, funds.minimum, funds.currency)


def why_not(funds: Funds, amount: int) -> str:
    """Why so much may not be asked for, in a sentence that says what may; "" where it may."""
    currency = funds.currency
    if amount <= 0:
        return "write an amount above zero"
    if amount != floor_to_minor(amount, currency):
        digits = minor_digits(currency)
        rounded = floor_to_minor(amount, currency)
        instead = f"; write {_text(rounded)}" if rounded else ""
        return f"{currency} is paid with {digits} decimals, or fewer{instead}"
    most = payable(funds)
    if amount <= most and amount >= funds.minimum:
        return ""
    if funds.earned < 0:
        return f"the account is below zero: {_text(funds.earned)} {currency}; nothing is due until it has recovered"
    reasons = [
        f"{_text(part)} {words}"
        for part, words in (
            (max(0, funds.young), "are too young to be paid"),
            (funds.requested, "are asked for already"),
            (funds.held, "are held and not part of it"),
        )
        if part
    ]
    if amount <= floor_to_minor(funds.free, currency) or (most == 0 and 0 < funds.free < funds.minimum):
        reasons.insert(0, f"less than the minimum of {_text(funds.minimum)} is not paid out")
    why = f" ({'; '.join(reasons)})" if reasons else ""
    return f"{_text(most)} {currency} may be paid of {_text(funds.earned)} earned{why}"


def masked(account: str) -> str:
    """`…3000`: the last four of an account, and less of a short one."""
    return f"…{account[-min(_TAIL, len(account) // 2) :]}" if len(account) > 1 else "…" if account else ""


def masked_details(details: Mapping[str, str]) -> dict[str, str]:
    """Where money goes, with accounts masked."""
    return {name: masked(value) if name in _ACCOUNTS else value for name, value in details.items()}


def recipient(details: Mapping[str, str]) -> str:
    """`Acme GmbH …3000`."""
    account = next((details[name] for name in _ACCOUNTS if details.get(name)), "")
    return " ".join(part for part in (details.get("name", ""), masked(account)) if part)


def _text(micros: int) -> str:
    return format_micros(micros)
