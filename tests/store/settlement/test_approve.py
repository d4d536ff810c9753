"""Approving on both databases: what is named is posted, once, by the right person; the rest stays open and visible."""

import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.errors import UserMistake
from core.settlement import RunState, Verdict
from store.acts import Acts, Draft
from store.database import Database
from store.desk import Desk
from store.schema import Charge, Detail
from store.settlement import approve as approving
from store.settlement.approve import Approved, approve, dismiss
from store.settlement.look import rows_of, standing
from store.settlement.match import match
from tests.store.clerk import clerk_of
from tests.store.settlement.office import LATER, RUB, Office, moscow
from tests.store.test_corrections import act

NUMBER = "79001112233"
V = Verdict
ALL = (V.MISSING_THERE, V.MISSING_HERE, V.PRICE_DIFFERS, V.DUPLICATE_THERE, V.REFUSED_THERE)


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Office:
    return Office(database, tmp_path)


def a_row(after: int = 0, number: str = NUMBER, price: str = "12,00", paid: str = "5,00", state: str = "") -> list[str]:
    return ["1", *moscow(after), number, "4446", price, paid, state]


def a_run(office: Office) -> int:
    """One of every kind: missing there, price lower, price higher, refused, missing here, duplicate, matched."""
    for after in (0, 1000, 2000, 3000, 4000):
        office.mo(after=after)
    rows = [
        a_row(0), a_row(0), a_row(1000, paid="4,00"), a_row(2000, paid="5,50"), a_row(3000, paid="0", state="Отказ"),
        a_row(9000),
    ]  # fmt: skip
    run = office.matched(office.russian(*rows))
    office.later()
    return run


def test_only_the_classes_that_are_named_are_posted(office: Office) -> None:
    run = a_run(office)
    before = office.balances()["operator:alpha:receivable"]

    approved = office.approve(run, V.MISSING_HERE, V.PRICE_DIFFERS)

    assert (approved.posted, approved.left_open, approved.state) == (3, 0, RunState.APPROVED)
    assert office.details(run) == [
        ("written_off", RUB, "as agreed"), ("found", RUB // 2, "as agreed"), ("found", 5 * RUB, "as agreed")
    ]  # fmt: skip
    after = office.balances()
    assert after["operator:alpha:receivable"] == before - RUB + RUB // 2 + 5 * RUB
    assert (after["expense:loss"], after["suspense:alpha"]) == (RUB, RUB // 2 + 5 * RUB)
    with office.database.read() as connection:
        assert standing(connection, run).open_rows == 3
    assert office.journal.audit() == []


def test_what_is_missing_or_refused_there_is_charged_back(office: Office) -> None:
    run = a_run(office)

    office.approve(run, V.MISSING_THERE, V.REFUSED_THERE)

    charges = office.journal.rows(Charge, Charge.reason == "charged_back")
    assert [(one.kind, one.price // RUB) for one in charges if one.price] == [(6, -12), (6, -12)]
    assert office.balances()["operator:alpha:receivable"] == 15 * RUB
    assert office.journal.audit() == []
    (entry,) = office.entries(run)
    assert entry == f"settlement:{run}:1"
    posted = [row for row in office.rows(run) if row.entry_id]
    assert {row.verdict for row in posted} == {V.MISSING_THERE, V.REFUSED_THERE}


def test_a_charge_back_after_a_difference_takes_what_the_operator_paid(office: Office) -> None:
    less, more = office.mo(), office.mo(after=1000)
    run = office.matched(office.russian(a_row(0, paid="4,00"), a_row(1000, paid="5,50")))
    office.later()
    office.approve(run, V.PRICE_DIFFERS)
    before = office.balances()
    assert (before["operator:alpha:receivable"], before["expense:loss"]) == (9 * RUB + RUB // 2, RUB)

    act(office.clerk, "charge_back", [less, more])

    assert office.balances() == {}
    assert office.journal.audit() == []


def test_what_was_refunded_since_it_was_matched_is_not_taken_from_its_partner(office: Office) -> None:
    mo = office.mo()
    run = office.matched(office.russian(a_row(9000)))
    office.later()
    Acts(office.clerk, 100 * RUB).ask(Draft("refund", "olga", "our mistake", (mo,), {"paid_by": "us"}))
    before = office.balances()

    approved = office.approve(run, V.MISSING_THERE)

    assert (approved.posted, approved.left_open, office.balances()) == (0, 1, before)
    assert ["refunded" in row.problem for row in office.rows(run) if row.mo_id] == [True]


def test_a_duplicate_is_shown_and_not_claimed(office: Office) -> None:
    run = a_run(office)
    before = office.balances()

    approved = office.approve(run, V.DUPLICATE_THERE)

    assert (approved.posted, office.entries(run), office.balances()) == (1, [], before)


def test_what_cannot_be_charged_back_stays_open_with_its_problem(office: Office) -> None:
    mos = [office.mo(after=after) for after in (0, 1000, 2000)]
    run = office.matched(office.russian(a_row(1000, paid="4,00"), a_row(9000)))
    office.later()
    act(office.clerk, "charge_back", [mos[0], mos[1]])

    approved = office.approve(run, *ALL)

    assert (approved.posted, approved.left_open, approved.state) == (2, 2, RunState.APPROVED)
    problems = [(row.mo_id, row.problem) for row in office.rows(run) if row.problem]
    assert [mo for mo, _ in problems] == [mos[0], mos[1]]
    assert all("given back to the operator since" in problem for _, problem in problems)
    assert office.journal.audit() == []
    dismissed = dismiss(office.database, run, None, by="ada", reason="told them", now=LATER)
    assert dismissed == (2, RunState.POSTED)


def test_what_another_file_lists_by_now_is_not_charged_back(office: Office) -> None:
    mo = office.mo()
    run = office.matched(office.russian(a_row(5000)))
    office.matched(office.russian(a_row(0), name="second.csv"))
    office.later()

    approved = office.approve(run, V.MISSING_THERE)

    assert (approved.posted, approved.left_open) == (0, 1)
    (row,) = office.rows(run, V.MISSING_THERE)
    assert (row.mo_id, "another file of the operator lists this message" in row.problem) == (mo, True)
    assert office.entries(run) == []


def test_what_could_not_be_read_must_be_dismissed_before_anything_is_missing_there(office: Office) -> None:
    office.mo()
    run = office.matched(office.russian(a_row(9000), a_row(paid="?")))
    office.later()

    with pytest.raises(UserMistake, match="1 rows that could not be read, and messages in them seem to be missing"):
        office.approve(run, V.MISSING_THERE)
    assert dismiss(office.database, run, [V.UNREADABLE], by="ada", reason="empty line", now=LATER)[0] == 1

    assert office.approve(run, V.MISSING_THERE).posted == 1


def test_roundings_within_the_tolerance_are_booked_in_one_sum(office: Office) -> None:
    office.relayout(
        '{ number = "Абонент", short_code = "Короткий номер", time = ["Дата", "Время"], price = "Цена", '
        'amount = "К выплате", amounts = "payout", prices = "gross", tolerance = "0.01", decimal = ",", '
        'time_format = "%d.%m.%Y %H:%M:%S", zone = "Europe/Moscow", encoding = "cp1251", delimiter = ";" }'
    )
    for n in range(6):
        office.mo(after=1000 * n)
    run = office.matched(office.russian(*(a_row(1000 * n, paid="5,01" if n < 4 else "4,995") for n in range(6))))
    office.later()
    assert office.sums(run) == {"matched": (6, 4 * 10_000 - 2 * 5_000)}

    office.approve(run, V.MATCHED)

    assert office.details(run) == [("found", 40_000, "as agreed"), ("written_off", 10_000, "as agreed")]
    assert office.balances()["operator:alpha:receivable"] == 30 * RUB + 30_000
    assert office.journal.audit() == []


def test_a_crash_between_chunks_posts_nothing_twice(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approving, "CHUNK", 2)
    for n in range(7):
        office.mo(after=1000 * n, number=f"7900111{n:04d}")
    run = office.matched(office.russian(a_row(99_999)))
    office.later()

    def dies(done: int, of: int) -> None:
        if done >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        approve(
            office.clerk, run, [V.MISSING_THERE], by="ada", reason="gone", second_person_above=10**15, progress=dies
        )  # fmt: skip
    assert office.entries(run) == [f"settlement:{run}:1", f"settlement:{run}:2"]
    with pytest.raises(UserMistake, match=r"is being approved by ada \(missing_there\) since .* goes on with it"):
        office.approve(run, V.MISSING_THERE, by="ben")
    again = office.approve(run, V.MISSING_THERE, by="ada", desk=clerk_of(office.journal))

    assert (again.posted, again.chunks) == (3, 2)
    assert office.entries(run) == [f"settlement:{run}:{n}" for n in range(1, 5)]
    assert len(office.journal.rows(Charge, Charge.kind == 6)) == 7
    assert "operator:alpha:receivable" not in office.balances()
    assert office.journal.audit() == []


def test_a_crash_inside_a_chunk_leaves_nothing_of_it(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    run = a_run(office)
    before = (office.balances(), office.rows(run))

    def dies(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(approving, "bulk_update", dies)
        with pytest.raises(KeyboardInterrupt):
            office.approve(run, *ALL)
    assert (office.balances(), office.rows(run)) == before

    assert office.approve(run, *ALL).posted == 6
    assert office.journal.audit() == []


def test_of_two_people_at_once_one_wins(office: Office) -> None:
    """On MariaDB they wait for each other's locks, on SQLite for the one writer."""
    for n in range(40):
        office.mo(after=1000 * n, number=f"7900111{n:04d}")
    run = office.matched(office.russian(a_row(99_999)))
    office.later()
    start = threading.Barrier(2)
    done: dict[str, Approved | str] = {}

    def person(name: str, desk: Desk) -> None:
        start.wait()
        try:
            done[name] = approve(
                desk, run, [V.MISSING_THERE], by=name, reason="gone", second_person_above=10**15
            )  # fmt: skip
        except UserMistake as error:
            done[name] = str(error)

    desks = {name: clerk_of(office.journal) for name in ("ada", "ben")}
    threads = [threading.Thread(target=person, args=item) for item in desks.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    won = [name for name, what in done.items() if isinstance(what, Approved)]
    lost = [what for what in done.values() if isinstance(what, str)]
    assert len(won) == len(lost) == 1, done
    assert f"approved by {won[0]}" in lost[0] or f"{won[0]} decided" in lost[0]
    assert len(office.journal.rows(Charge, Charge.kind == 6)) == 40
    assert "operator:alpha:receivable" not in office.balances()
    assert office.journal.audit() == []


def test_nothing_is_matched_anew_once_something_is_approved(office: Office) -> None:
    run = a_run(office)
    office.approve(run, V.MISSING_HERE)

    with pytest.raises(UserMistake, match="is approved: what was accepted stays as it was matched"):
        match(office.database, run)
    with pytest.raises(UserMistake, match="has nothing open of missing_here that can be posted; ada decided last"):
        office.approve(run, V.MISSING_HERE)


def test_what_is_dismissed_is_not_posted_and_a_new_matching_asks_again(office: Office) -> None:
    run = a_run(office)
    assert dismiss(office.database, run, [V.MISSING_HERE], by="ada", reason="not ours", now=LATER) == (
        1, RunState.MATCHED
    )  # fmt: skip
    with pytest.raises(UserMistake, match="nothing open of missing_here"):
        office.approve(run, V.MISSING_HERE)

    match(office.database, run)

    assert office.approve(run, V.MISSING_HERE).posted == 1


def test_a_run_ends_when_nothing_is_open(office: Office) -> None:
    run = a_run(office)
    office.approve(run, *ALL)

    with office.database.read() as connection:
        found = standing(connection, run)
    assert (found.run.state, found.open_rows, found.run.approver) == (RunState.POSTED, 0, "ada")
    with pytest.raises(UserMistake, match="has nothing open any more; ada decided it"):
        office.approve(run, *ALL)
    with pytest.raises(UserMistake, match="has nothing open any more; ada decided it"):
        dismiss(office.database, run, None, by="ada", reason="late", now=LATER)


def test_words_that_nobody_could_read_later_are_refused(office: Office) -> None:
    run = a_run(office)

    for by, reason in (("", "x"), ("ada", "  "), ("a\x00b", "x"), ("ada", "x" * 201)):
        with pytest.raises(UserMistake, match=r"--by: who approves (is|holds)|--reason: it is"):
            approve(office.clerk, run, [V.MISSING_HERE], by=by, reason=reason, second_person_above=0)
    with pytest.raises(UserMistake, match="is staged; first: tollbridge settle match"):
        office.approve(office.stage(office.russian(a_row(7), name="new.csv")).run, V.MISSING_HERE)


def test_rows_of_a_class_come_the_open_ones_first(office: Office) -> None:
    run = a_run(office)
    office.approve(run, V.MISSING_HERE)

    with office.database.read() as connection:
        assert [row.verdict for row in rows_of(connection, run, V.MATCHED)] == [V.MATCHED]
        assert [row.line for row in rows_of(connection, run)] == [0, 2, 3, 4, 5, 6, 7]
        assert connection.execute(sa.select(sa.func.count(Detail.id))).scalar_one() == 1
