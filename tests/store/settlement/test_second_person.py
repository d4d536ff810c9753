"""Above an amount another person approves than who staged the file: by all that a run moves, on both databases."""

from pathlib import Path

import pytest

from core.errors import UserMistake
from core.settlement import RunState, Verdict
from store.database import Database
from store.settlement import approve as approving
from store.settlement.approve import SecondPersonNeeded
from store.settlement.look import standing
from store.settlement.match import match
from tests.store.settlement.office import RUB, Office
from tests.store.settlement.test_approve import a_row, a_run

V = Verdict


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Office:
    return Office(database, tmp_path)


def test_above_an_amount_another_person_approves_also_in_pieces(office: Office) -> None:
    run = a_run(office)

    with pytest.raises(UserMistake, match=r"moves at least 6.50 RUB, more than 6.00: another person than olga"):
        office.approve(run, V.MISSING_HERE, V.PRICE_DIFFERS, by="Olga", above=6 * RUB)
    office.approve(run, V.MISSING_HERE, by="olga", above=6 * RUB)
    with pytest.raises(UserMistake, match=r"moves at least 6.50 RUB, more than 6.00"):
        office.approve(run, V.PRICE_DIFFERS, by="olga", above=6 * RUB)

    assert office.approve(run, V.PRICE_DIFFERS, by="ada", above=6 * RUB).posted == 2


def a_jump(office: Office) -> int:
    """Five messages of 5.00 have earned at 0.70, the tier of 20; the operator does not list the first two of them.

    Without one of them the volume is 20: still 0.70. Without both it is 15, and all of it is worth 0.60.
    """
    for after in range(5):
        office.mo(after=1000 * after)
    return office.matched(office.russian(*(a_row(1000 * after) for after in (2, 3, 4))))


def test_what_partners_lose_by_a_tier_counts_too(office: Office) -> None:
    """10.00 less are due from the operator; the step back over the tier costs the partner 1.50 more."""
    run = a_jump(office)

    with pytest.raises(UserMistake, match=r"moves at least 11.50 RUB, more than 11.00: another person than olga"):
        office.approve(run, V.MISSING_THERE, by="olga", above=11 * RUB)
    assert office.entries(run) == []
    with office.database.read() as connection:
        assert standing(connection, run).run.state is RunState.MATCHED

    assert office.approve(run, V.MISSING_THERE, by="ada", above=11 * RUB).posted == 2
    assert office.journal.audit() == []


def test_a_tier_that_moves_while_it_is_posted_is_not_one_persons_either(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = a_jump(office)
    monkeypatch.setattr(approving, "CHUNK", 1)
    # Nobody has reckoned beforehand: as if the tier had come between the reckoning and the posting.
    monkeypatch.setattr(approving, "rehearse", lambda *_: ())

    with pytest.raises(SecondPersonNeeded):
        office.approve(run, V.MISSING_THERE, by="olga", above=10 * RUB)

    assert office.entries(run) == [f"settlement:{run}:1"]
    with office.database.read() as connection:
        found = standing(connection, run)
    assert (found.run.state, found.open_rows, found.run.notes["approving"]) == (RunState.APPROVED, 1, None)
    assert office.approve(run, V.MISSING_THERE, by="ada", above=10 * RUB).posted == 1
    assert office.journal.audit() == []


def test_where_nothing_may_be_posted_by_one_person_the_run_is_as_it_was(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = a_jump(office)
    monkeypatch.setattr(approving, "rehearse", lambda *_: ())

    with pytest.raises(SecondPersonNeeded):
        office.approve(run, V.MISSING_THERE, by="olga", above=11 * RUB)

    with office.database.read() as connection:
        found = standing(connection, run).run
    assert (found.state, found.approver, found.notes["approvals"]) == (RunState.MATCHED, "", [])
    match(office.database, run)
