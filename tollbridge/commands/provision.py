"""`tollbridge load` and `tollbridge dump`: what is provisioned, from a file and back (interfaces.md, section 3)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from rich.console import Console

from core.catalogue import Link, Operator
from core.errors import ConfigError
from core.money import format_micros
from partner_api.dispatch import METHODS
from partner_api.dispatch.addresses import Guard
from plumbing.clock import SystemClock
from smsc_link.protocols import PROTOCOLS
from store import provisioning
from store.backlog import rate_backlog
from store.database import Database
from store.desk import open_desk
from store.secrets import Sealed
from tollbridge.commands import config_option, open_database, read_config
from tollbridge.config import Config
from tollbridge.keys import keyring_of
from traffic.queues import most_of_one

_PLANS = {"tariff_plan", "partner"}
"""What a plan for messages that wait may come by."""


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@config_option
def load(file: Path, config_file: Path | None) -> None:
    """Provision from FILE: operators, links, short codes, plans, partners, services, USSD menus, limits, blacklist.

    All of the file or nothing; what it does not name stays as it is; loading it twice changes nothing. A running
    service has it within a second. A mistake is one line: FILE:LINE: KEY: what is wrong and what to do. What is
    loaded and perhaps was not meant, like a service without a secret, is a line that begins with «remark». Messages
    that waited for a tariff or a plan which the file brings are rated by it.

    \b
    Example:
      tollbridge load conf/example-provisioning.toml
    """
    config = read_config(config_file)
    with open_database(config) as database:
        report = provisioning.load(
            database,
            file,
            str(file),
            SystemClock().now(),
            keyring_of(config, database, make=True),
            who="tollbridge load",
            served=served_by(config),
        )
        for line in report.lines():
            click.echo(line)
        if report.changed_anything:
            _rate_backlog(database, report)
    told = "catalogue version" if report.changed_anything else "nothing changed; catalogue version"
    click.echo(f"{told} {report.version}")


def _rate_backlog(database: Database, report: provisioning.Report) -> None:
    """What waited for what is there now."""
    has_plans = any(report.counts[kind].added or report.counts[kind].changed for kind in _PLANS & report.counts.keys())
    with Console(stderr=True).status("rating what waited …"), open_desk(database, SystemClock(), Sealed()) as desk:
        rated = rate_backlog(desk, plans=has_plans)
    if rated.messages:
        sums = ", ".join(f"{format_micros(amount)} {currency}" for currency, amount in sorted(rated.revenue.items()))
        what = "1 message that waited is" if rated.messages == 1 else f"{rated.messages} messages that waited are"
        click.echo(f"{what} rated now: {sums} from the operators")


def served_by(config: Config) -> provisioning.Served:
    """What a service of this configuration can do."""
    guard = Guard(allow_private=config.dispatch.allow_private_addresses)

    def url_fault(url: str) -> str:
        host = urlsplit(url).hostname or ""
        # Of names only this one is known without asking anybody.
        return guard.problem_of_host("127.0.0.1" if host == "localhost" else host)

    return provisioning.Served(
        protocols=PROTOCOLS,
        known_protocols=tuple(PROTOCOLS),
        methods=METHODS,
        url_fault=url_fault,
        link_fault=link_fault,
        link_remarks=link_remarks,
        calls_of_one=most_of_one(config.dispatch.concurrency_total),
    )


def link_fault(values: Mapping[str, Any], owner: Mapping[str, Any]) -> str:
    """Why the protocol refuses a link's options; "" where it does not."""
    try:
        _adapter_of(values, owner)
    except ConfigError as error:
        return str(error).removeprefix(f"link {values['name']}: ")
    return ""


def link_remarks(values: Mapping[str, Any], owner: Mapping[str, Any]) -> list[str]:
    """What the protocol remarks about the options of a link that it does not refuse."""
    return list(PROTOCOLS[values["protocol"]].remarks(_adapter_of(values, owner)))


def _adapter_of(values: Mapping[str, Any], owner: Mapping[str, Any]) -> Any:
    """What the protocol makes of a link. Raises ConfigError."""
    operator = Operator(owner["id"], owner["code"], owner["name"], owner["country"], owner["currency"], vat=())
    return PROTOCOLS[values["protocol"]].adapter(Link(**values), operator)


@click.command()
@config_option
def dump(config_file: Path | None) -> None:
    """Write the present provisioning to stdout, in the form that `load` reads.

    Passwords appear as hashes, secrets that we must send as they lie in the database, encrypted.

    \b
    Example:
      tollbridge dump > provisioning.toml
    """
    config = read_config(config_file)
    with open_database(config) as database:
        click.echo(provisioning.dump(database, keyring_of(config, database, make=False)), nl=False)
