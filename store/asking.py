"""Asking a person to look: an alert of what people do, like a payment that is parked.

raise_alert   one, unless the same waits for somebody already

Rule: in the transaction of what it is about; `tollbridge status` shows it until somebody resolves it.
"""

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import Instant
from store.bulk import bulk_insert
from store.journal.facts import AlertFact
from store.journal.rows import ALERT_COLUMNS, alert_row
from store.schema import Alert


def raise_alert(connection: Connection, kind: str, subject: str, sentence: str, now: Instant) -> None:
    """Of a kind that docs/operators.md explains."""
    row = alert_row(AlertFact(kind, subject, sentence, now))
    same = sa.select(Alert.id).where(
        Alert.kind == kind, Alert.subject == row[2], Alert.sentence == row[3], Alert.resolved_at.is_(None)
    )
    if connection.execute(same).first() is None:
        bulk_insert(connection, Alert, ALERT_COLUMNS, [row])
