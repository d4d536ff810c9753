"""`tollbridge replace` as a person, and a program, uses it; once with the real service and the pocket SMSC."""

import json
import signal
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from core.message import MtState
from store import schema
from store.database import connect
from tests.partner_api.rows import add
from tests.ports import free_port
from tests.tollbridge.desk import a_folder, call
from tests.tollbridge.shell import begin, cleared, within, write_config
from tests.tollbridge.test_cli_cancel import a_service, database_of, in_the_outbox, until_state
from tests.tollbridge.test_cli_run import a_database, running
from tollbridge.cli import main

SENT, LONG, QUEUED = 6001, 6002, 6003
WORDS = ("--by", "olga", "--because", "wrong PIN")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    config = a_folder(tmp_path)
    with database_of(config) as database, database.write() as connection:
        for id_, state, parts in (
            (SENT, MtState.SUBMITTED, 1),
            (LONG, MtState.SUBMITTED, 2),
            (QUEUED, MtState.QUEUED, 1),
        ):
            add(
                connection, schema.Mt, id=id_, state=int(state), link_id=1, operator_id=1, key="1A", parts=parts,
                source="4446", destination="79001112233", text="Your PIN is 0815", due_at=1,
            )  # fmt: skip
    return config


def replace(config: Path, *words: object, text: str = "Your PIN is 4711") -> Result:
    return call(config, "replace", *map(str, words), "--text", text, *WORDS)


def test_it_tells_what_came_of_it_and_the_life_shows_both_texts(config: Path) -> None:
    with a_service(config, "done", "the operator changed its text"):
        done = replace(config, SENT)
    shown = call(config, "message", str(SENT)).stdout

    assert (done.exit_code, done.stdout) == (0, f"{SENT}: the operator changed its text\n")
    assert "by olga: wrong PIN; the operator changed its text" in shown
    assert "«Your PIN is 0815» → «Your PIN is 4711»" in shown


def test_what_is_unknown_is_no_success_and_a_program_reads_no_text(config: Path) -> None:
    with a_service(config, "unknown", "unknown whether changed: no answer (lost)"):
        done = replace(config, SENT, "--json")

    (told,) = json.loads(done.stdout)
    assert done.exit_code == 1
    assert (told["outcome"], told["result"]) == ("unknown", "unknown whether changed: no answer (lost)")
    assert "PIN is" not in done.stdout


@pytest.mark.parametrize(
    ("message_id", "text", "sentence"),
    [
        (QUEUED, "x", "it waits to be sent: take the message back (tollbridge cancel) and send it anew"),
        (LONG, "x", "it has 2 parts, and an operator changes single SMS"),
        (SENT, "PIN № 5", "«№» (U+2116) is not in the GSM alphabet"),
        (SENT, "x" * 170, "the new text has 170 septets and 160 fit into one SMS; shorten it by 10"),
    ],
)
def test_what_cannot_be_changed_is_told_with_what_to_do(
    config: Path, message_id: int, text: str, sentence: str
) -> None:
    done = replace(config, message_id, text=text)

    assert done.exit_code == 1
    assert done.stdout.startswith(f"{message_id}: {sentence}")


def test_a_text_may_come_by_standard_input_and_must_be_one(config: Path) -> None:
    words = ["replace", str(SENT), "--text", "-", *WORDS, "--no-wait", "--config", str(config)]
    given = CliRunner().invoke(main, words, env=cleared(), input="from a file\n")
    empty = replace(config, SENT, text=" ")
    nobody = replace(config, 77)

    assert (given.exit_code, given.stdout) == (0, f"{SENT}: ordered\n")
    with database_of(config) as database, database.read() as connection:
        assert connection.execute(sa.select(schema.MtOrder.text)).scalar_one() == "from a file"
    assert empty.exit_code == nobody.exit_code == 1
    assert "--text: it is empty" in empty.stderr
    assert "no message has the id 77" in nobody.stderr


def test_the_real_service_changes_what_the_centre_has_also_after_a_kill_between_order_and_answer(
    tmp_path: Path,
) -> None:
    api, port = write_config(tmp_path), free_port()
    a_database(tmp_path)
    example = (
        Path("conf/example-provisioning.toml").read_text(encoding="utf-8").replace("port = 2775", f"port = {port}")
    )
    (tmp_path / "all.toml").write_text(example, encoding="utf-8")
    assert within("load", "all.toml", "--config", "tollbridge.toml", cwd=tmp_path).returncode == 0
    in_the_outbox(tmp_path, SENT)
    words = ("--by", "olga", "--because", "wrong PIN", "--config", "tollbridge.toml")
    pocket = begin("sim", "smpp", "--listen", f"127.0.0.1:{port}", "--quirk", "receipt_delay_s=600", cwd=tmp_path)

    try:
        with running(tmp_path, api) as service:
            until_state(tmp_path, SENT, "submitted")
            done = within("replace", str(SENT), "--text", "the first", *words, cwd=tmp_path)
            pocket.send_signal(signal.SIGSTOP)
            within("replace", str(SENT), "--text", "the second", "--no-wait", *words, cwd=tmp_path)
            _until_taken(tmp_path)
            service.kill()
            service.wait(10)
        pocket.send_signal(signal.SIGCONT)
        with running(tmp_path, api):
            life = _until_text(tmp_path, "the second")
    finally:
        pocket.send_signal(signal.SIGCONT)
        pocket.send_signal(signal.SIGINT)
        pocket.wait(20)

    assert (done.returncode, done.stdout) == (0, f"{SENT}: the operator changed its text\n")
    assert [(one["old_text"], one["text"], one["outcome"]) for one in life["replaces"]] == [
        ("hello", "the first", "done"),
        ("the first", "the second", "done"),
    ]


def _until_taken(folder: Path) -> None:
    """The service has the order, and the centre says nothing."""
    with closing(connect(f"sqlite:///{folder}/var/tollbridge.db")) as database:
        deadline = time.monotonic() + 30
        while True:
            with database.read() as connection:
                order = schema.MtOrder
                taken = sa.select(order.id).where(order.outcome == "", order.process_id != 0)
                if connection.execute(taken).first() is not None:
                    return
            assert time.monotonic() < deadline
            time.sleep(0.05)


def _until_text(folder: Path, text: str) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while True:
        life = json.loads(within("message", str(SENT), "--json", "--config", "tollbridge.toml", cwd=folder).stdout)
        if life["mt"]["text"] == text:
            found: dict[str, Any] = life["mt"]
            return found
        assert time.monotonic() < deadline, life["mt"]["text"]
        time.sleep(0.3)
