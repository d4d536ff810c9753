"""`tollbridge message --parked --reason held` as a person, and a program, sees what fraud withholds."""

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.ids import first_id_at
from store import schema
from store.daily import write_sums
from store.database import connect
from store.waiting import HELD, SAID
from tests.makers import NOON
from tests.partner_api.rows import add
from tests.tollbridge.desk import a_folder, call

RUB = 1_000_000
HELD_LIST = ("message", "--parked", "--reason", "held")
SENTENCE = "more than 20 messages in 1 d for one subscriber"
FIRST = first_id_at(NOON)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Three messages of acme that were held at noon, long before now."""
    config = a_folder(tmp_path)
    database = connect(f"sqlite:///{tmp_path}/tollbridge.db")
    with database.write() as connection:
        acme = connection.execute(sa.select(schema.Partner.id).where(schema.Partner.login == "acme")).scalar_one()
        services = sa.select(sa.func.min(schema.Service.id)).where(schema.Service.partner_id == acme)
        service = connection.execute(services).scalar_one()
        for number in range(1, 4):
            add(
                connection, schema.Mo, id=FIRST + number, entry_id=FIRST, operator_id=1, source="79001112233",
                short_code="4446", text="GAME 7", service_id=service, partner_id=acme, charge_state=2, held=True,
                currency="RUB", price=12 * RUB, partner_part=number * RUB, month=202611, accepted_at=NOON,
                verdict_reason=SENTENCE if number > 1 else "a rule of last year",
            )  # fmt: skip
        sums = {(20261124, "RUB", 1, "4446", service, acme, 1, 202611, 0, 1): [3, 3, 0, 0, 0, 6 * RUB, 0, 0, 0, 0]}
        write_sums(connection, sums, 1)
    database.close()
    return config


def test_a_person_sees_how_much_each_holds_and_why_and_what_to_type(config: Path) -> None:
    listed = call(config, *HELD_LIST, "--limit", "2")

    assert listed.exit_code == 0, listed.output
    assert SENTENCE in " ".join(listed.stdout.split())
    assert str(FIRST + 3) in listed.stdout
    assert str(FIRST + 1) not in listed.stdout
    assert "7900***33" in listed.stdout
    assert "3 messages hold 6.00 RUB, 2 of them shown: see --limit." in listed.stdout
    assert "act release" in listed.stdout


def test_a_program_gets_amounts_and_the_limit_that_the_sentence_is_of(config: Path) -> None:
    found = json.loads(call(config, *HELD_LIST, "--json").stdout)

    assert [(one["id"], one["held"], one["rule"]) for one in found] == [
        (str(FIRST + 3), "3.00", "limit 1"), (str(FIRST + 2), "2.00", "limit 1"), (str(FIRST + 1), "1.00", "")
    ]  # fmt: skip
    assert {one["source"] for one in found} == {"7900***33"}


def test_in_a_subscribers_list_they_are_held_and_not_posted(config: Path) -> None:
    listed = call(config, "message", "--msisdn", "79001112233").stdout
    found = json.loads(call(config, "message", "--msisdn", "79001112233", "--json").stdout)

    assert (listed.count(" held "), listed.count("posted")) == (3, 0)
    assert [one["held"] for one in found] == ["3.00", "2.00", "1.00"]


def test_where_nothing_is_held_it_says_so(tmp_path: Path) -> None:
    config = a_folder(tmp_path)

    assert call(config, *HELD_LIST).stdout == "nothing is held that nobody has decided\n"
    assert json.loads(call(config, *HELD_LIST, "--json").stdout) == []


def test_what_the_months_end_says_of_holds_is_a_command_that_lists_them(config: Path) -> None:
    *words, command = SAID[HELD].partition("see: tollbridge ")

    assert words
    assert call(config, *command.split(), "--json").exit_code == 0
