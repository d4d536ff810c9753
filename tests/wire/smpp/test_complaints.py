"""What a peer says that cannot be used: counted always, told once to an owner who wants to know."""

import pytest

from tests.wire.smpp.makers import an_mo
from wire.session import Bound, Closed, Complaint
from wire.smpp import BindTransceiver, DeliverSmResp, EnquireLink, Settings, SmppSession, SubmitSm, encode, response_to
from wire.smpp import status as st

TELLS = Settings(complains=True)
UNKNOWN = bytes.fromhex("0000001000000077000000000000002a")


def bound_esme(settings: Settings = TELLS) -> SmppSession:
    session = SmppSession("esme", settings, now_ms=0)
    bind = BindTransceiver(system_id="us", password="secret")
    session.send(bind, 0)
    assert type(session.receive(encode(response_to(bind, system_id="them")), 0)[0]) is Bound
    session.output()
    return session


def truncated(sequence: int) -> bytes:
    """A deliver_sm whose length is true, but which breaks off before its text."""
    whole = an_mo(b"PIN 4711")
    whole.sequence = sequence
    octets = encode(whole)[:-10]
    return len(octets).to_bytes(4, "big") + octets[4:]


def with_bad_tlv(sequence: int) -> bytes:
    whole = an_mo(b"PIN 4711")
    whole.sequence = sequence
    octets = encode(whole) + b"\x04\x24\x00"
    return len(octets).to_bytes(4, "big") + octets[4:]


def test_a_truncated_pdu_is_told_with_its_command_status_and_reason_and_none_of_its_contents() -> None:
    session = bound_esme()

    [told] = session.receive(truncated(7), 1)

    assert isinstance(told, Complaint)
    assert (told.operation, told.status, session.refused) == ("deliver_sm", st.RINVCMDLEN, 1)
    assert told.reason
    assert "PIN" not in repr(told)
    assert "237670000001" not in repr(told)


def test_a_bad_tlv_is_told_too() -> None:
    session = bound_esme()

    [told] = session.receive(with_bad_tlv(7), 1)

    assert isinstance(told, Complaint)
    assert (told.operation, told.status, session.refused) == ("deliver_sm", 0xC0, 1)
    assert "PIN" not in repr(told)


def test_the_first_of_a_session_is_told_and_all_are_counted() -> None:
    session = bound_esme()

    events = session.receive(UNKNOWN + truncated(8) + UNKNOWN, 1) + session.receive(truncated(9), 2)

    assert events == [Complaint("0x00000077", st.RINVCMDID, events[0].reason)]  # type: ignore[attr-defined]
    assert session.refused == 4


def test_a_request_that_may_not_be_said_is_told() -> None:
    session = bound_esme()

    [told] = session.receive(encode(SubmitSm(1, destination_addr="79001112233")), 1)

    assert isinstance(told, Complaint)
    assert (told.operation, told.status) == ("submit_sm", st.RINVCMDID)


def test_a_stream_that_is_lost_is_told_before_its_end() -> None:
    session = bound_esme()

    told, closed = session.receive(b"GET / HTTP/1.1\r\n\r\n", 1)

    assert isinstance(told, Complaint)
    assert isinstance(closed, Closed)
    assert (told.status, session.refused) == (st.RINVCMDLEN, 1)


def test_what_is_too_much_or_too_late_is_counted_and_no_complaint() -> None:
    session = bound_esme(Settings(complains=True, window_in=1))
    first, second = an_mo(), an_mo()
    first.sequence, second.sequence = 1, 2

    events = session.receive(encode(first) + encode(second) + encode(DeliverSmResp(99)), 1)

    assert [type(event).__name__ for event in events] == ["DeliverSm"]
    assert (session.refused, session.ignored) == (1, 1)


@pytest.mark.parametrize("octets", [UNKNOWN, truncated(3)])
def test_an_owner_who_did_not_ask_is_told_nothing(octets: bytes) -> None:
    session = bound_esme(Settings())

    assert session.receive(octets + encode(EnquireLink(4)), 1) == []
    assert session.refused == 1
