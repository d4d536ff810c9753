"""Receipts that are lost: the message's validity ends, the centre is asked, and what it says is the receipt."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from core.catalogue import Catalogue, Link
from core.clock import DAY_MS, HOUR_MS, MINUTE_MS
from core.message import Answer, MtKind, MtState, Outcome
from core.question import ASKED_MAX, GRACE_MS
from core.tariff.charge import ChargeKind, ChargeState
from plumbing.threads import InlineWriter
from sim.quirks import ID_FORMS, Quirks
from sim.subscribers import DELIVERED, EXPIRED, UNDELIVERABLE
from store import schema
from store.journal import NewMtFact
from store.messages import read_life
from tests.makers import a_catalogue, a_link
from tests.store.clerk import a_clerk, pay_in
from tests.store.journal.paid import PRICE, the_catalogue
from tests.store.journal.paid import Office as PaidDesk
from tests.way.office import Office, Process, story
from tests.way.test_long_messages import Fated
from traffic.asking import LOOK_S
from traffic.janitor import Counted, Janitor

LOST = Quirks(lose_receipts=1.0)


def a_catalogue_that_asks(*links: Link, protocol: str = "smpp", **options: Any) -> Catalogue:
    link = replace(a_link(system_id="tollbridge", password="secret"), protocol=protocol)
    return a_catalogue(
        links=[replace(one, options={**one.options, "asks": True, **options}) for one in links or (link,)]
    )


async def a_lost_receipt(office: Office) -> Process:
    """An answer was submitted, and its receipt will never come."""
    process = await office.opens()
    office.writes("GAME 7")
    await office.until(lambda: office.states() == [MtState.SUBMITTED], "the submission")
    return process


async def validity_ends(office: Office, later_ms: int = GRACE_MS + MINUTE_MS) -> None:
    """Time enough for what is asked then."""
    office.jumps(DAY_MS + later_ms)
    await office.passes(2 * LOOK_S)


async def the_janitor_sweeps(office: Office, process: Process) -> Counted:
    threads = InlineWriter()
    janitor = Janitor(process.way.batcher, office.database, threads, threads, office.clock, ends_mts=True)
    return await janitor.sweep()


def history(office: Office) -> list[str]:
    return [move.reason for move in office.rows(schema.MtMove)]


@pytest.mark.parametrize("protocol", ["smpp", "ucp", "cimd2"])
@story
async def test_a_message_whose_receipt_was_lost_is_asked_for_when_its_validity_is_over(protocol: str) -> None:
    office = Office(a_catalogue_that_asks(protocol=protocol), quirks=LOST)
    await a_lost_receipt(office)
    await office.passes(300)
    before = office.centre.counted.questions

    await validity_ends(office)

    assert before == 0, "it may still get its receipt"
    assert office.states() == [MtState.DELIVERED]
    assert office.centre.counted.questions == 1
    (mt,) = office.rows(schema.Mt)
    assert mt.final_at, "as if its receipt had come"
    assert len(history(office)) == 1
    assert history(office)[0].startswith("asked the centre: ")
    assert office.audit() == []


@pytest.mark.parametrize(("fate", "becomes"), [(UNDELIVERABLE, MtState.FAILED), (EXPIRED, MtState.EXPIRED)])
@story
async def test_what_did_not_arrive_is_told_with_the_operators_words(fate: int, becomes: MtState) -> None:
    office = Office(a_catalogue_that_asks(), quirks=LOST)
    office.centre._subscribers = Fated(fate)
    await a_lost_receipt(office)

    await validity_ends(office)

    (mt,) = office.rows(schema.Mt)
    assert mt.state == becomes
    assert mt.error


@pytest.mark.parametrize("protocol", ["smpp", "ucp", "cimd2"])
@story
async def test_a_link_that_was_not_told_to_asks_nothing(protocol: str) -> None:
    office = Office(a_catalogue_that_asks(protocol=protocol, asks=False), quirks=LOST)
    process = await a_lost_receipt(office)

    await validity_ends(office, DAY_MS + MINUTE_MS)
    await the_janitor_sweeps(office, process)

    assert office.states() == [MtState.UNKNOWN]
    assert office.centre.counted.questions == 0


@pytest.mark.parametrize("protocol", ["smpp", "ucp", "cimd2"])
@story
async def test_what_is_still_on_its_way_is_asked_for_again_and_each_time_later(protocol: str) -> None:
    office = Office(a_catalogue_that_asks(protocol=protocol), quirks=Quirks(receipt_delay_s=10 * DAY_MS / 1000))
    process = await a_lost_receipt(office)
    asked = []

    await validity_ends(office)
    for _ in range(26):
        asked.append(office.centre.counted.questions)
        office.jumps(HOUR_MS)
        await office.passes(2 * LOOK_S)
        await the_janitor_sweeps(office, process)

    assert asked[0] == 1
    assert asked[1] == 2, "after a quarter of an hour"
    assert asked[-1] == 5, "after one hour more, four, twelve; then nobody waits for it"
    assert office.states() == [MtState.UNKNOWN]
    (question,) = office.rows(schema.Question)
    assert question.asked == 5


@pytest.mark.parametrize(
    ("ids", "options"),
    [
        ("string", {}),
        ("padded", {"asked_id_length": 10}),
        ("hex_then_decimal", {"message_id_base": "resp_hex_receipt_dec", "asked_id_letters": "lower"}),
        ("decimal_then_hex", {"message_id_base": "resp_dec_receipt_hex"}),
        ("recased", {}),
        ("padded", {}),
    ],
)
@story
async def test_the_centre_is_asked_by_the_id_that_its_answer_had(ids: str, options: dict[str, Any]) -> None:
    await twenty_are_asked_for(ids, options)


@pytest.mark.parametrize("options", [{}, {"asked_id_letters": "lower", "asked_id_length": 12}])
@story
async def test_an_id_of_mixed_case_is_asked_for_as_the_answer_had_it(
    options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ID_FORMS, "recased", (lambda number: f"aB{number:04x}z", lambda number: f"AB{number:04X}Z"))

    await twenty_are_asked_for("recased", options)


async def twenty_are_asked_for(ids: str, options: dict[str, Any]) -> None:
    office = Office(a_catalogue_that_asks(**options), quirks=replace(LOST, message_ids=ids))
    await office.opens()
    for number in range(20):
        office.writes(f"GAME {number}", source=f"790011122{number:02d}")
    await office.until(lambda: office.states() == [MtState.SUBMITTED] * 20, "the submissions")

    await validity_ends(office)
    await office.passes(60)

    assert office.states() == [MtState.DELIVERED] * 20
    assert office.centre.counted.questions == 20


@pytest.mark.parametrize("protocol", ["smpp", "ucp", "cimd2"])
@story
async def test_a_long_message_is_asked_for_part_by_part(protocol: str) -> None:
    office = Office(a_catalogue_that_asks(protocol=protocol), quirks=LOST)
    office.partner.answers = lambda callback: Answer(Outcome.ANSWERED, "0123456789" * 40, status=200)
    office.centre._subscribers = Fated(DELIVERED, DELIVERED, DELIVERED)
    await a_lost_receipt(office)

    await validity_ends(office)

    assert office.centre.counted.questions == 3
    assert [MtState(part.state) for part in office.rows(schema.MtPart)] == [MtState.DELIVERED] * 3
    assert office.states() == [MtState.DELIVERED]


@pytest.mark.parametrize("how", ["failed", "unknown"])
@pytest.mark.parametrize("protocol", ["smpp", "ucp", "cimd2"])
@story
async def test_an_operator_that_refuses_questions_is_not_asked_in_a_loop(how: str, protocol: str) -> None:
    office = Office(a_catalogue_that_asks(protocol=protocol), quirks=replace(LOST, questions=how))
    process = await office.opens()
    for number in range(30):
        office.writes(f"GAME {number}", source=f"790011122{number:02d}")
    await office.until(lambda: office.states() == [MtState.SUBMITTED] * 30, "the submissions")

    await validity_ends(office)
    for _ in range(10):
        await office.passes(300)
    asked = office.centre.counted.questions
    office.jumps(DAY_MS)
    await office.passes(2 * LOOK_S)
    await the_janitor_sweeps(office, process)

    assert asked == (1 if how == "unknown" else 20), "none after a refusal; twenty that fail are enough for an hour"
    assert office.states() == [MtState.UNKNOWN] * 30


@story
async def test_what_the_centre_does_not_know_is_asked_for_once_and_may_still_get_its_receipt() -> None:
    office = Office(a_catalogue_that_asks(), quirks=Quirks(receipt_delay_s=3600, questions="failed"))
    process = await a_lost_receipt(office)
    await validity_ends(office)
    unmoved = office.states()
    office.jumps(DAY_MS)
    await the_janitor_sweeps(office, process)
    given_up = office.states()

    await office.passes(3600)

    assert unmoved == [MtState.SUBMITTED], "it may have arrived all the same"
    assert given_up == [MtState.UNKNOWN]
    assert office.states() == [MtState.DELIVERED]
    assert office.centre.counted.questions == 1
    assert history(office)[0].startswith("asked the centre: ")
    assert history(office)[-1] == "a late receipt"


@story
async def test_a_receipt_that_comes_after_the_answer_changes_nothing() -> None:
    office = Office(a_catalogue_that_asks(), quirks=LOST)
    came: list[Any] = []
    process = await a_lost_receipt(office)
    await validity_ends(office)
    before = office.rows(schema.Mt)
    office.centre.quirks = Quirks()
    (one,) = office.centre._fates.of("1")

    office.centre._receipt(one)
    office.centre.on_answered = lambda job, status: came.append(status)
    office.centre.stirred()
    await office.passes(1)

    assert came == [0], "taken"
    assert office.rows(schema.Mt) == before
    assert office.rows(schema.Receipt) == []
    assert process.way.asker.counted.told == 1


@story
async def test_after_a_crash_what_was_being_asked_is_asked_at_its_next_time_and_no_earlier() -> None:
    office = Office(a_catalogue_that_asks(), quirks=LOST)
    await a_lost_receipt(office)
    office.centre.asked = lambda esme, question: None  # type: ignore[method-assign]
    await validity_ends(office)
    assert [row.asked for row in office.rows(schema.Question)] == [1]
    del office.centre.asked

    await office.restarts()
    await office.passes(60)
    at_once = office.centre.counted.questions
    office.jumps(15 * MINUTE_MS)
    await office.passes(60)

    assert at_once == 0
    assert office.centre.counted.questions == 1
    assert office.states() == [MtState.DELIVERED]


@story
async def test_messages_go_first_where_a_window_has_room_for_one() -> None:
    link = replace(a_link(system_id="tollbridge", password="secret"), window=1)
    office = Office(a_catalogue_that_asks(link), quirks=LOST)
    await a_lost_receipt(office)
    office.jumps(DAY_MS + GRACE_MS + MINUTE_MS)

    for number in range(200):
        office.writes(f"GAME {number}", source=f"79001{number:06d}")
    await office.passes(2 * LOOK_S)

    assert len(office.texts()) == 201
    assert office.centre.counted.questions == 1
    assert office.states()[0] is MtState.DELIVERED


@story
async def test_questions_keep_to_the_pace_that_their_link_is_told() -> None:
    office = Office(a_catalogue_that_asks(asks_per_minute=6), quirks=LOST)
    await office.opens()
    for number in range(12):
        office.writes(f"GAME {number}", source=f"790011122{number:02d}")
    await office.until(lambda: office.states() == [MtState.SUBMITTED] * 12, "the submissions")

    await validity_ends(office)
    early = office.centre.counted.questions
    await office.passes(120)

    assert early <= 4
    assert office.centre.counted.questions == 12
    assert office.states() == [MtState.DELIVERED] * 12


def links_of_one_operator() -> Sequence[Link]:
    first = a_link(system_id="tollbridge", password="secret")
    return first, replace(first, id=2, name="alpha-2", options={"priority": 2})


@story
async def test_another_link_of_the_operator_asks_where_its_own_is_down() -> None:
    office = Office(a_catalogue_that_asks(*links_of_one_operator()), quirks=LOST)
    process = await a_lost_receipt(office)
    first = process.links.named("alpha-1")
    assert first is not None
    await first.stop()

    await validity_ends(office)

    assert office.states() == [MtState.DELIVERED]


async def paid(process: Process, desk: PaidDesk, kind: MtKind) -> None:
    """An MT that somebody pays, as the API takes it."""
    mt = desk.an_mt(kind)
    mt.id = process.way._ids.next(desk.clock.now())
    await process.way.batcher.commit(NewMtFact(mt))
    process.way.sender.offer(mt)


def a_paid_office(quirks: Quirks) -> Office:
    catalogue = the_catalogue()
    link = replace(next(iter(catalogue.links.values())), system_id="tollbridge", options={"asks": True})
    return Office(replace(catalogue, links={link.name: link}), quirks=quirks)


@pytest.mark.parametrize(("fate", "premium"), [(DELIVERED, ChargeState.POSTED), (UNDELIVERABLE, ChargeState.VOIDED)])
@story
async def test_the_money_of_a_message_is_settled_once_by_what_the_centre_says(fate: int, premium: ChargeState) -> None:
    office = a_paid_office(LOST)
    office.centre._subscribers = Fated(fate, fate)
    process = await office.opens()
    pay_in(a_clerk(office.database, office.catalogue), "p1", "acme", 100 * PRICE)
    desk: Any = PaidDesk.__new__(PaidDesk)
    desk.clock, desk._ids = office.clock, process.way._ids
    for kind in (MtKind.PREMIUM, MtKind.STANDARD):
        await paid(process, desk, kind)
    await office.until(lambda: office.states() == [MtState.SUBMITTED] * 2, "the submissions")

    await validity_ends(office)

    assert office.states() == [MtState.DELIVERED if fate == DELIVERED else MtState.FAILED] * 2
    postings = office.postings()
    given = sum(amount for debit, credit, amount in postings if debit == "partner:acme:reserved")
    assert given == PRICE, "charged, or given back: once"
    assert office.audit() == []
    ends = [row.charge_state for row in office.rows(schema.Charge) if row.kind == ChargeKind.PREMIUM_MT]
    assert ends[-1] == premium
    assert ends.count(premium) == 1


@story
async def test_a_premium_message_that_stays_unknown_is_asked_for_once_a_day_until_it_is_given_up() -> None:
    office = a_paid_office(Quirks(receipt_delay_s=100 * DAY_MS / 1000))
    process = await office.opens()
    desk: Any = PaidDesk.__new__(PaidDesk)
    desk.clock, desk._ids = office.clock, process.way._ids
    await paid(process, desk, MtKind.PREMIUM)
    await office.until(lambda: office.states() == [MtState.SUBMITTED], "the submission")

    for _ in range(15 * 4):
        office.jumps(6 * HOUR_MS)
        await office.passes(2 * LOOK_S)
        await the_janitor_sweeps(office, process)

    assert 6 < office.centre.counted.questions <= ASKED_MAX
    assert office.states() == [MtState.UNKNOWN]
    assert office.audit() == []


@story
async def test_what_was_asked_is_in_the_history_that_people_read() -> None:
    office = Office(a_catalogue_that_asks(), quirks=LOST)
    office.centre._subscribers = Fated(UNDELIVERABLE)
    await a_lost_receipt(office)

    await validity_ends(office)

    (mt,) = office.rows(schema.Mt)
    with office.database.read() as connection:
        life = read_life(connection, mt.id)
    assert life is not None
    assert life.mt is not None
    assert life.mt.receipted, "the centre said so itself"
    assert [(move.old, move.new, move.reason) for move in life.mt.moves] == [
        ("submitted", "failed", "asked the centre: UNDELIV")
    ]
