"""A network around the menus, for tests: phones that dial and answer, a store of sessions, actions to carry out.

Network       begins, answers and leaves for its phones; `waiting` are the calls whose outcome the test gives
sheet_menu    the menu of the sheet's section 10, with texts; at_confirm, a phone that has its quote in it
balance_menu  the example of conf/ussd/; LISTS, a menu with a list
vectors       tests/vectors/ussd_*.json
"""

import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.clock import Instant
from core.ussd.actions import ACTIONS, Action, Call, Outcome
from core.ussd.dial import Codes
from core.ussd.menu import Menu
from core.ussd.reading import load_menu
from core.ussd.record import read_session, write_session
from core.ussd.repeats import goes_on
from core.ussd.session import USUAL, Close, Effects, Session, Show, State, Wait, Ways
from core.ussd.steps import meant, outcome, step, stray
from core.ussd.turn import Reply, Turn, TurnKind

ROOT = Path(__file__).parents[3]
NOW: Instant = 1_790_000_000_000
MSISDN = "237670000001"
METER = "04040404040"

SHEET_ACTIONS = {
    **ACTIONS,
    "meter.find": Action(frozenset({"found", "unknown", "blocked", "busy"}), {"owner": 20}),
    "meter.quote": Action(frozenset({"ok", "low", "high", "debt", "busy"}), {"units": 9, "debt": 9}),
    "purchase.confirm": Action(frozenset({"token", "pending", "no_money", "refused"}), {"token": 24}),
    "token.recent": Action(frozenset({"some", "none", "busy"}), {"last": 24}),
}

SHEET = """
[menu]
code = ["*920*77#"]
start = "meter"
keep = "15m"
turns = 12
languages = ["fr", "en"]

[screen.meter]
say = "meter_ask"
input = "digits 11..13"
into = "meter"
prefill = 1
tries = 3
do = "meter.find"
on.found = "amount"
on.unknown = "meter:unknown"
on.blocked = "end:blocked"
on.busy = "end:later"

[screen.amount]
say = "amount_ask"
input = "money 500..100000"
into = "amount"
prefill = 2
do = "meter.quote"
on.ok = "confirm"
on.low = "amount:low"
on.high = "amount:high"
on.debt = "debt"
on.busy = "end:later"

[screen.confirm]
say = "confirm"
choice = { 1 = "pay", 0 = "end:cancelled" }

[screen.debt]
say = "debt"
choice = { 1 = "confirm", 0 = "end:cancelled" }

[screen.pay]
do = "purchase.confirm"
wait = "3s"
on.token = "end:token"
on.pending = "end:pending"
on.no_money = "end:no_money"
on.refused = "end:refused"

[text.fr]
meter_ask = "Numéro du compteur :"
unknown = "Compteur {meter} inconnu."
amount_ask = "Compteur {meter}\\nMontant :"
low = "Trop peu."
high = "Trop."
confirm = "{amount} = {units} kWh pour {meter}\\n1 Payer\\n0 Annuler"
debt = "Dette : {debt}\\n1 Continuer\\n0 Annuler"
blocked = "Compteur bloqué."
cancelled = "Annulé."
token = "Payé. Code :\\n{token}\\nSMS envoyé."
no_money = "Solde insuffisant."
refused = "Refusé."

[text.en]
meter_ask = "Meter number:"
unknown = "No meter {meter}."
amount_ask = "Meter {meter}\\nAmount:"
low = "Too little."
high = "Too much."
confirm = "{amount} = {units} kWh for {meter}\\n1 Pay\\n0 Cancel"
debt = "Debt: {debt}\\n1 Go on\\n0 Cancel"
blocked = "Meter blocked."
cancelled = "Cancelled."
token = "Paid. Code:\\n{token}\\nSMS sent."
no_money = "Not enough money."
refused = "Refused."
"""


def vectors(name: str) -> list[Any]:
    """The vectors of one file."""
    found: list[Any] = json.loads((ROOT / "tests" / "vectors" / f"{name}.json").read_text())["vectors"]
    return found


def a_menu(text: str, **changes: Any) -> Menu:
    """A menu by its TOML."""
    return load_menu("test", tomllib.loads(text), actions=SHEET_ACTIONS, **changes)


def sheet_menu() -> Menu:
    """The menu of the sheet."""
    return a_menu(SHEET)


def balance_menu() -> Menu:
    """The example."""
    return load_menu("balance", tomllib.loads((ROOT / "conf" / "ussd" / "balance.toml").read_text("utf-8")))


@dataclass
class Network:
    """One link; time goes on only when told. Sessions are written and read as their rows would be."""

    menu: Menu
    ways: Ways = USUAL
    link: str = "alpha-1"
    now: Instant = NOW
    language: str = ""
    rows: dict[str, str] = field(default_factory=dict)
    waiting: list[Call] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    held: list[Turn] = field(default_factory=list)
    shown: list[tuple[str, Reply]] = field(default_factory=list)
    """Session and screen, in order."""
    number: int = 0

    def session(self, key: str) -> Session | None:
        return read_session(self.rows[key]) if key in self.rows else None

    def of(self, msisdn: str) -> Session | None:
        """The latest session of a number."""
        found = [read_session(row) for row in self.rows.values()]
        mine = [one for one in found if one is not None and one.msisdn == msisdn]
        return max(mine, key=lambda one: (one.touched_at, list(self.rows).index(one.key)), default=None)

    # --- phones -------------------------------------------------------------------------------------------------------

    def dial(self, text: str = "*920*77#", msisdn: str = MSISDN, **more: Any) -> Reply | None:
        """A new session; the screen, if it is there at once."""
        self.number += 1
        turn = Turn(TurnKind.BEGIN, self.link, f"{msisdn}/{self.number}", msisdn, self.now, dialled=text, **more)
        return self.come(turn)

    def answer(self, text: str, msisdn: str = MSISDN, **more: Any) -> Reply | None:
        return self.come(self.a_turn(TurnKind.ANSWER, msisdn, input=text, **more))

    def leave(self, msisdn: str = MSISDN, kind: TurnKind = TurnKind.ABORT) -> Reply | None:
        return self.come(self.a_turn(kind, msisdn))

    def a_turn(self, kind: TurnKind, msisdn: str = MSISDN, **more: Any) -> Turn:
        """A turn of the latest session of a number, or of none."""
        session = self.of(msisdn)
        key = session.key.partition("/")[2] if session else f"{msisdn}/0"
        return Turn(kind, self.link, key, msisdn, self.now, **more)

    def come(self, turn: Turn) -> Reply | None:
        """One turn, as the traffic floor steps it."""
        session = self.session(turn.key)
        turn = meant(
            turn, Codes(self.menu.codes), is_known=session is not None and goes_on(session, turn, self.ways.times)
        )
        if session is None and turn.kind is TurnKind.BEGIN and not turn.code:
            return self._carry_out(turn, turn.key, stray(turn, self.ways))
        before = self.of(turn.msisdn) if turn.kind is TurnKind.BEGIN else None
        after, effects = step(session, self.menu, turn, self.now, ways=self.ways, before=before, language=self.language)
        if after is not None:
            self.rows[after.key] = write_session(after)
        return self._carry_out(turn, turn.key, effects)

    def comes(self, name: str, call: Call | None = None, **more: Any) -> Reply | None:
        """The outcome of a call: the oldest that waits, unless told."""
        call = call or self.waiting[0]
        if call in self.waiting:
            self.waiting.remove(call)
        session = self.session(call.session)
        assert session is not None
        after, effects = outcome(session, self.menu, Outcome(name, **more), self.now, visit=call.visit, ways=self.ways)
        self.rows[after.key] = write_session(after)
        reply = self._carry_out(None, after.key, effects)
        held, self.held = self.held, []
        for turn in held:
            self.come(turn)
        return reply

    def pass_time(self, seconds: int) -> None:
        self.now += seconds * 1000

    def _carry_out(self, turn: Turn | None, key: str, effects: Effects) -> Reply | None:
        reply = None
        for effect in effects:
            if isinstance(effect, Show):
                reply = effect.reply
                self.shown.append((key, reply))
            elif isinstance(effect, Call):
                self.calls.append(effect)
                self.waiting.append(effect)
            elif isinstance(effect, Wait):
                assert turn is not None
                self.held.append(turn)
            else:
                assert isinstance(effect, Close)
                older = self.session(effect.key)
                assert older is not None
                self.rows[effect.key] = write_session(older.broken())
        return reply


def live(network: Network, msisdn: str) -> list[Session]:
    """The live sessions of a number."""
    found = [read_session(row) for row in network.rows.values()]
    return [
        one for one in found if one is not None and one.msisdn == msisdn and one.state in (State.ASKING, State.WORKING)
    ]


def at_confirm() -> Network:
    """A phone that has its quote."""
    network = Network(sheet_menu(), language="en")
    network.dial()
    network.answer(METER)
    network.comes("found", values={"owner": "Ann"})
    network.pass_time(2)
    network.answer("500")
    network.comes("ok", values={"units": "19.2"})
    network.pass_time(2)
    return network


LISTS = """
[menu]
code = ["*5#"]
start = "rooms"
languages = ["en"]

[screen.rooms]
say = "rooms"
list = "call"
url = "https://partner.example/rooms"
into = "room"
next = "booked"
on.none = "end:none"
on.busy = "end:later"

[screen.booked]
say = "booked"
choice = { 1 = "end:bye" }

[text.en]
rooms = "Which room?"
booked = "Room {room}.\\n1 Good"
none = "No room."
bye = "Goodbye."
"""
