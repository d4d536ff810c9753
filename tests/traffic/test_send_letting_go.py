"""Messages that a sender lets go of, since somebody wants them back."""

from core.message import MtState
from tests.traffic.desk import ACCEPTED, THROTTLED, Desk, FakeLine, an_mt, run
from traffic.lanes import Lanes, Sending


def let_go_by(desk: Desk, *mt_ids: int) -> list[int]:
    return [mt.id for mt in desk.sender.withdraw(1, mt_ids)]


def test_a_sender_lets_go_of_what_waits_for_a_line_or_for_room() -> None:
    async def story() -> None:
        desk, line = Desk(), FakeLine(room=0)
        desk.sender.offer(an_mt(id=1))
        before = let_go_by(desk, 1)
        desk.sender.line_opened(line)
        for id_ in (2, 3, 4):
            desk.sender.offer(an_mt(id=id_))

        let_go, again = let_go_by(desk, 2, 4, 7), let_go_by(desk, 2, 4)
        line.gets_room(desk, 10)
        await desk.flow()

        assert (before, let_go, again) == ([1], [2, 4], [])
        assert [sent.mt_id for sent in line.sent] == [3]
        assert desk.sender.withdraw(9, [3]) == [], "nobody knows this operator"

    run(story)


def test_lanes_let_go_of_what_waits_for_them_and_of_nothing_that_has_begun_to_be_said() -> None:
    lanes, line = Lanes(), FakeLine()
    lanes.opened(1, line, 0)
    (lane,) = lanes.of(1)
    waits, unsaid, flies, half, other = (Sending(an_mt(id=number)) for number in range(1, 6))
    flies.open, half.answers = 1, {0: ACCEPTED}
    lane.stays.add(waits)
    lane.begun.extend([unsaid, flies, half, other])

    gone = lanes.withdraw(1, {1, 2, 3, 4})

    assert [mt.id for mt in gone] == [1, 2]
    assert [*lane.stays, *lane.begun] == [flies, half, other]


def test_a_sender_keeps_what_is_under_way_or_was_accepted_in_part() -> None:
    async def story() -> None:
        desk, line = Desk(), FakeLine(room=1)
        line.holds_answers = True
        desk.sender.line_opened(line)
        desk.sender.offer(an_mt(id=1, parts=2))

        flying = let_go_by(desk, 1)
        line.answers(ACCEPTED)
        await desk.flow()
        half = let_go_by(desk, 1)
        line.gets_room(desk)
        line.answers(ACCEPTED)
        await desk.flow()

        assert (flying, half) == ([], [])
        assert desk.states == [MtState.SUBMITTED]

    run(story)


def test_a_sender_lets_go_of_what_was_throttled() -> None:
    async def story() -> None:
        desk, line = Desk(), FakeLine(room=1)
        line.says = lambda sent: THROTTLED
        desk.sender.line_opened(line)
        desk.sender.offer(an_mt(id=1))
        await desk.flow()

        assert let_go_by(desk, 1) == [1]
        line.says = lambda sent: ACCEPTED
        line.gets_room(desk, 10)
        await desk.flow()

        assert [sent.mt_id for sent in line.sent] == [1], "once, and it was refused"
        assert desk.states == []

    run(story)
