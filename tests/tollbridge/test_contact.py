"""Mistakes in setting up the database: one line that names `database.url`, the cause and the remedy."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from core.errors import ConfigError, StoreAway
from store.database import connect
from tests import services
from tests.ports import free_port
from tests.tollbridge.shell import cheaply, write_config
from tollbridge.contact import mistake_in, reached

COMMANDS = (("migrate",), ("status",), ("run", "--config", "tollbridge.toml"))


def said(folder: Path, words: tuple[str, ...], url: str) -> str:
    """What a command that fails says for a person; the log of `run` is left out."""
    write_config(folder)
    done = cheaply(*words, cwd=folder, TOLLBRIDGE_DATABASE__URL=url)
    lines = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    assert done.returncode == 1, done.stderr
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("tollbridge: database.url: "), lines
    assert not (folder / "var/crashes.log").exists()
    assert "sqlalche" not in lines[0]
    assert "Traceback" not in done.stderr
    assert "s3cret" not in done.stdout + done.stderr
    return lines[0]


@pytest.mark.parametrize("words", COMMANDS)
def test_a_file_that_is_no_database(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "notes.txt").write_text("milk, bread\n" * 100)

    assert "notes.txt: is no SQLite database; name another file" in said(tmp_path, words, "sqlite:///notes.txt")


@pytest.mark.parametrize("words", COMMANDS)
def test_a_folder_in_place_of_a_file(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert "is a folder; name a file in it" in said(tmp_path, words, f"sqlite:///{tmp_path}")


@pytest.mark.parametrize("words", [("migrate",), ("run", "--config", "tollbridge.toml")])
@pytest.mark.parametrize("place", ["/proc/nowhere/x.db", "notes.txt/x.db"])
def test_a_folder_that_cannot_be_made(tmp_path: Path, words: tuple[str, ...], place: str) -> None:
    (tmp_path / "notes.txt").write_text("milk")

    assert "its folder cannot be made or read" in said(tmp_path, words, f"sqlite:///{place}")


@pytest.mark.parametrize("words", COMMANDS[:2])
def test_a_server_that_is_not_there(tmp_path: Path, words: tuple[str, ...]) -> None:
    line = said(tmp_path, words, f"mysql://me:s3cret@127.0.0.1:{free_port()}/none")

    assert "is away (Can't connect to server" in line
    assert line.endswith("; start it, or correct the address")


@pytest.mark.parametrize("words", COMMANDS)
def test_a_wrong_password(tmp_path: Path, words: tuple[str, ...]) -> None:
    url = services.mariadb().url("test").replace("root@", "nobody:s3cret@")

    line = said(tmp_path, words, url)

    assert "refuses" in line
    assert "correct" in line


@pytest.mark.parametrize("words", COMMANDS[1:])
def test_a_database_that_the_server_does_not_know(tmp_path: Path, words: tuple[str, ...]) -> None:
    line = said(tmp_path, words, services.mariadb().url("never_made"))

    assert line.endswith("never_made: there is no such database; make it with: tollbridge migrate")


def test_a_database_that_is_not_made_yet_points_to_that_of_the_demo(tmp_path: Path) -> None:
    (tmp_path / "var/demo").mkdir(parents=True)
    (tmp_path / "var/demo/tollbridge.toml").touch()

    line = said(tmp_path, ("status",), "sqlite:///var/tollbridge.db")

    assert "run: tollbridge migrate (the demo has its own: --config var/demo/tollbridge.toml)" in line


def test_a_file_that_may_not_be_written(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "x.db")
    database.execute("PRAGMA query_only = ON")

    told = r"^database.url: sqlite:///x.db: is read-only .*; give the user the right"
    with pytest.raises(ConfigError, match=told), reached("sqlite:///x.db"):
        database.execute("CREATE TABLE a (b)")
    database.close()


def test_a_database_that_is_locked_is_an_outage(tmp_path: Path) -> None:
    shutil.copy(services.fresh_sqlite(tmp_path).removeprefix("sqlite:///"), tmp_path / "x.db")
    holder = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    url = f"sqlite:///{tmp_path}/x.db"
    database = connect(url, lock_wait_s=0)

    locked = pytest.raises(StoreAway, match="another process keeps it locked; try again")
    with locked, reached(url), database.write():
        raise AssertionError("it was not locked")
    holder.close()
    database.close()


def test_what_is_no_mistake_of_set_up_stays_what_it_is() -> None:
    assert mistake_in(KeyError("x"), "sqlite:///x.db") is None
    assert mistake_in(ConfigError("x"), "sqlite:///x.db") is None
