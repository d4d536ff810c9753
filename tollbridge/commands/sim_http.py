"""`tollbridge sim http`: the pocket aggregator, an operator that speaks HTTP by the mapping of one of our links.

http         the command
read_like    a provisioning file → that link's mapping as the operator sees it, checked as the service checks it
mapping_of   a link's checked mapping → the same

Rule: what cannot be played from the operator's side is refused in one line; what will surprise is a remark.
"""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from core.errors import ConfigError, UserMistake
from sim.aggregator.answers import cannot_accept
from sim.aggregator.mapping import (
    EXAMPLE,
    GateTable,
    Mapping,
    MoTable,
    ReceiptTable,
    Said,
    SubmitTable,
    unmirrored,
)
from sim.aggregator.pocket import Door, read_door, run_aggregator
from tollbridge.commands import config_option, lasting, read_config
from tollbridge.commands.sim_options import HTTP, TRAFFIC, options_of, play, quirk_option, read_quirks, with_options

if TYPE_CHECKING:
    from smsc_link.protocols.http import HttpAdapter
    from store.provisioning.elements import Document
    from tollbridge.config import Config

T = TypeVar("T")

LISTEN = "127.0.0.1:5000"
_ENCRYPTED = "password_encrypted", "secret_encrypted"


@dataclass(frozen=True, slots=True)
class Like:
    """A link to be the operator of. `listen`: where it sends its requests, if that is of this machine."""

    mapping: Mapping
    listen: str = ""
    sends_to: str = ""
    response_timeout_s: float = 15
    remarks: tuple[str, ...] = ()


@click.command(HTTP)
@config_option
@click.option(
    "--like",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The provisioning file with the link's mapping; without it that of conf/http-query.toml.",
)
@click.option("--link", default="", metavar="NAME", help="Which of its links, where the file has several over HTTP.")
@click.option(
    "--to",
    default="",
    metavar="URL",
    help="Where the link is called, like http://127.0.0.1:8082/links/NAME; without it at links.http_listen of the "
    "configuration.",
)
@click.option(
    "--listen",
    default="",
    metavar="HOST:PORT",
    help=f"Where the link's requests are taken; without it at the link's host and port, if those are of this machine, "
    f"else at {LISTEN}.",
)
@with_options(*TRAFFIC)
@quirk_option(HTTP)
def http(config_file: Path | None, quirks: tuple[str, ...], seed: int | None, **options: Any) -> None:
    """An operator that speaks HTTP, by the mapping of one of our links: what its [link.options] declare is read
    out of the provisioning file and spoken from the other side. Calls the link with MO, takes and checks its
    requests with MT, sends receipts. Tells a line each second. At the end, which is Ctrl-C without --count and
    --seconds, it waits for the answers under way and tells a summary.

    \b
    Example:
      tollbridge sim http --like conf/http-kannel.toml --rate 10 --text "GAME {n}" --text VOTE
      tollbridge sim http --like conf/http-json.toml --to http://127.0.0.1:8082 --listen 127.0.0.1:5000 --count 1000
      tollbridge sim http --count 3 --quirk response_timeout_s=20
    """
    config = read_config(config_file)
    file, name, to, listen = (options.pop(one) for one in ("file", "link", "to", "listen"))
    like = read_like(file, name) if file is not None else Like(replace(EXAMPLE, link=name or EXAMPLE.link))
    manners = read_quirks(HTTP, quirks)
    if not any(one.startswith("response_timeout_s=") for one in quirks):
        manners = replace(manners, response_timeout_s=like.response_timeout_s)
    door = _door(to, like.mapping.link, config)
    chosen = options_of(HTTP, manners, seed, {**options, "listen": listen or like.listen or LISTEN})
    if not (like.mapping.is_called or chosen.rate or chosen.count):
        raise click.UsageError("the link sends no requests: without --rate or --count nothing happens; give one")
    for remark in (*like.remarks, *_remarks_of_place(like, door, chosen.listen)):
        click.echo(f"remark: {remark}")
    play(lambda: run_aggregator(like.mapping, door, chosen), chosen.listen)


def read_like(file: Path, name: str) -> Like:
    """The link of this name, or the only one over HTTP. Raises UserMistake."""
    with lasting():
        from store.provisioning.load import read_document

    document = read_document(file, str(file))
    known = [link.name for link in document.link if link.protocol == HTTP]
    if not known:
        raise UserMistake(f"{file}: there is no [[link]] with protocol http in it; name the file that has it")
    if name not in known and (name or len(known) > 1):
        said = f"there is no link {name} over HTTP" if name else "it has several links over HTTP"
        raise UserMistake(f"{file}: {said}; say which by --link: {', '.join(known)}")
    adapter = _adapter_of(file, document, name or known[0])
    mapping = mapping_of(adapter)
    fault = unmirrored(mapping)
    if not fault and mapping.is_called and cannot_accept(mapping.submit.answer):
        fault = "submit.answer.prefix: an answer with word and id where the mapping has them does not begin so"
    link = adapter.link
    if fault:
        raise UserMistake(f"{file}: link {link.name}: option {fault}")
    host = f"[{link.host}]" if ":" in link.host else link.host
    return Like(
        mapping,
        f"{host}:{link.port}" if _is_of_this_machine(link.host) else "",
        f"{'https' if link.tls else 'http'}://{host}:{link.port}",
        float(link.response_timeout_s),
        tuple(_remarks_of_link(adapter)),
    )


def _adapter_of(file: Path, document: "Document", name: str) -> "HttpAdapter":
    """The link's mapping, checked as a whole. Raises UserMistake."""
    with lasting():
        from core.catalogue import Link, Operator
        from smsc_link.protocols.http import HttpAdapter

    element = next(link for link in document.link if link.name == name)
    values = {row.name: getattr(element, row.name) for row in fields(Link) if row.name != "id"}
    if element.password_encrypted or _has_encrypted(element.options):
        raise UserMistake(
            f"{file}: link {name}: its secrets are encrypted, as `tollbridge dump` writes them; "
            "write password and auth.secret in plain into a copy of the file"
        )
    owner = next((one for one in document.operator if one.code == element.operator), None)
    country = owner.country if owner is not None else ""
    try:
        return HttpAdapter(Link(id=0, **values), Operator(0, element.operator, "", country, "", vat=()))
    except ConfigError as error:
        hint = "" if owner is not None else f" (the file has no [[operator]] {element.operator} with its country)"
        raise UserMistake(f"{file}: {error}{hint}") from error


def mapping_of(adapter: "HttpAdapter") -> Mapping:
    """As the operator sees it."""
    link, options = adapter.link, adapter.options
    submit = _as(SubmitTable, options.submit)
    return Mapping(
        link=link.name,
        system_id=link.system_id,
        password=link.password,
        reply="answer" if adapter.holds_s else "request",
        reply_answer=_as(Said, options.reply_answer),
        mo=_as(MoTable, options.mo),
        receipt=_as(ReceiptTable, options.receipt),
        auth=_as(GateTable, options.auth),
        submit=submit if adapter.requests else replace(submit, path=""),
        number_of=adapter.writer.numbers.outbound,
    )


def _as(table: type[T], given: Any) -> T:
    """A table of the link's options as the pocket's own table with rows of the same names."""
    values = {}
    for row in fields(table):  # type: ignore[arg-type]
        value = getattr(given, row.name)
        values[row.name] = _as(type(row.default), value) if is_dataclass(row.default) else value
    return table(**values)


def _has_encrypted(options: Any) -> bool:
    if not isinstance(options, dict):
        return False
    return any(name in _ENCRYPTED or _has_encrypted(value) for name, value in options.items())


# --- where ------------------------------------------------------------------------------------------------------------


def _door(to: str, link: str, config: "Config") -> Door:
    """Where the link is called. Raises a usage error."""
    if not to:
        host, _, port = config.links.http_listen.rpartition(":")
        # Who listens at all addresses of the machine is called at its own.
        host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)
        to = f"{'https' if config.links.http_tls_cert else 'http'}://{host}:{port}"
    try:
        return read_door(to, link)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--to") from error


def _remarks_of_link(adapter: "HttpAdapter") -> Iterator[str]:
    """What will surprise, wherever it is called from."""
    name = adapter.link.name
    if not adapter.receives:
        yield f"link {name} is a transmitter and opens no door: nothing that is called arrives"
    if not adapter.gate.admits("127.0.0.1"):
        yield f"option allowed of link {name} does not name 127.0.0.1: calls from this machine hear 403"


def _remarks_of_place(like: Like, door: Door, listen: str) -> Iterator[str]:
    """Whether the link's requests come here."""
    if like.mapping.is_called and like.sends_to != f"http://{listen}":
        host, _, port = listen.rpartition(":")
        yield (
            f"link {like.mapping.link} sends its requests to {like.sends_to}; for them to come here, load it with "
            f'host = "{host}", port = {port}, tls = false'
        )


def _is_of_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
