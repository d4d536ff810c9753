"""The batcher of a process that was taken for dead: nothing is written any more, and everybody is told, once."""

import pytest

from core.errors import Buried, StoreAway, StoreError
from store.journal import NewMtFact
from tests.traffic.desk import an_mt
from tests.traffic.test_commit import Journal, Table, an_alert
from tests.way.office import story


def kinds(told: list[StoreError | None]) -> list[type[StoreError | None]]:
    return [type(error) for error in told]


@story
async def test_all_that_waits_is_told_and_nothing_comes_in_any_more() -> None:
    table = Table(Journal(says=[Buried("its work is another's")]))
    table.put(an_alert())
    table.put(NewMtFact(an_mt()))

    await table.drained()

    assert kinds(table.told) == [Buried, Buried]
    assert table.journal.written == []
    assert not table.batcher.takes_arrivals
    table.put(NewMtFact(an_mt()))
    assert kinds(table.told[2:]) == [StoreAway]


@story
async def test_who_was_told_of_a_commit_in_doubt_is_not_told_again() -> None:
    away, buried = StoreAway("lost in COMMIT", in_doubt=True), Buried("its work is another's")
    table = Table(Journal(says=[away], resolves=[StoreAway("still away"), buried]))
    table.put(an_alert())
    table.put(NewMtFact(an_mt()))

    await table.drained()

    assert table.journal.asked == 2
    assert sorted(error.__class__.__name__ for error in table.told) == ["Buried", "StoreAway"]


@pytest.mark.parametrize("written", [0, 1])
@story
async def test_a_batch_that_is_written_fact_by_fact_ends_there(written: int) -> None:
    wrong = ValueError("one of them cannot be written")
    journal = Journal(says=[wrong, *[wrong] * written, Buried("its work is another's")])
    table = Table(journal)
    for _ in range(3):
        table.put(an_alert())

    await table.drained()

    assert kinds(table.told) == [StoreError] * written + [Buried] * (3 - written)
    assert journal.written == []
