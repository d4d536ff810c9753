"""`tollbridge payout answer`: the bank's own answer to a file of payouts (ISO 20022 pain.002) is read and booked.

answer   the command

Rule: what comes from outside is read without document types and entities, and no further than ANSWER_MAX.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import ParseError

import click
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from core.bank_answer import BankAnswer, Meaning, read_answer
from core.errors import ConfigError, StoreAway, TollbridgeError, UserMistake
from core.payouts import PayoutState
from store.bank_answers import Line, carry_out, plan
from store.desk import Desk
from store.payout_rules import state_word
from store.payouts import Payouts
from tollbridge.commands import AMOUNTS, config_option, json_option
from tollbridge.commands.desk import desk_of, take_name
from tollbridge.json_values import print_json
from tollbridge.show import console, heading, plain
from tollbridge.show_payout import answer_table, answer_value

ANSWER_MAX = 16 * 1024 * 1024
"""A file has at most 5 000 transfers; an answer of that size has some three kilobytes for each."""


@click.command(short_help="Read the bank's answer to a file: paid, failed.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--by", "author", metavar="NAME", callback=take_name, help="Who does it; kept for good.")
@click.option("--dry-run", is_flag=True, help="Only show what it would do.")
@json_option(AMOUNTS)
@config_option
def answer(file: Path, author: str | None, dry_run: bool, as_json: bool, config_file: Path | None) -> None:
    """Read the bank's answer to a file of payouts (ISO 20022 pain.002): what it has carried out (ACSC) is paid, what it
    rejects (RJCT) is failed, with its reason; anything else is on its way. The same answer again changes nothing.

    \b
    Example:
      tollbridge payout answer pain002.xml --dry-run
      tollbridge payout answer pain002.xml --by ada
    """
    if not author and not dry_run:
        raise click.UsageError("say who you are: --by NAME; or only look: --dry-run")
    found = _read(file)
    with desk_of(config_file) as (desk, _):
        with desk.database.read() as connection:
            lines = plan(connection, found)
        done: dict[int, str] = {}
        try:
            _carry_out(Payouts(desk), lines, done, author=author or "", is_dry=dry_run)
        finally:
            _show(found, lines, done, desk, as_json=as_json)
    if any(line.problem or (line.row and done[line.row.id].startswith("? ")) for line in lines):
        sys.exit(1)


def _read(file: Path) -> BankAnswer:
    with file.open("rb") as stream:
        octets = stream.read(ANSWER_MAX + 1)
    if len(octets) > ANSWER_MAX:
        raise UserMistake(f"{file}: is larger than {ANSWER_MAX >> 20} MiB; that is no answer to a file of ours")
    try:
        return read_answer(fromstring(octets, forbid_dtd=True))
    except DefusedXmlException as error:
        raise UserMistake(f"{file}: has a document type or entities; no bank writes them, so it is not read") from error
    except (ParseError, ValueError, LookupError) as error:
        raise UserMistake(f"{file}: is no XML: {plain(str(error), 120)}") from error
    except UserMistake as error:
        raise UserMistake(f"{file}: {error}") from error


def _carry_out(payouts: Payouts, lines: Sequence[Line], done: dict[int, str], *, author: str, is_dry: bool) -> None:
    """What becomes of each payout, into `done`."""
    for line in lines:
        if line.row is not None:
            done[line.row.id] = "not done: broken off before it" if line.moves_to is not None else _stays(line)
    for line in lines:
        if line.row is None or line.moves_to is None:
            continue
        if is_dry:
            done[line.row.id] = f"would be {state_word(line.moves_to)}"
            continue
        try:
            done[line.row.id] = state_word(carry_out(payouts, line, author=author).state)
        except (StoreAway, ConfigError):
            raise
        except TollbridgeError as why:
            done[line.row.id] = f"? {why}"


def _stays(line: Line) -> str:
    assert line.row is not None
    if line.problem:
        return f"? {line.problem}"
    if line.row.state is PayoutState.SENT:
        return Meaning.UNDER_WAY.value
    return f"{state_word(line.row.state)} already"


def _show(found: BankAnswer, lines: Sequence[Line], done: dict[int, str], desk: Desk, *, as_json: bool) -> None:
    logins = {one.id: one.login for one in desk.catalogue().partners.values()}
    if as_json:
        value = {
            "answer": found.name, "file": found.file, "status": found.status.code, "reason": found.status.reason,
            "payouts": [answer_value(line, logins, done) for line in lines],
        }  # fmt: skip
        print_json(value)
        return
    out = console()
    said = f": {found.status.text}" if found.status.text else ""
    heading(out, plain(f"the bank's answer {found.name} to {found.file}{said}"))
    if lines:
        out.print(answer_table(lines, logins, done))
    else:
        out.print("it says nothing of any payout")
