"""What is booked stays: triggers that refuse to change or delete entries, postings, details, posted charges, and what
was frozen or issued at a month's end.

create_triggers()     makes them anew; run after every migration (a migration may rebuild a table of SQLite's, and its
                      triggers are gone without a word)
missing_triggers()    names of those that are not there, or say something else; for `tollbridge check`

SQLite asks nobody about a row that REPLACE deletes, unless the client wants it so, as ours do; so a row whose key is
there already is refused as well. Not in `mo`, `charge` and `detail`, where that costs each message 1.7 µs, 3 % of its
write; what was replaced there the audit sees, which makes the postings again from their charges.

Rule: an MO may still change, but not its charge once that is posted. Mistakes are corrected by a new entry.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from store.schema import Base, Charge, ClosedMonth, Detail, Entry, FrozenTotal, Mo, Posting, Statement, StatementLine

POSTED = 2
"""core.ledger.entry.ChargeState.POSTED, as it stands in the column."""

NEVER_CHANGED = "is never changed; book a new entry that corrects it"
FROZEN = "is never changed; what comes late is booked into the next open month"

# An MO's own charge: what it has in common with table `charge`, without its number.
CHARGE_COLUMNS = tuple(
    column.name for column in Mo.__table__.c if column.name in Charge.__table__.c and column.name != "id"
)


@dataclass(frozen=True)
class Trigger:
    """Refuses `act` (UPDATE, DELETE or INSERT) on rows of a table; `when` is a condition, empty for always."""

    table: str
    act: str
    when: str
    sentence: str

    @property
    def name(self) -> str:
        """What the database calls it."""
        return f"{self.table}_no_{'replace' if self.act == 'INSERT' else self.act.lower()}"

    def body(self, dialect: str) -> str:
        """What it does, as the database tells it back."""
        if dialect == "sqlite":
            return f"BEGIN SELECT RAISE(ABORT, '{self.sentence}'); END"
        refuse = f"SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{self.sentence}'"
        return f"IF {self.when} THEN {refuse}; END IF" if self.when else refuse

    def sql(self, dialect: str) -> str:
        """The statement that makes it."""
        head = f"TRIGGER {self.name} BEFORE {self.act} ON {self.table}"
        if dialect == "sqlite":
            return f"CREATE {head}{f' WHEN {self.when}' if self.when else ''} {self.body(dialect)}"
        return f"CREATE OR REPLACE {head} FOR EACH ROW {self.body(dialect)}"


def triggers(dialect: str) -> Iterator[Trigger]:
    """All of them, in the words of "sqlite" or "mysql"."""
    for table in (Entry, Posting, Detail):
        yield from _both(table, "", NEVER_CHANGED)
    for frozen in (ClosedMonth, FrozenTotal, Statement, StatementLine):
        yield from _both(frozen, "", FROZEN)
    if dialect == "sqlite":
        yield from (_no_replace(table, NEVER_CHANGED) for table in (Entry, Posting))
        yield from (_no_replace(table, FROZEN) for table in (ClosedMonth, FrozenTotal, Statement, StatementLine))
    posted = f"OLD.charge_state = {POSTED}"
    yield from _both(Charge, posted, "is posted and never changed; book a correction")
    same = "IS" if dialect == "sqlite" else "<=>"
    unchanged = " AND ".join(f"NEW.{name} {same} OLD.{name}" for name in CHARGE_COLUMNS)
    yield Trigger("mo", "UPDATE", f"{posted} AND NOT ({unchanged})", "mo: its charge is posted; book a correction")
    yield Trigger("mo", "DELETE", posted, "mo: its charge is posted; it is never deleted")


def create_triggers(connection: sa.Connection) -> None:
    """Make every trigger anew; there is no moment without them."""
    for trigger in triggers(connection.dialect.name):
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {trigger.name}")
        connection.exec_driver_sql(trigger.sql(connection.dialect.name))


def missing_triggers(connection: sa.Connection) -> list[str]:
    """Names of the triggers that are not there as they should be."""
    dialect = connection.dialect.name
    if dialect == "sqlite":
        found = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    else:
        found = connection.exec_driver_sql(
            "SELECT trigger_name, action_statement FROM information_schema.triggers WHERE trigger_schema = DATABASE()"
        )
    there = {row[0]: row[1] for row in found}
    wanted = {
        trigger.name: trigger.sql(dialect) if dialect == "sqlite" else trigger.body(dialect)
        for trigger in triggers(dialect)
    }
    return [name for name, sql in wanted.items() if there.get(name) != sql]


def _both(table: type[Base], when: str, sentence: str) -> Iterator[Trigger]:
    name = table.__tablename__
    for act in ("UPDATE", "DELETE"):
        yield Trigger(name, act, when, f"{name}: it {sentence}")


def _no_replace(table: type[Base], sentence: str) -> Trigger:
    """Refuses a new row in the place of an old one, by its primary key or by anything else that is unique."""
    name = table.__tablename__
    keys = [
        [column.name for column in constraint.columns]
        for constraint in table.metadata.tables[name].constraints
        if isinstance(constraint, sa.PrimaryKeyConstraint | sa.UniqueConstraint)
    ]
    same = sorted(" AND ".join(f'"{column}" = NEW."{column}"' for column in columns) for columns in keys)
    return Trigger(name, "INSERT", f"EXISTS (SELECT 1 FROM {name} WHERE {' OR '.join(same)})", f"{name}: it {sentence}")
