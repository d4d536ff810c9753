"""The command line in itself: help, exit codes, one line for a mistake, nothing heavy before it is needed."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from store.provisioning.elements import KINDS
from tests.tollbridge.shell import cleared, environment, tollbridge, within
from tollbridge import cli
from tollbridge.cli import COMMANDS, main
from tollbridge.commands import program


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def call(*words: str, **variables: str) -> Result:
    return CliRunner().invoke(main, list(words), env={**cleared(), **variables})


def modules_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment())
    return set(done.stdout.split())


def every_command() -> Iterator[tuple[str, bool]]:
    """(its words, whether it has others below it)."""
    context = click.Context(main)
    for name in COMMANDS:
        command = main.get_command(context, name)
        yield name, isinstance(command, click.Group)
        if isinstance(command, click.Group):
            yield from ((f"{name} {below}", False) for below in command.list_commands(context))


@pytest.mark.parametrize(("name", "is_group"), list(every_command()))
def test_every_command_has_help_with_an_example(name: str, is_group: bool) -> None:
    result = call(*name.split(), "--help")

    assert result.exit_code == 0
    assert "Example:" in result.stdout
    assert f"tollbridge {name}" in result.stdout
    assert "--config FILE" in result.stdout or is_group or name.startswith("sim ")


def test_the_list_of_commands_says_what_each_does() -> None:
    result = call("--help")

    assert result.exit_code == 0
    assert all(f"  {name} " in result.stdout for name in COMMANDS)


def test_load_says_all_that_it_provisions() -> None:
    said = " ".join(call("load", "--help").stdout.split())
    names = {"tariff_plan": "plans", "ussd": "USSD menus", "blacklist": "blacklist"}

    assert all(names.get(kind, kind.replace("_", " ") + "s") in said for kind in KINDS)


def test_the_version_is_told() -> None:
    assert call("--version").stdout.startswith("tollbridge ")


@pytest.mark.parametrize(
    "words",
    [
        ("lod",),
        ("load",),
        ("message",),
        ("message", "abc"),
        ("message", "5", "--msisdn", "79001112233"),
        ("message", "5", "--parked"),
        ("message", "--parked", "--reason", "unheard_of"),
        ("message", "--msisdn", "79001112233", "--reason", "refused"),
        ("run", "--roles", "links,kitchen"),
        ("sim", "smpp", "--quirk", "colour=red"),
        ("sim", "smpp", "--listen", "127"),
        ("sim", "smpp", "--listen", "::1:2775"),
        ("demo", "--rate", "0"),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(words: tuple[str, ...]) -> None:
    result = call(*words)

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert "--help" in result.stderr


@pytest.mark.parametrize(
    ("quirk", "said"),
    [
        ("message_ids=hex", "message_ids is one of string, decimal, padded, hex_then_decimal, decimal_then_hex"),
        ("receipts=none", "receipts is one of both, text, tlv, classless"),
        ("window=x", "window wants a whole number, like 10 or 0x0A"),
        ("delivered=most", "delivered wants a number, like 0.5"),
        ("redelivers=perhaps", "redelivers wants true or false"),
    ],
)
def test_what_a_quirk_may_be_is_said(quirk: str, said: str) -> None:
    result = call("sim", "smpp", "--quirk", quirk)

    assert result.exit_code == 2
    assert f"{quirk!r}: {said}" in result.stderr


@pytest.mark.parametrize(
    ("quirk", "said"),
    [
        ("id_tlv=3", "there is no 'id_tlv'; known are login,"),
        ("long_messages=sar", "'long_messages=sar': UCP/EMI has no such long_messages"),
        ("long_messages=pigeon", "long_messages is one of udh8, udh16;"),
        ("refuse_status=100", "'refuse_status=100': UCP/EMI has no such refuse_status"),
    ],
)
def test_a_quirk_that_the_protocol_has_not_is_refused(quirk: str, said: str) -> None:
    result = call("sim", "ucp", "--quirk", quirk)

    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("check", "--config", "nowhere.toml"), "nowhere.toml"),
        (("sim", "smpp", "--config", "nowhere.toml"), "nowhere.toml: cannot be read"),
        (("sim", "ucp", "--config", "nowhere.toml"), "nowhere.toml: cannot be read"),
        (("load", "nowhere.toml"), "tollbridge migrate"),
        (("dump",), "tollbridge migrate"),
        (("check",), "tollbridge migrate"),
        (("status",), "tollbridge migrate"),
        (("message", "5"), "tollbridge migrate"),
        (("sim", "http", "--config", "nowhere.toml"), "nowhere.toml: cannot be read"),
        (("sim", "http", "--like", "nowhere.toml"), "nowhere.toml: cannot be read"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_1(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    result = call(*words)

    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "var" / "tollbridge.db").exists()


def test_an_unknown_key_of_the_configuration_names_the_nearest_known_one(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('[database]\nulr = "sqlite:///x.db"\n')

    done = within("status", "--config", "mine.toml", cwd=tmp_path)

    assert done.returncode == 1
    assert done.stderr == (
        "tollbridge: mine.toml, line 2: database.ulr: there is no such key; did you mean database.url?\n"
    )


def test_an_unknown_variable_names_the_nearest_known_one(tmp_path: Path) -> None:
    done = within("check", cwd=tmp_path, TOLLBRIDGE_DATABASE__ULR="sqlite:///x.db")

    assert done.returncode == 1
    assert "TOLLBRIDGE_DATABASE__URL" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_database_that_cannot_be_reached_is_one_line_without_its_password(tmp_path: Path) -> None:
    done = within("status", cwd=tmp_path, TOLLBRIDGE_DATABASE__URL="mysql://me:s3cret@127.0.0.1:1/none")

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "is away" in done.stderr
    assert "s3cret" not in done.stderr


def test_what_nobody_foresaw_is_one_line_and_its_traceback_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def breaks() -> None:
        raise KeyError("two\nlines")

    monkeypatch.setattr(cli.Commands, "get_command", lambda *_: breaks)

    result = call("status")

    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "var/crashes.log" in result.stderr
    assert "Traceback" in Path("var/crashes.log").read_text()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("zzz", "zzz is not a message id: digits only"),
        ("12x", "12x is not a message id: digits only"),
        ("0", "0 is not a message id: they go from 1 to 9223372036854775807"),
        ("9" * 30, "9" * 30 + " is not a message id: they go from 1 to 9223372036854775807"),
    ],
)
def test_what_is_no_message_id_is_said_in_words(asked: str, said: str) -> None:
    result = call("message", asked)

    assert result.exit_code == 2
    assert result.stderr == f"tollbridge: {said}; see: main message --help\n"


def test_variables_of_the_test_suite_do_not_reach_a_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TOLLBRIDGE_SEEDS", "3")

    within = call("status")
    beside = tollbridge("status", cwd=tmp_path)

    assert "there is no database yet" in within.stderr
    assert "there is no database yet" in beside.stderr


def test_a_command_to_paste_names_this_program_as_it_was_called(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = tmp_path / "a b/bin/tollbridge"
    script.parent.mkdir(parents=True)
    script.touch(mode=0o755)

    monkeypatch.setattr(sys, "argv", [str(script), "demo"])
    assert program() == "'a b/bin/tollbridge'"
    monkeypatch.chdir(script.parent)
    assert program() == "./tollbridge"
    monkeypatch.setattr(sys, "argv", [cli.__file__, "demo"])
    assert program().endswith("python -m tollbridge.cli")


def test_the_pocket_smsc_writes_other_traffic_each_time_unless_it_is_given_a_seed(tmp_path: Path) -> None:
    def seed(*more: str) -> str:
        done = tollbridge("sim", "smpp", "--listen", "127.0.0.1:0", "--seconds", "0.1", *more, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1] == "in all: 0 sent, 0 acknowledged, 0 refused, 0 MT seen, 0 receipts"
        return done.stdout.splitlines()[0].rpartition("seed ")[2]

    assert seed() != seed()
    assert seed("--seed", "7") == "7"


def test_an_address_of_the_pocket_smsc_that_is_taken_is_said_as_those_of_the_service(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        done = tollbridge("sim", "smpp", "--listen", address, cwd=tmp_path)

    assert done.returncode == 1
    assert done.stderr == (
        f"tollbridge: --listen: {address}: another program listens there; end it, or choose another port\n"
    )


def test_help_loads_nothing_heavy() -> None:
    loaded = modules_after("import tollbridge.cli")

    assert not loaded & {"twisted", "sqlalchemy", "django", "aiohttp", "rich", "pydantic", "structlog"}


def test_the_service_loads_the_client_of_redis_only_where_one_is_configured() -> None:
    imports = "import tollbridge.commands.run\nfrom tollbridge.counting import choose_counts\n"

    assert "redis" not in modules_after(imports + "choose_counts('')")
    assert "redis" in modules_after(imports + "choose_counts('redis://127.0.0.1:1/0')")


def test_the_service_never_loads_django() -> None:
    loaded = modules_after("import tollbridge.commands.run, tollbridge.commands.demo, tollbridge.commands.check")

    assert "django" not in loaded
    assert "twisted.internet.reactor" not in loaded
