"""`tollbridge run` whose log nobody reads any more: the service, its links and its end do not depend on it."""

import fcntl
import json
import os
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.tollbridge.shell import COMMAND, environment, within, write_config
from tests.tollbridge.test_cli_run import PROVISIONING, a_database, health

STOP_S = 22
"""A stop takes 20 s at most, on a machine that does nothing else."""


def until(true: Callable[[], object], *, within_s: float = 60) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextmanager
def serving(folder: Path, log: int) -> Iterator["subprocess.Popen[bytes]"]:
    """A service whose log goes to this descriptor."""
    process = subprocess.Popen(
        [*COMMAND, "run", "--config", "tollbridge.toml"], cwd=folder, env=environment(), stdout=subprocess.DEVNULL,
        stderr=log,
    )  # fmt: skip
    os.close(log)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(10)


def a_world(folder: Path) -> tuple[int, int]:
    """A database with one link; the ports of the API and of its centre, which is down."""
    port, smsc = write_config(folder), free_port()
    a_database(folder)
    (folder / "all.toml").write_text(PROVISIONING.format(smsc=smsc, url="http://127.0.0.1:1/"))
    loaded = within("load", "all.toml", "--config", "tollbridge.toml", cwd=folder)
    assert loaded.returncode == 0, loaded.stderr
    return port, smsc


def test_where_the_reader_of_the_log_is_gone_the_database_and_the_centre_come_back_as_ever(tmp_path: Path) -> None:
    port, smsc = a_world(tmp_path)
    reads, writes = os.pipe()

    with serving(tmp_path, writes) as process:
        until(lambda: health(port) == 200)
        os.close(reads)
        with closing(sqlite3.connect(tmp_path / "var/tollbridge.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")  # as a backup does
            until(lambda: health(port) == 503, within_s=20)
            other.execute("ROLLBACK")
        until(lambda: health(port) == 200, within_s=20)
        with closing(socket.create_server(("127.0.0.1", smsc))) as centre:
            centre.settimeout(60)
            call, _ = centre.accept()
            call.close()
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)

        assert process.wait(STOP_S) == 0


def test_where_the_reader_of_the_log_stands_still_the_service_works_and_stops_in_time(tmp_path: Path) -> None:
    port, _ = a_world(tmp_path)
    reads, writes = os.pipe()

    with serving(tmp_path, os.dup(writes)) as process:
        until(lambda: health(port) == 200)
        _fill(writes)
        for number in range(3):  # each is a line «new catalogue»
            text = PROVISIONING.format(smsc=1, url=f"http://127.0.0.1:1/{number}")
            (tmp_path / "all.toml").write_text(text)
            assert within("load", "all.toml", "--config", "tollbridge.toml", cwd=tmp_path).returncode == 0
            until(lambda: health(port) == 200, within_s=5)
        process.send_signal(signal.SIGTERM)

        assert process.wait(STOP_S) == 0
    os.close(writes)
    os.close(reads)


def test_a_log_on_a_full_device_keeps_no_service_from_its_start(tmp_path: Path) -> None:
    port, _ = a_world(tmp_path)

    with serving(tmp_path, os.open("/dev/full", os.O_WRONLY)) as process:
        until(lambda: health(port) == 200 or process.poll() is not None)
        process.send_signal(signal.SIGTERM)

        assert process.wait(STOP_S) == 0


def test_who_cannot_start_says_so_behind_its_last_lines(tmp_path: Path) -> None:
    port, _ = a_world(tmp_path)
    reads, writes = os.pipe()

    with socket.create_server(("127.0.0.1", port)), serving(tmp_path, writes) as process:
        assert process.wait(60) == 1

    with os.fdopen(reads, encoding="utf-8") as log:
        *lines, sentence = log.read().splitlines()
    assert sentence.startswith("tollbridge: ")
    assert f"127.0.0.1:{port}" in sentence
    assert [json.loads(line)["event"] for line in lines][-1] == "stopped"


@pytest.mark.parametrize("is_gone", [True, False], ids=["the reader is gone", "the reader stands still"])
def test_who_cannot_start_ends_with_1_where_nobody_hears_why(tmp_path: Path, *, is_gone: bool) -> None:
    port, _ = a_world(tmp_path)
    reads, writes = os.pipe()
    fcntl.fcntl(writes, fcntl.F_SETPIPE_SZ, 4096)
    _fill(writes)
    if is_gone:
        os.close(reads)

    with socket.create_server(("127.0.0.1", port)), serving(tmp_path, writes) as process:
        assert process.wait(60) == 1


def _fill(pipe: int) -> None:
    """Until not an octet fits."""
    with closing(os.fdopen(os.open(f"/proc/self/fd/{pipe}", os.O_WRONLY | os.O_NONBLOCK), "wb", buffering=0)) as again:
        while again.write(b"\n") is not None:
            pass
