"""`tollbridge rates`: the rates at which money is converted, from a file, and what is there."""

from pathlib import Path

import click

from core.clock import iso_of
from core.errors import UserMistake
from store.rates import COLUMNS, list_rates, load_rates, rate_text, read_rates
from tollbridge.commands import config_option, json_option, open_database, read_config
from tollbridge.json_values import print_json
from tollbridge.show import console, plain, table


@click.group()
def rates() -> None:
    """Load rates of conversion, and list them.

    \b
    Example:
      tollbridge rates load rates.csv
      tollbridge rates list --source EUR
    """


@rates.command(short_help="Load rates from a CSV file: all of them or none.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@config_option
def load(file: Path, config_file: Path | None) -> None:
    """Load rates from FILE, CSV with the columns source, target, valid_from, rate and origin: all of them or none.

    A rate holds from its moment on, which may lie ahead. One that is there never changes.

    \b
    Example:
      printf 'source,target,valid_from,rate,origin\\nEUR,RUB,2026-12-01,97.5,ECB\\n' > rates.csv
      tollbridge rates load rates.csv
    """
    try:
        text = file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise UserMistake(f"{file}: is not UTF-8; save it so; its first line must be {','.join(COLUMNS)}") from error
    found = read_rates(text, str(file))
    with open_database(read_config(config_file)) as database, database.write() as connection:
        added = load_rates(connection, found)
    click.echo(f"{added} new, {len(found) - added} as they were")


@rates.command("list", short_help="List rates by pair and date.")
@click.option("--source", metavar="CUR", default="")
@click.option("--target", metavar="CUR", default="")
@json_option()
@config_option
def list_them(source: str, target: str, as_json: bool, config_file: Path | None) -> None:
    """List rates by pair and date.

    \b
    Example:
      tollbridge rates list --source EUR --target RUB
    """
    with open_database(read_config(config_file)) as database, database.read() as connection:
        found = list(list_rates(connection, source.upper(), target.upper()))
    if as_json:
        values = [
            {
                "source": rate.source, "target": rate.target, "valid_from": iso_of(rate.valid_from),
                "rate": rate_text(rate.rate), "origin": rate.origin,
            }
            for rate in found
        ]  # fmt: skip
        print_json(values)
        return
    if not found:
        click.echo("no such rates; load them: tollbridge rates load FILE.csv")
        return
    shown = table("from", "to", "valid from", ">rate", "origin")
    for rate in found:
        shown.add_row(rate.source, rate.target, iso_of(rate.valid_from), rate_text(rate.rate), plain(rate.origin))
    console().print(shown)
