"""MT that wait for a link or for room: what is over ends, what is stopped is given back, what is queued is fetched."""

import pytest

from core.clock import DAY_MS
from core.message import MtKind, MtState
from tests.traffic.desk import TEMPORARY, UNANSWERED, UNSENT, Desk, FakeLine, an_mt, run


def test_what_is_over_is_not_sent() -> None:
    async def story() -> None:
        desk, line = Desk(), FakeLine()
        desk.sender.offer(an_mt(valid_until=desk.clock.now() + 1000))
        desk.clock.advance(1000)

        desk.sender.line_opened(line)
        await desk.flow()

        assert line.sent == []
        assert desk.states == [MtState.EXPIRED]

    run(story)


def test_what_is_over_ends_even_if_no_line_ever_comes() -> None:
    async def story() -> None:
        desk = Desk()
        desk.sender.offer(an_mt(id=1 << 22, valid_until=desk.clock.now() + 1000))
        desk.sender.offer(an_mt(id=2 << 22))

        desk.clock.advance(1000)
        desk.sender.sweep()
        await desk.flow()

        assert [(move.mt.id >> 22, move.new) for move in desk.paper.moves] == [(1, MtState.EXPIRED)]
        assert desk.sender.waiting == 1

    run(story)


def test_a_validity_without_an_end_is_never_over() -> None:
    async def story() -> None:
        desk, line = Desk(), FakeLine()
        line.says = lambda sent: TEMPORARY
        desk.sender.line_opened(line)
        desk.clock.advance(30 * DAY_MS)

        desk.sender.offer(an_mt(valid_until=0))
        await desk.flow()

        assert desk.states == [MtState.QUEUED]

    run(story)


def test_what_may_have_been_accepted_is_not_said_to_have_expired() -> None:
    async def story() -> None:
        desk, line = Desk(), FakeLine()
        line.says = lambda sent: UNANSWERED if sent.mt_id >> 22 == 1 else TEMPORARY
        desk.sender.line_opened(line)

        for number in (1, 2):
            desk.sender.offer(an_mt(id=number << 22, valid_until=desk.clock.now() + 100))
        await desk.flow()

        assert desk.states == [MtState.UNKNOWN, MtState.EXPIRED]

    run(story)


def test_a_stopping_process_holds_nothing_more_and_gives_back_what_waits() -> None:
    async def story() -> None:
        desk = Desk()
        assert desk.sender.holds(1)
        desk.sender.offer(an_mt())

        await desk.sender.stop(1)
        await desk.flow()

        assert not desk.sender.holds(1)
        (move,) = desk.paper.moves
        assert (move.new, move.mt.maybe_twice) == (MtState.QUEUED, False)

    run(story)


@pytest.mark.parametrize("kind", list(MtKind))
@pytest.mark.parametrize("reply_to", [0, 7])
def test_a_stop_gives_back_what_was_accepted_in_part_marked_but_not_what_somebody_pays_for(
    kind: MtKind, reply_to: int
) -> None:
    async def story() -> None:
        desk, line = Desk(), FakeLine(room=1)
        desk.sender.line_opened(line)
        desk.sender.offer(an_mt(parts=3, kind=kind, reply_to=reply_to))
        await desk.flow()

        await desk.sender.stop(1)
        await desk.flow()

        (move,) = desk.paper.moves
        if kind is MtKind.FREE:
            assert (move.new, move.mt.maybe_twice) == (MtState.QUEUED, True)
        else:
            assert (move.new, move.error) == (MtState.UNKNOWN, "some of its parts were accepted before the stop")
            assert move.parts == [(1, "KEY", MtState.SUBMITTED), (2, "", MtState.FAILED), (3, "", MtState.FAILED)]

    run(story)


@pytest.mark.parametrize("kind", list(MtKind))
def test_a_stop_gives_back_what_was_not_accepted_whoever_pays_for_it(kind: MtKind) -> None:
    async def story() -> None:
        desk, line = Desk(), FakeLine(room=1)
        line.says = lambda sent: UNSENT
        desk.sender.line_opened(line)
        desk.sender.offer(an_mt(parts=2, kind=kind))
        await desk.flow()

        await desk.sender.stop(1)
        await desk.flow()

        (move,) = desk.paper.moves
        assert (move.new, move.mt.maybe_twice) == (MtState.QUEUED, False)

    run(story)


def test_only_operators_that_are_served_and_bound_are_asked_for_in_the_database() -> None:
    async def story() -> None:
        desk, line = Desk(), FakeLine()
        desk.due = [an_mt()]
        assert await desk.sender.fetcher.fetch() == []

        desk.sender.line_opened(line)

        assert [mt.id for mt in await desk.sender.fetcher.fetch()] == [an_mt().id]
        desk.due, desk.sender._served = [an_mt()], frozenset()
        assert await desk.sender.fetcher.fetch() == []

    run(story)


def test_an_error_of_the_database_that_nobody_foresaw_does_not_end_the_looking() -> None:
    async def story() -> None:
        desk, line = Desk(), FakeLine()
        desk.sender.line_opened(line)

        async def deadlock(limit: int, operator_ids: object) -> list[object]:
            raise RuntimeError("deadlock found when trying to get lock")

        desk.sender.fetcher._due = deadlock  # type: ignore[assignment]

        assert await desk.sender.fetcher.fetch() == []

    run(story)
