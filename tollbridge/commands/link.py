"""`tollbridge link`: links by command: listed, enabled, disabled, drained, reconnected, traced; live.

link       the group
as_ordered   what came of an order, as it is told and as JSON

Orders go through the database to the processes that keep the links (store/link_orders.py).

Rule: a command that waits tells what the links did; it never says that something is done which nobody did.
"""

import os
import shutil
import stat
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from inspect import cleandoc
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from core.clock import iso_of
from core.errors import UserMistake
from plumbing.clock import SystemClock
from store import link_orders as orders
from store.database import Database
from store.link_orders import (
    DISABLE,
    DONE,
    DRAIN,
    ENABLE,
    NOBODY,
    RECONNECT,
    SECONDS,
    SECONDS_MAX,
    TRACE,
    Order,
)
from tollbridge.commands import config_option, json_option, open_database, read_config
from tollbridge.json_values import print_json
from tollbridge.show import plain
from tollbridge.show_link import show_links

WAIT_S = 30.0
LOOK_S = 0.2
PRIVATE = 0o600
"""The rights of a copy: those of the trace, which may hold texts."""

_NAMES = click.argument("names", metavar="NAME…", nargs=-1, required=True)
_BY = click.option("--by", "author", metavar="NAME", required=True, help="Who wants it; kept for good.")
_WAIT = click.option(
    "--wait/--no-wait", "waits", default=True, help="Wait at most 30 s, and tell what came of it (default)."
)
_JSON = json_option()
Command = Callable[..., Any]


@click.group()
def link() -> None:
    """Links to operators, while the service runs: nothing that is in flight is dropped. An order reaches the process
    that keeps the link within a second; who gave it is kept.

    \b
    Example:
      tollbridge link list
      tollbridge link drain alpha-1 --by olga
      tollbridge link disable alpha-1 alpha-2 --by olga
      tollbridge link enable alpha-1 alpha-2 --by olga
      tollbridge link trace alpha-1 --by olga --output alpha.pcap
    """


@link.command("list", short_help="All links: state, priority, rate, orders in force.")
@_JSON
@config_option
def list_(*, as_json: bool, config_file: Path | None) -> None:
    """All links with operator, protocol, state and since when; priority, weight and sticky; the rate limit; and what
    somebody has ordered and is in force or under way.

    \b
    Example:
      tollbridge link list --json | jq '.[] | select(.state != "bound")'
    """
    now = SystemClock().now()
    with open_database(read_config(config_file)) as database, database.read() as connection:
        rows = orders.read_rows(connection, now)
    if as_json:
        print_json([row.value() for row in rows])
    else:
        show_links(rows, now)


def _ordering(kind: str, short: str, long: str) -> Command:
    """A command that gives an order."""

    def run(names: Sequence[str], author: str, config_file: Path | None, *, waits: bool, as_json: bool) -> None:
        with open_database(read_config(config_file)) as database:
            given = orders.give(database, names, kind, author=author, now=SystemClock().now())
            found = _wait(database, given, WAIT_S if waits else 0.0)
        if as_json:
            print_json([as_ordered(one) for one in found])
        else:
            for one in found:
                click.echo(_line(one, waits=waits))
        if any(_is_bad(one, waits=waits) for one in found):
            sys.exit(1)

    run.__doc__ = f"{cleandoc(long)}\n\n\b\nExample:\n  tollbridge link {kind} alpha-1 --by olga"
    for option in (config_option, _JSON, _WAIT, _BY, _NAMES):
        run = option(run)
    return link.command(kind, short_help=short)(run)


enable = _ordering(
    ENABLE,
    "Bind it again, and let MT go over it.",
    """Enable links: they bind, and MT go over them again, whether they were disabled or drained. It is `enabled` of
    the provisioning: `tollbridge dump` shows it, the audit log has it.""",
)
disable = _ordering(
    DISABLE,
    "Drain and unbind it; it stays down until it is enabled.",
    """Disable links: nothing new goes over them, what is in flight ends, then they unbind, and stay down through
    restarts until somebody enables them. MT wait for another link of the operator, or for this one.""",
)
drain = _ordering(
    DRAIN,
    "No new MT over it; MO and receipts still come.",
    """Drain links: no new MT goes over them, what is in flight ends; MO and receipts still come. It holds through
    restarts until `enable`. MT wait for another link of the operator, or for this one.""",
)
reconnect = _ordering(
    RECONNECT,
    "End what is in flight, unbind, connect again at once.",
    """Reconnect links: what is in flight ends, they unbind and connect again at once, also out of the long pause after
    a bind that was refused.""",
)


@link.command(short_help="Write its protocol to a pcap file, texts masked.")
@click.argument("name", metavar="NAME")
@_BY
@click.option("--output", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Copy it there.")
@click.option(
    "--seconds", default=SECONDS, show_default=True, type=click.IntRange(1, SECONDS_MAX),
    help=f"For how long; at most {SECONDS_MAX}.",
)  # fmt: skip
@click.option("--packets", default=0, type=click.IntRange(0), help="End after so many frames; 0: as many as come.")
@click.option("--texts", is_flag=True, help="With texts and whole numbers; passwords and keys are masked always.")
@config_option
def trace(
    name: str, author: str, output: Path | None, config_file: Path | None, *, seconds: int, packets: int, texts: bool
) -> None:
    """Write what is said over one link to a pcap file. Texts, passwords and the middles of numbers are masked; what
    cannot be masked for sure is left out.

    The service writes it into `links.trace_folder`, for its own user alone, at most 64 MiB; the command waits and
    tells where it is. Ctrl-C ends the trace.

    \b
    Example:
      tollbridge link trace alpha-1 --by olga --seconds 30 --output alpha.pcap
      tshark -r alpha.pcap -d tcp.port==2775,smpp
      tshark -r alpha.pcap -d tcp.port==8082,http -d tcp.port==443,http
    """
    if output is not None:
        _refuse_unwritable(output)
    options = {"seconds": seconds, "packets": packets, "texts": texts}
    with open_database(read_config(config_file)) as database:
        given = orders.give(database, [name], TRACE, author=author, now=SystemClock().now(), options=options)
        try:
            found = _watch(database, given, seconds + WAIT_S)
        except KeyboardInterrupt:
            orders.end_early(database, given, SystemClock().now())
            found = _wait(database, given, WAIT_S)
    for one in found:
        click.echo(_line(one, waits=True))
    good = [one for one in found if one.outcome == DONE]
    if output is not None:
        for place, one in enumerate(good):
            _copy(one, output if not place else output.with_stem(f"{output.stem}-{one.process}"))
    if len(good) < len(found):
        sys.exit(1)


def _refuse_unwritable(output: Path) -> None:
    """Before the order: a trace takes minutes."""
    folder = output.parent
    if not folder.is_dir():
        raise UserMistake(f"--output {output}: there is no folder {folder}; make it, or name another file")
    if not os.access(output if output.exists() else folder, os.W_OK):
        raise UserMistake(f"--output {output}: this user may not write there; name another file")


def _copy(order: Order, output: Path) -> None:
    try:
        trace = open(order.path, "rb")  # noqa: SIM115
    except OSError as error:
        # Of another user, or on another machine.
        advice = "take it as the service's user"
        raise UserMistake(f"{order.path} cannot be copied here ({error.strerror}); {advice}") from error
    with trace:
        if output.exists() and os.path.samestat(os.fstat(trace.fileno()), output.stat()):
            return  # It is the trace itself: opened to be written, it would be empty.
        try:
            with open(output, "wb", opener=_open_private) as copy:
                # A file that others may read was there before; a pipe or a device keeps its rights.
                if stat.S_ISREG(os.fstat(copy.fileno()).st_mode):
                    os.fchmod(copy.fileno(), PRIVATE)
                shutil.copyfileobj(trace, copy)
        except OSError as error:
            advice = f"the trace is {order.path}, take it from there"
            raise UserMistake(f"--output {output} cannot be written ({error.strerror}); {advice}") from error
    click.echo(f"copied to {output}")


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, PRIVATE)


# --- what comes of it ---------------------------------------------------------------------------------------


def _wait(database: Database, given: Sequence[int], seconds: float) -> list[Order]:
    """What came of an order, when all of it is over or the time is."""
    end_s = time.monotonic() + seconds
    while True:
        with database.read() as connection:
            found = orders.read_given(connection, given)
        if all(one.is_over for one in found) or time.monotonic() >= end_s:
            return found
        time.sleep(LOOK_S)


def _watch(database: Database, given: Sequence[int], seconds: float) -> list[Order]:
    """The same with a line that tells how far it is."""
    end_s = time.monotonic() + seconds
    with Console(stderr=True).status("waiting for the service …") as line:
        while True:
            found = _wait(database, given, 0)
            if all(one.is_over for one in found) or time.monotonic() >= end_s:
                return found
            line.update(plain("; ".join(f"{one.link}: {one.sentence()}" for one in found)))
            time.sleep(LOOK_S)


def _line(order: Order, *, waits: bool) -> str:
    where = f" (process {order.process})" if order.process else ""
    said = order.sentence() if waits or order.is_over else "ordered"
    return plain(f"{order.link}{where}: {said}")


def _is_bad(order: Order, *, waits: bool) -> bool:
    """Nobody did it, or not all of it."""
    if order.outcome == NOBODY:
        return order.kind not in orders.LASTING
    return order.outcome != DONE and (waits or order.is_over)


def as_ordered(order: Order) -> Mapping[str, Any]:
    """For programs."""
    return {
        "link": order.link,
        "order": order.kind,
        "by": order.author,
        "at": iso_of(order.at),
        "process": order.process or None,
        "outcome": order.outcome or ("failed" if order.is_over else "pending"),
        "result": order.sentence(),
    }
