"""`tollbridge sim`: the pocket SMSC as a process of its own (sim/pocket.py).

sim    the group, a command for each protocol: those in sim/tongues, and those that are to come, which say so
"""

from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from random import SystemRandom
from typing import Any, get_args, get_type_hints

import click

from core.errors import UserMistake
from plumbing import loop
from plumbing.conversation import read_address
from sim.pocket import PocketOptions, run_pocket
from sim.quirks import CHOICES, Quirks
from sim.tongues import TONGUES
from tollbridge.commands import config_option, read_config
from tollbridge.listening import no_door

DEFAULTS = PocketOptions()
NAMES = {"smpp": "SMPP 3.4", "ucp": "UCP/EMI", "cimd2": "CIMD2", "http": "HTTP"}
QUIRKS = tuple(field.name for field in fields(Quirks) if field.name != "accounts")
_STATUSES = ("refuse_status", "bind_status")
_WANTED = {int: "a whole number, like 10 or 0x0A", float: "a number, like 0.5", bool: "true or false"}
_EXAMPLES = {
    "smpp": """tollbridge sim smpp --rate 10 --text "GAME {n}" --text VOTE
      tollbridge sim smpp --count 1000 --quirk receipt_delay_s=2 --quirk long_messages=sar
      tollbridge sim smpp --ussd "*384*1#" --ussd-answers 2,12345678""",
}
_EXAMPLE = """tollbridge sim {protocol} --listen 127.0.0.1:5000 --rate 10 --text "GAME {{n}}" --text VOTE
      tollbridge sim {protocol} --count 1000 --quirk receipt_delay_s=2 --quirk throttle_above=50"""


def _quirks_of(protocol: str) -> list[str]:
    """The names of those that a centre of this protocol can have."""
    never = TONGUES[protocol].never
    return [name for name in QUIRKS if never.get(name, True)]


def _quirk_defaults(protocol: str) -> str:
    values = {name: getattr(Quirks(), name) for name in _quirks_of(protocol)}
    shown = {name: str(value).lower() if isinstance(value, bool) else value for name, value in values.items()}
    return ", ".join(f"{name}={value}" for name, value in shown.items())


@click.group()
def sim() -> None:
    """Be an operator's message centre: take binds, send MO, answer and receipt MT.

    \b
    Example:
      tollbridge sim smpp --listen 127.0.0.1:2775 --rate 10 --text "GAME 7"
    """


_OPTIONS: Sequence[Callable[..., Any]] = (
    click.option(
        "--listen",
        default=DEFAULTS.listen,
        show_default=True,
        metavar="HOST:PORT",
        help="Where clients, like our links, bind.",
    ),
    click.option(
        "--rate", default=0.0, type=click.FloatRange(0, 100_000), help="MO per second; 0: as fast as they are taken."
    ),
    click.option(
        "--count", default=0, type=click.IntRange(0), help="How many MO; 0: without end, and none without --rate."
    ),
    click.option("--system-id", default="", help="The only one who may bind; without it everybody may."),
    click.option("--password", default="", help="The password of --system-id."),
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
        "--seed", default=None, type=click.IntRange(0), help="The same seed, the same traffic; without it, by chance."
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
"""The same for every protocol."""


_USSD: Sequence[Callable[..., Any]] = (
    click.option(
        "--ussd", default="", metavar="CODE", help="Phones dial this, in place of MO; --count of them, or one."
    ),
    click.option(
        "--ussd-answers",
        default="",
        metavar="A,B,…",
        callback=lambda context, parameter, value: tuple(value.split(",")) if value else (),
        help="What each phone answers, screen by screen.",
    ),
)


def _pocket(protocol: str) -> click.Command:
    """The command of one protocol."""

    @click.option(
        "--quirk",
        "quirks",
        multiple=True,
        metavar="NAME=VALUE",
        help="How this centre differs from the book; may be given again. "
        f"With their defaults: {_quirk_defaults(protocol)}.",
    )
    def command(config_file: Path | None, quirks: tuple[str, ...], seed: int | None, **options: Any) -> None:
        _run(protocol, config_file, quirks, seed, options)

    options = (*_OPTIONS, *(_USSD if protocol == "smpp" else ()))
    for one in reversed(options):
        command = one(command)
    example = _EXAMPLES.get(protocol) or _EXAMPLE.format(protocol=protocol)
    command.__doc__ = f"""A message centre that speaks {NAMES[protocol]}. Tells a line each second. At the end, which is
    Ctrl-C without --count and --seconds, it waits for the answers under way, says goodbye and tells a summary.

    \b
    Example:
      {example}
    """
    return click.command(protocol)(config_option(command))


def _run(
    protocol: str, config_file: Path | None, quirks: tuple[str, ...], seed: int | None, options: dict[str, Any]
) -> None:
    _look_at(config_file)
    seed = SystemRandom().randrange(1 << 32) if seed is None else seed
    chosen = PocketOptions(protocol=protocol, quirks=read_quirks(protocol, quirks), seed=seed, **options)
    if not (chosen.msisdn.isascii() and chosen.msisdn.isdigit()):
        raise click.BadParameter("must be digits, like 79001000000", param_hint="--msisdn")
    try:
        read_address(chosen.listen)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--listen") from error
    failure = loop.run(lambda: _serve(chosen))
    if failure is not None:
        raise failure


def _look_at(config_file: Path | None) -> None:
    """Nothing of the configuration is needed here, but one that is named and is wrong is told, as everywhere."""
    if config_file is not None:
        read_config(config_file)


async def _serve(options: PocketOptions) -> Exception | None:
    """What went wrong, as a value: raised, it would be logged with a traceback."""
    try:
        await run_pocket(options)
    except OSError as error:
        return UserMistake(no_door("--listen", options.listen, error))
    except Exception as error:
        return error
    return None


def read_quirks(protocol: str, given: tuple[str, ...]) -> Quirks:
    """`NAME=VALUE` … → Quirks that a centre of this protocol can have. Raises a usage error."""
    kinds, known, never = get_type_hints(Quirks), _quirks_of(protocol), TONGUES[protocol].never
    values: dict[str, Any] = {}
    for one in given:
        name, _, text = one.partition("=")
        if name not in known:
            raise click.BadParameter(f"there is no {name!r}; known are {', '.join(known)}", param_hint="--quirk")
        try:
            values[name] = _read(kinds[name], text)
        except ValueError:
            raise click.BadParameter(f"{one!r}: {name} wants {_WANTED[kinds[name]]}", param_hint="--quirk") from None
        if values[name] in never.get(name, ()) or (name in _STATUSES and values[name] > TONGUES[protocol].status_max):
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


def _later(protocol: str) -> click.Command:
    @click.command(protocol, context_settings={"ignore_unknown_options": True})
    @config_option
    @click.argument("options", nargs=-1)
    def later(config_file: Path | None, **_: Any) -> None:
        _look_at(config_file)
        raise UserMistake(f"sim {protocol}: this message centre comes later; built are: {', '.join(TONGUES)}")

    later.help = f"""To come: a message centre that speaks {protocol.upper()}.

    \b
    Example:
      tollbridge sim {protocol} --listen 127.0.0.1:2775
    """
    return later


for name in NAMES:
    sim.add_command(_pocket(name) if name in TONGUES else _later(name))
