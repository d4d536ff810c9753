"""A link's options: a table of names with defaults, limits and meanings, as a dataclass.

option         one row of such a table; inner, one that is a table itself; words and pairs, lists and maps
read_options   a link's mapping → the dataclass; a ConfigError names what is wrong and the nearest name
Common         the rows that every protocol over a connection has: TLS, time-outs, how numbers are written
Asking         those with the rows of one that can ask what became of a message
Called         and with those of one whose centres may open the connection to us (smsc_link/called.py)
describe       the table as rows, for pages and --help
mistake        an option that cannot be so, told
STAMPED_RECEIPTS   what a receipt needs to find its message, where both are known by a time and a number
zone_named, network_named, error_codes   the time zone, the network, and the error codes, that an option names

Rule: an option that is not in the table is a mistake, never ignored.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from difflib import get_close_matches
from ipaddress import ip_address, ip_network
from typing import Any, TypeAlias, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.catalogue import Link, Operator
from core.errors import ConfigError
from core.msisdn import plan_of
from core.numbering import DESTINATION_FORMS, NUMBER_FORMS, BadRules, Numbers, needs_plan, numbers_of, read_rules
from plumbing.conversation import Tls
from plumbing.networks import Network
from traffic.routes import WEIGHT_MAX, Terms

T = TypeVar("T")
Pairs: TypeAlias = tuple[tuple[str, str | int | float | bool], ...]
"""A table whose names are the operator's own, in the order in which they stand there."""

WORDS_MAX = 64
_WORDS, _PAIRS = "words", "pairs"

STAMPED_RECEIPTS = "number_rules, where the sender is not the subscriber's number: an id is a time and that number"
"""The `receipt_options` (smsc_link/keeping.py) of such a protocol."""


def option(
    default: Any, meaning: str, *, least: float | None = None, most: float | None = None, among: tuple[str, ...] = ()
) -> Any:
    """A row: its default gives the type; numbers have limits, words are among some."""
    return field(default=default, metadata={"meaning": meaning, "least": least, "most": most, "among": among})


def inner(default: Any, meaning: str) -> Any:
    """A row that is a table of rows: what is not given in it is as in `default`."""
    assert is_dataclass(default), default
    return field(default=default, metadata={"meaning": meaning, "least": None, "most": None, "among": ()})


def words(default: tuple[str, ...], meaning: str) -> Any:
    """A row with a list of texts."""
    return field(default=default, metadata={"meaning": meaning, "among": (), "kind": _WORDS})


def pairs(meaning: str) -> Any:
    """A row with a table of names that are the operator's own."""
    return field(default=(), metadata={"meaning": meaning, "among": (), "kind": _PAIRS})


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
    priority: int = option(1, "MT go by the operator's links of the lowest priority that are up", least=1, most=100)
    weight: int = option(1, "share of MT among links of the same priority", least=1, most=WEIGHT_MAX)
    sticky: bool = option(
        False, "a number always goes by the same of these links, as long as that is up and not slowed"
    )
    parts_timeout_s: float = option(
        0.0, "a long MO is accepted without its missing parts after; 0: links.reassembly_timeout_s", least=0
    )
    number_form: str = option(
        "international", "how subscribers' numbers come: national: in any form of the operator's country",
        among=NUMBER_FORMS,
    )  # fmt: skip
    number_rules: str = option("", "rewrites of numbers that come, before number_form: 8>7, 00>, 9+10>79")
    destination_form: str = option(
        "international", "how subscribers' numbers go out: for RU 7900…, +7900…, 8107900…, 900…, 8900…",
        among=DESTINATION_FORMS,
    )  # fmt: skip
    destination_rules: str = option("", "rewrites of numbers that go out, before destination_form: 79>9")

    @property
    def terms(self) -> Terms:
        """What goes over the link before or beside other links of its operator."""
        return Terms(self.priority, self.weight, self.sticky)

    def tls_of(self, link: Link) -> Tls | None:
        """How the link's connection is trusted; None: in the clear."""
        if not link.tls:
            return None
        return Tls(self.tls_verify, self.tls_authority, self.tls_certificate, self.tls_key, self.tls_name)

    def numbers_of(self, link: Link, operator: Operator) -> Numbers:
        """How numbers are written on the link; raises a ConfigError."""
        needed = any(needs_plan(form) for form in (self.number_form, self.destination_form))
        try:
            return numbers_of(
                plan_of(operator.country) if needed else None,
                number_form=self.number_form,
                number_rules=self.number_rules,
                destination_form=self.destination_form,
                destination_rules=self.destination_rules,
            )
        except BadRules as error:
            raise ConfigError(f"link {link.name}: option {self._wrong_about_numbers()}: {error}") from error

    def _wrong_about_numbers(self) -> str:
        """Which of the four it is."""
        for name, rules, outbound in (
            ("number_rules", self.number_rules, False),
            ("destination_rules", self.destination_rules, True),
        ):
            try:
                read_rules(rules, outbound=outbound)
            except BadRules:
                return name
        return "number_form" if needs_plan(self.number_form) else "destination_form"

    def numbers_after(self, link: Link, operator: Operator, before: Numbers) -> Numbers:
        """The same when the operator has moved to another country: as they were where its numbers are unknown, since
        a link that is up stays up.
        """
        try:
            return self.numbers_of(link, operator)
        except ConfigError:
            return before


@dataclass(frozen=True, slots=True)
class Asking(Common):
    """What a protocol may be told besides that can ask a centre what became of a message."""

    asks: bool = option(False, "the operator tells what became of an MT: those without a receipt are asked for")
    asks_per_minute: int = option(60, "with asks: questions in a minute, at most", least=1, most=6000)


@dataclass(frozen=True, slots=True)
class Called(Asking):
    """What a protocol may be told besides whose centres may open the connection to us."""

    called: bool = option(False, "the centre calls us: host and port are where we listen, and bind is receiver")
    callers: tuple[str, ...] = words((), "with called: addresses and networks that it calls from, like 192.0.2.0/24")

    def tls_of(self, link: Link) -> Tls | None:
        """Of one who is called: that of a server, which asks for a certificate where it is told whose are good."""
        tls = Common.tls_of(self, link)  # super() has no place in a class with slots
        return replace(tls, authority="") if tls is not None and self.called and not self.tls_verify else tls

    def callers_of(self, link: Link) -> tuple[Network, ...] | None:
        """Who may call; None: nobody does, we connect. Raises a ConfigError."""
        if not self.called:
            if self.callers:
                raise mistake(link, "callers", "nobody calls this link; write called = true too, or leave it out")
            return None
        if link.bind != "receiver":
            what = 'a link that the centre opens only receives; write bind = "receiver"'
            raise ConfigError(f"link {link.name}: bind {link.bind!r}: {what}")
        if not _is_address(link.host):
            what = "the centre calls an address of ours; write that, or 0.0.0.0, or :: for both families"
            raise ConfigError(f"link {link.name}: host {link.host!r}: {what}")
        if link.tls and not self.tls_certificate:
            raise mistake(link, "tls_certificate", "who is called by TLS shows a certificate; name its PEM file")
        if self.tls_name:
            raise mistake(link, "tls_name", "nobody's name is looked at where the centre calls; leave it out")
        if not self.callers:
            what = "nobody may call; name the centre's addresses, such as"
            raise mistake(link, "callers", f'{what} ["203.0.113.7", "198.51.100.0/24"]')
        return tuple(_caller(link, one) for one in self.callers)


def read_options(table: type[T], link: Link) -> T:
    """The link's options by this table; raises a ConfigError that names link, option and remedy."""
    return table(**_rows(table, link.options, f"link {link.name}:", ""))


def describe(table: type[Any], prefix: str = "") -> Iterator[tuple[str, Any, str]]:
    """Name, default and meaning of each row; those of an inner table behind it, as NAME.ROW."""
    for row in fields(table):
        assert row.default is not MISSING, row.name
        among = row.metadata["among"]
        meaning = row.metadata["meaning"] + (f" ({', '.join(among)})" if among else "")
        if is_dataclass(row.default):
            yield prefix + row.name, None, meaning
            yield from describe(type(row.default), f"{prefix}{row.name}.")
        else:
            yield prefix + row.name, row.default, meaning


def mistake(link: Link, name: str, sentence: str) -> ConfigError:
    """An option of this link that cannot be so."""
    return ConfigError(f"link {link.name}: option {name}: {sentence}")


def _is_address(host: str) -> bool:
    try:
        return bool(ip_address(host))
    except ValueError:
        return False


def _caller(link: Link, text: str) -> Network:
    network = network_named(link, "callers", text)
    if not network.prefixlen:
        raise mistake(link, "callers", f"{text!r} lets everybody in, and what comes is charged; name the centre's own")
    return network


def network_named(link: Link, name: str, text: str) -> Network:
    """The address or network that an option of this name has."""
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError:
        what = "is no address and no network; write 192.0.2.7 or 192.0.2.0/24"
        raise mistake(link, name, f"{text!r} {what}") from None


def zone_named(link: Link, name: str) -> ZoneInfo | None:
    """The time zone of this name, of the option `time_zone`; None for ""."""
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise mistake(link, "time_zone", f"{name!r} is no time zone, such as Europe/Moscow") from None


def error_codes(link: Link, name: str, text: str, *, digits: int, such_as: str) -> frozenset[int]:
    """Those of a list with commas or spaces between them, none of 0."""
    words = text.replace(",", " ").split()
    if not all(re.fullmatch(f"[0-9]{{1,{digits}}}", word) and int(word) for word in words):
        raise mistake(link, name, f"{text!r} is no list of error codes, such as {such_as}")
    return frozenset(int(word) for word in words)


def _rows(table: Any, given: Mapping[str, object], where: str, prefix: str) -> dict[str, Any]:
    rows: Mapping[str, Any] = {row.name: row for row in fields(table)}
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in rows:
            near = get_close_matches(name, rows, 1)
            hint = f"did you mean {prefix}{near[0]}?" if near else f"known are {', '.join(sorted(rows))}"
            raise ConfigError(f"{where} no option {prefix}{name}; {hint}")
        row = rows[name]
        kind = row.metadata.get("kind")
        place = f"{where} option {prefix}{name}"
        if is_dataclass(row.default):
            if not isinstance(value, Mapping):
                raise ConfigError(f"{place}: {value!r} is not a table; write [link.options.{prefix}{name}]")
            values[name] = replace(row.default, **_rows(row.default, value, where, f"{prefix}{name}."))  # type: ignore[type-var]
        elif kind == _WORDS:
            values[name] = _read_words(place, value)
        elif kind == _PAIRS:
            values[name] = _read_pairs(place, value)
        else:
            values[name] = _read(place, value, row)
    return values


def _read_words(where: str, value: object) -> tuple[str, ...]:
    if isinstance(value, list | tuple) and len(value) <= WORDS_MAX and all(isinstance(one, str) for one in value):
        return tuple(value)
    raise ConfigError(f'{where}: {value!r} is not a list of at most {WORDS_MAX} texts, such as ["OK", "0"]')


def _read_pairs(where: str, value: object) -> Pairs:
    mistake = f'{where}: it is not a table of at most {WORDS_MAX} names and values, such as {{ to = "1" }}'
    if not isinstance(value, Mapping):
        raise ConfigError(mistake)
    if len(value) > WORDS_MAX or not all(isinstance(one, str | int | float | bool) for one in value.values()):
        raise ConfigError(mistake)
    return tuple((str(name), one) for name, one in value.items())


def _read(where: str, value: object, row: Any) -> Any:
    kind = type(row.default)
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        shown = "it" if row.name == "secret" else repr(value)
        raise ConfigError(f"{where}: {shown} is not {_KINDS[kind]}")
    among = row.metadata["among"]
    if among and value not in among:
        raise ConfigError(f"{where}: {value!r} is none of {', '.join(among)}")
    least, most = row.metadata["least"], row.metadata["most"]
    if isinstance(value, int | float) and (
        (least is not None and value < least) or (most is not None and value > most)
    ):
        raise ConfigError(f"{where}: {value} is {_outside(value, least, most)}")
    return value


def _outside(value: float, least: float | None, most: float | None) -> str:
    if least is not None and most is not None:
        return f"not between {least} and {most}"
    return f"below {least}" if least is not None and value < least else f"above {most}"


_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
