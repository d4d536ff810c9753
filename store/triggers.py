"""What is booked stays: triggers that refuse to change or delete entries, postings, details, posted charges, and what
was frozen or issued at a month's end.

create_triggers()     makes them anew; run after every migration (a migration may rebuild a table of SQLite's, and its
                      triggers are gone without a word)
missing_triggers()    names of those that are not there, or say something else; for `tollbridge check`

Rule: an MO may still change, but not its charge once that is posted. Mistakes are corrected by a new entry.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from store.schema import Base, Charge, ClosedMonth, Detail, Entry, FrozenTotal, Mo, Posting, Statement, StatementLine

POSTED = 2
"""core.ledger.entry.ChargeState.POSTED, as it stands in the column."""

# An MO's own charge: what it has in common with table `charge`, without its number.
CHARGE_COLUMNS = tuple(
    column.name for column in Mo.__table__.c if column.name in Charge.__table__.c and column.name != "id"
)


@dataclass(frozen=True)
class Trigger:
    """Refuses `act` (UPDATE or DELETE) on rows of a table; `when` is a condition, empty for always."""

    table: str
    act: str
    when: str
    sentence: str

    @property
    def name(self) -> str:
        """What the database calls it."""
        return f"{self.table}_no_{self.act.lower()}"

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
        yield from _both(table, "", "is never changed; book a new entry that corrects it")
    for frozen in (ClosedMonth, FrozenTotal, Statement, StatementLine):
        yield from _both(frozen, "", "is never changed; what comes late is booked into the next open month")
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
