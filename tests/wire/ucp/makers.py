"""Operations of every kind for hypothesis, and pairs of sessions that are joined by their bytes."""

from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as some

from wire.errors import RemoteError
from wire.session import Event
from wire.ucp import (
    REQUESTS,
    ChangePassword,
    DeliverMessage,
    MessageTransfer,
    OpenSession,
    Operation,
    Request,
    Result,
    SessionManagement,
    Settings,
    SubmitMessage,
    UcpSession,
    decode,
    encode,
    result_to,
)
from wire.ucp.frames import Frames
from wire.ucp.operations import HAS_MVP, LAYOUTS
from wire.ucp.xser import write_xser

# --- operations ---------------------------------------------------------------------------------------

trns = some.integers(0, 99)
fields = some.text(some.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters="/"), max_size=20)
addresses = some.text("0123456789", min_size=1, max_size=16)
hexes = some.binary(max_size=140).map(lambda octets: octets.hex().upper())
digits = some.text("0123456789", max_size=40)
item_lists = some.lists(some.tuples(some.integers(0, 255), some.binary(max_size=20)), max_size=4).map(tuple)

_texts = some.one_of(
    some.tuples(some.just("2"), some.just(""), digits),
    some.tuples(some.just("3"), some.just(""), hexes),
    some.tuples(some.just("4"), some.just("0096"), hexes),
)


@some.composite
def _requests(draw: some.DrawFn, request: type[Request]) -> Request:
    """Any operation of a class that has a form on the wire."""
    layout = LAYOUTS[request]
    values: dict[str, Any] = {name: draw(fields) for name in layout}
    values["sequence"] = draw(trns)
    if "msg" in layout:
        mt, nb, msg = draw(_texts)
        values |= {"mt": mt, "msg": msg} | ({"nb": nb} if "nb" in layout else {})
        values["adc"] = draw(addresses)
    if request is MessageTransfer:
        del values["mt"]
        values["msg"] = draw(hexes)
    if "xser" in layout:
        values["xser"] = write_xser(draw(item_lists))
    if issubclass(request, SessionManagement):
        values["styp"] = draw(some.sampled_from(sorted(request.styps)))
    for name, repeats in (("adc", request.ot == "02"), ("ga", request.ot == "03")):
        if repeats:
            values[name] = tuple(draw(some.lists(addresses, min_size=1, max_size=12)))
    return request(**values)


def _slashless(text: str) -> str:
    return text.strip("/")


def _result(sequence: int, ot: str, ec: int, mvp: str, sm: str) -> Result:
    return Result(sequence, ot, ec, mvp if HAS_MVP[ot] and not ec else "", _slashless(sm))


any_requests = some.one_of([_requests(request) for request in REQUESTS])
any_results = some.builds(
    _result, trns, some.sampled_from(sorted(HAS_MVP)), some.one_of(some.just(0), some.integers(1, 99)), fields, fields
)
any_operations: some.SearchStrategy[Operation] = some.one_of(any_requests, any_results)


def framed(kind: str, fields: str, trn: str = "07", length: int | None = None, checksum: str | None = None) -> bytes:
    """A frame by hand, by the words of the sheet: `fields` have a slash behind each."""
    size = 14 + len(fields) + 2 if length is None else length
    head = f"{trn}/{size:05d}/{kind}/{fields}"
    return (head + (f"{sum(head.encode('latin-1')) % 256:02X}" if checksum is None else checksum)).encode("latin-1")


def on_wire(frame: bytes) -> bytes:
    """With its STX and ETX."""
    return b"\2" + frame + b"\3"


def attempt(frame: bytes) -> Operation | RemoteError:
    """What a frame decodes to, or what the decoder says against it; anything else it raises is a bug."""
    try:
        return decode(frame)
    except RemoteError as error:
        return error


def read(data: bytes) -> Operation:
    """The one frame that a session wrote."""
    (operation,) = read_all(data)
    return operation


def read_all(data: bytes) -> list[Operation]:
    """All frames that a session wrote."""
    frames = Frames()
    operations = [decode(frame) for frame in frames.read(data)]
    assert encoded(operations) == data, data
    return operations


def encoded(operations: Iterable[Operation]) -> bytes:
    """The bytes of several."""
    return b"".join(map(encode, operations))


def a_login(**values: Any) -> OpenSession:
    """A 60 with a password."""
    return OpenSession(**{"oadc": "8511", "pwd": "733363726574"} | values)


def a_change(**values: Any) -> ChangePassword:
    """A 60 that changes it."""
    return ChangePassword(**{"oadc": "8511", "pwd": "733363726574", "npwd": "7077"} | values)


def an_mo(text: bytes = b"GAME 7", **values: Any) -> DeliverMessage:
    """A 52 from a handset to a short code."""
    own = {"adc": "8511", "oadc": "237670000001", "scts": "241126081600", "mt": "3", "msg": text.hex().upper()}
    return DeliverMessage(**own | values)


def an_mt(text: bytes = b"hello", **values: Any) -> SubmitMessage:
    """A 51 to a handset."""
    own = {"adc": "237670000001", "oadc": "8511", "mt": "3", "msg": text.hex().upper()}
    return SubmitMessage(**own | values)


# --- sessions -----------------------------------------------------------------------------------------


class Pair:
    """An ESME and an SMSC whose bytes reach each other whole."""

    def __init__(self, esme: Settings | None = None, smsc: Settings | None = None) -> None:
        self.esme = UcpSession("esme", esme or Settings(address="8511"), now_ms=0)
        self.smsc = UcpSession("smsc", smsc, now_ms=0)
        self.now_ms = 0

    def to_smsc(self) -> list[Event]:
        """What the SMSC makes of what the ESME has said."""
        said = self.esme.output()
        return self.smsc.receive(said, self.now_ms) if said else self.smsc.tick(self.now_ms)

    def to_esme(self) -> list[Event]:
        """What the ESME makes of what the SMSC has said."""
        said = self.smsc.output()
        return self.esme.receive(said, self.now_ms) if said else self.esme.tick(self.now_ms)

    def log_in(self) -> "Pair":
        """Let the ESME log in."""
        self.esme.send(a_login(), self.now_ms)
        (request,) = self.to_smsc()
        assert isinstance(request, OpenSession)
        self.smsc.answer(request, result_to(request))
        self.smsc.tick(self.now_ms)
        self.to_esme()
        return self


def bound(esme: Settings | None = None, smsc: Settings | None = None) -> Pair:
    """A pair that is bound."""
    return Pair(esme, smsc).log_in()
