"""Daily sums are the sums of the charges: after any batches, acts, failures; with several processes at once."""

import itertools
import random
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.catalogue import Catalogue, Prefix, ReferralTerms, ShortCode
from core.clock import DAY_MS, HOUR_MS, day_of
from core.errors import StoreAway
from core.report import AMOUNTS, Place, SumKey, Sums
from core.tariff.charge import Charge, ChargeKind, ChargeState
from store import processes, schema
from store.books import Act
from store.daily import ACTS, places_of, slot_of, write_sums
from store.database import Database, connect
from store.journal import MoFact
from store.schema import DailySum, Entry, Mo, Mt
from tests.core.test_report import a_charge
from tests.makers import NOON, a_catalogue, a_partner, a_plan, a_service, a_tariff, an_operator
from tests.partner_api.rows import add
from tests.simulation.faults import Fault
from tests.store.clerk import clerk_of
from tests.store.journal.desk import MoDesk
from tests.store.test_corrections import act

BETA = an_operator("beta", id=2, currency="KZT")
NOTHING = (0, 0, 0, 0, 0, 0)
TODAY, TOMORROW = 20261124, 20261125


def a_world() -> Catalogue:
    """Two operators in two currencies, a volume plan, a referrer with a cap; 7375 has a tariff with alpha only, and
    9999 costs nothing."""
    free = replace(a_tariff(id=4, short_code="9999"), charges="mt")
    world = a_catalogue(
        operators=(an_operator(), BETA),
        tariffs=(
            a_tariff(), a_tariff(id=2, operator="beta", currency="KZT"), a_tariff(id=3, short_code="7375"), free
        ),
        plans=(
            a_plan("retro", mode="volume", tiers=(("0", "0.60"), ("12", "0.70"))),
            a_plan("standard", id=2),
            a_plan("tenge", id=3, currency="KZT"),
        ),
        partners=(
            a_partner(plan="retro", referral=(ReferralTerms(1, "bolt", 100_000, 0, NOON + 10**12, 2_000_000),)),
            a_partner("bolt", id=2),
            a_partner("cy", id=3, plan="tenge", currency="KZT"),
        ),
        services=(a_service(), a_service("quiz", id=2, partner="bolt"), a_service("chat", id=3, partner="cy")),
        prefixes=[
            Prefix(number, code, word, service)
            for number, (code, word, service) in enumerate(
                (
                    ("4446", "GAME", 1),
                    ("4446", "QUIZ", 2),
                    ("4446", "CHAT", 3),
                    ("7375", "QUIZ", 2),
                    ("9999", "CHAT", 3),
                ),
                1,
            )
        ],
    )  # fmt: skip
    return replace(world, short_codes={**world.short_codes, "1": ShortCode(9, "1", "")})


@pytest.fixture
def office(database: Database) -> MoDesk:
    return MoDesk(database, a_world())


def sums_in(database: Database) -> Sums:
    """What is stored, its slots added up."""
    sums: Sums = {}
    with database.read() as connection:
        for row in connection.execute(sa.select(DailySum.__table__)):
            key = tuple(getattr(row, name) for name in SumKey._fields)
            old = sums.get(key, [0] * len(AMOUNTS))
            sums[key] = [a + b for a, b in zip(old, (getattr(row, name) for name in AMOUNTS), strict=True)]
    return {key: amounts for key, amounts in sums.items() if any(amounts)}


def sums_of_charges(database: Database) -> Sums:
    """What they should be: from the charges, and the moments that are written beside them and not in their ids."""
    sums: Sums = {}

    def add_row(row: sa.Row[tuple[object, ...]], kind: int, mo: sa.Row[tuple[object, ...]], at: int | None) -> None:
        is_posted = row.charge_state == ChargeState.POSTED
        day = day_of(at if at is not None else mo.accepted_at)
        month = row.month if kind else day // 100
        place = (row.operator_id, mo.short_code, mo.service_id, row.partner_id)
        key = (day, row.currency, *place, kind, month, row.referral_id, row.held)
        amounts = [1, mo.parts, *(getattr(row, name) if is_posted else 0 for name in AMOUNTS[2:])]
        sums[key] = [a + b for a, b in zip(sums.get(key, [0] * len(AMOUNTS)), amounts, strict=True)]

    with database.read() as connection:
        moments = {id_: at for id_, at in connection.execute(sa.select(Entry.id, Entry.at))}
        messages = {row.id: row for row in connection.execute(sa.select(Mo.__table__))}
        for row in messages.values():
            add_row(row, 1 if row.charge_state else 0, row, moments.get(row.entry_id))
        for row in connection.execute(sa.select(schema.Charge.__table__)):
            add_row(row, row.kind, messages[row.message_id], moments.get(row.entry_id))
    return sums


def daily_findings(office: MoDesk) -> list[str]:
    return [finding.sentence for finding in office.audit()]


ARRIVALS = st.tuples(
    st.sampled_from(["GAME 1", "QUIZ 2", "CHAT 3", "NOTHING 4"]),
    st.sampled_from(["4446", "7375", "9999", "1"]),
    st.sampled_from(["alpha", "beta"]),
    st.integers(1, 3),
    st.booleans(),
)
"""(text, short code, operator, parts, a test message)."""
BATCHES = st.lists(st.tuples(st.lists(ARRIVALS, min_size=1, max_size=6), st.integers(0, 30)), max_size=5)
"""With how many hours pass before the batch is written."""
NUMBERS = itertools.count()
"""Examples share a database, so no act of one may have the key of another's."""
Arrival = tuple[str, str, str, int, bool]


def arrive(office: MoDesk, arrival: Arrival) -> MoFact:
    """An MO that comes in now."""
    text, short_code, operator, parts, is_test = arrival
    fact = office.mo(text, short_code=short_code, operator=office.catalogue.operators[operator], parts=parts)
    fact.mo.test = is_test
    return fact


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=BATCHES, acts=st.lists(st.tuples(st.sampled_from(["charge_back", "assign"]), st.integers(0, 99))))
def test_after_any_batches_and_acts_the_sums_are_those_of_the_charges(
    office: MoDesk, batches: list[tuple[list[Arrival], int]], acts: list[tuple[str, int]]
) -> None:
    """Each example goes on where the one before has ended."""
    for arrivals, hours in batches:
        facts = [arrive(office, arrival) for arrival in arrivals]
        office.clock.advance(hours * HOUR_MS)
        office.write(*facts)
    ids = [row.id for row in office.rows(Mo)]
    for what, place in acts:
        if ids:
            partner = "bolt" if what == "assign" else ""
            act(clerk_of(office), what, [ids[place % len(ids)]], partner, key=f"act {next(NUMBERS)}")

    assert sums_in(office.database) == sums_of_charges(office.database)
    assert daily_findings(office) == []


def test_a_batch_adds_one_row_for_each_place_whatever_its_messages_are(office: MoDesk) -> None:
    office.take(*(office.mo("GAME 1") for _ in range(2)), office.mo("QUIZ 1"), office.mo("QUIZ 2", parts=3))
    office.take(office.mo("QUIZ 3"))

    rows = office.rows(DailySum)

    assert [(row.service_id, row.partner_id, row.kind, row.count, row.parts) for row in rows] == [
        (1, 1, 1, 2, 2), (2, 2, 1, 3, 5)
    ]  # fmt: skip
    assert {row.slot for row in rows} == {slot_of(office.me.id)}
    assert [row.price for row in rows] == [24_000_000, 60_000_000]


def test_a_message_that_is_booked_after_midnight_counts_on_that_day_in_its_own_month(office: MoDesk) -> None:
    fact = office.mo("QUIZ 1")
    office.clock.advance(7 * DAY_MS)
    office.write(fact)

    (row,) = office.rows(DailySum)

    assert (row.day, row.month) == (20261201, 202611)


def test_what_is_not_booked_counts_on_the_day_on_which_it_came_in(office: MoDesk) -> None:
    no_tariff = office.mo("QUIZ 1", short_code="7375", operator=BETA)
    a_test, free = office.mo("QUIZ 2"), office.mo("CHAT 3", short_code="9999")
    a_test.mo.test = True
    office.clock.advance(DAY_MS)
    office.write(no_tariff, a_test, free)

    rows = office.rows(DailySum)

    assert [(row.day, row.currency, row.short_code, row.kind, row.count, row.price) for row in rows] == [
        (TODAY, "", "4446", 0, 1, 0), (TODAY, "", "9999", 0, 1, 0), (TODAY, "KZT", "7375", 1, 1, 0)
    ]  # fmt: skip


@pytest.mark.parametrize("fault", [Fault.AWAY, Fault.DOUBT_LOST])
def test_a_batch_that_failed_leaves_no_sums_and_counts_once_when_it_is_written_again(
    office: MoDesk, fault: Fault
) -> None:
    facts = [office.mo("QUIZ 1"), office.mo("GAME 2")]
    office.fails.append(fault)
    with pytest.raises(StoreAway):
        office.write(*facts)
    assert office.rows(DailySum) == []

    office.write(*facts)

    assert sum(row.count for row in office.rows(DailySum)) == 2
    assert daily_findings(office) == []


def test_a_repeat_counts_for_nothing(office: MoDesk) -> None:
    first, again = office.mo("QUIZ 1"), office.mo("QUIZ 1")
    first.mo.key = again.mo.key = "the operator's own"
    office.take(first)
    office.write(again)

    assert again.repeat_of == first.id
    assert [row.count for row in office.rows(DailySum)] == [1]


# --- acts --------------------------------------------------------------------------------------------------


def test_an_act_counts_where_the_message_came_in_on_the_day_of_the_act(office: MoDesk) -> None:
    fact = office.mo("QUIZ 1", parts=2)
    office.take(fact)
    office.clock.advance(DAY_MS)

    act(clerk_of(office), "charge_back", [fact.id])

    _, row = office.rows(DailySum)
    assert (row.day, row.slot, row.kind) == (TOMORROW, ACTS, int(ChargeKind.CHARGE_BACK))
    assert (row.operator_id, row.short_code, row.service_id, row.partner_id) == (1, "4446", 2, 2)
    assert (row.count, row.parts, row.price, row.partner_part) == (1, 2, -24_000_000, -6_000_000)


def an_mt(office: MoDesk, id_: int, kind: int, source: str) -> int:
    """An outgoing SMS of two parts."""
    with office.database.write() as connection:
        add(connection, Mt, id=id_, operator_id=1, source=source, parts=2, kind=kind, reply_to=None)
    return id_


def test_of_outgoing_sms_only_premium_ones_have_a_short_code(office: MoDesk) -> None:
    """A partner may send from any word: there would be as many rows as words."""
    paid, premium = an_mt(office, 70, 1, "ANY WORD"), an_mt(office, 71, 2, "4446")

    with office.database.read() as connection:
        places = places_of(connection, [paid, premium, 72])

    assert places == {paid: Place(1, "", 0, 2), premium: Place(1, "4446", 0, 2)}


def booked(office: MoDesk, charges: list[Charge], places: dict[int, Place]) -> list[tuple[str, int, int]]:
    """(short code, parts, count) of what one act has added."""
    clerk = clerk_of(office)
    done = Act("mt", "mt", "mt", clerk.now())
    clerk.run(lambda connection: clerk.books.book(connection, done, charges=charges, places=places))
    return [(row.short_code, row.parts, row.count) for row in office.rows(DailySum)]


@pytest.mark.parametrize(("places", "short_code", "parts"), [({}, "", 2), ({70: Place(1, "4446", 1, 3)}, "4446", 3)])
def test_who_books_may_say_where_messages_came_in_and_what_is_not_said_is_looked_up(
    office: MoDesk, places: dict[int, Place], short_code: str, parts: int
) -> None:
    message_id = an_mt(office, 70, 1, "ANY WORD")
    charge = replace(a_charge(kind=ChargeKind.MT, parts=NOTHING), message_id=message_id)

    assert booked(office, [charge], places) == [(short_code, parts, 1)]


def test_a_pending_charge_counts_without_its_price_and_a_voided_one_not_at_all(office: MoDesk) -> None:
    message_id = an_mt(office, 70, 2, "4446")
    charge = replace(a_charge(kind=ChargeKind.PREMIUM_MT), message_id=message_id)
    states = (ChargeState.PENDING, ChargeState.VOIDED)

    booked(office, [replace(charge, state=state) for state in states], {})

    (row,) = office.rows(DailySum)
    assert (row.count, row.parts, row.price, row.ours) == (1, 2, 0, 0)


# --- several at once ---------------------------------------------------------------------------------------


def at_once(*work: Callable[[], None]) -> None:
    """All of them, each in a thread; what one raises is raised here."""
    start, failed = threading.Barrier(len(work)), list[BaseException]()

    def run(one: Callable[[], None]) -> None:
        start.wait()
        try:
            one()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def test_two_processes_of_one_slot_book_the_same_places_at_once(database: Database, database_url: str) -> None:
    first = MoDesk(database, a_world())
    while slot_of(processes.register(database, roles="x", now=NOON).id + 1) != slot_of(first.me.id):
        pass
    other_database = connect(database_url)
    second = MoDesk(other_database, a_world())
    assert slot_of(second.me.id) == slot_of(first.me.id)

    def batches(office: MoDesk, seed: int) -> Callable[[], None]:
        chance = random.Random(seed)

        def work() -> None:
            for _ in range(30):
                texts = chance.choices(["GAME 1", "QUIZ 2", "CHAT 3", "NOTHING 4"], k=6)
                codes = chance.choices(["4446", "7375", "9999"], k=6)
                office.write(*(office.mo(text, short_code=code) for text, code in zip(texts, codes, strict=True)))

        return work

    at_once(batches(first, 1), batches(second, 2))

    stored = sums_in(database)
    assert sum(amounts[0] for key, amounts in stored.items() if key[6] in {0, 1}) == 2 * 30 * 6
    assert stored == sums_of_charges(database)
    assert first.audit() == []
    other_database.close()


def test_writers_of_the_same_rows_never_wait_for_each_other_crosswise(mariadb_url: str) -> None:
    """Four of them, each with its rows in an order of its own: the server has seen no deadlock."""
    database = connect(mariadb_url)
    keys = [(TODAY, "RUB", 1, "4446", service, 1, kind, 202611, 0, 0) for service in range(20) for kind in range(1, 4)]

    def deadlocks() -> int:
        with database.read() as connection:
            return int(connection.exec_driver_sql("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'").one()[1])

    def writer(seed: int) -> Callable[[], None]:
        chance = random.Random(seed)

        def work() -> None:
            for _ in range(40):
                sums: Sums = {key: [1] * len(AMOUNTS) for key in chance.sample(keys, 20)}
                with database.write() as connection:
                    write_sums(connection, sums, 3)

        return work

    before = deadlocks()
    at_once(*(writer(seed) for seed in range(4)))

    assert deadlocks() == before
    assert sum(amounts[0] for amounts in sums_in(database).values()) == 4 * 40 * 20
    database.close()


def test_a_process_never_has_the_slot_of_acts() -> None:
    assert {slot_of(process_id) for process_id in range(1, 100)} == set(range(1, 9))
