"""`tollbridge link` as a person, and a program, uses it; the service is played where one is needed."""

import json
import os
import tomllib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from store import link_orders, schema
from store.database import Database, connect
from store.link_orders import DONE, FAILED, Order
from store.pulse import ALIVE, DEAD
from tests.partner_api.rows import add
from tests.tollbridge.desk import a_folder, call
from tollbridge.cli import main
from tollbridge.commands import link as command

PROCESS = 21
Answer = Callable[[Order], tuple[str, str] | tuple[str, str, str] | None]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return a_folder(tmp_path)


def order(config: Path, *words: str, by: str = "olga") -> Result:
    return call(config, "link", *words, "--by", by)


@contextmanager
def database_of(config: Path) -> Iterator[Database]:
    with closing(connect(config.read_text(encoding="utf-8").split('"')[1])) as database:
        yield database


@contextmanager
def a_service(config: Path, answer: Answer = lambda order: (DONE, f"{order.kind} done")) -> Iterator[None]:
    """A process that keeps links: it answers orders as told; None: not at all."""
    done = Event()

    def work() -> None:
        with database_of(config) as database:
            while not done.wait(0.02):
                with database.read() as connection:
                    found = link_orders.read_open(connection, PROCESS)
                for one in found:
                    told = answer(one)
                    if told is not None:
                        outcome, said, *path = told
                        link_orders.finish(database, one.id, outcome, said, one.at, path="".join(path))

    with database_of(config) as database, database.write() as connection:
        add(connection, schema.Process, id=PROCESS, roles="links", state=ALIVE, heartbeat_at=1 << 50)
    thread = Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def listed(config: Path) -> dict[str, Any]:
    return {one["name"]: one for one in json.loads(call(config, "link", "list", "--json").stdout)}


def test_links_are_listed_with_all_that_matters(config: Path) -> None:
    order(config, "drain", "beta-1")
    found = listed(config)
    lines = call(config, "link", "list").stdout.splitlines()

    assert (found["beta-1"]["max_tps"], found["beta-1"]["orders"]) == (50, ["drain by olga"])
    assert {"operator", "protocol", "state", "since", "priority", "weight", "sticky", "error"} <= set(found["alpha-1"])
    assert lines[0].split()[:4] == ["link", "operator", "protocol", "state"]
    assert "drain by olga" in lines[2]
    assert "50" in lines[2]


def test_an_order_tells_what_came_of_each_link(config: Path) -> None:
    def answer(one: Order) -> tuple[str, str]:
        return (DONE, "bound") if one.link == "alpha-1" else (FAILED, "not bound: no route")

    with a_service(config, answer):
        done = order(config, "reconnect", "beta-1", "alpha-1")
        good = order(config, "reconnect", "alpha-1", "--json")

    assert done.exit_code == 1
    assert done.stdout == "alpha-1 (process 21): bound\nbeta-1 (process 21): not bound: no route\n"
    assert good.exit_code == 0
    (one,) = json.loads(good.stdout)
    assert (one["link"], one["order"], one["by"], one["outcome"], one["result"]) == (
        "alpha-1", "reconnect", "olga", "done", "bound",
    )  # fmt: skip


def test_who_does_not_wait_is_told_that_it_is_ordered(config: Path) -> None:
    with a_service(config, lambda order: None):
        done = order(config, "drain", "alpha-1", "--no-wait")
        (one,) = json.loads(order(config, "drain", "alpha-1", "--no-wait", "--json").stdout)

    assert (done.exit_code, done.stdout) == (0, "alpha-1 (process 21): ordered\n")
    assert one["outcome"] == "pending"


def test_who_waits_in_vain_is_told_who_did_not_do_it(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "WAIT_S", 0.3)
    with a_service(config, lambda order: None):
        slow = order(config, "drain", "alpha-1")
        with database_of(config) as database, database.write() as connection:
            connection.execute(sa.update(schema.Process).values(state=DEAD))
        gone = order(config, "drain", "alpha-1")

    assert (slow.exit_code, slow.stdout) == (1, "alpha-1 (process 21): process 21 did not take it yet\n")
    assert gone.exit_code == 0
    assert "no process with the role links runs" in gone.stdout


def test_without_a_service_what_lasts_is_written_and_what_does_not_fails(config: Path) -> None:
    disabled, again = order(config, "disable", "alpha-1"), order(config, "reconnect", "alpha-1")
    (dumped,) = [
        link for link in tomllib.loads(call(config, "dump").stdout)["link"] if link["name"] == "alpha-1"
    ]  # fmt: skip

    assert disabled.exit_code == 0
    assert disabled.stdout == "alpha-1: no process with the role links runs; it is disabled from the next start on\n"
    assert (again.exit_code, again.stdout) == (
        1, "alpha-1: no process with the role links runs: nobody took the order\n"
    )  # fmt: skip
    assert dumped["enabled"] is False
    assert listed(config)["alpha-1"]["state"] == "disabled"
    order(config, "enable", "alpha-1", by="ada")
    assert listed(config)["alpha-1"]["orders"] == []


@pytest.mark.parametrize("what", ["enable", "disable", "drain", "reconnect", "trace"])
def test_an_unknown_name_is_refused_with_the_nearest(config: Path, what: str) -> None:
    done = order(config, what, "alpa-1")

    assert done.exit_code == 1
    assert done.stderr == "tollbridge: there is no link 'alpa-1'; did you mean alpha-1?\n"
    assert call(config, "link", what, "alpha-1").exit_code == 2, "without a name of a person"
    assert order(config, what).exit_code == 2


def test_a_trace_tells_where_it_is_and_copies_it(config: Path, tmp_path: Path) -> None:
    # As long as no sentence is, and with what stands before it in the sentence.
    file, output = tmp_path / ("far: " * 40) / ("there: " * 20) / "there.pcap", tmp_path / "here.pcap"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"a trace")
    asked: list[Any] = []

    def answer(one: Order) -> tuple[str, str, str]:
        asked.append(one.options)
        return DONE, "7 frames", str(file)

    with a_service(config, answer):
        done = order(
            config, "trace", "alpha-1", "--output", str(output), "--seconds", "9", "--packets", "7", "--texts"
        )  # fmt: skip
        file.unlink()
        lost = order(config, "trace", "alpha-1", "--output", str(output))

    assert done.exit_code == 0
    assert done.stdout == f"alpha-1 (process 21): 7 frames: {file}\ncopied to {output}\n"
    assert output.read_bytes() == b"a trace"
    assert output.stat().st_mode & 0o777 == 0o600, "as private as the trace"
    assert asked[0] == {"seconds": 9, "packets": 7, "texts": True}
    assert lost.exit_code == 1
    assert "cannot be copied here (No such file or directory); take it as the service's user" in lost.stderr


def test_a_copy_is_private_where_a_file_was_before_and_the_trace_is_never_emptied(config: Path, tmp_path: Path) -> None:
    file, output = tmp_path / "there.pcap", tmp_path / "here.pcap"
    file.write_bytes(b"a trace")
    output.write_bytes(b"a longer one of yesterday")
    output.chmod(0o644)

    with a_service(config, lambda order: (DONE, "7 frames", str(file))):
        order(config, "trace", "alpha-1", "--output", str(output))
        itself = order(config, "trace", "alpha-1", "--output", str(file))

    assert (output.read_bytes(), output.stat().st_mode & 0o777) == (b"a trace", 0o600)
    assert (itself.exit_code, file.read_bytes()) == (0, b"a trace")


def test_where_a_copy_cannot_be_is_told_before_anything_is_ordered(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere, here = tmp_path / "nowhere" / "x.pcap", tmp_path / "x.pcap"

    missing = order(config, "trace", "alpha-1", "--output", str(nowhere))
    with monkeypatch.context() as patched:
        # A superuser, who may run this, may write everywhere.
        patched.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)
        locked = order(config, "trace", "alpha-1", "--output", str(here))

    advice = "name another file"
    assert (
        missing.stderr == f"tollbridge: --output {nowhere}: there is no folder {nowhere.parent}; make it, or {advice}\n"
    )
    assert locked.stderr == f"tollbridge: --output {here}: this user may not write there; {advice}\n"
    assert (missing.exit_code, locked.exit_code) == (1, 1)
    with database_of(config) as database, database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(schema.LinkOrder)).scalar() == 0


def test_a_copy_that_cannot_be_written_names_itself_and_where_the_trace_is(config: Path, tmp_path: Path) -> None:
    file, output = tmp_path / "there.pcap", tmp_path / "here.pcap"
    file.write_bytes(b"a trace")

    def answer(one: Order) -> tuple[str, str, str]:
        output.mkdir()
        return DONE, "7 frames", str(file)

    with a_service(config, answer):
        done = order(config, "trace", "alpha-1", "--output", str(output))

    advice = f"the trace is {file}, take it from there"
    assert done.stderr == f"tollbridge: --output {output} cannot be written (Is a directory); {advice}\n"
    assert done.exit_code == 1


def test_ctrl_c_ends_a_trace_and_tells_what_there_is(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = Event()

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    def end_early(database: Database, ids: Any, now: int) -> None:
        link_orders.finish(database, ids[0], DONE, "3 frames", now, path="/x")
        ended.set()

    monkeypatch.setattr(command, "_watch", interrupt)
    monkeypatch.setattr(link_orders, "end_early", end_early)
    with a_service(config, lambda order: None):
        done = order(config, "trace", "alpha-1")

    assert ended.is_set()
    assert (done.exit_code, done.stdout) == (0, "alpha-1 (process 21): 3 frames: /x\n")


def test_a_trace_is_bounded(config: Path) -> None:
    assert order(config, "trace", "alpha-1", "--seconds", "601").exit_code == 2
    assert order(config, "trace", "alpha-1", "--packets", "-1").exit_code == 2


def test_every_command_has_an_example() -> None:
    for words in ([], ["list"], ["enable"], ["disable"], ["drain"], ["reconnect"], ["trace"]):
        shown = CliRunner().invoke(main, ["link", *words, "--help"]).stdout
        assert "Example:" in shown
        assert "tollbridge link " in shown
