"""An office with USSD: the station of traffic.ussd in each process, and a partner that answers for a menu.

UssdOffice   an Office whose processes go on with sessions; `opened` makes one
MENU         a menu that asks for a meter and an amount, and sells; a_world, a catalogue with it
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from core.catalogue import Catalogue, Service, UssdMenu
from core.ussd.actions import Outcome
from core.ussd.record import read_session
from core.ussd.session import Session
from sim.phones import Dialled
from smsc_link.links import Links
from store import schema
from store.ussd_sessions import UssdSessions
from tests.makers import a_catalogue, a_link, a_partner
from tests.way.office import ALL, Office, Process
from traffic.ussd import Dialogues
from traffic.ussd_calls import Calls

CODE = "*920*77#"
METER = "04040404040"
MENU = """
[menu]
code = ["*920*77#"]
start = "meter"
keep = "15m"
languages = ["en"]

[screen.meter]
say = "meter"
input = "digits 11..13"
into = "meter"
prefill = 1
do = "call"
url = "https://partner.example/find"
values = { owner = 20 }
on.ok = "amount"
on.unknown = "meter:unknown"
on.pending = "end:pending"
on.busy = "end:later"

[screen.amount]
say = "amount"
input = "money 500..100000"
into = "amount"
next = "confirm"

[screen.confirm]
say = "confirm"
choice = { 1 = "pay", 0 = "end:cancelled" }

[screen.pay]
do = "call"
url = "https://partner.example/pay"
values = { token = 24 }
on.token = "end:token"
on.pending = "end:pending"
on.refused = "end:refused"
on.busy = "end:later"

[text.en]
meter = "Meter number:"
unknown = "No meter {meter}."
amount = "{owner}, amount:"
confirm = "{amount} for {meter}\\n1 Pay\\n0 Cancel"
token = "Paid. Code: {token}"
refused = "Refused."
cancelled = "Cancelled."
"""


def a_world(text: str = MENU, *, concurrency: int = 32, **link: Any) -> Catalogue:
    """One link with USSD, one menu of acme's."""
    links = [a_link(options={"ussd": True}, **link)]
    catalogue = a_catalogue(links=links, partners=[a_partner(concurrency=concurrency)])
    return replace(catalogue, ussd={"power": UssdMenu(1, "power", 1, (CODE,), text, "1")})


@dataclass
class EndPoint:
    """The menu's. Hangs while `hangs` is set, or for one subscriber."""

    asked: list[dict[str, Any]] = field(default_factory=list)
    hangs: bool = False
    hangs_for: str = ""
    takes_s: float = 0
    outcomes: Callable[[dict[str, Any]], Outcome] = lambda asked: (
        Outcome("ok", {"owner": "Ann"}) if asked["screen"] == "meter" else Outcome("token", {"token": "7063"})
    )

    async def says(self, service: Service, url: str, body: bytes) -> Outcome:
        """What it answers for a screen."""
        asked = json.loads(body)
        self.asked.append(asked)
        if self.hangs or asked["msisdn"] == self.hangs_for:
            await asyncio.sleep(10)
        await asyncio.sleep(self.takes_s)
        return self.outcomes(asked)


class UssdOffice(Office):
    """To be made inside a story."""

    def __init__(self, catalogue: Catalogue | None = None) -> None:
        super().__init__(catalogue or a_world())
        self.end_point = EndPoint()

    async def opens(self, *roles: str) -> Process:
        """A process begins; its links are bound when this returns."""
        process = UssdProcess(self, roles or ALL)
        self.processes.append(process)
        process.begin()
        await self.until(lambda: "connecting" not in process.links.states().values(), "every link bound")
        return process

    @property
    def sessions(self) -> list[Session]:
        """All that are stored."""
        found = [read_session(row.body) for row in self.rows(schema.UssdSession)]
        assert None not in found
        return [one for one in found if one is not None]

    async def shown(self, phone: Dialled, count: int, within_s: float = 60) -> str:
        """The screen of this number, when it is there."""
        await self.until(lambda: len(phone.screens) >= count, f"screen {count} of {phone.screens}", within_s)
        return phone.last


class UssdProcess(Process):
    """A process of it."""

    def __init__(self, office: UssdOffice, roles: Sequence[str]) -> None:
        super().__init__(office, roles)
        clock = office.clock
        calls = Calls(office.end_point.says, {}, lambda: office.catalogue, clock)
        self.dialogues = Dialogues(
            UssdSessions(office.database), self.run, clock, catalogue=lambda: office.catalogue, calls=calls
        )
        self.links = Links(
            intake=self.way, connect=office.network.connect, clock=clock, random=Random(2), turns=self.dialogues
        )

    def begin(self) -> None:
        self._talking = asyncio.get_running_loop().create_task(self.dialogues.run())
        super().begin()

    async def stops(self) -> None:
        await self.dialogues.stop(6)
        await super().stops()

    def dies(self) -> None:
        self.dialogues.calls.stop()
        self._talking.cancel()
        super().dies()


async def opened(catalogue: Catalogue | None = None) -> tuple[UssdOffice, UssdProcess]:
    """An office with one process that does everything."""
    office = UssdOffice(catalogue)
    process = await office.opens()
    assert isinstance(process, UssdProcess)
    return office, process
