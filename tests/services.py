"""Private servers for tests: started on first use, gone at exit.

mariadb()          a MariaDB with its default durability; fresh databases by `database()`
redis()            a Redis without persistence
fresh_sqlite(), fresh_mariadb()    a migrated, empty database of one's own
Server             stop, start, freeze, thaw: what the fire tests do to them

Each lives in a folder of its own with a guard: a shell that waits for the end of a pipe that we hold, then kills and
removes. So also after a kill -9 of the test run no process and no folder is left.

MariaDB's files lie in memory where there is room: its default durability stays, and an fsync costs nothing. A
measurement wants the disk: `on_disk()` before the first use.

Rule: plain functions, no fixtures: pytest and trial both use them.
"""

import atexit
import contextlib
import functools
import itertools
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import MySQLdb

from store.migrate import migrate
from tests.needed import apt_line, missing_programs, search_path
from tests.ports import free_port

READY_TIMEOUT_S = 30
PAUSE_S = 0.01
_ROOM = 1 << 30

# Ends when our end of its standard input closes, however we end. The files tell it what to kill and remove.
_GUARD = """
read _
if [ -f "$0/pid" ]; then kill -9 "$(cat "$0/pid")" 2>/dev/null; sleep 0.2; fi
rm -rf "$0"
"""


class Server:
    """A process in a folder of its own. Dies by SIGKILL at exit, and its folder with it."""

    def __init__(self, name: str, parent: str | None = None) -> None:
        self.folder = _guarded_folder(name, parent)
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        atexit.register(self.stop, signal.SIGKILL)

    def command(self) -> list[str]:
        """What to run."""
        raise NotImplementedError

    def answers(self) -> bool:
        """Whether it can be used now."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it, with what was in it before, and wait until it can be used."""
        assert self.process is None, "it runs already"
        with (self.folder / "log").open("ab") as log:
            # A session of its own: Ctrl-C is for the test run, which then ends us.
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        (self.folder / "pid").write_text(str(self.process.pid))
        _wait_for(lambda: self._died() or self.answers(), str(self.command()[0]))
        if self._died():
            self.process = None
            raise RuntimeError((self.folder / "log").read_text(errors="replace")[-4000:])

    def stop(self, how: int = signal.SIGTERM) -> None:
        """End it: SIGTERM closes cleanly, SIGKILL is a crash. Returns when it is gone."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(how)
        self.process.wait(READY_TIMEOUT_S)
        (self.folder / "pid").unlink(missing_ok=True)
        self.process = None

    def freeze(self) -> None:
        """It holds its connections and says nothing more."""
        assert self.process is not None, "it does not run"
        self.process.send_signal(signal.SIGSTOP)
        # Its threads stop one after another; until the last of them has, a COMMIT may still be answered.
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def thaw(self) -> None:
        """It goes on."""
        assert self.process is not None, "it does not run"
        self.process.send_signal(signal.SIGCONT)

    def _died(self) -> bool:
        return self.process is not None and self.process.poll() is not None


class MariaDb(Server):
    """A MariaDB server; its root has no password."""

    def __init__(self) -> None:
        _need("mariadbd", "mariadb-install-db", "my_print_defaults")
        super().__init__("mariadb", _memory())
        self.socket = str(self.folder / "s")
        self._numbers = itertools.count(1)
        _run(
            "mariadb-install-db",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--force",  # also on a host that cannot look up its own name
            *self._options(),
        )
        self.start()

    def command(self) -> list[str]:
        return [
            *("mariadbd", *self._options(), f"--socket={self.socket}", f"--port={self.port}"),
            # Of its own: servers that share one remove each other's temporary tables.
            f"--tmpdir={self.folder}",
            *("--bind-address=127.0.0.1", "--innodb-buffer-pool-size=64M", "--skip-name-resolve"),
        ]

    def answers(self) -> bool:
        try:
            self.connect().close()
        except MySQLdb.OperationalError:
            return False
        return True

    def connect(self, database: str = "") -> Any:
        """A driver's connection, for what tests do behind the store's back."""
        return MySQLdb.connect(unix_socket=self.socket, user="root", database=database, charset="utf8mb4")

    def url(self, database: str, *, by_socket: bool = False) -> str:
        """The URL of a database, by TCP unless told otherwise."""
        if by_socket:
            return f"mysql://root@localhost/{database}?unix_socket={self.socket}"
        return f"mysql://root@127.0.0.1:{self.port}/{database}"

    def database(self) -> str:
        """The URL of a fresh, empty database."""
        name = f"test_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin")
        return self.url(name)

    def copy(self, url: str) -> str:
        """The URL of a fresh database with the same tables, rows and triggers."""
        copy = self.database()
        script = self._script(url.rpartition("/")[2])
        connection = self.connect(copy.rpartition("/")[2])
        with contextlib.closing(connection), contextlib.closing(connection.cursor()) as cursor:
            # Statistics of tables that are empty, and a file for each, are most of the work. What is opened later
            # gets its statistics then; a measurement on the disk wants the files, too.
            cursor.execute(f"SET GLOBAL innodb_stats_persistent=0, GLOBAL innodb_file_per_table={int(not _memory())}")
            try:
                cursor.execute(script)
                while cursor.nextset() is not None:
                    pass
            finally:
                cursor.execute("SET GLOBAL innodb_stats_persistent=1, GLOBAL innodb_file_per_table=1")
            connection.commit()
        return copy

    @functools.cache  # noqa: B019 - there is one server, for as long as the process
    def _script(self, source: str) -> str:
        """What makes the tables, rows and triggers of a database in another one."""
        with contextlib.closing(self.connect(source)) as connection, contextlib.closing(connection.cursor()) as cursor:
            tables = [table for (table,) in _rows(cursor, "SHOW TABLES")]
            triggers = [row[0] for row in _rows(cursor, "SHOW TRIGGERS")]
            creates = [_rows(cursor, f"SHOW CREATE TABLE `{table}`")[0][1] for table in tables]
            creates_after = [_rows(cursor, f"SHOW CREATE TRIGGER `{name}`")[0][2] for name in triggers]
            filled = [table for table in tables if _rows(cursor, f"SELECT 1 FROM `{table}` LIMIT 1")]
        return ";\n".join(
            [
                "SET foreign_key_checks=0",
                *(re.sub(r" AUTO_INCREMENT=\d+", "", sql) for sql in creates),
                *(f"INSERT INTO `{table}` SELECT * FROM {source}.`{table}`" for table in filled),
                *creates_after,
            ]
        )

    def drop(self, url: str) -> None:
        """Remove a database; its files are large."""
        self.run(f"DROP DATABASE IF EXISTS {url.rpartition('/')[2]}")

    def run(self, sql: str) -> None:
        """Run a statement as root, outside any database."""
        with contextlib.closing(self.connect()) as connection:
            connection.cursor().execute(sql)
            connection.commit()

    def _options(self) -> list[str]:
        user = f"--user={os.environ.get('USER') or os.getuid()}" if os.getuid() else "--user=root"
        return ["--no-defaults", user, f"--datadir={self.folder}/data", "--innodb-log-file-size=16M"]


class Redis(Server):
    """A Redis server that forgets everything when it stops."""

    def __init__(self) -> None:
        _need("redis-server")
        super().__init__("redis")
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def command(self) -> list[str]:
        return [
            *("redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)),
            *("--save", "", "--appendonly", "no"),
        ]

    def answers(self) -> bool:
        return self.ask("PING") == b"+PONG"

    def flush(self) -> None:
        """Forget everything."""
        assert self.ask("FLUSHALL") == b"+OK"

    def ask(self, command: str) -> bytes:
        """The first line of the answer; empty when there is none."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(command.encode() + b"\r\n")
                return connection.makefile("rb").readline().strip()
        except OSError:
            return b""


@functools.cache
def mariadb() -> MariaDb:
    """This process's MariaDB server."""
    return MariaDb()


@functools.cache
def redis() -> Redis:
    """This process's Redis server."""
    return Redis()


def fresh_sqlite(folder: Path) -> str:
    """The URL of a migrated, empty SQLite file in a folder."""
    path = folder / "tollbridge.db"
    shutil.copy(_sqlite_template(), path)
    return f"sqlite:///{path}"


def fresh_mariadb() -> str:
    """The URL of a migrated, empty MariaDB database; `mariadb().drop(url)` when done."""
    return mariadb().copy(_mariadb_template())


@functools.cache
def _sqlite_template() -> Path:
    path = _guarded_folder("sqlite") / "template.db"
    migrate(f"sqlite:///{path}")
    return path


@functools.cache
def _mariadb_template() -> str:
    url = mariadb().database()
    migrate(url)
    return url


def on_disk() -> None:
    """Let servers that are not started yet keep their files on the disk."""
    _memory.cache_clear()
    os.environ["TMPDIR"] = tempfile.gettempdir()


@functools.cache
def _memory() -> str | None:
    """A folder in memory with room enough; None: take the usual place for temporary files, as TMPDIR says."""
    place = "/dev/shm"
    if "TMPDIR" in os.environ or not os.access(place, os.W_OK):
        return None
    return place if shutil.disk_usage(place).free >= _ROOM else None


def _guarded_folder(name: str, parent: str | None = None) -> Path:
    """A folder that goes when we go, and the process in its `pid` with it. What ends at exit is registered after."""
    folder = Path(tempfile.mkdtemp(prefix=f"tollbridge-{name}-", dir=parent))
    guard = subprocess.Popen(["/bin/sh", "-c", _GUARD, str(folder)], stdin=subprocess.PIPE, start_new_session=True)
    assert guard.stdin is not None
    atexit.register(guard.wait, READY_TIMEOUT_S)
    atexit.register(guard.stdin.close)
    return folder


def _need(*programs: str) -> None:
    """Install what is missing when we may, else say what to install."""
    os.environ["PATH"] = search_path()
    missing = missing_programs(programs)
    if not missing:
        return
    line = apt_line(missing)
    if os.getuid() != 0 or shutil.which("apt-get") is None:
        raise RuntimeError(f"these tests need {', '.join(missing)}; as root: {line}")
    if subprocess.run(line.split(), check=False, capture_output=True).returncode != 0:
        _run("apt-get", "update")
        _run(*line.split())


def _run(*command: str) -> None:
    done = subprocess.run(
        command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout.decode(errors='replace')[-4000:]}")


def _rows(cursor: Any, sql: str) -> list[Any]:
    cursor.execute(sql)
    return list(cursor.fetchall())


def _wait_for(ready: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    while not ready():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} did not answer within {READY_TIMEOUT_S} s")
        time.sleep(PAUSE_S)
