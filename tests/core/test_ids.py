"""Message ids sort by time and never repeat, whatever the clock does."""

from hypothesis import given
from hypothesis import strategies as st

from core.ids import EPOCH_MS, SLOTS, Ids, Trail, first_id_at, instant_of_id

NOW = 1_795_507_865_000
moments = st.lists(st.integers(NOW - 5, NOW + 5), min_size=1, max_size=50)


@given(slot=st.integers(0, SLOTS - 1), clock=moments)
def test_an_id_is_larger_than_every_one_before_even_when_the_clock_jumps_back(slot: int, clock: list[int]) -> None:
    ids = Ids(slot)

    made = [ids.next(now) for now in clock]

    assert made == sorted(set(made))
    assert all(0 < message_id < 2**63 for message_id in made)


@given(clock=moments)
def test_two_slots_never_make_the_same_id(clock: list[int]) -> None:
    one, other = Ids(1), Ids(2)

    assert not {one.next(now) for now in clock} & {other.next(now) for now in clock}


@given(clock=moments)
def test_a_process_that_starts_again_goes_on_after_its_last_id(clock: list[int]) -> None:
    before = Ids(3)
    last = max(before.next(now) for now in clock)

    assert Ids(3, after=last).next(NOW - 1_000) > last


def test_more_ids_than_a_millisecond_holds_borrow_from_the_next() -> None:
    ids = Ids(1)

    made = [ids.next(NOW) for _ in range(10_000)]

    assert len(set(made)) == 10_000
    assert made == sorted(made)
    assert instant_of_id(made[-1]) == NOW + 2


def test_an_id_tells_when_it_was_made() -> None:
    assert instant_of_id(Ids(7).next(NOW)) == NOW


def test_ids_of_a_moment_begin_at_the_first_one() -> None:
    assert first_id_at(NOW) <= Ids(0).next(NOW) < first_id_at(NOW + 1)
    assert first_id_at(NOW) <= Ids(SLOTS - 1).next(NOW) < first_id_at(NOW + 1)
    assert first_id_at(EPOCH_MS - 1) == 0


def test_the_last_id_of_2088_fits_in_63_bits() -> None:
    assert Ids(SLOTS - 1).next(3_755_289_599_999) < 2**63


@given(steps=st.lists(st.tuples(st.integers(0, 4_000), st.integers(-10_000, 10_000)), min_size=1, max_size=60))
def test_the_ids_of_late_are_found_whatever_the_wall_clock_did(steps: list[tuple[int, int]]) -> None:
    """Every one that was made within the time asked for, and none that is older by more than a second."""
    ids, trail = Ids(1), Trail(10_000, last=0)
    made: list[tuple[int, int]] = []
    ms = 5_000
    for passed_ms, wall_ms in steps:
        ms += passed_ms
        made.append((ms, ids.next(NOW + ms + wall_ms)))
        trail.mark(made[-1][1], ms)

    for for_ms in (0, 1, 999, 1_000, 3_500, 10_000):
        first = trail.since(ms - for_ms)
        assert all(id_ >= first for at, id_ in made if at >= ms - for_ms)
        assert all(id_ < first for at, id_ in made if at <= ms - for_ms - 1_000)


def test_where_nothing_came_of_late_nothing_is_found() -> None:
    trail = Trail(60_000, last=7)

    assert trail.since(0) == 8
    trail.mark(9, 1_000)
    assert trail.since(500_000) == 10


def test_a_trail_keeps_a_mark_a_second_and_no_longer_than_it_must() -> None:
    trail = Trail(60_000, last=0)

    for number in range(500_000):
        trail.mark(number, number)

    assert len(trail._marks) <= 62
