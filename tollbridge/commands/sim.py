"""`tollbridge sim`: the pocket SMSC as a process of its own (sim/pocket.py).

sim    the group, a command for each protocol: those in sim/tongues, and HTTP, which has no sessions
       (tollbridge/commands/sim_http.py)
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from sim.pocket import run_pocket
from sim.tongues import TONGUES
from tollbridge.commands import config_option
from tollbridge.commands.sim_http import http
from tollbridge.commands.sim_options import (
    DEFAULTS,
    NAMES,
    TRAFFIC,
    look_at,
    options_of,
    play,
    quirk_option,
    read_quirks,
    with_options,
)

_EXAMPLES = {
    "smpp": """tollbridge sim smpp --rate 10 --text "GAME {n}" --text VOTE
      tollbridge sim smpp --count 1000 --quirk receipt_delay_s=2 --quirk long_messages=sar
      tollbridge sim smpp --ussd "*384*1#" --ussd-answers 2,12345678""",
}
_EXAMPLE = """tollbridge sim {protocol} --listen 127.0.0.1:5000 --rate 10 --text "GAME {{n}}" --text VOTE
      tollbridge sim {protocol} --count 1000 --quirk receipt_delay_s=2 --quirk throttle_above=50"""


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
        default="",
        show_default=DEFAULTS.listen,
        metavar="HOST:PORT",
        help="Where clients, like our links, bind. With --calls and without this, nowhere.",
    ),
    click.option("--system-id", default="", help="The only one who may bind; without it everybody may."),
    click.option("--password", default="", help="The password of --system-id."),
    *TRAFFIC,
)
"""The same for every protocol with sessions."""


_CALLING = {
    "ucp": "With --system-id it logs in there by that and --password.",
    "smpp": "Its outbind says --password, and the quirk system_id for its name.",
}
"""The protocols whose centres call, and what they say first."""


def _calls(protocol: str) -> Sequence[Callable[..., Any]]:
    if protocol not in _CALLING:
        return ()
    what = "Connect to there, again and again, and send MO over that: as to a link of ours with called = true."
    return (click.option("--calls", default="", metavar="HOST:PORT", help=f"{what} {_CALLING[protocol]}"),)


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

    @with_options(*_OPTIONS, *_calls(protocol), *(_USSD if protocol == "smpp" else ()))
    @quirk_option(protocol)
    def command(config_file: Path | None, quirks: tuple[str, ...], seed: int | None, **options: Any) -> None:
        _run(protocol, config_file, quirks, seed, options)

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
    look_at(config_file)
    chosen = options_of(protocol, read_quirks(protocol, quirks), seed, options)
    play(lambda: run_pocket(chosen), chosen.listen)


for name in TONGUES:
    sim.add_command(_pocket(name))
sim.add_command(http)
