"""Operations of every kind for hypothesis, and pairs of sessions that are joined by their bytes."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as some

from wire.errors import RemoteError
from wire.session import Event
from wire.smpp import (
    COMMANDS,
    Bind,
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    DeliverSm,
    DeliverSmResp,
    Destination,
    DistributionList,
    Failure,
    Operation,
    Settings,
    SmppSession,
    SubmitSm,
    decode,
    response_to,
)
from wire.smpp.layout import LAYOUTS, CString, Destinations, Failures, Form, Octet, Text

# --- operations ---------------------------------------------------------------------------------------

octets = some.integers(0, 255)
tlv_lists = some.lists(some.tuples(some.integers(0, 0xFFFF), some.binary(max_size=20)), max_size=4).map(tuple)


def strings(longest: int, *, shortest: int = 0) -> some.SearchStrategy[str]:
    """Strings of any octet but NUL."""
    return some.text(some.characters(min_codepoint=1, max_codepoint=255), min_size=shortest, max_size=longest)


_destinations = some.one_of(
    some.builds(Destination, octets, octets, strings(20)), some.builds(DistributionList, strings(20))
)
_failures = some.builds(Failure, octets, octets, strings(20), some.integers(0, 0xFFFFFFFF))


def _values_of(form: Form) -> some.SearchStrategy[Any]:
    if isinstance(form, Octet):
        return octets
    if isinstance(form, CString):
        return strings(40 if form.any_length else form.size - 1)
    if isinstance(form, Text):
        return some.binary(max_size=255)
    if isinstance(form, Destinations):
        return some.lists(_destinations, min_size=1, max_size=5).map(tuple)
    assert isinstance(form, Failures), form
    return some.lists(_failures, max_size=5).map(tuple)


def operations_of(command: type[Operation]) -> some.SearchStrategy[Operation]:
    """Any operation of a class that has a form on the wire."""
    values = {name: _values_of(form) for name, form in LAYOUTS[command]}
    if command is SubmitSm:
        values["destination_addr"] = strings(20, shortest=1)
    if command is DeliverSmResp:
        values.pop("message_id")  # is never written
    numbers = some.integers(0, 0xFFFFFFFF)
    status = some.one_of(some.just(0), numbers)
    return some.builds(command, sequence=numbers, status=status, tlvs=tlv_lists, **values)


any_operations = some.one_of([operations_of(command) for command in COMMANDS.values()])


def attempt(frame: bytes) -> Operation | RemoteError:
    """What a frame decodes to, or what the decoder says against it; anything else it raises is a bug."""
    try:
        return decode(frame)
    except RemoteError as error:
        return error


def an_mo(text: bytes = b"GAME 7", **values: Any) -> DeliverSm:
    """A deliver_sm from a handset to a short code."""
    return DeliverSm(source_addr="237670000001", destination_addr="8511", short_message=text, **values)


def an_mt(text: bytes = b"hello", **values: Any) -> SubmitSm:
    """A submit_sm to a handset."""
    return SubmitSm(source_addr="8511", destination_addr="237670000001", short_message=text, **values)


# --- sessions -----------------------------------------------------------------------------------------


class Pair:
    """An ESME and an SMSC whose bytes reach each other whole."""

    def __init__(self, esme: Settings | None = None, smsc: Settings | None = None) -> None:
        self.esme = SmppSession("esme", esme, now_ms=0)
        self.smsc = SmppSession("smsc", smsc, now_ms=0)
        self.now_ms = 0

    def to_smsc(self) -> list[Event]:
        """What the SMSC makes of what the ESME has said."""
        said = self.esme.output()
        return self.smsc.receive(said, self.now_ms) if said else self.smsc.tick(self.now_ms)

    def to_esme(self) -> list[Event]:
        """What the ESME makes of what the SMSC has said."""
        said = self.smsc.output()
        return self.esme.receive(said, self.now_ms) if said else self.esme.tick(self.now_ms)

    def bind(self, bind: Bind | None = None) -> "Pair":
        """Let the ESME bind, a transceiver unless told."""
        self.esme.send(bind or BindTransceiver(system_id="us", password="secret"), self.now_ms)
        (request,) = self.to_smsc()
        assert isinstance(request, Bind)
        self.smsc.answer(request, response_to(request, system_id="them"))
        self.smsc.tick(self.now_ms)
        self.to_esme()
        return self


def bound(esme: Settings | None = None, smsc: Settings | None = None) -> Pair:
    """A pair that is bound both ways."""
    return Pair(esme, smsc).bind()


BINDS: dict[str, Callable[..., Bind]] = {
    "tx": BindTransmitter,
    "rx": BindReceiver,
    "trx": BindTransceiver,
}
