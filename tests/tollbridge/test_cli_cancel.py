"""`tollbridge cancel` as a person, and a program, uses it; the service is played, and once it is the real one."""

import json
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest
import sqlalchemy as sa
from click.testing import Result

from core.clock import HOUR_MS
from core.message import MtState
from plumbing.clock import SystemClock
from store import schema
from store.database import Database, connect
from tests.partner_api.rows import add
from tests.ports import free_port
from tests.tollbridge.desk import a_folder, call
from tests.tollbridge.shell import begin, within, write_config
from tests.tollbridge.test_cli_run import a_database, running
from tollbridge.commands import cancel as command

MO, REPLY, DONE, QUEUED = 5001, 5002, 5003, 5004


@pytest.fixture
def config(tmp_path: Path) -> Path:
    config = a_folder(tmp_path)
    with database_of(config) as database, database.write() as connection:
        add(connection, schema.Mo, id=MO, text="GAME 7")
        mts = {REPLY: (MtState.SUBMITTED, MO), DONE: (MtState.DELIVERED, None), QUEUED: (MtState.QUEUED, None)}
        for id_, (state, reply_to) in mts.items():
            add(
                connection, schema.Mt, id=id_, state=int(state), reply_to=reply_to, link_id=1, operator_id=1,
                source="4446", destination="79001112233", text="hello", due_at=1,
            )  # fmt: skip
    return config


@contextmanager
def database_of(config: Path) -> Iterator[Database]:
    with closing(connect(config.read_text(encoding="utf-8").split('"')[1])) as database:
        yield database


@contextmanager
def a_service(config: Path, outcome: str, result: str) -> Iterator[None]:
    """Something that ends orders so."""
    done = Event()
    words = {"outcome": outcome, "result": result, "done_at": 1, "due_at": None}

    def work() -> None:
        with database_of(config) as database:
            while not done.wait(0.02):
                with database.write() as connection:
                    connection.execute(sa.update(schema.MtOrder).where(schema.MtOrder.outcome == "").values(**words))

    thread = Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def cancel(config: Path, *words: object) -> Result:
    return call(config, "cancel", *map(str, words), "--by", "olga", "--because", "wrong text")


def test_it_tells_what_came_of_each(config: Path) -> None:
    with a_service(config, "done", "the operator took it back"):
        done = cancel(config, REPLY)
    shown = call(config, "message", str(REPLY)).stdout

    assert (done.exit_code, done.stdout) == (0, f"{REPLY}: the operator took it back\n")
    assert "by olga: wrong text; the operator took it back" in shown


def test_what_the_operator_keeps_is_a_failure_with_its_words(config: Path) -> None:
    with a_service(config, "failed", "the operator keeps it: 0x11 ESME_RCANCELFAIL: cancel failed"):
        done = cancel(config, REPLY)

    assert done.exit_code == 1
    assert done.stdout == f"{REPLY}: the operator keeps it: 0x11 ESME_RCANCELFAIL: cancel failed\n"


def test_what_has_its_end_is_told_so_beside_others(config: Path) -> None:
    with a_service(config, "done", "taken back before it was sent"):
        done = cancel(config, DONE, QUEUED, "--json")

    assert done.exit_code == 1
    first, second = json.loads(done.stdout)
    assert (first["id"], first["outcome"]) == (str(DONE), "nothing")
    assert first["result"] == "it has its end: delivered; nothing was done"
    assert (second["outcome"], second["by"], second["because"]) == ("done", "olga", "wrong text")


def test_without_a_service_it_says_what_is_waited_for(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "WAIT_S", 0.1)

    waits, ordered = cancel(config, QUEUED, REPLY), cancel(config, QUEUED, "--no-wait")

    assert waits.exit_code == 1
    said = waits.stdout.splitlines()
    assert said[0].startswith(f"{REPLY}: link alpha-1 is not up (")
    assert said[1] == f"{QUEUED}: held back: it is not sent; the service writes its end when it runs"
    assert (ordered.exit_code, ordered.stdout) == (0, f"{QUEUED}: ordered\n")
    assert "by olga: wrong text; not done yet" in call(config, "message", str(QUEUED)).stdout


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ((77,), 1, "no message has the id 77; look for it with: tollbridge message --msisdn NUMBER"),
        ((MO,), 1, f"{MO} came from a subscriber; its reply is {REPLY}"),
        (("x",), 2, "x is not a message id: digits only"),
        ((), 2, "Missing argument"),
        ((1,) * 1001, 2, "at most 1000 messages at once"),
    ],
)
def test_what_it_cannot_mean_is_refused(config: Path, words: tuple[object, ...], code: int, sentence: str) -> None:
    done = cancel(config, *words)

    assert done.exit_code == code
    assert sentence in done.stderr


@pytest.mark.parametrize("left_out", ["--by", "--because"])
def test_nobody_cancels_without_a_name_and_a_reason(config: Path, left_out: str) -> None:
    options = {"--by": "olga", "--because": "wrong text"}
    options[left_out] = " "
    given = [word for pair in options.items() for word in pair]

    done = call(config, "cancel", str(REPLY), *given)

    assert done.exit_code == 1
    assert left_out in done.stderr
    assert call(config, "cancel", str(REPLY)).exit_code == 2


# --- with the real service and the pocket SMSC, as processes -------------------------------------------------


def in_the_outbox(folder: Path, *mt_ids: int) -> None:
    """MT that wait to be sent."""
    with closing(connect(f"sqlite:///{folder}/var/tollbridge.db")) as database, database.write() as connection:
        now, operator = SystemClock().now(), sa.select(schema.Operator.id).where(schema.Operator.code == "alpha")
        id_ = connection.execute(operator).scalar_one()
        for mt_id in mt_ids:
            add(
                connection, schema.Mt, id=mt_id, operator_id=id_, source="4446", destination="79001112233",
                text="hello", parts=1, due_at=now, valid_until=now + HOUR_MS, created_at=now,
            )  # fmt: skip


def until_state(folder: Path, mt_id: int, state: str) -> None:
    deadline = time.monotonic() + 30
    while (found := state_of(folder, mt_id)) != state:
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def state_of(folder: Path, mt_id: int) -> str:
    told = within("message", str(mt_id), "--json", "--config", "tollbridge.toml", cwd=folder).stdout
    state: str = json.loads(told)["mt"]["state"]
    return state


def test_the_real_service_takes_back_what_the_centre_has_also_after_a_kill(tmp_path: Path) -> None:
    api, port = write_config(tmp_path), free_port()
    a_database(tmp_path)
    example = (
        Path("conf/example-provisioning.toml").read_text(encoding="utf-8").replace("port = 2775", f"port = {port}")
    )
    (tmp_path / "all.toml").write_text(example, encoding="utf-8")
    assert within("load", "all.toml", "--config", "tollbridge.toml", cwd=tmp_path).returncode == 0
    in_the_outbox(tmp_path, REPLY, QUEUED)
    words = ("--by", "olga", "--because", "wrong text", "--config", "tollbridge.toml")
    pocket = begin("sim", "smpp", "--listen", f"127.0.0.1:{port}", "--quirk", "receipt_delay_s=600", cwd=tmp_path)

    try:
        with running(tmp_path, api) as service:
            until_state(tmp_path, REPLY, "submitted")
            until_state(tmp_path, QUEUED, "submitted")
            done = within("cancel", str(REPLY), *words, cwd=tmp_path)
            service.kill()
            service.wait(10)
        ordered = within("cancel", str(QUEUED), "--no-wait", *words, cwd=tmp_path)
        with running(tmp_path, api):
            until_state(tmp_path, QUEUED, "cancelled")
    finally:
        pocket.send_signal(signal.SIGINT)
        pocket.wait(20)

    assert (done.returncode, done.stdout) == (0, f"{REPLY}: the operator took it back\n")
    assert ordered.stdout == f"{QUEUED}: ordered\n"
    assert state_of(tmp_path, REPLY) == "cancelled"
    checked = within("check", "--config", "tollbridge.toml", cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout
