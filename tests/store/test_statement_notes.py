"""What statements say and whose terms they have, from the books of both databases to the paper."""

from dataclasses import replace

from core.catalogue import Catalogue
from core.clock import DAY_MS, month_end, month_of
from core.message import MtKind
from core.statement import LineKind, lines_of
from store.database import Database
from store.month_sums import NO_END, MonthSums, read_month
from tests.makers_money import micros, moment
from tests.store.journal.paid import RUB, Office, the_catalogue
from tests.store.month_desk import MonthDesk, a_world
from tests.store.mt_desk import HandClock
from tollbridge.papers.words import line_cells, line_title

OCTOBER = 202610


def a_desk(database: Database, world: Catalogue) -> MonthDesk:
    return MonthDesk(database, world, clock=HandClock(moment("2026-10-02T12:00:00Z")))


def test_a_month_east_of_utc_is_due_by_its_own_terms_though_the_next_ones_begin_before_it_is_over_in_utc(
    database: Database,
) -> None:
    world = a_world(zone="Europe/Moscow", minimum="1")
    plan = world.plans["tiered"]
    begins = month_end(OCTOBER, "Europe/Moscow")
    later = replace(plan.versions[0], id=77, valid_from=begins, minimum_payout=micros("5000"), hold_days=25)
    plans = {**world.plans, "tiered": replace(plan, versions=(plan.versions[0], later))}
    desk = a_desk(database, replace(world, plans=plans))
    desk.at("2026-10-20").earn(*(f"GAME {number}" for number in range(10)))

    october = desk.at("2026-11-02").close(OCTOBER)["acme", "RUB"]
    november = desk.at("2026-12-02").close(202611).get(("acme", "RUB"))

    assert (october.due, october.young, october.minimum_payout) == (micros("33.80"), 0, micros("1"))
    assert november is None or november.due == 0
    assert desk.audit() == []


def test_a_referrer_reads_nothing_of_what_people_wrote_about_whom_it_referred(database: Database) -> None:
    desk = a_desk(database, a_world())
    first, *_ = desk.at("2026-10-05").earn("GAME 1", "GAME 2")
    desk.correct("charge_back", first, words="police letter 12: acme's owner")

    closed = desk.at("2026-11-02").close(OCTOBER)

    notes = [line.note for line in closed["friend", "RUB"].lines if line.kind is LineKind.REFERRAL]
    assert notes == ["acme", "acme: charged_back"]
    (own,) = [line for line in closed["acme", "RUB"].lines if line.kind is LineKind.CHARGE_BACK]
    assert own.note == "charged_back: police letter 12: acme's owner"
    assert "police letter 12: acme's owner" in line_title(own)
    assert line_cells(own)[-1] == own.note
    assert desk.audit() == []


def test_a_premium_sms_whose_receipt_came_late_says_so_and_names_no_plan_that_there_is_not(database: Database) -> None:
    office = Office(database, the_catalogue())
    office.pay_in(10 * RUB)
    mt, month = office.sent(MtKind.PREMIUM), month_of(office.clock.now())
    office.unknown(mt)
    office.advance(8 * DAY_MS)
    office.write(office.look())
    office.ends(mt)

    with database.read() as connection:
        sums = MonthSums(month)
        read_month(connection, sums, office.catalogue, since=0, until=NO_END)
    lines = lines_of(sums.charges, sums.details, month)["acme", "RUB"]

    (line,) = [line for line in lines if line.kind is LineKind.PREMIUM_MT]
    assert line_title(line) == "Premium SMS delivered: its receipt came late"
