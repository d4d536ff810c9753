"""Operations of every kind for hypothesis, and pairs of sessions that are joined by their bytes."""

from dataclasses import fields, replace
from typing import Any

from hypothesis import strategies as some

from wire.cimd2 import (
    OPERATIONS,
    Cimd2Session,
    Deliver,
    Enquire,
    Get,
    Login,
    Operation,
    Response,
    Settings,
    StatusReport,
    Submit,
    SubmitResp,
    Submitted,
    decode,
    response_to,
)
from wire.cimd2.operations import NO_NEGATIVE
from wire.cimd2.packet import Request
from wire.cimd2.parameters import NUMBER_OF, PARAMETERS, Address, Form, Hex, Letters, Moment, Octets, Whole
from wire.errors import RemoteError
from wire.session import Event

STAMP = "261124081000"

# --- operations ---------------------------------------------------------------------------------------

numbers = some.integers(0, 255)
_octets = [octet for octet in range(256) if octet not in (0, 2, 3, 9)]
letters = some.sampled_from([chr(octet) for octet in _octets])
printable = some.sampled_from([chr(octet) for octet in _octets if chr(octet).isprintable()])


def strings(longest: int, *, shortest: int = 0) -> some.SearchStrategy[str]:
    """Strings of any octet but the four that frame a packet."""
    return some.text(letters, min_size=shortest, max_size=longest)


def accounts(longest: int) -> some.SearchStrategy[str]:
    """Names and passwords: letters that can be printed, without spaces around them."""
    return some.text(printable, max_size=longest).map(lambda text: text.strip(" "))


texts = some.lists(some.sampled_from(_octets), min_size=1, max_size=480).map(bytes)
addresses = some.text("0123456789+-", min_size=1, max_size=20)
stamps = some.text("0123456789", min_size=12, max_size=12)
_unknown = some.integers(0, 999).filter(lambda number: number not in PARAMETERS)
others = some.lists(some.tuples(_unknown, strings(20)), max_size=3).map(tuple)


def _values_of(form: Form) -> some.SearchStrategy[Any]:
    if isinstance(form, Whole):
        return some.none() | some.integers(form.low, form.high)
    if isinstance(form, Letters):
        return accounts(form.size) if form.tidy else strings(form.size)
    if isinstance(form, Address):
        return some.just("") | addresses
    if isinstance(form, Moment):
        return some.just("") | stamps
    if isinstance(form, Hex):
        return some.binary(max_size=form.size // 2)
    assert isinstance(form, Octets), form
    return some.just(b"") | texts


def operations_of(command: type[Operation]) -> some.SearchStrategy[Operation]:
    """Any operation of a class that has a form on the wire."""
    values = {
        field.name: _values_of(PARAMETERS[NUMBER_OF[field.name]].form)
        for field in fields(command)
        if field.name in NUMBER_OF and not field.name.startswith("error")
    }
    if issubclass(command, Response) and command not in NO_NEGATIVE:
        values["error"] = some.just(0) | some.integers(1, 999)
        values["error_text"] = strings(64)
    values |= _required(command)
    made = some.builds(command, sequence=numbers, others=others, **values)
    return made.map(_with_one_text)


def _required(command: type[Operation]) -> dict[str, some.SearchStrategy[Any]]:
    if command is Login:
        return {"user_identity": accounts(32).map(lambda name: name or "us")}
    if command is Submit:
        return {"destinations": some.lists(addresses, min_size=1, max_size=4).map(tuple)}
    if command is SubmitResp:
        pairs = some.builds(Submitted, addresses, stamps)
        return {"submitted": some.lists(pairs, min_size=1, max_size=4).map(tuple)}
    if command is Enquire:
        return {"destination": addresses, "time_stamp": stamps}
    if command is Get:
        return {"get_parameter": some.integers(0, 999)}
    if command is Deliver:
        return {"destination": addresses, "originating_address": addresses, "time_stamp": stamps}
    if command is StatusReport:
        return {"destination": addresses, "time_stamp": stamps, "status_code": some.integers(0, 99)}
    return {}


def _with_one_text(operation: Operation) -> Operation:
    if isinstance(operation, Submit | Deliver) and operation.user_data:
        return replace(operation, user_data_binary=b"")
    if isinstance(operation, Submit) and not operation.user_data_binary:
        return replace(operation, user_data=b"text")
    return operation


any_operations = some.one_of([operations_of(command) for command in OPERATIONS.values()])


def attempt(packet: bytes) -> Operation | RemoteError:
    """What a packet decodes to, or what the decoder says against it; anything else it raises is a bug."""
    try:
        return decode(packet)
    except RemoteError as error:
        return error


def an_mo(text: bytes = b"GAME 7", **values: Any) -> Deliver:
    """An MO from a handset to a short code."""
    return Deliver(
        user_data=text,
        **{"destination": "8511", "originating_address": "237670000001", "time_stamp": STAMP, **values},
    )


def an_mt(text: bytes = b"hello", **values: Any) -> Submit:
    """An MT to a handset."""
    return Submit(destinations=("237670000001",), user_data=text, **values)


def a_receipt(**values: Any) -> StatusReport:
    """Delivered."""
    return StatusReport(**{"destination": "237670000001", "time_stamp": STAMP, "status_code": 4, **values})


def accepted(request: Request, stamp: str = STAMP) -> Response:
    """The positive answer to a request of either side."""
    if isinstance(request, Submit):
        return response_to(request, submitted=tuple(Submitted(one, stamp) for one in request.destinations))
    return response_to(request)


# --- sessions -----------------------------------------------------------------------------------------


class Pair:
    """An application and a centre whose bytes reach each other whole."""

    def __init__(self, esme: Settings | None = None, smsc: Settings | None = None) -> None:
        self.esme = Cimd2Session("esme", esme, now_ms=0)
        self.smsc = Cimd2Session("smsc", smsc, now_ms=0)
        self.now_ms = 0

    def to_smsc(self) -> list[Event]:
        """What the centre makes of what the application has said."""
        said = self.esme.output()
        return self.smsc.receive(said, self.now_ms) if said else self.smsc.tick(self.now_ms)

    def to_esme(self) -> list[Event]:
        """What the application makes of what the centre has said."""
        said = self.smsc.output()
        return self.esme.receive(said, self.now_ms) if said else self.esme.tick(self.now_ms)

    def bind(self, login: Login | None = None) -> "Pair":
        """Let the application log in, asking for the window of its settings unless told."""
        window = self.esme.settings.window
        self.esme.send(login or Login(user_identity="us", password="secret", window_size=window), self.now_ms)
        (request,) = self.to_smsc()
        assert isinstance(request, Login)
        self.smsc.answer(request, response_to(request))
        self.smsc.tick(self.now_ms)
        self.to_esme()
        return self


def bound(esme: Settings | None = None, smsc: Settings | None = None) -> Pair:
    """A pair that is bound."""
    return Pair(esme, smsc).bind()


WIDE = Settings(window=10)
