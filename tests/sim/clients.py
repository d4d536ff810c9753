"""Clients of a pocket SMSC without a link of ours: they say any operation, and hear all that the centre says.

Client     one that is bound, in memory
PROTOCOLS  how each protocol's is made and logs in
a_centre, submit_sm, submit_51, submit_03     a centre whose MT are under way for a minute, and MT for it
cancel_sm, named                              to take one back or change it
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

from plumbing.conversation import Address, Conversation
from plumbing.pipe import Network
from sim.centre import PocketSmsc
from sim.quirks import Quirks
from tests.smsc_link.virtual import VirtualClock
from wire import cimd2, smpp, ucp
from wire.session import Answered, Bound, Event, Session
from wire.smpp.codec import response_to
from wire.ucp.operations import DeleteResponse, InquiryResponse, result_to
from wire.ucp.text import write_ira

Said = TypeVar("Said")


@dataclass(frozen=True)
class Protocol:
    session: Callable[[], Session]
    login: Callable[[str], Any]
    yes: Callable[[Any], Any]


PROTOCOLS = {
    "smpp": Protocol(
        lambda: smpp.SmppSession("esme", smpp.Settings()),
        lambda name: smpp.BindTransceiver(system_id=name),
        response_to,
    ),
    "ucp": Protocol(
        lambda: ucp.UcpSession("esme", ucp.Settings(serves=frozenset({InquiryResponse, DeleteResponse}))),
        lambda name: ucp.OpenSession(oadc=name),
        result_to,
    ),
    "cimd2": Protocol(
        lambda: cimd2.Cimd2Session("esme", cimd2.Settings()),
        lambda name: cimd2.Login(user_identity=name, password="secret"),
        lambda request: request.response_type(request.sequence),
    ),
}


class Client:
    """`said`: what the centre said by itself, each answered with a yes."""

    def __init__(self, protocol: str) -> None:
        self.said: list[Any] = []
        self._protocol = PROTOCOLS[protocol]
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._bound: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._conversation: Conversation | None = None

    async def bind(self, centre: PocketSmsc, name: str = "tollbridge") -> "Client":
        """Connected, and logged in."""
        clock, network = VirtualClock(), Network()
        address = Address("127.0.0.1", 2775)
        network.listen(address, centre.accept, clock)
        await network.connect(address, self._protocol.session(), self, clock)
        assert self._conversation is not None
        self._conversation.send(self._protocol.login(name))
        await self._bound
        return self

    async def ask(self, operation: Any) -> Any:
        """What the centre says to it."""
        assert self._conversation is not None
        answer = self._answers[id(operation)] = asyncio.get_running_loop().create_future()
        self._conversation.send(operation)
        return await answer

    def of(self, kind: type[Said]) -> list[Said]:
        """What the centre said of one kind."""
        return [one for one in self.said if isinstance(one, kind)]

    def opened(self, conversation: Conversation) -> None:
        self._conversation = conversation

    def heard(self, events: list[Event]) -> None:
        assert self._conversation is not None
        for event in events:
            if isinstance(event, Bound):
                self._bound.set_result(None)
            elif isinstance(event, Answered):
                self._answers.pop(id(event.request)).set_result(event.response)
            else:
                self.said.append(event)
                self._conversation.answer(event, self._protocol.yes(event))


OPEN = Quirks(receipt_delay_s=60)
MSISDN, OTHER, CODE = "79001112233", "79001112244", "4446"


def a_centre(protocol: str, quirks: Quirks = OPEN) -> PocketSmsc:
    return PocketSmsc(VirtualClock(), Random(1), quirks=quirks, protocol=protocol)


def submit_sm(**values: Any) -> smpp.SubmitSm:
    given: dict[str, Any] = {
        "source_addr": CODE,
        "destination_addr": MSISDN,
        "registered_delivery": 1,
        "short_message": b"Hi",
    }
    return smpp.SubmitSm(**(given | values))


def cancel_sm(message_id: str = "", **values: Any) -> smpp.CancelSm:
    return smpp.CancelSm(message_id=message_id, **({"source_addr": CODE, "destination_addr": MSISDN} | values))


def submit_51(**values: Any) -> ucp.SubmitMessage:
    given: dict[str, Any] = {"adc": MSISDN, "oadc": CODE, "nrq": "1", "nt": "3", "mt": "3", "msg": write_ira(b"Hi")}
    return ucp.SubmitMessage(**(given | values))


def submit_03(**values: Any) -> cimd2.Submit:
    given: dict[str, Any] = {"destinations": (MSISDN,), "user_data": b"Hi", "status_report_request": 62}
    return cimd2.Submit(**(given | values))


def named(answer: Any, kind: type[Any], **values: Any) -> Any:
    """A 54 or 56 of what was answered so."""
    adc, _, scts = answer.sm.partition(":")
    return kind(**({"adc": adc, "oadc": CODE, "scts": scts} | values))
