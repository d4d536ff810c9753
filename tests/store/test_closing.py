"""A month's end on both databases: what is frozen, whose statement says what, what comes late, what is refused."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from core.clock import iso_of
from core.ledger.details import DetailKind
from core.ledger.entry import ChargeKind, ChargeState
from core.settlement.verdicts import RunState
from core.statement import Line, LineKind
from store import month_sums, schema
from store.closing import ClosingRefused, preview
from store.database import Database
from store.folding import fold_some
from store.schema import ClosedMonth, FrozenTotal, Mo, Statement, StatementLine
from store.waiting import Waiting
from tests.makers import a_catalogue, a_partner, a_plan
from tests.makers_money import micros, moment
from tests.partner_api.rows import add
from tests.store.month_desk import MonthDesk, a_world, by_owner, told
from tests.store.mt_desk import HandClock

OCTOBER, NOVEMBER, DECEMBER = 202610, 202611, 202612
START = moment("2026-10-02T12:00:00Z")


@pytest.fixture
def desk(database: Database) -> MonthDesk:
    return MonthDesk(database, a_world(), clock=HandClock(START))


def an_october(desk: MonthDesk) -> dict[str, int]:
    """A month with everything in it; the ids of some messages."""
    first, _ = desk.at("2026-10-05").earn("GAME 1", "GAME 2")
    desk.at("2026-10-10").earn("GAME 3")
    desk.at("2026-10-11").earn("GAME 9", short_code="7715", parts=1)
    (held,) = desk.at("2026-10-12").earn("GAME 4", held=True)
    desk.earn("GAME 7", euros=True)
    (lost,) = desk.at("2026-10-13").earn("NOTHING")
    desk.at("2026-10-20").move(DetailKind.PAYMENT, "50.00", subject="payment:1")
    desk.send("1.20")
    desk.at("2026-10-25").move(DetailKind.PAYOUT, "10.00", subject="payout:1")
    desk.at("2026-10-26").move(DetailKind.PAYOUT_PAID, "10.00", subject="payout:1", words="in the bank's file 7")
    return {"first": first, "held": held, "lost": lost}


def a_november(desk: MonthDesk, of: dict[str, int]) -> None:
    """Corrections of the closed month, one that came late, payouts that come back."""
    desk.at("2026-11-03").correct("charge_back", of["first"], words="fraud, letter 12")
    desk.at("2026-11-04").correct("release", of["held"], words="known")
    desk.at("2026-11-05").correct("assign", of["lost"], partner="acme", words="they asked")
    desk.at("2026-11-06").earn("GAME 6", at=moment("2026-10-31T23:59:59Z"))
    desk.at("2026-11-10").move(DetailKind.PAYOUT, "6.00", subject="payout:2")
    desk.at("2026-11-11").move(DetailKind.PAYOUT_RETURNED, "6.00", subject="payout:2", words="wrong account")
    desk.move(DetailKind.PAYOUT, "0.27", currency="EUR", subject="payout:3")
    desk.earn("GAME 7", euros=True)


# --- the story -------------------------------------------------------------------------------------------------


def test_a_month_is_told_line_by_line(desk: MonthDesk) -> None:
    an_october(desk)

    statements = desk.at("2026-11-02").close(OCTOBER)

    acme, friend = statements["acme", "RUB"], statements["friend", "RUB"]
    assert told(acme) == [
        ("opening", "", 0),
        ("mo", "4446 alpha tiered", micros("7.20")),
        ("mo", "4446 alpha tiered", micros("2.10")),
        ("mo", "7715 alpha tiered", micros("7.00")),
        ("payout", "2026-10-25 payout:1", -micros("10.00")),
        ("closing", "", micros("6.30")),
    ]
    tiers = [line for line in acme.lines if line.kind is LineKind.MO and line.account == "earnings"]
    assert [(line.share, line.base, line.count, line.gross) for line in tiers] == [
        (600_000, micros("12"), 2, micros("24")),
        (700_000, micros("3"), 1, micros("12")),
        (700_000, micros("10"), 1, micros("24")),
    ]
    assert told(acme, "held")[1:] == [("mo", "4446 alpha tiered", micros("3.50")), ("closing", "", micros("3.50"))]
    assert told(acme, "prepaid")[1:-1] == [
        ("reserved", "", -micros("1.20")), ("payment", "2026-10-20 payment:1", micros("50.00")),
    ]  # fmt: skip
    assert told(acme, "reserved")[1:-1] == [("reserved", "", micros("1.20")), ("outgoing", "alpha", -micros("1.20"))]
    assert [amount for _, _, amount in told(acme, "payout")] == [0, micros("10"), -micros("10"), 0]
    assert told(friend)[1:-1] == [("referral", "acme", micros("1.02"))]
    assert (acme.opening, acme.movement, acme.closing, acme.due) == (0, micros("6.30"), micros("6.30"), micros("6.30"))
    assert statements["acme", "EUR"].due == micros("0.27")
    assert desk.audit() == []


def test_what_concerns_a_closed_month_is_booked_into_the_open_one(desk: MonthDesk) -> None:
    of = an_october(desk)
    desk.at("2026-11-01").earn("GAME 5")
    before = desk.at("2026-11-02").close(OCTOBER)["acme", "RUB"]

    a_november(desk, of)
    after = desk.at("2026-12-02").close(NOVEMBER)["acme", "RUB"]

    assert told(after) == [
        ("opening", "", before.closing),
        ("mo", "4446 alpha tiered", micros("6.00")),
        ("assigned", "4446 alpha assigned: they asked", micros("3.00")),
        ("charge_back", "4446 alpha charged_back: fraud, letter 12", -micros("3.00")),
        ("hold_released", "known", micros("3.50")),
        ("payout", "2026-11-10 payout:2", -micros("6.00")),
        ("payout_returned", "2026-11-11 payout:2: wrong account", micros("6.00")),
        ("closing", "", micros("15.80")),
    ]
    assert told(after, "held") == [
        ("opening", "", micros("3.50")), ("hold_released", "known", -micros("3.50")), ("closing", "", 0)
    ]  # fmt: skip
    assert {row.month for row in desk.rows(Mo) if row.text == "GAME 6"} == {NOVEMBER}
    assert desk.audit() == []


def test_parts_of_a_cent_are_carried_until_they_are_one(desk: MonthDesk) -> None:
    """0.276388 EUR each month: 0.27, 0.28, 0.27 are due."""
    of = an_october(desk)
    dues = [desk.at("2026-11-02").close(OCTOBER)["acme", "EUR"].due]
    a_november(desk, of)
    dues.append(desk.at("2026-12-02").close(NOVEMBER)["acme", "EUR"].due)
    desk.move(DetailKind.PAYOUT, "0.28", currency="EUR")
    desk.earn("GAME 7", euros=True)

    last = desk.at("2027-01-02").close(DECEMBER)["acme", "EUR"]

    assert [*dues, last.due] == [micros("0.27"), micros("0.28"), micros("0.27")]
    assert last.closing == 3 * micros("0.276388") - micros("0.55")
    assert desk.audit() == []


def test_what_is_shown_is_what_is_stored(desk: MonthDesk) -> None:
    an_october(desk)

    issued = desk.at("2026-11-02").close(OCTOBER)

    rows = desk.rows(Statement)
    assert {(row.number, row.partner_id, row.currency, row.closing, row.due) for row in rows} == {
        (one.number, 1 if one.partner == "acme" else 2, one.currency, one.closing, one.due) for one in issued.values()
    }
    for row in rows:
        (one,) = [one for one in issued.values() if one.number == row.number]
        stored = desk.rows(StatementLine, StatementLine.statement_id == row.id)
        assert [
            Line(
                line.account, LineKind(line.kind), line.short_code, {0: "", 1: "alpha", 2: "beta"}[line.operator_id],
                line.share, line.count, line.parts, line.gross, line.base, line.amount, line.note,
            )
            for line in stored
        ] == list(one.lines)  # fmt: skip


def test_a_month_without_bookings_has_no_statements_and_what_is_due_keeps_its_own(desk: MonthDesk) -> None:
    desk.at("2026-10-05").earn("GAME 1")
    desk.at("2026-11-02").close(OCTOBER)

    statements = desk.at("2026-12-02").close(NOVEMBER)

    assert told(statements["acme", "RUB"]) == [("opening", "", micros("3")), ("closing", "", micros("3"))]
    assert statements["acme", "RUB"].due == micros("3")
    assert desk.audit() == []


@pytest.mark.parametrize("folds", [0, 1, 2])
def test_it_makes_no_difference_how_much_was_folded(desk: MonthDesk, folds: int) -> None:
    an_october(desk)
    desk.at("2026-11-02")
    if folds == 1:
        fold_some(desk.database, desk.clock.now(), 5)
    while folds == 2 and fold_some(desk.database, desk.clock.now(), 5):
        pass

    assert desk.close(OCTOBER)["acme", "RUB"].closing == micros("6.30")
    assert desk.audit() == []


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_it_makes_no_difference_how_many_rows_are_added_up_at_once(
    desk: MonthDesk, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_october(desk)
    desk.at("2026-11-02")
    whole = by_owner(preview(desk.database, desk.catalogue, OCTOBER, desk.clock.now()))
    monkeypatch.setattr(month_sums, "AT_ONCE", at_once)

    assert by_owner(preview(desk.database, desk.catalogue, OCTOBER, desk.clock.now())) == whole


def test_a_volume_plan_tells_its_jump_in_a_line(database: Database) -> None:
    desk = MonthDesk(database, a_world(mode="volume"), clock=HandClock(START))
    desk.at("2026-10-05").earn("GAME 1", "GAME 2", "GAME 3")

    acme = desk.at("2026-11-02").close(OCTOBER)["acme", "RUB"]

    assert told(acme)[1:-1] == [
        ("mo", "4446 alpha tiered", micros("6.00")),
        ("mo", "4446 alpha tiered", micros("3.50")),
        ("tier_correction", "4446 alpha tiered", micros("1.00")),
    ]
    assert [line.share for line in acme.lines if line.kind is LineKind.MO] == [600_000, 700_000]


# --- what is due ------------------------------------------------------------------------------------------------


def test_what_is_younger_than_the_hold_back_is_not_due(database: Database) -> None:
    desk = MonthDesk(database, a_world(hold_days=14), clock=HandClock(START))
    desk.at("2026-10-05").earn("GAME 1", "GAME 2")
    (third,) = desk.at("2026-10-17T23:59:59Z").earn("GAME 3")
    desk.at("2026-10-18T00:00:00Z").earn("GAME 4", "GAME 5", held=False)
    (sixth,) = desk.earn("GAME 6")
    desk.at("2026-10-20").correct("charge_back", sixth)

    october = desk.at("2026-11-05").close(OCTOBER)["acme", "RUB"]
    november = desk.at("2026-12-05").close(NOVEMBER)["acme", "RUB"]

    assert third
    # Three old ones earned 9.30, two young ones 7.00; the sixth was taken back and is not young any more.
    assert (october.closing, october.young, october.due) == (micros("16.30"), micros("7.00"), micros("9.30"))
    assert (november.young, november.due) == (0, micros("16.30"))
    assert desk.audit() == []


def test_young_messages_of_an_earlier_month_are_young_too(database: Database) -> None:
    desk = MonthDesk(database, a_world(hold_days=45), clock=HandClock(START))
    desk.at("2026-10-05").earn("GAME 1")
    desk.at("2026-10-25").earn("GAME 2")
    desk.at("2026-11-05").close(OCTOBER)
    desk.earn("GAME 3")

    acme = desk.at("2026-12-05").close(NOVEMBER)["acme", "RUB"]

    assert (acme.closing, acme.young, acme.due) == (micros("9"), micros("6"), micros("3"))


def test_nothing_is_due_below_the_minimum_and_all_of_it_later(database: Database) -> None:
    desk = MonthDesk(database, a_world(minimum="5.00"), clock=HandClock(START))
    desk.at("2026-10-05").earn("GAME 1")
    first = desk.at("2026-11-05").close(OCTOBER)["acme", "RUB"]
    desk.earn("GAME 2")

    second = desk.at("2026-12-05").close(NOVEMBER)["acme", "RUB"]

    assert (first.closing, first.due) == (micros("3"), 0)
    assert (second.closing, second.due) == (micros("6"), micros("6"))


# --- what is refused ---------------------------------------------------------------------------------------------


def refusal(work: Callable[[], Any]) -> str:
    with pytest.raises(ClosingRefused) as caught:
        work()
    return str(caught.value)


def test_a_month_is_closed_once_it_is_over_in_every_zone_that_a_plan_uses(database: Database) -> None:
    plans = (a_plan("standard", time_zone="Asia/Tokyo"), a_plan("west", id=2, time_zone="America/Los_Angeles"))
    desk = MonthDesk(database, a_catalogue(plans=plans, partners=(a_partner(),)), clock=HandClock(START))

    desk.at("2026-11-01T06:59:59Z")
    said = refusal(lambda: desk.close(OCTOBER))
    desk.at("2026-11-01T07:00:00Z").close(OCTOBER)

    end = iso_of(moment("2026-11-01T07:00:00Z"))
    assert said == f"2026-10 is not over in America/Los_Angeles; close it from {end} on"
    assert [row.month for row in desk.rows(ClosedMonth)] == [OCTOBER]


def test_months_close_in_order(desk: MonthDesk) -> None:
    desk.at("2026-10-05").earn("GAME 1")
    desk.at("2026-11-05").earn("GAME 2")
    desk.at("2026-12-05")

    said = refusal(lambda: desk.close(NOVEMBER))

    assert said == "2026-10 is still open; close it first, months close in order"
    assert desk.rows(ClosedMonth) == []


def test_a_month_that_was_closed_stays_closed(desk: MonthDesk) -> None:
    desk.at("2026-12-05").close(NOVEMBER, author="olga")

    again = refusal(lambda: desk.close(NOVEMBER))
    before = refusal(lambda: desk.close(OCTOBER))

    assert again == "2026-11 was closed by olga at 2026-12-05T12:00:00.000Z; that is for ever"
    assert before == "2026-10 lies before 2026-11, which is closed; nothing was booked"
    with pytest.raises(sa.exc.DBAPIError, match="never changed"), desk.database.write() as connection:
        connection.execute(sa.delete(ClosedMonth))


def test_books_that_do_not_add_up_are_not_frozen(desk: MonthDesk) -> None:
    desk.at("2026-10-05").earn("GAME 1", "GAME 2")
    with desk.database.write() as connection:
        connection.exec_driver_sql("DROP TRIGGER mo_no_update")
        connection.execute(sa.update(Mo).where(Mo.text == "GAME 2").values(partner_part=micros("2.99")))
    desk.at("2026-11-05")

    said = refusal(lambda: desk.close(OCTOBER))

    assert said == (
        "the books of 2026-10 do not add up: partner:acme:earnings moved 6.00 RUB by its postings, "
        "5.99 by charges and details; run: tollbridge check"
    )
    assert refusal(lambda: preview(desk.database, desk.catalogue, OCTOBER, desk.clock.now())) == said
    assert [desk.rows(table) for table in (ClosedMonth, FrozenTotal, Statement, StatementLine)] == [[], [], [], []]


def test_an_entry_whose_number_is_odd_is_found_at_the_second_look(desk: MonthDesk) -> None:
    """A process whose clock was a week behind at the month's start booked into it all the same."""
    desk.at("2026-10-05").earn("GAME 1")
    desk.at("2026-11-05").close(OCTOBER)
    (late,) = desk.earn("GAME 2")
    with desk.database.write() as connection:
        for sql in ("DROP TRIGGER mo_no_update", "DROP TRIGGER entry_no_update", "DROP TRIGGER posting_no_update"):
            connection.exec_driver_sql(sql)
        for table, column in (
            (Mo, Mo.entry_id),
            (schema.Entry, schema.Entry.id),
            (schema.Posting, schema.Posting.entry_id),
        ):
            entry_id: int = connection.execute(sa.select(sa.func.max(column))).scalar_one() or 0
            connection.execute(sa.update(table).where(column == entry_id).values({column.key: entry_id // 2}))
    assert late

    assert desk.at("2026-12-05").close(NOVEMBER)["acme", "RUB"].movement == micros("3")


# --- numbers, previews, what waits ----------------------------------------------------------------------------------


def test_numbers_go_on_from_month_to_month_and_begin_anew_with_the_year(desk: MonthDesk) -> None:
    numbers = []
    desk.at("2026-11-02")
    for closes, month in (("2026-12-02", NOVEMBER), ("2027-01-02", DECEMBER), ("2027-02-02", 202701)):
        desk.earn("GAME 1", "QUIZ 1")
        numbers.append(sorted(one.number for one in desk.at(closes).close(month).values()))

    assert numbers == [["2026-000001", "2026-000002"], ["2026-000003", "2026-000004"], ["2027-000001", "2027-000002"]]
    assert desk.audit() == []


def test_a_preview_says_the_same_and_writes_nothing(desk: MonthDesk) -> None:
    an_october(desk)
    desk.at("2026-11-02")

    seen = by_owner(preview(desk.database, desk.catalogue, OCTOBER, desk.clock.now()))

    assert [desk.rows(table) for table in (ClosedMonth, FrozenTotal, Statement, StatementLine)] == [[], [], [], []]
    closed = desk.close(OCTOBER)
    assert {owner: (one.lines, one.due) for owner, one in seen.items()} == {
        owner: (one.lines, one.due) for owner, one in closed.items()
    }
    assert {one.number for one in seen.values()} == {""}


def test_what_still_waits_is_told(desk: MonthDesk) -> None:
    an_october(desk)
    desk.earn("GAME 1", short_code="9999")
    desk.move(DetailKind.PAYOUT, "1.00")
    with desk.database.write() as connection:
        for month, state in ((OCTOBER, RunState.MATCHED), (OCTOBER, RunState.POSTED), (NOVEMBER, RunState.STAGED)):
            values = {"month": month, "state": int(state), "sha256": f"{month}{state}", "summary": {}}
            add(connection, schema.SettlementRun, **values)
        add(connection, schema.Act, key="act", kind="adjust", state=0, body={})
        add(connection, schema.Charge, id=1, kind=int(ChargeKind.PREMIUM_MT), month=OCTOBER, currency="RUB", price=7,
            charge_state=int(ChargeState.PENDING))  # fmt: skip

    waiting = preview(desk.database, desk.catalogue, OCTOBER, desk.at("2026-11-02").clock.now()).waiting

    assert waiting == [
        Waiting("no_tariff", 1, 0, "RUB"),
        Waiting("pending", 1, 7, "RUB"),
        Waiting("suspense", 0, micros("5.00"), "RUB"),
        Waiting("held", 0, micros("3.50"), "RUB"),
        Waiting("payout", 0, micros("1.00"), "RUB"),
        Waiting("settlement", 1),
        Waiting("no_file", 0, micros("0.829166"), "EUR", "beta, 2026-10"),
        Waiting("no_file", 0, 7 * micros("5.00"), "RUB", "alpha, 2026-10"),
        Waiting("act", 1),
    ]
