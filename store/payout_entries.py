"""What the steps of a payout write down (billing.md, section 6): the details of their entries, a line in audit_log.

back_from_payout   it is not paid: from the payout account to the partner's earnings; nothing before it was approved
paid_out           from the payout account to the account of ours from which it was paid
sent_back          it came back, before or after it was told as paid
ENDS               by the state that it comes to, which of them
about_payout       whose act it is, and why
log_move           a line in audit_log

Rule: `source` is our account, at the bank or at a provider. Whether a step may be is in store/payout_rules.py.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from sqlalchemy import Connection

from core.clock import Instant, Month
from core.ledger.accounts import earnings, payout
from core.ledger.details import About, Detail, DetailKind, moved
from core.money import format_micros
from core.payouts import PayoutState
from core.second_person import REASON_MAX
from store.bulk import bulk_insert
from store.payout_rules import state_word
from store.schema import AuditLog

if TYPE_CHECKING:
    from store.payouts import PayoutRow

Booked: TypeAlias = "Callable[[PayoutRow, str, str, Month, About], list[Detail]]"
"""(the payout, its partner's login, the account of ours, the booked month, about what) → details."""


def about_payout(row: "PayoutRow", author: str, reason: str = "") -> About:
    return About(0, row.partner_id, subject=row.subject, author=author, reason=reason[:REASON_MAX])


def back_from_payout(row: "PayoutRow", login: str, source: str, month: Month, about: About) -> list[Detail]:
    if row.state is PayoutState.REQUESTED:
        return []  # It has not left the earnings yet.
    return moved(
        DetailKind.PAYOUT_RETURNED, payout(login), earnings(login), row.amount,
        currency=row.currency, month=month, about=about,
    )  # fmt: skip


def paid_out(row: "PayoutRow", login: str, source: str, month: Month, about: About) -> list[Detail]:
    return moved(
        DetailKind.PAYOUT_PAID, payout(login), source, row.amount, currency=row.currency, month=month, about=about
    )


def sent_back(row: "PayoutRow", login: str, source: str, month: Month, about: About) -> list[Detail]:
    """What was told as paid is in our account again first."""
    back = moved(
        DetailKind.PAYOUT_RETURNED, source, payout(login), row.amount, currency=row.currency, month=month, about=about
    )
    return (back if row.state is PayoutState.PAID else []) + back_from_payout(row, login, source, month, about)


ENDS: dict[PayoutState, Booked] = {
    PayoutState.PAID: paid_out,
    PayoutState.FAILED: back_from_payout,
    PayoutState.RETURNED: sent_back,
    PayoutState.CANCELLED: back_from_payout,
}
_AUDIT = ("at", "who", "subject", "key", "before", "after")


def log_move(connection: Connection, row: "PayoutRow", author: str, before: PayoutState | None, at: Instant) -> None:
    """A line in audit_log: who moved it from where to where."""
    old = None if before is None else {"state": state_word(before)}
    new = {"state": state_word(row.state), "amount": format_micros(row.amount), "currency": row.currency}
    told = {key: value for key, value in (("reference", row.reference), ("reason", row.error)) if value}
    bulk_insert(connection, AuditLog, _AUDIT, [(at, author, "payout", str(row.id), old, new | told)])
