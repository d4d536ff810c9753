"""Screens on their way out: which link, what waits, what is given up. Over whole links: tests/way/test_ussd.py."""

import asyncio
from typing import Any

from core.message import Mt, SubmitAnswer, SubmitOutcome
from core.ussd.session import Ways
from core.ussd.turn import Reply, Turn, TurnKind
from smsc_link.adapter import Dialogue
from smsc_link.protocols.smpp.ussd import SmppUssd, UssdOptions
from smsc_link.screens import WAIT_MS, Screens
from tests.makers import NOON, a_link
from tests.simulation.loop import VirtualClock, VirtualLoop
from tests.way.office import ANNA, story
from traffic.ports import ShowScreen
from traffic.routes import Terms

ACCEPTED = SubmitAnswer(SubmitOutcome.ACCEPTED)
UNSENT = SubmitAnswer(SubmitOutcome.UNSENT, sentence="the link is not open")
THROTTLED = SubmitAnswer(SubmitOutcome.THROTTLED, code=0x58)
GATEWAY = SmppUssd("alpha-1", UssdOptions())


class ALine:
    """A link that says what it is told, in order; None: nothing at all."""

    terms = Terms()
    only_answers = is_slowed = False

    def __init__(self, name: str, *says: SubmitAnswer | None, room: int = 9, is_open: bool = True) -> None:
        self.link = a_link(name)
        self.is_open = is_open
        self.free = room
        self.says = list(says)
        self.sent: list[Any] = []

    def awaits(self, mt: Mt) -> bool:
        return False

    def room(self) -> int:
        return self.free if self.is_open else 0

    def write(self, mt: object, *, reference: int) -> list[object]:
        raise AssertionError("no MT goes here")

    def submit(self, operation: object) -> "asyncio.Future[SubmitAnswer]":
        future: asyncio.Future[SubmitAnswer] = asyncio.get_running_loop().create_future()
        self.sent.append(operation)
        said = self.says.pop(0) if self.says else ACCEPTED
        if said is not None:
            future.set_result(said)
        return future


class Told:
    """The station: shows one screen for each turn that wants one."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []

    def take(self, turn: Turn, ways: Ways, show: ShowScreen) -> None:
        self.turns.append(turn)
        show(Reply("1 Balance", end=False) if turn.wants_reply else None)

    @property
    def kinds(self) -> list[str]:
        return [turn.kind.value for turn in self.turns]


def screens_of(*lines: ALine) -> tuple[Screens, Told]:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    told = Told()
    screens = Screens(told, VirtualClock(loop, NOON))
    for line in lines:
        screens.opened(line)
    return screens, told


def a_dialogue(kind: TurnKind = TurnKind.BEGIN) -> Dialogue:
    return Dialogue(Turn(kind, "alpha", f"{ANNA}/5c", ANNA, NOON), GATEWAY)


@story
async def test_a_screen_goes_over_the_link_of_its_turn_or_another_that_is_open() -> None:
    own, other = ALine("alpha-1"), ALine("alpha-2")
    screens, told = screens_of(own, other)
    screens.heard(own, a_dialogue())
    assert (len(own.sent), len(other.sent)) == (1, 0)

    own.is_open = False
    screens.heard(own, a_dialogue())
    await asyncio.sleep(0.1)
    assert (len(own.sent), len(other.sent)) == (1, 1)
    assert told.kinds == ["begin", "begin"]


@story
async def test_where_no_link_is_open_the_session_is_told_at_once() -> None:
    own = ALine("alpha-1", is_open=False)
    screens, told = screens_of(own)
    screens.heard(own, a_dialogue())

    assert told.kinds == ["begin", "refused"]
    assert told.turns[1].key == told.turns[0].key


@story
async def test_what_finds_no_room_waits_and_is_given_up_in_time() -> None:
    own = ALine("alpha-1", room=0)
    screens, told = screens_of(own)
    screens.heard(own, a_dialogue())
    await asyncio.sleep(1)
    own.free = 1
    screens.has_room(own)
    assert len(own.sent) == 1

    own.free = 0
    screens.heard(own, a_dialogue())
    await asyncio.sleep(WAIT_MS / 1000 + 0.1)
    assert told.kinds == ["begin", "begin", "refused"]
    own.free = 1
    screens.has_room(own)
    assert len(own.sent) == 1


@story
async def test_what_never_left_goes_again_and_what_was_throttled_too_but_once() -> None:
    for said, kinds, sent in (
        ([UNSENT], ["begin"], 2),
        ([THROTTLED], ["begin"], 2),
        ([UNSENT, UNSENT], ["begin", "refused"], 2),
        ([THROTTLED, THROTTLED], ["begin", "refused"], 2),
        ([SubmitAnswer(SubmitOutcome.UNANSWERED)], ["begin", "refused"], 1),
        ([SubmitAnswer(SubmitOutcome.PERMANENT, code=0x45)], ["begin", "refused"], 1),
    ):
        own = ALine("alpha-1", *said)
        screens, told = screens_of(own)
        screens.heard(own, a_dialogue())
        await asyncio.sleep(2)
        assert (told.kinds, len(own.sent)) == (kinds, sent), said


@story
async def test_a_screen_without_an_answer_is_refused_once_however_late_it_comes() -> None:
    own = ALine("alpha-1", None)
    screens, told = screens_of(own)
    screens.heard(own, a_dialogue())
    await asyncio.sleep(WAIT_MS / 1000 - 0.1)
    assert told.kinds == ["begin"]
    await asyncio.sleep(10)
    assert told.kinds == ["begin", "refused"]


@story
async def test_a_notice_shows_nothing() -> None:
    own = ALine("alpha-1")
    screens, told = screens_of(own)
    screens.heard(own, a_dialogue(TurnKind.ABORT))

    assert (told.kinds, own.sent) == (["abort"], [])
