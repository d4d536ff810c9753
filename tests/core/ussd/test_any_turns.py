"""Whatever phones, gateways, partners and time do: a screen for each turn, none too long, an end, nothing of others.

Many phones go through one store at once. Every value that a phone or its partner brings has the phone's own mark in it,
so a mark on a screen of another would be seen.
"""

from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from core.ussd.actions import ACTIONS, Item
from core.ussd.menu import Menu
from core.ussd.session import State, Ways
from core.ussd.texts import Letters, Room, measure, write
from core.ussd.turn import Turn, TurnKind
from tests.core.ussd.makers import LISTS, Network, a_menu, balance_menu, sheet_menu

PHONES = ["237670000001", "237670000002", "237670000003"]
MENUS = (sheet_menu(), balance_menu(), a_menu(LISTS))
OUTCOMES = "found unknown blocked busy ok low high debt token pending no_money refused none some splendid".split()

rooms = st.builds(
    Room.of, st.integers(60, 182), st.sampled_from([one.value for one in Letters]), st.sampled_from(["lf", "crlf"])
)
typed = st.sampled_from(
    ["0", "1", "2", "3", "9", "98", "00", "500", "04040404040", "12345", "", "*", "1*1", "#"]
) | st.text(max_size=40)
kinds = st.sampled_from(
    [TurnKind.BEGIN, *[TurnKind.ANSWER] * 8, TurnKind.ABORT, TurnKind.SHOWN, TurnKind.REFUSED, TurnKind.REPEAT]
)
steps = st.one_of(
    st.tuples(st.just("turn"), st.integers(0, 2), kinds, typed, st.booleans(), st.sampled_from(["", "", "7", "8"])),
    st.tuples(
        st.just("outcome"),
        st.integers(0, 5),
        st.sampled_from(OUTCOMES),
        st.sampled_from(["", "", "text", "end", "items"]),
        typed,
    ),
    st.tuples(st.just("time"), st.sampled_from([0, 1, 2, 3, 5, 40, 200, 1000])),
)


def _mark(msisdn: str) -> str:
    """Letters that no text of a menu has."""
    return ("ZQ", "ZJ", "ZX")[PHONES.index(msisdn)]


class Story:
    """One sequence of turns, and what was seen of it."""

    def __init__(self, menu: Menu, room: Room) -> None:
        self.network = Network(menu, ways=Ways(room))
        self.owed: dict[str, int] = {}
        """Session → turns that wait for a screen."""

    def turn(self, phone: int, kind: TurnKind, text: str, grows: bool, sequence: str) -> None:
        network, msisdn = self.network, PHONES[phone]
        marked = f"{text}{_mark(msisdn)}" if text.isalpha() else text
        before = len(network.shown)
        if kind is TurnKind.BEGIN:
            network.number += 1
            dialled = network.menu.codes[0].removesuffix("#") + (f"*{marked}#" if marked else "#")
            turn = Turn(
                kind, network.link, f"{msisdn}/{network.number % 4}", msisdn, network.now, dialled=dialled, grows=grows
            )
        else:
            turn = network.a_turn(kind, msisdn, input=marked, grows=grows, sequence=sequence)
        calls, held = len(network.calls), len(network.held)
        network.come(turn)
        came = len(network.shown) - before + len(network.calls) - calls + len(network.held) - held
        # One screen, one call or one wait for what wants a reply; nothing for a notice.
        assert came == (1 if turn.wants_reply else 0), turn

    def outcome(self, which: int, name: str, form: str, text: str) -> None:
        network = self.network
        if not network.waiting:
            return
        call = network.waiting[which % len(network.waiting)]
        session = network.session(call.session)
        assert session is not None
        mark = _mark(session.msisdn)
        more: dict[str, Any] = {
            "values": dict.fromkeys(("owner", "units", "debt", "token", "balance", "spent"), text + mark)
        }
        if form in {"text", "end"}:
            more |= {"text": text + mark, "end": form == "end"}
        if form == "items":
            more |= {"items": (Item(f"k{mark}", f"{text}{mark}"), Item("", ""), Item(f"l{mark}", "😀" * 90))}
        before, calls = len(network.shown), len(network.calls)
        held = len([turn for turn in network.held if turn.key == session.key])
        waits = session.state is State.WORKING and session.visit == call.visit
        network.comes(name, call, **more)
        came = len(network.shown) - before + len(network.calls) - calls
        assert came >= (1 if waits else 0), (session, name)
        assert came <= 1 + held + len(PHONES)

    def time(self, seconds: int) -> None:
        self.network.pass_time(seconds)

    def holds(self) -> None:
        network = self.network
        for key, reply in network.shown:
            written = measure(reply.text, network.ways.room)
            assert written.fits, reply
            assert write(reply.text, network.ways.room).text == reply.text
            others = {_mark(msisdn) for msisdn in PHONES if msisdn not in key}
            assert not any(mark in reply.text for mark in others), (key, reply)
        network.shown.clear()
        for msisdn in PHONES:
            live = [key for key in network.rows if f"/{msisdn}/" in key and self._is_live(key)]
            assert len(live) <= 1, live

    def _is_live(self, key: str) -> bool:
        session = self.network.session(key)
        assert session is not None
        return session.state.is_live


@settings(max_examples=300, deadline=None)
@given(menu=st.sampled_from(MENUS), room=rooms, story=st.lists(steps, max_size=40))
def test_any_sequence_of_turns_keeps_its_promises(menu: Menu, room: Room, story: list[Any]) -> None:
    told = Story(menu, room)

    for name, *what in story:
        getattr(told, name)(*what)
        told.holds()

    event(f"{len(told.network.calls) // 5 * 5}+ calls")


@settings(max_examples=200, deadline=None)
@given(
    menu=st.sampled_from(MENUS),
    answers=st.lists(typed, min_size=15, max_size=15),
    names=st.lists(st.sampled_from(OUTCOMES), min_size=40, max_size=40),
)
def test_a_user_who_goes_on_answering_comes_to_an_end(menu: Menu, answers: list[str], names: list[str]) -> None:
    network = Network(menu)
    network.dial(menu.codes[0])

    for number, text in enumerate([*answers]):
        for name in names:
            if not network.waiting:
                break
            network.comes(name, text="more" if name == "splendid" else "")
        network.pass_time(2)
        network.answer(text, sequence=str(number))

    session = network.of("237670000001")
    assert session is not None
    assert not session.state.is_live


def test_there_are_actions_for_every_outcome_that_is_tried() -> None:
    assert set(ACTIONS["balance"].outcomes) <= set(OUTCOMES)
