"""`tollbridge demo`: everything at work, live on the terminal (tollbridge/demo/)."""

import asyncio
import sys
from pathlib import Path

import click
from rich.console import Console

from core.errors import UserMistake
from plumbing import loop
from tollbridge import logs
from tollbridge.commands import config_option, read_config
from tollbridge.demo.cast import LOGINS, PARTNERS
from tollbridge.demo.life import Demo
from tollbridge.demo.stage import Stage, alone, set_up

SMALLEST = (60, 20)
"""A terminal that is smaller than this gets lines."""


@click.command()
@config_option
@click.option(
    "--rate", default=4.0, show_default=True, type=click.FloatRange(0.1, 500), help="MO per second, of all subscribers."
)
@click.option("--seconds", default=0.0, type=click.FloatRange(0), help="End by itself after so long; 0: at Ctrl-C.")
@click.option(
    "--plain",
    is_flag=True,
    help="Lines instead of a live screen; so it is anyway without a terminal, or in a small one.",
)
@click.option("--keep", is_flag=True, help="Go on with the database of the last time instead of a fresh one.")
@click.option(
    "--dir",
    "folder",
    default="var/demo",
    show_default=True,
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where database, configuration and log lie.",
)
@click.option("--seed", default=1, show_default=True, help="The same seed, the same subscribers.")
def demo(
    config_file: Path | None, rate: float, seconds: float, folder: Path, seed: int, *, plain: bool, keep: bool
) -> int:
    """Show everything at work in one process: three operators' message centres, the links to them, five partners with
    HTTP servers of their own (one slow, one flaky, one that hangs at times, one that replies later), subscribers who
    write, and the service between them, on SQLite under DIR.

    It ends at Ctrl-C, or after --seconds, with a summary and `tollbridge check`; exit code 1 if a check fails.
    Callbacks to private addresses are allowed here, since the partners are on this machine.

    \b
    Example:
      tollbridge demo
      tollbridge demo --plain --seconds 30 --rate 20
    """
    base = read_config(config_file)
    with alone(folder):
        stage = set_up(folder, base, keep=keep)
        # Open to the end of the process: libraries may have something to say when all is over.
        logs.set_up(format="json", stream=(folder / "tollbridge.log").open("a", encoding="utf-8", buffering=1))
        screen = None if plain else _screen()
        # Before the screen, too: a terminal shows it again when the screen is gone.
        for line in _opening(stage, rate):
            _tell(line)
        play = Demo(stage, rate=rate, seconds=seconds, seed=seed, screen=screen)
        ended = loop.run(lambda: _play(play))
    if isinstance(ended, Exception):
        raise ended
    return ended


async def _play(play: Demo) -> int | Exception:
    """What went wrong, as a value: raised, it would be logged with a traceback."""
    try:
        return await play.play(_tell)
    except asyncio.CancelledError:
        return UserMistake("ended before it was up")
    except Exception as error:
        return error


def _screen() -> Console | None:
    """The terminal, if it is one, and large enough."""
    console = Console(markup=False, highlight=False, emoji=False)
    return console if console.is_terminal and console.width >= SMALLEST[0] and console.height >= SMALLEST[1] else None


def _opening(stage: Stage, rate: float) -> list[str]:
    return [
        f"Tollbridge demo: {rate:g} messages per second, on SQLite in {stage.folder}",
        f"API     {stage.api}/health  /metrics  /v1/openapi.json    portal: comes later",
        f"logins  {LOGINS}",
        f"try     curl -u {PARTNERS[0].login}:{PARTNERS[0].key} {stage.api}/v1/balance",
        f"        {stage.command('status')}",
        f"log     {stage.folder / 'tollbridge.log'}",
    ]


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
