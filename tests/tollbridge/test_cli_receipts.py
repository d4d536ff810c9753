"""`tollbridge message --receipts`: receipts of no message, as a person and a program sees them."""

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from core.clock import DAY_MS, HOUR_MS
from plumbing.clock import SystemClock
from smsc_link.protocols import PROTOCOLS
from store import schema
from store.database import connect
from tests.partner_api.rows import add
from tests.tollbridge.desk import a_folder, call
from tollbridge.show_receipts import shown_id

NUMBER, MASKED = "79001112233", "7900***33"


class Desk:
    """A database with receipts that wait."""

    def __init__(self, folder: Path) -> None:
        self.config = a_folder(folder)
        self._url = f"sqlite:///{folder}/tollbridge.db"
        self.now = SystemClock().now()

    def waits(self, key: str, *, hours: int = 1, link: str = "alpha-1", source: str = NUMBER) -> None:
        """A receipt came so long ago."""
        link_id = sa.func.coalesce(sa.select(schema.Link.id).where(schema.Link.name == link).scalar_subquery(), 99)
        self._add(
            schema.Receipt, key=key, link_id=link_id, operator_id=1, state="failed", word="UNDELIV", error="069",
            source=source, destination="4446", arrived_at=self.now - hours * HOUR_MS,
        )  # fmt: skip

    def sent(self, key: str) -> None:
        """A message is on its way."""
        self._add(schema.Mt, id=5, key=key, operator_id=1, destination=NUMBER, parts=1, state=2)

    def becomes(self, protocol: str) -> None:
        """alpha-1 speaks another protocol."""
        self._run(lambda connection: connection.execute(sa.update(schema.Link).values(protocol=protocol)))

    def says(self, *words: str) -> str:
        done = call(self.config, "message", "--receipts", *words)
        assert done.exit_code == 0, done.output
        return done.stdout

    def _add(self, table: Any, **values: Any) -> None:
        self._run(lambda connection: add(connection, table, **values))

    def _run(self, change: Any) -> None:
        database = connect(self._url)
        with database.write() as connection:
            change(connection)
        database.close()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_person_sees_each_and_what_to_look_at(desk: Desk) -> None:
    desk.waits("7Z")
    desk.waits("8Z")
    desk.waits("9Z", hours=30)

    said = desk.says("--limit", "1")

    assert MASKED in said
    assert NUMBER not in said
    assert ("8Z" in said, "7Z" in said, "9Z" in said) == (True, False, False)
    assert "UNDELIV" in said
    assert "2 wait, 1 of them shown: see --limit. By link: alpha-1 2." in said
    assert "then look at the options of alpha-1: message_id_base" in " ".join(said.split())
    assert "9Z" in desk.says("--hours", "31")


def test_where_the_cause_is_known_the_line_to_write_is_told(desk: Desk) -> None:
    desk.sent("6959")
    desk.waits("1B2F")

    said = " ".join(desk.says().split())

    assert 'set message_id_base = "resp_dec_receipt_hex" in the options of alpha-1' in said
    assert "Many of one link" not in said


def test_a_program_gets_times_and_ids(desk: Desk) -> None:
    desk.waits("7Z")

    (one,) = json.loads(desk.says("--json"))

    assert one == {
        "arrived_at": desk.now - HOUR_MS, "kept_until": desk.now - HOUR_MS + 7 * DAY_MS, "link": "alpha-1",
        "operator": "alpha", "ids": ["7Z"], "source": MASKED, "destination": "4446", "state": "failed",
        "word": "UNDELIV", "error": "069", "base": "",
    }  # fmt: skip


def test_numbers_are_whole_where_that_is_asked_for(desk: Desk) -> None:
    desk.waits("261124081000/01112233")

    masked, whole = desk.says(), desk.says("--full-numbers")

    assert "261124081000/***33" in masked
    assert "261124081000/01112233" in whole
    assert NUMBER in whole
    assert json.loads(desk.says("--json"))[0]["ids"] == ["261124081000/***33"]
    assert json.loads(desk.says("--json", "--full-numbers"))[0]["source"] == NUMBER


@pytest.mark.parametrize(
    ("key", "source", "shown"),
    [
        ("261124081000/01112233", "", "261124081000/***33"),
        ("X01112233Y", NUMBER, "X***33Y"),
        ("1234567890", NUMBER, "1234567890"),
        ("", "", ""),
    ],
)
def test_an_id_does_not_tell_the_number(key: str, source: str, shown: str) -> None:
    assert shown_id(key, source, full=False) == shown


def test_where_none_waits_it_says_so(desk: Desk) -> None:
    assert desk.says() == "no receipt of the last 24 h waits for its message: each found the one that it is of\n"
    assert json.loads(desk.says("--json")) == []


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
def test_for_every_protocol_it_is_told_which_options_to_look_at(desk: Desk, protocol: str) -> None:
    desk.becomes(protocol)
    desk.waits("7Z")

    assert PROTOCOLS[protocol].receipt_options in " ".join(desk.says().split())


def test_a_link_that_is_gone_and_what_steers_a_terminal_harm_nobody(desk: Desk) -> None:
    desk.waits("\x1b[2J7Z", link="gone")

    said = desk.says()

    assert "\x1b" not in said
    assert "By link: links that are gone 1." in said


@pytest.mark.parametrize("words", [["--parked"], ["--msisdn", NUMBER], ["5"]])
def test_one_list_at_a_time(desk: Desk, words: list[str]) -> None:
    done = call(desk.config, "message", "--receipts", *words)

    assert done.exit_code == 2
    assert "or --receipts" in done.stderr
