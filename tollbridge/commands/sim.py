"""`tollbridge sim`: the pocket SMSC as a process of its own (sim/pocket.py).

sim    the group, a command for each protocol
smpp   the one that is built; the others say so
"""

from dataclasses import fields
from pathlib import Path
from random import SystemRandom
from typing import Any, get_args, get_type_hints

import click

from core.errors import UserMistake
from plumbing import loop
from plumbing.conversation import read_address
from sim.pocket import PocketOptions, run_pocket
from sim.quirks import Quirks
from tollbridge.commands import config_option, read_config
from tollbridge.listening import no_door

DEFAULTS = PocketOptions()
LATER = ("ucp", "cimd2", "http")
QUIRKS = tuple(field.name for field in fields(Quirks) if field.name != "accounts")


def _quirk_defaults() -> str:
    values = {name: getattr(Quirks(), name) for name in QUIRKS}
    shown = {name: str(value).lower() if isinstance(value, bool) else value for name, value in values.items()}
    return ", ".join(f"{name}={value}" for name, value in shown.items())


@click.group()
def sim() -> None:
    """Be an operator's message centre: take binds, send MO, answer and receipt MT.

    \b
    Example:
      tollbridge sim smpp --listen 127.0.0.1:2775 --rate 10 --text "GAME 7"
    """


@sim.command()
@config_option
@click.option(
    "--listen",
    default=DEFAULTS.listen,
    show_default=True,
    metavar="HOST:PORT",
    help="Where clients, like our links, bind.",
)
@click.option(
    "--rate", default=0.0, type=click.FloatRange(0, 100_000), help="MO per second; 0: as fast as they are taken."
)
@click.option(
    "--count", default=0, type=click.IntRange(0), help="How many MO; 0: without end, and none without --rate."
)
@click.option("--system-id", default="", help="The only one who may bind; without it everybody may.")
@click.option("--password", default="", help="The password of --system-id.")
@click.option(
    "--short-code",
    "short_codes",
    multiple=True,
    default=DEFAULTS.short_codes,
    show_default=True,
    help="Where MO go to; may be given again.",
)
@click.option(
    "--text",
    "texts",
    multiple=True,
    default=DEFAULTS.texts,
    show_default=True,
    help="What they say; may be given again. {n} is the MO's number, {r} four random digits, "
    "{u} a word that no other MO has, in this run or another.",
)
@click.option(
    "--msisdn",
    default=DEFAULTS.msisdn,
    show_default=True,
    help="The first subscriber's number; the next number is the next one's.",
)
@click.option(
    "--subscribers",
    default=DEFAULTS.subscribers,
    show_default=True,
    type=click.IntRange(1),
    help="How many subscribers write, one after the other.",
)
@click.option(
    "--seconds", default=DEFAULTS.seconds, type=click.FloatRange(0), help="End by itself after so long; 0: not by time."
)
@click.option(
    "--seed", default=None, type=click.IntRange(0), help="The same seed, the same traffic; without it, by chance."
)
@click.option(
    "--linger",
    "linger_s",
    default=DEFAULTS.linger_s,
    show_default=True,
    type=click.FloatRange(0),
    help="With --count: seconds without news before it ends.",
)
@click.option(
    "--quirk",
    "quirks",
    multiple=True,
    metavar="NAME=VALUE",
    help=f"How this centre differs from the book; may be given again. With their defaults: {_quirk_defaults()}.",
)
def smpp(config_file: Path | None, quirks: tuple[str, ...], seed: int | None, **options: Any) -> None:
    """A message centre that speaks SMPP 3.4. Tells a line each second. At the end, which is Ctrl-C without --count and
    --seconds, it waits for the answers under way, unbinds and tells a summary.

    \b
    Example:
      tollbridge sim smpp --rate 10 --text "GAME {n}" --text VOTE
      tollbridge sim smpp --count 1000 --quirk receipt_delay_s=2 --quirk long_messages=sar
    """
    _look_at(config_file)
    seed = SystemRandom().randrange(1 << 32) if seed is None else seed
    chosen = PocketOptions(quirks=read_quirks(quirks), seed=seed, **options)
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


def read_quirks(given: tuple[str, ...]) -> Quirks:
    """`NAME=VALUE` … → Quirks. Raises a usage error."""
    kinds = get_type_hints(Quirks)
    values: dict[str, Any] = {}
    for one in given:
        name, _, text = one.partition("=")
        if name not in QUIRKS:
            raise click.BadParameter(f"there is no {name!r}; known are {', '.join(QUIRKS)}", param_hint="--quirk")
        try:
            values[name] = _read(kinds[name], text)
        except ValueError:
            raise click.BadParameter(f"{one!r}: {name} wants {kinds[name].__name__}", param_hint="--quirk") from None
    try:
        return Quirks(**values)
    except AssertionError as error:
        raise click.BadParameter(f"there is no value {error}", param_hint="--quirk") from None


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
        raise UserMistake(f"sim {protocol}: this message centre comes later; built is: tollbridge sim smpp")

    later.help = f"""To come: a message centre that speaks {protocol.upper()}.

    \b
    Example:
      tollbridge sim {protocol} --listen 127.0.0.1:2775
    """
    return later


for name in LATER:
    sim.add_command(_later(name))
