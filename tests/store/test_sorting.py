"""Rows are sorted on the disk, and of several with one number the last stays."""

from hypothesis import given
from hypothesis import strategies as st

from store.sorting import Sorter

rows = st.lists(st.tuples(st.integers(0, 10**15), st.integers(0, 9), st.integers(-5, 2**62)), max_size=60)


@given(rows | st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9), st.integers(0, 9)), max_size=60))
def test_each_number_once_rising_and_the_last_of_several(given_rows: list[tuple[int, int, int]]) -> None:
    with Sorter(run=7) as sorter:
        for row in given_rows:
            sorter.add(*row)
        found = list(sorter.sorted())

    last = {number: (number, first, second) for number, first, second in given_rows}
    assert found == [last[number] for number in sorted(last)]
