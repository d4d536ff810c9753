"""The demo's stage: a folder of its own, free ports, a configuration, a migrated and provisioned database.

Stage   where everything is
set_up  makes it; the configuration lies in the folder, so that every other command works beside the demo

Rule: nothing outside of the folder is touched. Of two demos in one folder the second is refused.
"""

import fcntl
import json
import os
import secrets
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from cryptography.fernet import Fernet

from core.errors import ConfigError
from plumbing.clock import SystemClock
from store import provisioning
from store.database import connect
from store.secrets import Keyring
from tollbridge.commands import program
from tollbridge.config import PREFIX, Config, load_config
from tollbridge.config_values import split_listen
from tollbridge.demo.cast import OPERATORS
from tollbridge.demo.cast import provisioning as cast_provisioning

CALL_TIMEOUT_S = 4
"""Of a call to a partner: less than the 10 s of the default, so that one sees what a hanging partner costs."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where everything is."""

    folder: Path
    config_file: Path
    config: Config
    smsc_ports: dict[str, int]
    partners_port: int
    ports: "Ports"

    @property
    def api(self) -> str:
        """The partner API's URL."""
        return f"http://{self.config.api.listen}"

    def command(self, words: str) -> str:
        """What can be pasted in another terminal in the same folder: `.venv/bin/tollbridge status --config …`."""
        return f"{program()} {words} --config {shlex.quote(str(self.config_file))}"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """This folder is this process's. Raises ConfigError when another demo has it."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigError(f"--dir {folder}: {error.strerror}; name a folder that this user may write") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"{folder}: another demo runs there; end it, or name another folder with --dir") from None
        yield
    finally:
        os.close(handle)


def set_up(folder: Path, base: Config, *, keep: bool) -> Stage:
    """Make the stage; with `keep`, on the database of the last time. Raises TollbridgeError."""
    database_file = folder / "tollbridge.db"
    config_file = folder / "tollbridge.toml"
    if not keep or not (config_file.exists() and database_file.exists()):
        for old in (*folder.glob("tollbridge.db*"), folder / "tollbridge.log"):
            old.unlink(missing_ok=True)
        keys = Fernet.generate_key().decode("ascii"), secrets.token_urlsafe(48)
    else:
        last = load_config(config_file, {})
        keys = last.security.key, last.site.secret_key
    ports = Ports()
    doors = ports.near(base.api.listen), ports.near(base.smpp_server.listen)
    _write_config(config_file, base, database_file.resolve(), doors, keys)
    config = load_config(config_file, {})
    smsc_ports = {operator.code: ports.take(2775 + 10 * place) for place, operator in enumerate(OPERATORS)}
    stage = Stage(folder, config_file, config, smsc_ports, ports.take(9000), ports)
    _migrate(config_file)
    _load(stage)
    return stage


class Ports:
    """Free ports: the one that is wished, or any. They are kept from others until they are given up for use."""

    def __init__(self) -> None:
        self._kept: list[socket.socket] = []

    def take(self, wished: int, host: str = "127.0.0.1") -> int:
        """A port that was free and is kept. Raises ConfigError."""
        for port in (wished, 0):
            one = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                one.bind((host, port))
                one.listen(1)
            except OSError:
                one.close()
                continue
            self._kept.append(one)
            found: int = one.getsockname()[1]
            return found
        raise ConfigError(f"no free port on {host}; is api.listen an address of this machine?")

    def near(self, listen: str) -> str:
        """This address, or the same host with a free port."""
        host, wished = split_listen(listen)
        host = host or "127.0.0.1"
        return f"{f'[{host}]' if ':' in host else host}:{self.take(wished, host)}"

    def give_up(self) -> None:
        """Now they are to be listened on."""
        for one in self._kept:
            one.close()
        self._kept.clear()


def _write_config(file: Path, base: Config, database: Path, doors: tuple[str, str], keys: tuple[str, str]) -> None:
    url = sa.URL.create("sqlite", database=str(database)).render_as_string()
    # A JSON string is a basic string of TOML.
    text = f"""# Made by `tollbridge demo`; any other command works beside it: {program()} status --config {file}
[database]
url = {json.dumps(url)}
[api]
listen = {json.dumps(doors[0])}
[smpp_server]
listen = {json.dumps(doors[1])}
[site]
secret_key = {json.dumps(keys[1])}
[dispatch]
allow_private_addresses = true            # the demo's partners are on this machine; leave it false elsewhere
timeout_s = {CALL_TIMEOUT_S}
[journal]
max_batch = {base.journal.max_batch}
max_delay_ms = {base.journal.max_delay_ms}
[security]
key = {json.dumps(keys[0])}
"""
    _write_secret(file, text)


def _write_secret(file: Path, text: str) -> None:
    """Anew, for its owner only, also where an older one stood open to all: passwords and keys are in it."""
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)


def _migrate(config_file: Path) -> None:
    """In a process of its own: this one stays without Django."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    command = [sys.executable, "-m", "tollbridge.cli", "migrate", "--config", str(config_file)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environ)
    if done.returncode:
        raise ConfigError(done.stderr.strip().removeprefix("tollbridge: ") or f"migrate ended with {done.returncode}")


def _load(stage: Stage) -> None:
    text = cast_provisioning(stage.smsc_ports, stage.partners_port)
    file = stage.folder / "provisioning.toml"
    _write_secret(file, text)
    database = connect(stage.config.database.url)
    try:
        keyring = Keyring(stage.config.security.key)
        provisioning.load(database, file, str(file), SystemClock().now(), keyring, who="tollbridge demo")
    finally:
        database.close()
