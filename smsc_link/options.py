"""A link's options: a table of names with defaults, limits and meanings, as a dataclass.

option         one row of such a table
read_options   a link's mapping → the dataclass; a ConfigError names what is wrong and the nearest name
Common         the rows that every protocol over a connection has: TLS, time-outs
describe       the table as rows, for pages and --help

Rule: an option that is not in the table is a mistake, never ignored.
"""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from difflib import get_close_matches
from typing import Any, TypeVar

from core.catalogue import Link
from core.errors import ConfigError
from plumbing.conversation import Tls

T = TypeVar("T")


def option(
    default: Any, meaning: str, *, least: float | None = None, most: float | None = None, among: tuple[str, ...] = ()
) -> Any:
    """A row: its default gives the type; numbers have limits, words are among some."""
    return field(default=default, metadata={"meaning": meaning, "least": least, "most": most, "among": among})


@dataclass(frozen=True, slots=True)
class Common:
    """What every protocol over a connection may be told."""

    connect_timeout_s: float = option(10.0, "how long a connection may take to be made", least=0.1, most=120)
    tls_verify: bool = option(True, "with tls: refuse a certificate that no authority vouches for")
    tls_authority: str = option("", "PEM file of the authority; empty: the system's")
    tls_certificate: str = option("", "PEM file of our own certificate, where the operator asks for one")
    tls_key: str = option("", "PEM file of its key; empty: in the same file")
    tls_name: str = option("", "the name in the operator's certificate; empty: the host")
    premium_on: str = option(
        "delivered",
        "when the subscriber has paid a premium MT: a receipt, or submission",
        among=("delivered", "submitted"),
    )
    premium_wait_d: int = option(7, "days that an unknown premium MT waits for its receipt", least=1, most=60)
    parts_timeout_s: float = option(
        0.0, "a long MO is accepted without its missing parts after; 0: links.reassembly_timeout_s", least=0
    )

    def tls_of(self, link: Link) -> Tls | None:
        """How the link's connection is trusted; None: in the clear."""
        if not link.tls:
            return None
        return Tls(self.tls_verify, self.tls_authority, self.tls_certificate, self.tls_key, self.tls_name)


def read_options(table: type[T], link: Link) -> T:
    """The link's options by this table; raises a ConfigError that names link, option and remedy."""
    rows: Mapping[str, Any] = {row.name: row for row in fields(table)}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for name, value in link.options.items():
        if name not in rows:
            near = get_close_matches(name, rows, 1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(rows))}"
            raise ConfigError(f"link {link.name}: no option {name}; {hint}")
        values[name] = _read(f"link {link.name}: option {name}", value, rows[name])
    return table(**values)


def describe(table: type[Any]) -> Iterator[tuple[str, Any, str]]:
    """Name, default and meaning of each row."""
    for row in fields(table):
        assert row.default is not MISSING, row.name
        among = row.metadata["among"]
        yield row.name, row.default, row.metadata["meaning"] + (f" ({', '.join(among)})" if among else "")


def _read(where: str, value: object, row: Any) -> Any:
    kind = type(row.default)
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise ConfigError(f"{where}: {value!r} is not {_KINDS[kind]}")
    among = row.metadata["among"]
    if among and value not in among:
        raise ConfigError(f"{where}: {value!r} is none of {', '.join(among)}")
    least, most = row.metadata["least"], row.metadata["most"]
    if isinstance(value, int | float) and (
        (least is not None and value < least) or (most is not None and value > most)
    ):
        raise ConfigError(f"{where}: {value} is not between {least} and {'any' if most is None else most}")
    return value


_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
