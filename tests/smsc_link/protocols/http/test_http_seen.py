"""Signed requests are known again: while they are under way, once they are answered, and not for ever."""

from hypothesis import given
from hypothesis import strategies as some

from smsc_link.protocols.http import seen
from smsc_link.protocols.http.seen import Met, Seen

KEEP_MS = 600_000


def test_a_request_is_new_once() -> None:
    known = Seen(KEEP_MS)

    assert known.begin("a", 0) is Met.NEW
    assert known.begin("a", 1) is Met.UNDER_WAY
    known.end("a", 2, answered=True)
    assert [known.begin("a", at) for at in (3, KEEP_MS + 2, KEEP_MS + 3)] == [Met.ANSWERED, Met.ANSWERED, Met.NEW]


def test_what_was_put_off_or_is_in_doubt_is_new_again() -> None:
    known = Seen(KEEP_MS)
    for at in range(3):
        assert known.begin("a", at) is Met.NEW
        known.end("a", at, answered=False)

    assert not len(known)


def test_without_a_signature_or_a_time_nothing_is_remembered() -> None:
    for known, mark in ((Seen(KEEP_MS), ""), (Seen(0), "a")):
        for at in range(2):
            assert known.begin(mark, at) is Met.NEW
            known.end(mark, at, answered=True)
        assert not len(known)


@given(some.lists(some.tuples(some.sampled_from("abcdef"), some.booleans(), some.integers(0, 10))))
def test_an_answered_request_is_never_new_within_the_time(steps: list[tuple[str, bool, int]]) -> None:
    known, now, answered = Seen(50), 0, dict[str, int]()
    for mark, is_answered, passed in steps:
        now += passed
        met = known.begin(mark, now)
        assert (met is Met.ANSWERED) == (mark in answered and now - answered[mark] <= 50)
        if met is Met.NEW:
            known.end(mark, now, answered=is_answered)
            answered.pop(mark, None)
            if is_answered:
                answered[mark] = now


def test_it_is_bounded_and_forgets_the_oldest() -> None:
    known = Seen(KEEP_MS)
    for number in range(seen.SEEN_MAX + 2):
        known.begin(str(number), 0)
        known.end(str(number), 0, answered=True)

    assert len(known) == seen.SEEN_MAX
    assert [known.begin(str(number), 1) for number in (0, 1, 2)] == [Met.NEW, Met.NEW, Met.ANSWERED]
