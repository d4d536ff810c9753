"""One message's whole life, and who may read it."""

import dataclasses
import json

import pytest

from core.ids import first_id_at
from store import schema
from store.database import Database
from store.life import AttemptLife, Life, MessageLine, MoLife, MtLife, PostingLife, Remembered
from store.messages import messages_of, parked_messages, read_life, read_partner_message, read_remembered, remember
from tests.partner_api import rows
from tests.partner_api.rows import ACME, CY, ENTRY, LATER_MO, LONG_MT, MO, MT, OTHERS_MO, UNROUTED_MO, T, add


@pytest.fixture
def world(database: Database) -> Database:
    with database.write() as connection:
        rows.a_world(connection)
    return database


def life_of(world: Database, message_id: int) -> Life:
    with world.read() as connection:
        life = read_life(connection, message_id)
    assert life is not None
    return life


def mo_of(world: Database, message_id: int) -> MoLife:
    mo = life_of(world, message_id).mo
    assert mo is not None
    return mo


def test_a_message_is_told_from_its_link_to_its_charge(world: Database) -> None:
    mo = mo_of(world, MO)

    assert (mo.link, mo.operator, mo.country, mo.partner, mo.service) == ("alpha-1", "alpha", "RU", "acme", "game")
    assert (mo.prefix, mo.text, mo.source, mo.accepted_at) == ("GAME", "GAME 7 ж", "79001112233", T)
    assert (mo.verdict, mo.verdict_reason) == ("alert", "many messages")
    assert (mo.charge.state, mo.charge.plan, mo.charge.referrer) == ("posted", "standard", "cy")
    charge = mo.charge
    assert charge.price == charge.vat + charge.operator_part + charge.partner_part + charge.referral_part + charge.ours
    assert (charge.tariff_id, charge.vat_id, charge.plan_version_id, charge.referral_id) == (13, 14, 11, 12)
    assert [(one.kind, one.partner_part) for one in mo.corrections] == [("tier_correction", 50_000)]
    assert [part.sequence for part in mo.part_rows] == [1, 2]
    assert [(one.link, one.reason) for one in mo.repeats] == [("alpha-1", "the session broke")]
    assert mo.new_because.startswith("no doubt was open")


def test_each_attempt_is_told_once(world: Database) -> None:
    callback = mo_of(world, MO).callback

    assert callback is not None
    assert callback.state == "answered"
    assert callback.attempts == (
        AttemptLife(1, T + 10, 30, 500, "http://x/mo", "down", "oops", "5ec4e7a1"),
        AttemptLife(2, T + 1000, 30, 200, "http://x/mo", "", "Hello", "5ec4e7a2"),
    )


def test_the_reply_its_moves_and_the_postings_belong_to_the_life(world: Database) -> None:
    life = life_of(world, MO)

    assert life.mt is not None
    assert (life.mt.id, life.mt.state, life.mt.link, life.mt.key) == (MT, "delivered", "alpha-1", "op-1")
    assert [(move.old, move.new, move.reason) for move in life.mt.moves] == [("queued", "queued", "throttled (0x58)")]
    assert [entry.id for entry in life.entries] == [ENTRY]
    assert life.entries[0].postings[0] == PostingLife(
        "operator:alpha:receivable", "partner:acme:earnings", "RUB", 3_000_000, 202611
    )
    assert [alert.sentence for alert in life.alerts] == ["many messages"]


def test_the_parts_of_a_long_reply_find_the_receipts_that_wait_for_them(world: Database) -> None:
    mt = life_of(world, LONG_MT).mt

    assert mt is not None
    assert [(part.sequence, part.key, part.state) for part in mt.part_rows] == [
        (1, "k1", "submitted"),
        (2, "k2", "submitted"),
    ]
    assert [(receipt.key, receipt.word) for receipt in mt.receipts] == [("k1", "DELIVRD")]


@pytest.mark.parametrize(("message_id", "kind"), [(MO, "mo"), (MT, "mt"), (rows.PART, "part"), (rows.REPEAT, "repeat")])
def test_every_id_of_a_message_leads_to_its_life(world: Database, message_id: int, kind: str) -> None:
    life = life_of(world, message_id)

    assert (life.kind, life.asked) == (kind, message_id)
    assert life.mo is not None
    assert life.mo.id == MO


def test_a_part_that_waits_is_known_and_a_stranger_is_not(world: Database) -> None:
    assert life_of(world, rows.WAITING_PART).mo is None
    with world.read() as connection:
        assert read_life(connection, 17) is None


def test_a_message_that_led_nowhere_says_why_and_by_what_it_was_new(world: Database) -> None:
    mo = mo_of(world, UNROUTED_MO)

    assert (mo.charge.reason, mo.partner, mo.service, mo.prefix, mo.callback) == ("no_prefix", "", "", "", None)
    assert "alpha/42" in mo.new_because


def test_a_life_is_json(world: Database) -> None:
    assert json.loads(json.dumps(dataclasses.asdict(life_of(world, MO))))["mo"]["charge"]["price"] == 12_000_000


def test_a_subscribers_messages_are_listed_newest_first(world: Database) -> None:
    with world.read() as connection:
        lines = messages_of(connection, "79001112233")
        newest = messages_of(connection, "79001112233", limit=1)

    assert [line.id for line in lines] == [UNROUTED_MO, LATER_MO, OTHERS_MO, MO]
    assert newest == lines[:1]
    assert lines[-1] == MessageLine(
        MO,
        T,
        "alpha",
        "79001112233",
        "4446",
        "GAME 7 ж",
        "acme",
        "game",
        "",
        12_000_000,
        "RUB",
        "answered",
        MT,
        "delivered",
        "many messages",
    )


def test_what_is_parked_is_listed_newest_first_and_what_is_older_is_not(world: Database) -> None:
    with world.write() as connection:
        for number, reason in enumerate(("refused", "no_tariff", "test")):
            add(connection, schema.Mo, id=first_id_at(T) + number + 1, reason=reason, accepted_at=T)
        add(connection, schema.Mo, id=first_id_at(T - 1), reason="no_prefix", accepted_at=T - 1)

    with world.read() as connection:
        lines = parked_messages(connection, T)
        last = parked_messages(connection, T, limit=1)
        refused = parked_messages(connection, T, reason="refused")

    assert [line.reason for line in lines] == ["no_tariff", "refused"]
    assert (last, refused) == (lines[:1], lines[1:])


def test_a_partner_reads_its_own_messages_and_nobody_elses(world: Database) -> None:
    with world.read() as connection:
        own = [read_partner_message(connection, ACME, id_) for id_ in (MO, MT, LATER_MO)]
        others = [read_partner_message(connection, ACME, id_) for id_ in (OTHERS_MO, UNROUTED_MO, rows.PART, 17)]
        of_cy = [read_partner_message(connection, CY, id_) for id_ in (MO, MT, LATER_MO, LONG_MT)]

    assert [type(one) for one in own] == [MoLife, MtLife, MoLife]
    assert others == [None] * 4
    assert of_cy == [None] * 4


def test_an_answer_is_remembered_for_its_partner_only(world: Database) -> None:
    answer = Remembered("digest", 202, '{"id": "ж"}')
    with world.write() as connection:
        remember(connection, partner_id=ACME, key="k", answer=answer, at=T)

    with world.read() as connection:
        assert read_remembered(connection, ACME, "k") == answer
        assert read_remembered(connection, CY, "k") is None
        assert read_remembered(connection, ACME, "K") is None
