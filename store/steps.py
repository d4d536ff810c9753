"""What was done to a payout or a payment, step by step, as audit_log has it: when, by whom, why.

Step         one of them
read_steps   those of one, from the first on

Rule: reads only.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import Instant
from store.schema import AuditLog


@dataclass(frozen=True, slots=True)
class Step:
    """`before` is "" for the first step of a payout; `about` is the reason given, or the reference."""

    at: Instant
    who: str
    before: str
    after: str
    about: str


def read_steps(connection: Connection, subject: str, number: int, since: Instant) -> list[Step]:
    """Of `payout` or `payment` number so and so, which is there since then: of what is older nothing is read."""
    log = sa.select(AuditLog.at, AuditLog.who, AuditLog.before, AuditLog.after).where(
        AuditLog.at >= since, AuditLog.subject == subject, AuditLog.key == str(number)
    )
    return [
        Step(
            at, who, (before or {}).get("state", ""), after["state"], after.get("reason") or after.get("reference", "")
        )
        for at, who, before, after in connection.execute(log.order_by(AuditLog.id))
    ]
