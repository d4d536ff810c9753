"""`tollbridge check`: the invariants of ledger and journal, on one consistent snapshot (billing.md, section 11).

check       the command
run_checks  every invariant → Outcome, as it is known

Rule: it reads and never writes, and opens no secret; beside a live service it sees one moment.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console

from core.ledger.audit import Finding
from store.audit import FINDINGS_MAX, INVARIANTS, audit
from store.database import Database
from store.secrets import Sealed
from store.snapshot import read_catalogue
from store.triggers import missing_triggers
from tollbridge.commands import config_option, json_option, open_database, read_config
from tollbridge.json_values import print_json
from tollbridge.show import plain

SHOWN = 20
TRIGGERS = "what is booked cannot be changed: every trigger is in the database"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One check: its name, what it says, what contradicts it."""

    name: str
    says: str
    findings: list[Finding]


@click.command()
@config_option
@json_option()
def check(config_file: Path | None, *, as_json: bool) -> int:
    """Audit the ledger and the journal: a line per invariant, with what contradicts it. Exit code 1 if any fails.

    It reads one consistent snapshot and may run beside a live service.

    \b
    Example:
      tollbridge check
      tollbridge check --json | jq '.checks[] | select(.ok | not)'
    """
    with open_database(read_config(config_file)) as database:
        if as_json:
            outcomes = list(run_checks(database))
            print_json(as_value(outcomes))
        else:
            outcomes = []
            with Console(stderr=True).status("reading …") as progress:
                for outcome in run_checks(database, lambda what: progress.update(f"reading {what} …")):
                    outcomes.append(outcome)
                    for line in lines_of(outcome):
                        click.echo(line)
    return 1 if any(outcome.findings for outcome in outcomes) else 0


def run_checks(database: Database, say: Callable[[str], None] = lambda _: None) -> Iterator[Outcome]:
    """Each check in turn, all of the same moment. Raises StoreAway."""
    with database.read() as connection:
        missing = missing_triggers(connection)
        catalogue = read_catalogue(connection, Sealed())
        for name, findings in audit(connection, catalogue, say):
            yield Outcome(name, INVARIANTS[name], findings)
        lacking = [
            Finding("triggers", "trigger", one, "is missing or changed; run: tollbridge migrate") for one in missing
        ]
        yield Outcome("triggers", TRIGGERS, lacking)


def lines_of(outcome: Outcome) -> Iterator[str]:
    """The check, and the first of its findings."""
    found = len(outcome.findings)
    yield f"{'✗' if found else '✓'} {outcome.name:<8} {outcome.says}{f': {_count(found)}' if found else ''}"
    for finding in outcome.findings[:SHOWN]:
        yield f"    {finding.table} {plain(finding.row)}: {plain(finding.sentence)}"
    if found > SHOWN:
        yield f"    … and {found - SHOWN} more; --json shows all that were kept"


def _count(found: int) -> str:
    if found >= FINDINGS_MAX:
        return f"{FINDINGS_MAX} findings or more"
    return "1 finding" if found == 1 else f"{found} findings"


def as_value(outcomes: list[Outcome]) -> dict[str, object]:
    """For JSON."""
    return {
        "ok": not any(outcome.findings for outcome in outcomes),
        "checks": [
            {
                "name": outcome.name,
                "says": outcome.says,
                "ok": not outcome.findings,
                "count": len(outcome.findings),
                "findings": [
                    {"table": one.table, "row": one.row, "sentence": one.sentence} for one in outcome.findings
                ],
            }
            for outcome in outcomes
        ],
    }
