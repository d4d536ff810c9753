"""What a peer says that cannot be used: counted always, told once to an owner who wants to know."""

import pytest

from tests.wire.ucp.makers import a_login, an_mo, an_mt, framed, on_wire
from wire.session import Bound, Complaint
from wire.ucp import Alert, Result, Settings, UcpSession, encode, result_to

TELLS = Settings(complains=True, max_frame=1_000)
UNKNOWN = on_wire(framed("O/77", "1/2/"))
TRUNCATED = on_wire(framed("O/52", "8511/237670000001/3/50494E2034373131/"))
BAD_CHECKSUM = on_wire(framed("O/52", "8511/237670000001/" + "/" * 31, checksum="00"))


def bound_esme(settings: Settings = TELLS) -> UcpSession:
    session = UcpSession("esme", settings, now_ms=0)
    login = a_login()
    session.send(login, 0)
    assert type(session.receive(encode(result_to(login)), 0)[0]) is Bound
    session.output()
    return session


@pytest.mark.parametrize(("octets", "ec"), [(TRUNCATED, 2), (BAD_CHECKSUM, 1)])
def test_a_broken_frame_is_told_with_its_type_code_and_reason_and_none_of_its_contents(octets: bytes, ec: int) -> None:
    session = bound_esme()

    [told] = session.receive(octets, 1)

    assert isinstance(told, Complaint)
    assert (told.operation, told.status, session.refused) == ("O/52", ec, 1)
    assert told.reason
    for contents in ("5049", "237670000001", "8511"):
        assert contents not in repr(told)


@pytest.mark.parametrize(
    "frame",
    [
        framed("O/60", "8511/6/5/1/733363726574//0100/////"),
        framed("O/60", "8511/6/5/9/733363726574//0100//////"),
        framed("O/60", "8511/6/5/1/733363726574//0100//////", checksum="00"),
        framed("O/60", "8511/6/5/1/733363726574\xe9//0100//////"),
        framed("O/61", "8511/6/5/1/733363726574//0100/"),
    ],
)
def test_a_password_is_never_told(frame: bytes) -> None:
    session = UcpSession("smsc", TELLS, now_ms=0)

    [told] = session.receive(on_wire(frame), 1)

    assert isinstance(told, Complaint)
    assert "7333" not in repr(told)
    assert "7333" not in session.output().decode()


def test_the_first_of_a_session_is_told_and_all_are_counted() -> None:
    session = bound_esme()

    events = session.receive(UNKNOWN + TRUNCATED + UNKNOWN, 1) + session.receive(TRUNCATED, 2)

    assert events == [Complaint("O/77", 3, "an operation that is not known")]
    assert session.refused == 4


def test_a_request_that_may_not_be_said_is_told() -> None:
    session = bound_esme()

    [told] = session.receive(encode(an_mt()), 1)

    assert isinstance(told, Complaint)
    assert (told.operation, told.status) == ("submit_message", 3)


def test_a_frame_beyond_the_limit_is_told_and_counted() -> None:
    session = bound_esme()

    [told] = session.receive(b"\2" + b"7" * 2_000, 1)

    assert told == Complaint("no operation", None, "a frame of more than 1000 octets")
    assert session.ignored == 1


def test_a_frame_that_can_be_named_by_nobody_is_told_and_ignored() -> None:
    session = bound_esme()

    [told] = session.receive(b"\2GET / HTTP/1.1\3", 1)

    assert told == Complaint("no operation", None, "no UCP frame")
    assert (session.ignored, session.refused, session.output()) == (1, 0, b"")


def test_what_is_too_much_or_too_late_is_counted_and_no_complaint() -> None:
    session = bound_esme(Settings(complains=True, window_in=1))

    events = session.receive(encode(an_mo()) + encode(an_mo(sequence=1)) + encode(Result(99, "51")), 1)

    assert [type(event).__name__ for event in events] == ["DeliverMessage"]
    assert (session.refused, session.ignored) == (1, 1)


@pytest.mark.parametrize("octets", [UNKNOWN, TRUNCATED])
def test_an_owner_who_did_not_ask_is_told_nothing(octets: bytes) -> None:
    session = bound_esme(Settings())

    assert session.receive(octets + encode(Alert(4, "1")), 1) == []
    assert session.refused == 1
