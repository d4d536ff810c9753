"""When a person is told that few file descriptors are left."""

import resource

from core.clock import MINUTE_MS
from tollbridge.descriptors import Watched, count


def test_few_are_told_once_and_again_only_after_there_was_room() -> None:
    watched = Watched()

    assert not watched.see(50, 100, 0)
    assert not watched.see(89, 100, 1_000)
    assert watched.see(90, 100, 2_000)
    assert [watched.see(used, 100, 60 * MINUTE_MS) for used in (95, 100, 100, 88, 92)] == [False] * 5, "it is told"
    assert not watched.see(20, 100, 70 * MINUTE_MS)
    assert watched.see(99, 100, 80 * MINUTE_MS)


def test_what_comes_and_goes_is_not_told_each_time() -> None:
    watched = Watched()

    told = [watched.see(used, 100, second * 1000) for second, used in enumerate([95, 10] * 100)]

    assert told.count(True) == 1


def test_those_of_this_process_are_counted() -> None:
    before, limit = count()
    with open(__file__, encoding="utf-8"):
        after, _ = count()

    assert after == before + 1
    assert limit == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
