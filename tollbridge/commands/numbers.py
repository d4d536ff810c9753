"""`tollbridge numbers`: the portability table from a file, whose a number is, and how many there are."""

from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa

from core.clock import iso_of
from core.directory import Directory
from core.errors import UserMistake
from core.msisdn import BadNumber, read_number
from plumbing.clock import SystemClock
from store.database import Database
from store.numbers import count_ported, operators_of, since_of
from store.ported import Loaded, Refused, load_ported
from store.schema import AuditLog, Operator
from tollbridge.commands import config_option, json_option, open_database, read_config
from tollbridge.commands.desk import by_option
from tollbridge.json_values import print_json
from tollbridge.show import console, plain, table
from tollbridge.show_settle import counting


@click.group()
def numbers() -> None:
    """Load the numbers that moved to another operator and kept their digits; say whose a number is.

    \b
    Example:
      tollbridge numbers load ported.csv --replace --by ada
      tollbridge numbers find "+7 900 111-22-33"
    """


@numbers.command(short_help="Load ported numbers from a CSV file.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--replace", is_flag=True, help="The file is the whole table: what is not in it goes, in one moment.")
@click.option("--skip-bad", is_flag=True, help="Load the good rows although others are bad.")
@by_option
@json_option()
@config_option
def load(  # noqa: PLR0917
    file: Path, replace: bool, skip_bad: bool, author: str, as_json: bool, config_file: Path | None
) -> None:
    """Load ported numbers from FILE: lines of NUMBER,OPERATOR[,SINCE], with a header or without.

    OPERATOR is the code of an operator that is provisioned. Without --replace they are added, and a number that is
    there already goes to the operator that the file says. A bad row is listed with its number and the reason, and
    then nothing is changed.

    \b
    Example:
      printf '79001112233,alpha\\n79001112234,beta,2026-11-01\\n' > ported.csv
      tollbridge numbers load ported.csv --by ada
    """
    with open_database(read_config(config_file)) as database, counting(f"loading {file.name}") as progress:
        try:
            found = load_ported(
                database, file, author=author, now=SystemClock().now(), replace=replace, skip_bad=skip_bad,
                progress=progress,
            )  # fmt: skip
        except Refused as refused:
            _list_bad(refused.found)
            raise
    _list_bad(found)
    if as_json:
        counts = {"rows": found.rows, "numbers": found.numbers, "bad": found.bad}
        print_json(counts | {"before": found.before, "total": found.total})
        return
    again = found.rows - found.numbers
    more = f", of {found.rows:,} rows: of several with one number the last counts" if again else ""
    skipped = f", {found.bad:,} bad row{_s(found.bad)} skipped" if found.bad else ""
    now = f"{found.total:,} {'is' if found.total == 1 else 'are'} ported now, {found.before:,} before"
    click.echo(f"{found.numbers:,} number{_s(found.numbers)} loaded{more}{skipped}; {now}")


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _list_bad(found: Loaded) -> None:
    for bad in found.told:
        click.echo(f"row {bad.line}: {bad.reason}", err=True)
    if found.bad > len(found.told):
        click.echo(f"… and {found.bad - len(found.told):,} more", err=True)


@numbers.command(short_help="Say whose a number is, and by which rule.")
@click.argument("number")
@json_option()
@config_option
def find(number: str, as_json: bool, config_file: Path | None) -> None:
    """Say which operator NUMBER is at, and by which rule: the portability table, or the first digits.

    NUMBER may be written in any form; without the country's code it is one of the operators' country.

    \b
    Example:
      tollbridge numbers find "8 900 111-22-33"
    """
    with open_database(read_config(config_file)) as database:
        said = _look_up(database, number)
    if as_json:
        print_json(said)
        return
    ported = said["rule"] == "ported"
    by = f"ported, in the table since {said['since'][:10]}" if ported else f"by prefix {said['prefix']}"
    click.echo(f"{said['msisdn']}: {said['operator']}, {by}")


def _look_up(database: Database, number: str) -> dict[str, Any]:
    with database.read() as connection:
        rows = connection.execute(sa.select(Operator.id, Operator.code, Operator.country, Operator.msisdn_prefixes))
        operators = {id_: (code, country, prefixes) for id_, code, country, prefixes in rows}
        countries = {country for _, country, _ in operators.values()}
        try:
            msisdn = read_number(number, min(countries) if len(countries) == 1 else "")
        except BadNumber as error:
            raise UserMistake(f"{plain(number, 40)} {error}") from error
        directory = Directory.of((id_, prefixes) for id_, (_, _, prefixes) in operators.items())
        found = directory.find(msisdn, operators_of(connection, [msisdn]))
        if found is None or found.operator_id not in operators:
            raise UserMistake(f"{msisdn} is no operator's: not ported, and no msisdn_prefixes begin so")
        said: dict[str, Any] = {"msisdn": msisdn, "operator": operators[found.operator_id][0]}
        if found.prefix:
            return said | {"rule": "prefix", "prefix": found.prefix}
        return said | {"rule": "ported", "since": iso_of(since_of(connection, msisdn))}


@numbers.command(short_help="Show how many numbers are ported, by operator.")
@json_option()
@config_option
def stats(as_json: bool, config_file: Path | None) -> None:
    """Show how many numbers each operator has won, its first digits, and when the table was last loaded.

    \b
    Example:
      tollbridge numbers stats
    """
    with open_database(read_config(config_file)) as database, database.read() as connection:
        counts = count_ported(connection)
        operators = connection.execute(
            sa.select(Operator.id, Operator.code, Operator.msisdn_prefixes).order_by(Operator.code)
        ).all()
        last = connection.execute(
            sa.select(AuditLog.at, AuditLog.who, AuditLog.key)
            .where(AuditLog.subject == "ported numbers").order_by(AuditLog.id.desc()).limit(1)
        ).first()  # fmt: skip
    values = [(code, counts.pop(id_, 0), prefixes) for id_, code, prefixes in operators]
    values += [(f"(no operator {id_})", count, []) for id_, count in sorted(counts.items())]
    loaded = None if last is None else {"at": iso_of(last.at), "by": last.who, "file": last.key}
    if as_json:
        rows = [{"operator": code, "ported": count, "prefixes": prefixes} for code, count, prefixes in values]
        print_json({"operators": rows, "total": sum(count for _, count, _ in values), "loaded": loaded})
        return
    shown = table("operator", ">ported", "prefixes")
    for code, count, prefixes in values:
        shown.add_row(code, f"{count:,}", plain(" ".join(prefixes), 80))
    console().print(shown)
    if loaded is None:
        click.echo("never loaded; load a file: tollbridge numbers load FILE.csv --by NAME")
    else:
        click.echo(f"last loaded {loaded['at'][:16]} by {plain(loaded['by'])}: {plain(loaded['file'])}")
