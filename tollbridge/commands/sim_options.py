"""What the commands of `tollbridge sim` share.

TRAFFIC          options: who writes how much, and when it ends; with_options puts some on a command
quirk_option     --quirk with what a centre of a protocol may have; read_quirks, what was given
options_of       all of them → PocketOptions
play             a pocket until its end; what was in its way as one line
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from random import SystemRandom
from typing import Any, get_args, get_type_hints

import click

from core.errors import UserMistake
from plumbing import loop
from plumbing.clock import SystemClock
from plumbing.conversation import read_address
from sim.aggregator import pocket as aggregator
from sim.playing import ids_of
from sim.pocket import PocketOptions
from sim.quirks import CHOICES, Quirks
from sim.tongues import TONGUES
from tollbridge.commands import read_config
from tollbridge.listening import no_door

DEFAULTS = PocketOptions()
HTTP = "http"
NAMES = {"smpp": "SMPP 3.4", "ucp": "UCP/EMI", "cimd2": "CIMD2", HTTP: "HTTP"}
QUIRKS = tuple(field.name for field in fields(Quirks) if field.name != "accounts")
_STATUSES = ("refuse_status", "bind_status")
_WANTED = {int: "a whole number, like 10 or 0x0A", float: "a number, like 0.5", bool: "true or false"}

TRAFFIC: Sequence[Callable[..., Any]] = (
    click.option(
        "--rate", default=0.0, type=click.FloatRange(0, 100_000), help="MO per second; 0: as fast as they are taken."
    ),
    click.option(
        "--count", default=0, type=click.IntRange(0), help="How many MO; 0: without end, and none without --rate."
    ),
    click.option(
        "--short-code",
        "short_codes",
        multiple=True,
        default=DEFAULTS.short_codes,
        show_default=True,
        help="Where MO go to; may be given again.",
    ),
    click.option(
        "--text",
        "texts",
        multiple=True,
        default=DEFAULTS.texts,
        show_default=True,
        help="What they say; may be given again. {n} is the MO's number, {r} four random digits, "
        "{u} a word that no other MO has, in this run or another.",
    ),
    click.option(
        "--msisdn",
        default=DEFAULTS.msisdn,
        show_default=True,
        help="The first subscriber's number; the next number is the next one's.",
    ),
    click.option(
        "--subscribers",
        default=DEFAULTS.subscribers,
        show_default=True,
        type=click.IntRange(1),
        help="How many subscribers write, one after the other.",
    ),
    click.option(
        "--seconds",
        default=DEFAULTS.seconds,
        type=click.FloatRange(0),
        help="End by itself after so long; 0: not by time.",
    ),
    click.option(
        "--seed",
        default=None,
        type=click.IntRange(0),
        help="The same seed, the same traffic, and message ids from 1; without it, by chance and by the time.",
    ),
    click.option(
        "--linger",
        "linger_s",
        default=DEFAULTS.linger_s,
        show_default=True,
        type=click.FloatRange(0),
        help="With --count: seconds without news before it ends.",
    ),
)
"""Who writes how much, the same for every protocol."""


def with_options(*options: Callable[..., Any]) -> Callable[[Any], Any]:
    """They stand in --help in this order."""

    def add(command: Any) -> Any:
        for one in reversed(options):
            command = one(command)
        return command

    return add


def quirk_option(protocol: str) -> Callable[..., Any]:
    """--quirk"""
    return click.option(
        "--quirk",
        "quirks",
        multiple=True,
        metavar="NAME=VALUE",
        help="How this centre differs from the book; may be given again. "
        f"With their defaults: {quirk_defaults(protocol)}.",
    )


def options_of(protocol: str, quirks: Quirks, seed: int | None, options: Mapping[str, Any]) -> PocketOptions:
    """All that was given. Raises a usage error."""
    ids_after = 0 if seed is not None else ids_of(SystemClock().now())
    seed = SystemRandom().randrange(1 << 32) if seed is None else seed
    listen = options["listen"] or ("" if options.get("calls") else DEFAULTS.listen)
    chosen = PocketOptions(
        protocol=protocol, quirks=quirks, seed=seed, ids_after=ids_after, **{**options, "listen": listen}
    )
    if not (chosen.msisdn.isascii() and chosen.msisdn.isdigit()):
        raise click.BadParameter("must be digits, like 79001000000", param_hint="--msisdn")
    for name, address in (("--listen", chosen.listen), ("--calls", chosen.calls)):
        if not address:
            continue
        try:
            read_address(address)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint=name) from error
    return chosen


def play(pocket: Callable[[], Awaitable[object]], listen: str) -> None:
    """Run it on the loop. Raises what was in its way."""
    failure = loop.run(lambda: _serve(pocket, listen))
    if failure is not None:
        raise failure


async def _serve(pocket: Callable[[], Awaitable[object]], listen: str) -> Exception | None:
    """What went wrong, as a value: raised, it would be logged with a traceback."""
    try:
        await pocket()
    except OSError as error:
        return UserMistake(no_door("--listen", listen, error))
    except Exception as error:
        return error
    return None


def _limits(protocol: str) -> tuple[Mapping[str, tuple[object, ...]], int]:
    """Quirks that it never has, and the largest status that it can say."""
    if protocol == HTTP:
        return aggregator.NEVER, aggregator.STATUS_MAX
    return TONGUES[protocol].never, TONGUES[protocol].status_max


def look_at(config_file: Path | None) -> None:
    """Nothing of the configuration is needed here, but one that is named and is wrong is told, as everywhere."""
    if config_file is not None:
        read_config(config_file)


def _quirks_of(protocol: str) -> list[str]:
    """The names of those that a centre of this protocol can have."""
    if protocol == HTTP:
        return [name for name in QUIRKS if name in aggregator.QUIRKS]
    never = _limits(protocol)[0]
    return [name for name in QUIRKS if never.get(name, True)]


def quirk_defaults(protocol: str) -> str:
    """All of them, for --help; of those that are a word, also what else they may be."""
    values = {name: getattr(Quirks(), name) for name in _quirks_of(protocol)}
    shown = {name: str(value).lower() if isinstance(value, bool) else value for name, value in values.items()}
    never, _ = _limits(protocol)
    others = {
        name: " | ".join(one for one in CHOICES.get(name, ()) if one != value and one not in never.get(name, ()))
        for name, value in shown.items()
    }
    return ", ".join(
        f"{name}={value}" + (f" ({others[name]})" if others[name] else "") for name, value in shown.items()
    )


def read_quirks(protocol: str, given: tuple[str, ...]) -> Quirks:
    """`NAME=VALUE` … → Quirks that a centre of this protocol can have. Raises a usage error."""
    kinds, known = get_type_hints(Quirks), _quirks_of(protocol)
    never, status_max = _limits(protocol)
    values: dict[str, Any] = {}
    for one in given:
        name, _, text = one.partition("=")
        if name not in known:
            raise click.BadParameter(f"there is no {name!r}; known are {', '.join(known)}", param_hint="--quirk")
        try:
            values[name] = _read(kinds[name], text)
        except ValueError:
            raise click.BadParameter(f"{one!r}: {name} wants {_WANTED[kinds[name]]}", param_hint="--quirk") from None
        if values[name] in never.get(name, ()) or (name in _STATUSES and values[name] > status_max):
            raise click.BadParameter(f"{one!r}: {NAMES[protocol]} has no such {name}", param_hint="--quirk")
        if values[name] not in CHOICES.get(name, (values[name],)):
            choices = ", ".join(choice for choice in CHOICES[name] if choice not in never.get(name, ()))
            raise click.BadParameter(f"{one!r}: {name} is one of {choices}", param_hint="--quirk")
    return Quirks(**values)


def _read(kind: Any, text: str) -> Any:
    assert not get_args(kind), kind
    if kind is bool:
        if text.lower() not in {"true", "false", "1", "0"}:
            raise ValueError(text)
        return text.lower() in {"true", "1"}
    return int(text, 0) if kind is int else kind(text)
