"""What waits for the writer: two lines, each in its order, and nothing is lost between them."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.message import Receipt, ReceiptState
from store.journal import AlertFact, Fact, OverdueFact, ReceiptFact
from traffic.gather import RECEIPTS_MAX, Gather, Waiting

RECEIPT = Receipt("alpha-1", 1, 1, ("12",), ReceiptState.DELIVERED, "DELIVRD", "000", "", "4446", 0)
FACTS: dict[str, Any] = {
    "receipt": lambda: ReceiptFact(RECEIPT),
    "overdue": lambda: OverdueFact([], 0),
    "alert": lambda: AlertFact("store", "journal", "it failed", 0),
}
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from(sorted(FACTS)), st.integers(1, 250)),
        st.tuples(st.just("take"), st.just(""), st.integers(1, 500)),
        st.tuples(st.just("put back"), st.just(""), st.just(0)),
    ),
    max_size=30,
)


def _is_late(fact: Fact) -> bool:
    return isinstance(fact, ReceiptFact | OverdueFact)


@given(steps=STEPS)
def test_nothing_is_lost_each_line_keeps_its_order_and_a_batch_is_as_full_as_it_may_be(
    steps: list[tuple[str, str, int]],
) -> None:
    gather, lines = Gather(), ([], [])  # type: tuple[Gather, tuple[list[Waiting], list[Waiting]]]
    batch: list[Waiting] = []
    for what, kind, count in steps:
        if what == "add":
            for _ in range(count):
                one = Waiting(FACTS[kind](), lambda fact, error: None)
                gather.add(one)
                lines[_is_late(one.fact)].append(one)
        elif what == "put back":
            gather.put_back(batch)
            for late in (False, True):
                lines[late][:0] = [one for one in batch if _is_late(one.fact) is late]
            batch = []
        else:
            batch = gather.take(count)
            taken = [[one for one in batch if _is_late(one.fact) is late] for late in (False, True)]
            for line, its in zip(lines, taken, strict=True):
                assert line[: len(its)] == its
                del line[: len(its)]
            assert len(taken[1]) <= RECEIPTS_MAX
            assert len(batch) == count or not lines[False]
            assert len(batch) == count or not lines[True] or len(taken[1]) == RECEIPTS_MAX
        assert list(gather) == [*lines[False], *lines[True]]
        assert (len(gather), gather.backlog) == (len(lines[0]) + len(lines[1]), len(lines[0]))


def test_neither_line_starves_the_other() -> None:
    kinds = ["alert"] * 900 + ["receipt"] * 900
    gather = Gather(Waiting(FACTS[kind](), lambda fact, error: None) for kind in kinds)

    batches = [gather.take(500) for _ in range(3)]

    assert [sum(_is_late(one.fact) for one in batch) for batch in batches] == [RECEIPTS_MAX] * 3
    assert [len(batch) for batch in batches] == [500, 500, 100 + RECEIPTS_MAX]
