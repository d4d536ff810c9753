"""Every statement that reaches a database, by transaction: SQLAlchemy's and those that go straight to the driver.

Watched       statements of the transactions that were committed
Transaction   its statements; which tables they change

SQLite's driver tells all that is executed; an INSERT before which a trigger looks, twice. MariaDB's is asked where it
sends its packets, which may hold several statements; no text in these tests has a semicolon.

Rule: what is counted is what the driver sends, whoever asked it to.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from store.database import Database
from store.triggers import triggers

_CHANGE = re.compile(
    r"\s*(INSERT|UPDATE|DELETE|REPLACE)\b(?:\s+(?:IGNORE|OR\s+\w+))?(?:\s+INTO|\s+FROM)?\s+[`\"]?(\w+)", re.I
)


_LOOKED_AT = frozenset((trigger.act, trigger.table) for trigger in triggers("sqlite") if trigger.act == "INSERT")


@dataclass(slots=True)
class Transaction:
    """One that was committed."""

    statements: list[str] = field(default_factory=list)

    @property
    def changes(self) -> list[tuple[str, str]]:
        """("insert", "mo") and so on, in order."""
        found = [_CHANGE.match(statement) for statement in self.statements]
        return [(match[1].lower(), match[2]) for match in found if match]

    def about(self, table: str) -> list[str]:
        """Statements that name a table."""
        return [statement for statement in self.statements if re.search(rf"\b{table}\b", statement)]


class Watched:
    """From now on."""

    def __init__(self, database: Database) -> None:
        self.committed: list[Transaction] = []
        self._open = Transaction()
        self._looked_at = ""
        """The last statement, where it is told again."""
        engine = database.engine
        if database.dialect == "sqlite":
            sa.event.listen(engine, "connect", lambda raw, record: raw.set_trace_callback(self._traced))
        else:
            sa.event.listen(engine, "connect", self._watch_packets)
            sa.event.listen(engine, "commit", lambda connection: self._ended(committed=True))
            sa.event.listen(engine, "rollback", lambda connection: self._ended(committed=False))
        engine.dispose()  # those that are open were not watched

    @property
    def changing(self) -> list[Transaction]:
        """Transactions that changed something: what costs an fsync."""
        return [transaction for transaction in self.committed if transaction.changes]

    def begins_anew(self) -> None:
        """Forget what was."""
        self.committed.clear()

    def _traced(self, statement: str) -> None:
        word = statement.lstrip().partition(" ")[0].rstrip(";").upper()
        if word in ("COMMIT", "ROLLBACK"):
            self._ended(committed=word == "COMMIT")
        elif statement == self._looked_at:
            self._looked_at = ""
        elif word != "BEGIN" and not statement.startswith("--"):  # «--»: what a trigger does
            self._open.statements.append(statement)
            change = _CHANGE.match(statement)
            self._looked_at = statement if change and (change[1].upper(), change[2]) in _LOOKED_AT else ""

    def _watch_packets(self, raw: Any, record: object) -> None:
        send = raw.query

        def telling(packet: bytes | bytearray | str) -> None:
            text = packet if isinstance(packet, str) else bytes(packet).decode(errors="replace")
            self._open.statements += [statement.strip() for statement in text.split(";")]
            send(packet)

        raw.query = telling

    def _ended(self, *, committed: bool) -> None:
        if committed:
            self.committed.append(self._open)
        self._open = Transaction()
