"""When memory is short, and what the system's files say of limits."""

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from core.clock import MINUTE_MS
from tollbridge.memory import Bound, Watched, groups_of, limit_of, sizes_of

percents = st.integers(0, 120)


def bounds(*percents: int) -> list[Bound]:
    return [Bound(f"limit {place}", percent, 100) for place, percent in enumerate(percents)]


@given(st.lists(st.lists(percents, max_size=3), max_size=30))
def test_it_is_short_from_90_percent_of_any_limit_until_all_are_below_85(looks: Sequence[Sequence[int]]) -> None:
    watched, is_short = Watched(), False

    for number, look in enumerate(looks):
        watched.see(bounds(*look), number * 1000)

        most = max(look, default=0)
        is_short = most >= 90 or (is_short and most >= 85)
        assert bool(watched.why_short) is is_short, (number, look)


@given(st.lists(st.tuples(percents, st.integers(0, 15 * MINUTE_MS)), max_size=50))
def test_a_person_is_told_when_it_becomes_short_and_once_in_ten_minutes(looks: Sequence[tuple[int, int]]) -> None:
    watched, now_ms, told = Watched(), 0, []

    for percent, later_ms in looks:
        now_ms += later_ms
        was_short = bool(watched.why_short)
        if watched.see(bounds(percent), now_ms):
            told.append(now_ms)
            assert percent >= 90
            assert not was_short
        elif percent >= 90 and not was_short:
            assert told, "the first time a person is told"
            assert now_ms - told[-1] < 10 * MINUTE_MS

    assert all(later - sooner >= 10 * MINUTE_MS for sooner, later in pairwise(told))


def test_the_tightest_limit_is_named_with_its_figures() -> None:
    watched = Watched()

    assert watched.see([Bound("the machine", 10 << 20, 100 << 20), Bound("the group", 19 << 20, 20 << 20)], 0)

    assert watched.why_short == "memory is short: 19 of 20 MiB of the group are in use"


def test_a_limit_of_nothing_is_full() -> None:
    assert Watched().see([Bound("data", 0, 0)], 0)


def test_sizes_are_read_in_bytes_and_what_has_no_size_is_left_out() -> None:
    status = "Name:\tpython 3\nVmSize:\t  1000 kB\nVmRSS:\t   52 kB\nThreads:\t9\nVmData:\tx kB\n"

    assert sizes_of(status) == {"VmSize": 1_024_000, "VmRSS": 53_248}


def test_the_groups_of_version_2_are_its_own_and_all_above() -> None:
    found = list(groups_of("0::/system.slice/tollbridge.service\n"))

    assert found == [
        ("system.slice/tollbridge.service", "memory.max"), ("system.slice", "memory.max"), (".", "memory.max"),
    ]  # fmt: skip


def test_the_groups_of_version_1_are_those_of_its_controller() -> None:
    text = "5:devices:/x\n4:cpu,memory:/docker/7f\n1:name=systemd:/y\n"

    found = list(groups_of(text))

    file = "memory.limit_in_bytes"
    assert found == [("memory/docker/7f", file), ("memory/docker", file), ("memory", file)]


@given(st.text())
def test_whatever_the_file_of_groups_holds_no_folder_leads_elsewhere(text: str) -> None:
    for folder, file in groups_of(f"0::/{text}"):
        assert not folder.startswith("/")
        assert ".." not in folder.split("/")
        assert file in ("memory.max", "memory.limit_in_bytes")


def test_a_limit_is_a_number_of_bytes_or_none() -> None:
    assert limit_of("268435456\n") == 268_435_456
    assert [limit_of(text) for text in ("max\n", "", "-1", "1e9", "٣", "9" * 20)] == [None] * 6
