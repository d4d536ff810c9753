"""`tollbridge again` as a person uses it, beside the running service and without it."""

import asyncio
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import sqlalchemy as sa

from core.clock import DAY_MS, HOUR_MS, Instant, iso_of
from core.ids import first_id_at
from plumbing.clock import SystemClock
from store import schema
from store.database import Database, connect
from store.journal import CallbackState
from tests.partner_api.rows import add
from tests.partners import Heard, Partner, answers
from tests.ports import free_port
from tests.tollbridge.desk import a_folder, call
from tests.tollbridge.shell import begin, within, write_config
from tests.tollbridge.test_cli_run import PROVISIONING, a_database, running

WITHIN_S = 60


class Letters:
    """A folder with dead letters of the example's first service."""

    def __init__(self, folder: Path) -> None:
        self.config = a_folder(folder)
        self.now: Instant = SystemClock().now()
        with self.opened() as database, database.read() as connection:
            named = sa.select(schema.Partner.id, schema.Partner.login, schema.Service.id, schema.Service.name)
            joined = named.join(schema.Service, schema.Service.partner_id == schema.Partner.id)
            row = connection.execute(joined.order_by(schema.Service.id)).first()
        assert row is not None
        self.partner_id, self.login, self.service_id, name = row
        self.service = f"{self.login}/{name}"

    @contextmanager
    def opened(self) -> Iterator[Database]:
        with closing(connect(self.config.read_text(encoding="utf-8").split('"')[1])) as database:
            yield database

    def die(self, count: int, *, days_ago: int = 2) -> list[int]:
        """Messages that were given up, each with its alert."""
        at = self.now - days_ago * DAY_MS
        ids = [first_id_at(at) + number for number in range(count)]
        with self.opened() as database, database.write() as connection:
            for id_ in ids:
                whose = {"partner_id": self.partner_id, "service_id": self.service_id}
                add(connection, schema.Mo, id=id_, accepted_at=at, operator_id=1, **whose)
                add(
                    connection, schema.Callback, mo_id=id_, state=int(CallbackState.DEAD), due_at=None, attempt=9,
                    tried_at=at + DAY_MS, status=500, error="the partner answered with status 500", **whose,
                )  # fmt: skip
                add(
                    connection, schema.Alert, at=at + DAY_MS, kind="dead_letter", subject=self.login, message_id=id_,
                    sentence="not delivered",
                )  # fmt: skip
        return ids

    def waiting(self) -> list[int]:
        with self.opened() as database, database.read() as connection:
            job = schema.Callback
            query = sa.select(job.mo_id).where(job.state == int(CallbackState.WAITING), job.due_at.is_not(None))
            return list(connection.execute(query.order_by(job.mo_id)).scalars())


@pytest.fixture
def letters(tmp_path: Path) -> Letters:
    return Letters(tmp_path)


def test_named_ones_are_due_again_and_the_others_are_told_why_not(letters: Letters) -> None:
    first, second = letters.die(2)
    call(letters.config, "again", str(first), "--by", "olga")

    done = call(letters.config, "again", str(first), str(second), "7", "--by", "ada", "--note", "their server is back")

    assert done.exit_code == 1
    assert done.stdout == f"{letters.service}: 1 message due again\n"
    unknown, under_way = done.stderr.splitlines()
    assert under_way.startswith(f"tollbridge: {first} is left as it is: it is under way: 9 attempts so far")
    assert unknown.startswith("tollbridge: 7 is left as it is: no message has this id")
    assert letters.waiting() == [first, second]
    told = call(letters.config, "message", str(second)).stdout
    assert "by ada, for another 24 hours: «their server is back»" in told
    assert "by ada: «called again: their server is back»" in told
    assert "attempt 9" in told
    life = json.loads(call(letters.config, "message", str(second), "--json").stdout)
    assert life["mo"]["callback"]["called_again"][0]["author"] == "ada"


def test_a_dry_run_counts_and_writes_nothing(letters: Letters) -> None:
    letters.die(3)

    done = call(letters.config, "again", "--partner", letters.login, "--dry-run")

    assert (done.exit_code, done.stdout) == (0, f"{letters.service}: 3 messages would be due again\n")
    assert letters.waiting() == []
    assert call(letters.config, "again", "--partner", letters.login, "--dry-run").stdout == done.stdout


def test_those_of_a_partner_since_a_day(letters: Letters) -> None:
    letters.die(2, days_ago=5)
    young = letters.die(3)
    since = iso_of(letters.now - 3 * DAY_MS)[:10]
    words = ("again", "--service", letters.service, "--since", since, "--by", "olga", "--json")

    done = json.loads(call(letters.config, *words).stdout)

    assert [one["message"] for one in done["due_again"]] == [str(id_) for id_ in young]
    assert (done["dry_run"], done["left"]) == (False, [])
    assert letters.waiting() == young
    rest = call(letters.config, "again", "--partner", letters.login, "--by", "olga")
    assert rest.stdout == f"{letters.service}: 2 messages due again\n"
    none = call(letters.config, "again", "--partner", letters.login, "--by", "olga")
    assert (none.exit_code, none.stdout) == (0, f"{letters.login} has no dead letters of which an alert is open\n")


def test_many_are_done_in_pieces_and_it_is_told_how_far_it_is(letters: Letters) -> None:
    ids = letters.die(2_100)
    with letters.opened() as database, database.write() as connection:
        connection.execute(sa.update(schema.Mo).where(schema.Mo.id.in_(ids[:2])).values(held=True))

    done = call(letters.config, "again", "--partner", letters.login, "--by", "olga")

    assert done.exit_code == 0
    assert done.stdout.splitlines()[0] == f"{letters.service}: 2098 messages due again"
    assert done.stdout.splitlines()[1].startswith(f"2 left as they are, {ids[0]} is one: fraud holds it")
    assert done.stderr == "called again: 1998 of 2100\n"
    assert letters.waiting() == ids[2:]


@pytest.mark.parametrize(
    "words",
    [
        (), ("5",), ("5", "--partner", "acme", "--by", "olga"), ("5", "--since", "2026-11-24", "--by", "olga"),
        ("--partner", "acme", "--service", "acme/game", "--by", "olga"), ("--service", "acme", "--by", "olga"),
        ("--partner", "acme", "--since", "yesterday", "--by", "olga"), ("0", "--by", "olga"),
    ],
)  # fmt: skip
def test_bad_usage_is_one_line(letters: Letters, words: tuple[str, ...]) -> None:
    done = call(letters.config, "again", *words)

    assert (done.exit_code, done.stderr.count("\n")) == (2, 1), done.output


def test_a_misspelt_name_is_answered_with_the_nearest_one(letters: Letters) -> None:
    partner = call(letters.config, "again", "--partner", f"{letters.login}e", "--by", "olga")
    service = call(letters.config, "again", "--service", f"{letters.service}e", "--by", "olga")

    assert (partner.exit_code, service.exit_code) == (1, 1)
    assert f"did you mean {letters.login}?" in partner.stderr
    assert f"did you mean {letters.service.partition('/')[2]}?" in service.stderr


# --- beside the running service ----------------------------------------------------------------------------


class Recovering:
    """A partner's end point that fails until it `is_sound`; the ids that it was called with."""

    def __init__(self) -> None:
        self.is_sound = False
        self.ids: list[str] = []

    async def behave(self, heard: Heard, writer: asyncio.StreamWriter) -> None:
        self.ids.append(parse_qs(heard.query)["id"][0])
        await (answers("at last") if self.is_sound else answers("oops", 500))(heard, writer)


def test_a_running_service_calls_again_and_the_reply_goes_out(tmp_path: Path) -> None:
    port, smsc = write_config(tmp_path), free_port()
    a_database(tmp_path)
    partner = Recovering()

    async def play() -> None:
        async with Partner(partner.behave) as end_point:
            (tmp_path / "all.toml").write_text(PROVISIONING.format(smsc=smsc, url=end_point.url))
            await asyncio.to_thread(_lose_and_call_again, tmp_path, port, smsc, partner)

    asyncio.run(play())

    assert len(set(partner.ids)) == 1, "each call has the same id"
    life = json.loads(within("message", partner.ids[0], "--json", cwd=tmp_path).stdout)
    assert life["mo"]["reply"]["text"] == "at last"
    assert life["mo"]["callback"]["state"] == "answered"
    assert len(life["mo"]["callback"]["attempts"]) == len(partner.ids), "every attempt is told"
    assert [one["author"] for one in life["mo"]["callback"]["called_again"]] == ["olga"]
    assert [one["resolved_by"] for one in life["alerts"]] == ["olga"]
    assert [charge["state"] for charge in (life["mo"]["charge"], *life["mo"]["corrections"])] == ["posted"]
    assert within("check", cwd=tmp_path).returncode == 0


def _lose_and_call_again(folder: Path, port: int, smsc: int, partner: Recovering) -> None:
    with running(folder, port), closing(connect(f"sqlite:///{folder}/var/tollbridge.db")) as database:
        assert within("load", "all.toml", cwd=folder).returncode == 0
        centre = begin(
            "sim", "smpp", "--listen", f"127.0.0.1:{smsc}", "--count", "1", "--text", "GAME 7", "--linger", "60",
            cwd=folder,
        )  # fmt: skip
        try:
            _until(folder, lambda: bool(partner.ids), "the first call")
            with database.write() as connection:
                # A day passes: what the service does then it does by itself.
                earlier = schema.Mo.accepted_at - DAY_MS - HOUR_MS
                connection.execute(sa.update(schema.Mo).values(accepted_at=earlier))
            _until(folder, lambda: _alerts(database) == 1, "the dead letter")
            partner.is_sound = True
            done = within("again", "--partner", "acme", "--by", "olga", cwd=folder)
            assert done.stdout == "acme/game: 1 message due again\n", done.stderr
            _until(folder, lambda: _replies(database) == 1, "the reply's receipt")
        finally:
            _end(centre)


def _end(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.wait(10)


def _until(folder: Path, holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < end, f"not within {WITHIN_S} s: {what}\n{(folder / 'run.log').read_text()}"
        time.sleep(0.05)


def _alerts(database: Database) -> int:
    return _count(database, schema.Alert, schema.Alert.kind == "dead_letter")


def _replies(database: Database) -> int:
    return _count(database, schema.Mt, schema.Mt.final_at > 0)


def _count(database: Database, table: Any, *where: Any) -> int:
    with database.read() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table).where(*where)).scalar_one()
