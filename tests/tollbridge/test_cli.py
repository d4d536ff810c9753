"""The command line in itself: help, exit codes, one line for a mistake, nothing heavy before it is needed."""

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from tests.tollbridge.shell import environment, tollbridge
from tollbridge import cli
from tollbridge.cli import COMMANDS, main


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def call(*words: str, **variables: str) -> Result:
    return CliRunner().invoke(main, list(words), env=variables)


def modules_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment())
    return set(done.stdout.split())


@pytest.mark.parametrize("name", [*COMMANDS, "sim smpp", "sim ucp", "sim cimd2", "sim http"])
def test_every_command_has_help_with_an_example(name: str) -> None:
    result = call(*name.split(), "--help")

    assert result.exit_code == 0
    assert "Example:" in result.stdout
    assert f"tollbridge {name}" in result.stdout
    assert "--config FILE" in result.stdout or name == "sim"


def test_the_list_of_commands_says_what_each_does() -> None:
    result = call("--help")

    assert result.exit_code == 0
    assert all(f"  {name} " in result.stdout for name in COMMANDS)


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
        ("run", "--roles", "links,kitchen"),
        ("sim", "smpp", "--quirk", "colour=red"),
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
    ("words", "said"),
    [
        (("check", "--config", "nowhere.toml"), "nowhere.toml"),
        (("load", "nowhere.toml"), "tollbridge migrate"),
        (("dump",), "tollbridge migrate"),
        (("check",), "tollbridge migrate"),
        (("status",), "tollbridge migrate"),
        (("message", "5"), "tollbridge migrate"),
        (("sim", "ucp", "--listen", "127.0.0.1:1"), "comes later"),
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

    done = tollbridge("status", "--config", "mine.toml", cwd=tmp_path)

    assert done.returncode == 1
    assert done.stderr == (
        "tollbridge: mine.toml, line 2: database.ulr: there is no such key; did you mean database.url?\n"
    )


def test_an_unknown_variable_names_the_nearest_known_one(tmp_path: Path) -> None:
    done = tollbridge("check", cwd=tmp_path, TOLLBRIDGE_DATABASE__ULR="sqlite:///x.db")

    assert done.returncode == 1
    assert "TOLLBRIDGE_DATABASE__URL" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_database_that_cannot_be_reached_is_one_line_without_its_password(tmp_path: Path) -> None:
    done = tollbridge("status", cwd=tmp_path, TOLLBRIDGE_DATABASE__URL="mysql://me:s3cret@127.0.0.1:1/none")

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


def test_help_loads_nothing_heavy() -> None:
    loaded = modules_after("import tollbridge.cli")

    assert not loaded & {"twisted", "sqlalchemy", "django", "aiohttp", "rich", "pydantic", "structlog"}


def test_the_service_never_loads_django() -> None:
    loaded = modules_after("import tollbridge.commands.run, tollbridge.commands.demo, tollbridge.commands.check")

    assert "django" not in loaded
    assert "twisted.internet.reactor" not in loaded
