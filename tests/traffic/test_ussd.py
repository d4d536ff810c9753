"""The station of USSD at its edges: bounds, what cannot be stored, menus that are not served. Its flow: tests/way."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from core.catalogue import Catalogue, Service, UssdMenu
from core.errors import StoreAway
from core.ussd.actions import Outcome
from core.ussd.session import USUAL, Session
from core.ussd.turn import Reply, Turn, TurnKind
from tests.makers import NOON, a_catalogue, a_partner, a_service
from tests.simulation.loop import VirtualClock, VirtualLoop
from tests.way.office import ANNA, BORIS, story
from tests.way.ussd_office import CODE, MENU, METER
from traffic.ussd import HELD_MAX, Dialogues
from traffic.ussd_calls import Calls
from traffic.ussd_menus import MenuShelf
from traffic.ussd_steps import Stepped

LATER = "This does not work right now. Please try later."


class Sheet:
    """Rows in memory, and how often they were asked for."""

    def __init__(self) -> None:
        self.rows: dict[str, Session] = {}
        self.batches: list[int] = []
        self.fails: Callable[[], None] = lambda: None

    def of(self, key: str) -> Session | None:
        return self.rows.get(key)

    def latest(self, msisdn: str, code: str) -> Session | None:
        among = [one for one in self.rows.values() if (one.msisdn, one.code) == (msisdn, code)]
        return max(among, key=lambda one: one.touched_at, default=None)

    def put(self, session: Session) -> None:
        self.rows[session.key] = session

    def change(self, keys: Sequence[str], changes: Sequence[Any]) -> list[Stepped]:
        self.fails()
        self.batches.append(len(changes))
        return [change(self) for change in changes]


class Desk:
    """A station with one menu; to be made inside a story."""

    def __init__(self, catalogue: Catalogue | None = None) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self.clock = VirtualClock(loop, NOON)
        self.catalogue = catalogue or a_world()
        self.sheet = Sheet()
        self.answer: asyncio.Future[Outcome] = loop.create_future()
        self.asked = 0
        calls = Calls(self._ask, {}, lambda: self.catalogue, self.clock)
        self.station = Dialogues(self.sheet, self._write, self.clock, catalogue=lambda: self.catalogue, calls=calls)
        self.shown: list[tuple[str, str | None]] = []
        self.life = loop.create_task(self.station.run())

    async def _write(self, function: Callable[..., Any], *args: Any) -> Any:
        await asyncio.sleep(0.01)
        return function(*args)

    async def _ask(self, service: Service, url: str, body: bytes) -> Outcome:
        self.asked += 1
        return await asyncio.shield(self.answer)

    def comes(self, kind: TurnKind, text: str = "", *, session: str = "1", msisdn: str = ANNA) -> None:
        dialled = CODE if kind is TurnKind.BEGIN else ""
        turn = Turn(kind, "alpha", f"{msisdn}/{session}", msisdn, self.clock.now(), input=text, dialled=dialled)

        def show(reply: Reply | None) -> None:
            self.shown.append((f"{kind.value} {text}".strip(), reply.text if reply is not None else None))

        self.station.take(turn, USUAL, show)


def a_world(**menu: Any) -> Catalogue:
    one = replace(UssdMenu(1, "power", 1, (CODE,), MENU, "1"), **menu)
    return replace(a_catalogue(), ussd={"power": one})


@story
async def test_turns_that_are_there_together_are_one_transaction() -> None:
    desk = Desk()
    for number in range(30):
        desk.comes(TurnKind.BEGIN, msisdn=f"7900555{number:04d}")
    await asyncio.sleep(1)

    assert desk.sheet.batches[0] == 30
    assert desk.shown == [("begin", "Meter number:")] * 30
    assert desk.station.counted.begun == desk.station.open == 30


@story
async def test_of_a_number_and_a_code_one_session_is_open() -> None:
    desk = Desk()
    for number in range(3):
        desk.comes(TurnKind.BEGIN, session=f"{number}")
        await asyncio.sleep(1)

    assert desk.station.open == 1
    assert sorted(one.state.value for one in desk.sheet.rows.values()) == ["asking", "broken", "broken"]


@story
async def test_turns_behind_a_call_wait_in_their_order_and_no_more_of_them_than_may() -> None:
    desk = Desk()
    desk.comes(TurnKind.BEGIN)
    await asyncio.sleep(0.1)
    desk.comes(TurnKind.ANSWER, METER)
    await asyncio.sleep(0.1)
    for number in range(HELD_MAX + 3):
        desk.comes(TurnKind.ANSWER, f"{500 + number}")
        await asyncio.sleep(0.05)

    assert [text for _, text in desk.shown] == ["Meter number:", LATER, LATER, LATER]
    assert desk.station.waiting == HELD_MAX + 1
    desk.answer.set_result(Outcome("ok", {"owner": "Ann"}))
    await asyncio.sleep(1)

    assert desk.shown[4] == (f"answer {METER}", "Ann, amount:")
    assert desk.shown[5] == ("answer 500", f"500 for {METER}\n1 Pay\n0 Cancel")
    assert [name for name, _ in desk.shown[5:]] == [f"answer {500 + number}" for number in range(HELD_MAX)]
    assert (desk.asked, desk.station.waiting) == (1, 0)


@story
async def test_an_abort_does_not_wait_for_the_call_before_it() -> None:
    desk = Desk()
    desk.comes(TurnKind.BEGIN)
    await asyncio.sleep(0.1)
    desk.comes(TurnKind.ANSWER, METER)
    desk.comes(TurnKind.ANSWER, "500")
    await asyncio.sleep(0.1)
    desk.comes(TurnKind.ABORT)
    await asyncio.sleep(0.1)
    desk.answer.set_result(Outcome("ok"))
    await asyncio.sleep(1)

    assert ("abort", None) in desk.shown
    assert (f"answer {METER}", None) in desk.shown
    assert ("answer 500", "The session has expired. Please dial again.") in desk.shown
    assert desk.station.waiting == desk.station.open == 0


@story
async def test_a_mistake_of_ours_takes_one_turn_and_no_other() -> None:
    desk = Desk()
    broken = Turn(TurnKind.BEGIN, "alpha", "x", ANNA, 0, dialled=None)  # type: ignore[arg-type]
    heard: list[str] = []
    desk.station.take(broken, USUAL, lambda reply: heard.append(reply.text if reply else ""))
    desk.comes(TurnKind.BEGIN)
    await asyncio.sleep(1)

    assert heard == [LATER]
    assert desk.shown == [("begin", "Meter number:")]
    assert desk.station.counted.turned_away == 1


@story
async def test_a_catalogue_that_cannot_be_read_costs_the_turns_that_are_there_and_no_later_one() -> None:
    desk = Desk()
    right, desk.catalogue = desk.catalogue, object()  # type: ignore[assignment]
    for number in range(2):
        desk.comes(TurnKind.BEGIN, msisdn=f"7900555000{number}")
    await asyncio.sleep(0.1)
    desk.catalogue = right
    desk.comes(TurnKind.BEGIN)
    await asyncio.sleep(0.1)

    assert [text for _, text in desk.shown] == [LATER, LATER, "Meter number:"]
    assert not desk.life.done()


@story
@pytest.mark.parametrize("failure", [None, StoreAway("it is away"), RuntimeError("a mistake of ours")])
async def test_a_screen_that_its_link_cannot_show_ends_that_session_and_no_other(failure: Exception | None) -> None:
    desk = Desk()

    def fails() -> None:
        if failure is not None:
            raise failure

    def cannot(reply: Reply | None) -> None:
        raise RuntimeError("the connection is in a state that nobody thought of")

    desk.sheet.fails = fails
    one = Turn(TurnKind.BEGIN, "alpha", f"{BORIS}/1", BORIS, desk.clock.now(), dialled=CODE)
    desk.station.take(one, USUAL, cannot)
    desk.comes(TurnKind.BEGIN)
    await asyncio.sleep(0.1)
    desk.sheet.fails = lambda: None
    desk.comes(TurnKind.BEGIN, session="2")
    await asyncio.sleep(0.1)

    assert [text for _, text in desk.shown] == ["Meter number:" if failure is None else LATER, "Meter number:"]
    assert not desk.life.done()


@story
async def test_a_call_that_cannot_begin_is_told_later_and_nothing_waits_for_it() -> None:
    desk = Desk()
    desk.comes(TurnKind.BEGIN)
    await asyncio.sleep(0.1)

    def cannot(*_: object) -> None:
        raise RuntimeError("a mistake of ours")

    begin, desk.station.calls.begin = desk.station.calls.begin, cannot  # type: ignore[method-assign, assignment]
    desk.comes(TurnKind.ANSWER, METER)
    await asyncio.sleep(0.1)
    desk.station.calls.begin = begin  # type: ignore[method-assign]

    assert desk.shown[1:] == [(f"answer {METER}", LATER)]
    assert desk.station.waiting == 0


@story
async def test_what_cannot_be_stored_is_told_later_and_the_next_turn_is_taken_again() -> None:
    desk = Desk()

    def away() -> None:
        raise StoreAway("it is away")

    desk.sheet.fails = away
    desk.comes(TurnKind.BEGIN)
    await asyncio.sleep(0.1)
    desk.sheet.fails = lambda: None
    desk.comes(TurnKind.BEGIN)
    await asyncio.sleep(0.1)

    assert [text for _, text in desk.shown] == [LATER, "Meter number:"]


@story
async def test_a_stop_waits_for_what_is_under_way_and_takes_nothing_more() -> None:
    desk = Desk()
    desk.comes(TurnKind.BEGIN)
    await asyncio.sleep(0.1)
    desk.comes(TurnKind.ANSWER, METER)
    stopping = asyncio.ensure_future(desk.station.stop(6))
    await asyncio.sleep(0.1)
    desk.comes(TurnKind.BEGIN, session="2")
    await asyncio.sleep(1)
    assert not stopping.done()
    desk.answer.set_result(Outcome("ok", {"owner": "Ann"}))
    await stopping

    assert [text for _, text in desk.shown] == ["Meter number:", LATER, "Ann, amount:"]


@story
async def test_a_session_is_open_until_its_time_is_over() -> None:
    desk = Desk()
    desk.comes(TurnKind.BEGIN)
    await asyncio.sleep(1)
    assert desk.station.open == 1

    await asyncio.sleep(USUAL.times.session_ms / 1000)

    assert desk.station.open == 0
    assert 10 <= desk.station.took_ms(0.99) <= 20


def test_menus_that_are_not_served() -> None:
    shelf = MenuShelf()
    assert set(shelf.of(a_world()).by_code) == {CODE}

    for catalogue in (
        a_world(enabled=False),
        a_world(text="[menu"),
        a_world(text=MENU.replace('start = "meter"', 'start = "nowhere"')),
        replace(a_world(), services={1: a_service(status="suspended")}),
        replace(a_world(), partners={"acme": replace(a_partner(), active=False)}),
        replace(a_world(), services={}),
    ):
        assert MenuShelf().of(catalogue).by_code == {}


def test_a_menu_that_did_not_change_is_not_read_again() -> None:
    shelf, first = MenuShelf(), a_world()
    before = shelf.of(first)

    assert shelf.of(first) is before
    assert shelf.of(replace(first, version=2)).by_name["power"].menu is before.by_name["power"].menu
    assert shelf.of(a_world(version="2")).by_name["power"].menu is not before.by_name["power"].menu
    assert set(shelf.of(a_world(codes=("*5#",))).by_code) == {"*5#"}
