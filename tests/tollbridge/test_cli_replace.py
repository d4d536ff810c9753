"""`tollbridge replace` as a person, and a program, uses it; once with the real service and a pocket SMSC of either
protocol that has a word for it.
"""

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
from tests.tollbridge.test_cli_cancel import a_service, database_of, in_the_outbox
from tests.tollbridge.test_cli_run import a_database, running
from tollbridge.cli import main

SENT, LONG, QUEUED, BY_UCP = 6001, 6002, 6003, 6004
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


# --- with the real service and pocket SMSCs, as processes --------------------------------------------------------

PROTOCOLS = {SENT: "smpp", BY_UCP: "ucp"}
"""One link of each of the example's two operators."""


def test_the_real_service_changes_what_the_centres_have_also_after_a_kill_between_order_and_answer(
    tmp_path: Path,
) -> None:
    api, ports = write_config(tmp_path), {id_: free_port() for id_ in PROTOCOLS}
    a_database(tmp_path)
    (tmp_path / "all.toml").write_text(_two_operators(ports), encoding="utf-8")
    assert within("load", "all.toml", "--config", "tollbridge.toml", cwd=tmp_path).returncode == 0
    in_the_outbox(tmp_path, *PROTOCOLS)
    _is_of(tmp_path, BY_UCP, "beta")
    words = ("--by", "olga", "--because", "wrong PIN", "--config", "tollbridge.toml")
    quirks = ("--quirk", "receipt_delay_s=600")
    pockets = [
        begin("sim", protocol, "--listen", f"127.0.0.1:{ports[id_]}", *quirks, cwd=tmp_path)
        for id_, protocol in PROTOCOLS.items()
    ]

    try:
        with running(tmp_path, api) as service:
            _until(tmp_path, sa.select(schema.Mt.id).where(schema.Mt.state == int(MtState.SUBMITTED)))
            done = {id_: within("replace", str(id_), "--text", "the first", *words, cwd=tmp_path) for id_ in PROTOCOLS}
            for pocket in pockets:
                pocket.send_signal(signal.SIGSTOP)
            for id_ in PROTOCOLS:
                within("replace", str(id_), "--text", "the second", "--no-wait", *words, cwd=tmp_path)
            order = schema.MtOrder
            _until(tmp_path, sa.select(order.id).where(order.outcome == "", order.process_id != 0))
            service.kill()
            service.wait(10)
        for pocket in pockets:
            pocket.send_signal(signal.SIGCONT)
        with running(tmp_path, api):
            _until(tmp_path, sa.select(schema.Mt.id).where(schema.Mt.text == "the second"))
    finally:
        for pocket in pockets:
            pocket.send_signal(signal.SIGCONT)
            pocket.send_signal(signal.SIGINT)
            pocket.wait(20)

    for id_ in PROTOCOLS:
        assert (done[id_].returncode, done[id_].stdout) == (0, f"{id_}: the operator changed its text\n")
        life = json.loads(within("message", str(id_), "--json", "--config", "tollbridge.toml", cwd=tmp_path).stdout)
        assert [(one["old_text"], one["text"], one["outcome"]) for one in life["mt"]["replaces"]] == [
            ("hello", "the first", "done"),
            ("the first", "the second", "done"),
        ]


def _two_operators(ports: dict[int, int]) -> str:
    example = Path("conf/example-provisioning.toml").read_text(encoding="utf-8")
    head, link, tail = example.partition('name = "beta-1"')
    assert link
    smpp, ucp = 'protocol = "smpp"', 'protocol = "ucp"'
    tail = tail.replace(smpp, ucp, 1).replace("  enquire_s = 30\n", "", 1)
    return (head + link + tail).replace("port = 2775", f"port = {ports[SENT]}").replace("2785", f"{ports[BY_UCP]}")


def _is_of(folder: Path, mt_id: int, operator: str) -> None:
    """Whose subscriber it is for."""
    with closing(connect(f"sqlite:///{folder}/var/tollbridge.db")) as database, database.write() as connection:
        its = sa.select(schema.Operator.id).where(schema.Operator.code == operator).scalar_subquery()
        connection.execute(
            sa.update(schema.Mt).where(schema.Mt.id == mt_id).values(operator_id=its, destination="79101112233")
        )


def _until(folder: Path, found: sa.Select[Any]) -> None:
    """There is one of each protocol."""
    with closing(connect(f"sqlite:///{folder}/var/tollbridge.db")) as database:
        deadline = time.monotonic() + 30
        while True:
            with database.read() as connection:
                rows = connection.execute(found).all()
            if len(rows) == len(PROTOCOLS):
                return
            assert time.monotonic() < deadline, (str(found), rows)
            time.sleep(0.05)
