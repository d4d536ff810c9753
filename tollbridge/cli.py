"""The command line: the subcommands of interfaces.md, section 1, each in a module of tollbridge/commands/.

main       the console script `tollbridge`
COMMANDS   name → (module, what it does in one line); the module is imported when its command is asked for

Exit codes: 0 success; 1 a failure, explained in one line on stderr; 2 bad usage.

Rule: nothing heavy is imported here, so that `tollbridge --help` is quick, and only `migrate` ever loads Django.
"""

import io
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module, metadata
from pathlib import Path
from typing import Any, NoReturn

import click

from tollbridge.commands import lasting, own_process

COMMANDS = {
    "demo": ("demo", "Show everything at work: operators, partners and the service, live on the terminal."),
    "run": ("run", "Run the service."),
    "migrate": ("migrate", "Bring the database up to date."),
    "load": ("provision", "Provision from a TOML file: all of it or nothing."),
    "dump": ("provision", "Write the present provisioning as TOML."),
    "numbers": ("numbers", "Load numbers that moved to another operator; say whose a number is."),
    "check": ("check", "Audit the ledger and the journal."),
    "sim": ("sim", "Be an operator's message centre, for tests."),
    "status": ("status", "Show links, queues and processes."),
    "link": ("link", "See, enable, disable, drain, reconnect and trace links while the service runs."),
    "act": ("act", "Charge back, refund, release, refuse, assign, adjust, pay operators: with name and reason."),
    "replay": ("replay", "Rate a past month again by a changed plan or tariff, without writing."),
    "close": ("close", "Close a month for ever and issue its statements."),
    "statement": ("statement", "List, show and export partners' statements."),
    "settle": ("settle", "Settle with operators: their monthly files, differences, payments."),
    "message": ("message", "Show the whole life of one message."),
    "cancel": ("cancel", "Take messages to subscribers back, also at the operator."),
    "replace": ("replace", "Give a message another text, at the operator that has it."),
    "alert": ("alert", "List, show and resolve what a person should look at."),
    "again": ("again", "Call partners again about dead letters."),
    "payout": ("payout", "Pay partners: ask, approve, send, and say what became of it."),
    "payment": ("payment", "See what partners paid in; book what is parked."),
    "convert": ("convert", "Convert a partner's money, or use its earnings for SMS."),
    "rates": ("rates", "Load and list rates of conversion."),
    "balance": ("balance", "Show what stands on accounts, and how it came there."),
    "report": ("report", "Report revenue, earnings, what operators owe, tiers, ageing."),
}
CRASHES = Path("var/crashes.log")


class Commands(click.Group):
    """The group: imports a command when it is asked for, and turns every failure into one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which one meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command itself, with its module."""
        if cmd_name not in COMMANDS:
            return None
        with lasting():
            module = import_module(f"tollbridge.commands.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in --help, without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, sentence) for name, (_, sentence) in COMMANDS.items()])

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]
        """Run a command and end the process with its exit code."""
        if args is None:
            own_process()
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")  # a terminal that has no ✓ gets a question mark
        try:
            code = super().main(args, prog_name or "tollbridge", **{**extra, "standalone_mode": False})
            sys.stdout.flush()
            sys.exit(code if isinstance(code, int) else 0)
        except click.exceptions.Exit as end:
            sys.exit(end.exit_code)
        except (click.Abort, KeyboardInterrupt):
            _end("interrupted", 130)
        except click.exceptions.NoArgsIsHelpError as help_wanted:
            help_wanted.show()
            sys.exit(2)
        except click.ClickException as mistake:
            _end(_usage(mistake), mistake.exit_code)
        except BrokenPipeError:
            # Who read our output went away, as `head` does: nothing more to say, and nobody to say it to.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        except Exception as error:
            _end(explain(error), 1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}, invoke_without_command=True)
@click.version_option(metadata.version("tollbridge"), message="tollbridge %(version)s")
@click.pass_context
def main(ctx: click.Context) -> None:
    """An open SMS billing aggregator: premium SMS in, partners called, money booked.

    \b
    Example:
      tollbridge migrate
      tollbridge load conf/example-provisioning.toml
      tollbridge run --config conf/tollbridge.toml
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def explain(error: Exception) -> str:
    """A failure in one line. What we did not foresee leaves its traceback in a file that the line names."""
    from core.errors import TollbridgeError

    if isinstance(error, TollbridgeError):
        return _one_line(str(error).replace("; we try again", "; start it, or correct database.url"))
    if isinstance(error, OSError) and error.strerror:
        named = f"{error.filename}: " if error.filename else ""
        return _one_line(f"{named}{error.strerror}")
    said = str(error).partition("(Background on this error at:")[0].strip()
    return _one_line(f"unexpected {type(error).__name__}: {said}; traceback in {keep_traceback(error)}")


def keep_traceback(error: BaseException) -> Path:
    """Write it down; where."""
    text = "".join(traceback.format_exception(error))
    head = f"--- {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {' '.join(sys.argv[:2])}\n"
    for path in (CRASHES, Path(tempfile.gettempdir()) / f"tollbridge-crashes-{os.getuid()}.log"):
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as file:
                file.write(head + text)
            return path
        except OSError:
            continue
    sys.stderr.write(text)
    return Path("stderr")


def _usage(mistake: click.ClickException) -> str:
    ctx = getattr(mistake, "ctx", None)
    where = ctx.command_path if ctx else "tollbridge"
    return f"{mistake.format_message().rstrip('.')}; see: {where} --help"


def _end(line: str, code: int) -> NoReturn:
    click.echo(f"tollbridge: {line}", err=True)
    sys.exit(code)


def _one_line(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    main()
