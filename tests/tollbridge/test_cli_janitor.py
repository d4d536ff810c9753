"""A running service gives an end to what waited too long, removes what is old, and folds what is booked."""

import time
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from core.clock import DAY_MS, HOUR_MS
from core.message import MtState
from plumbing.clock import SystemClock
from store.database import Database, connect
from store.folding import last_folded
from store.schema import Idempotency, Mt, MtMove
from tests.partner_api.rows import add
from tests.store.ledger_rows import MONTH, post
from tests.tollbridge.shell import tollbridge, write_config
from tests.tollbridge.test_cli_run import running

QUEUED, SUBMITTED = 1, 2
PATIENCE_S = 30


def _what_waits_and_what_is_old(database: Database) -> None:
    now = SystemClock().now()
    with database.write() as connection:
        add(
            connection, Mt,
            id=QUEUED, reply_to=None, state=int(MtState.QUEUED), valid_until=now - HOUR_MS, due_at=now - HOUR_MS,
        )  # fmt: skip
        add(
            connection, Mt,
            id=SUBMITTED, reply_to=None, state=int(MtState.SUBMITTED), valid_until=now - 2 * DAY_MS,
            due_at=now - DAY_MS,
        )  # fmt: skip
        # Identities would stay for the first hour: the clock may have been set forward.
        add(connection, Idempotency, partner_id=1, key="once", at=now - 2 * DAY_MS)
        post(connection, now - HOUR_MS, [(1, 2, 5, MONTH)])


def _is_done(database: Database) -> bool:
    with database.read() as connection:
        ended = connection.execute(sa.select(sa.func.count()).select_from(MtMove)).scalar_one()
        old = connection.execute(sa.select(sa.func.count()).select_from(Idempotency)).scalar_one()
        return ended == 2 and not old and last_folded(connection) == 1


def test_a_running_service_looks_after_what_time_alone_brings_to_its_end(tmp_path: Path) -> None:
    port = write_config(tmp_path)
    assert tollbridge("migrate", "--config", "tollbridge.toml", cwd=tmp_path).returncode == 0
    with closing(connect(f"sqlite:///{tmp_path}/var/tollbridge.db")) as database:
        _what_waits_and_what_is_old(database)

        with running(tmp_path, port):
            end = time.monotonic() + PATIENCE_S
            while not _is_done(database):
                assert time.monotonic() < end, (tmp_path / "run.log").read_text()

        with database.read() as connection:
            states = {id_: state for id_, state in connection.execute(sa.select(Mt.id, Mt.state))}
    assert states == {QUEUED: MtState.EXPIRED, SUBMITTED: MtState.UNKNOWN}
