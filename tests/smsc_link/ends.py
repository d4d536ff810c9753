"""Both ends of a link for tests: an intake that answers, and a link with a pocket SMSC in memory.

FakeIntake   keeps what a link handed in; answers at once unless told to wait
a_link, an_operator, an_mt
keep         a link as Links makes it
Rig          a network in memory, a pocket SMSC in it, an OperatorLink towards it
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from core.catalogue import Link, Operator
from core.clock import Clock
from core.message import Heard, Mt, Receipt
from plumbing.conversation import Address, Connect
from plumbing.pipe import Network, Wire
from sim.centre import PocketSmsc
from sim.quirks import Quirks
from smsc_link.keeping import Surroundings
from smsc_link.link import OperatorLink
from smsc_link.protocols import PROTOCOLS
from tests.smsc_link.virtual import VirtualClock
from traffic.ports import Delivery, Intake, Line


def an_operator(**values: Any) -> Operator:
    given = Operator(id=7, code="alpha", name="Alpha", country="RU", currency="RUB", vat=())
    return replace(given, **values)


def a_link(**values: Any) -> Link:
    given = Link(id=1, name="alpha-1", operator="alpha", protocol="smpp", system_id="tollbridge", password="secret")
    return replace(given, **values)


def an_mt(text: str = "Thank you", **values: Any) -> Mt:
    given: dict[str, Any] = {"id": 5, "link": "alpha-1", "link_id": 1, "operator_id": 7, "source": "4446"}
    given |= {"destination": "79001112233", "text": text, "parts": 1, "created_at": 0}
    return Mt(**given | values)


@dataclass
class FakeIntake:
    """Takes all, and answers what `says` says; None: the test answers."""

    says: Heard | None = Heard.TAKEN
    deliveries: list[Delivery] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    receipt_answers: list[Callable[[Heard], bool]] = field(default_factory=list)
    ended: list[tuple[str, bool]] = field(default_factory=list)
    never_heard: list[Delivery] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    roomy: list[str] = field(default_factory=list)
    alarms: list[tuple[str, str]] = field(default_factory=list)
    on_delivery: Callable[[Delivery], None] = lambda delivery: None
    on_receipt: Callable[[Receipt], None] = lambda receipt: None
    _waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = field(default_factory=list)

    def deliver(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)
        if self.says is not None:
            delivery.answer(self.says)
        self.on_delivery(delivery)
        self._stir()

    def receipt(self, receipt: Receipt, answer: Callable[[Heard], bool]) -> None:
        self.receipts.append(receipt)
        self.receipt_answers.append(answer)
        self.on_receipt(receipt)
        if self.says is not None:
            answer(self.says)
        self._stir()

    def session_ended(self, link: Link, *, clean: bool, at: int) -> None:
        self.ended.append((link.name, clean))
        self._stir()

    def unheard(self, delivery: Delivery) -> None:
        self.never_heard.append(delivery)
        self._stir()

    def alarm(self, link: Link, sentence: str) -> None:
        self.alarms.append((link.name, sentence))
        self._stir()

    def line_opened(self, line: Line) -> None:
        self.opened.append(line.link.name)
        self._stir()

    def line_has_room(self, line: Line) -> None:
        self.roomy.append(line.link.name)
        self._stir()

    async def until(self, predicate: Callable[[], bool]) -> None:
        """Wait until it holds; asked whenever a link calls."""
        if not predicate():
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((predicate, future))
            await future

    def _stir(self) -> None:
        for predicate, future in list(self._waiting):
            if predicate():
                self._waiting.remove((predicate, future))
                future.set_result(None)


def keep(
    link: Link, *, intake: Intake, connect: Connect, clock: Clock, operator: Operator | None = None, seed: int = 2
) -> OperatorLink:
    """A link as Links makes it."""
    protocol = PROTOCOLS[link.protocol]
    adapter = protocol.adapter(link, operator or an_operator())
    kept = protocol.keep(link, adapter, Surroundings(intake, connect, clock, Random(seed)))
    assert isinstance(kept, OperatorLink)
    return kept


class Rig:
    """A pocket SMSC and a link to it, in memory and virtual time. To be made inside a coroutine."""

    def __init__(self, link: Link | None = None, *, quirks: Quirks | None = None, wire: Wire | None = None) -> None:
        self.clock = VirtualClock()
        self.network = Network(wire)
        wanted = link or a_link()
        self.centre = PocketSmsc(self.clock, Random(1), quirks=quirks, protocol=wanted.protocol)
        self.intake = FakeIntake()
        self.address = Address(wanted.host, wanted.port)
        self.listen()
        self.link = self.another(wanted)

    def another(self, link: Link) -> OperatorLink:
        """One more link to the same centre."""
        return keep(link, intake=self.intake, connect=self.network.connect, clock=self.clock)

    def listen(self) -> None:
        self.network.listen(self.address, self.centre.accept, self.clock)

    async def bound(self) -> None:
        """Start the link and wait until it is bound."""
        self.link.start()
        await self.intake.until(lambda: bool(self.intake.opened))
